"""What runs inside an instance: its init process.

Started as ``python3 -I -S`` by the base interpreter, once per instance, so only light modules of the standard library
are used here (no dataclasses, no subprocess) and nothing else of Ground School is imported.
"""
