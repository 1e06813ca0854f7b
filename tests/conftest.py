"""For all tests."""

from __future__ import annotations

import signal

# A run that a script started in the background inherits "ignore" for SIGINT and hands it on to the programs it starts,
# and those that are to be ended by Ctrl-C would not.
signal.signal(signal.SIGINT, signal.default_int_handler)
