"""How soon controllers look again at something that is about to change."""

SOON = 1.0
"""Lab seconds. An event (an instance runs, a target has drained) may wake them sooner; nothing depends on it."""
