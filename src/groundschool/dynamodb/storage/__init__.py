"""Items as ready-made JSON in SQLite rows, and the transactions around them."""
