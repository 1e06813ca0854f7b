"""Who asks, and may they: access keys, role sessions, policies."""
