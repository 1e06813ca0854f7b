"""The Resource Groups Tagging API: what carries a tag, whichever service it belongs to."""
