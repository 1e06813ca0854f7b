"""The ten types: numbers, sizes, comparison and key encodings. Pure."""
