"""Puts the lab together, keeps it going, and takes it down without leaving anything."""
