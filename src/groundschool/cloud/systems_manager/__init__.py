"""Systems Manager's living part: commands that run on instances."""
