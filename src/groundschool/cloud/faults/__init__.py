"""Faults on purpose, in the lab only: one book of what is broken now, and the hand that breaks and mends it."""
