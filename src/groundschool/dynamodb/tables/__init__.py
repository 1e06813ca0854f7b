"""What a table is: its definition, how it is created and changed, how it is described. Pure."""
