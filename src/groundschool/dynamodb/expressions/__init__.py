"""The expression languages: lexed, parsed once per text, compiled to closures. Pure."""
