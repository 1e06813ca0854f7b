"""Ground School: learn system design on AWS, hands-on, on a laptop cloud whose parts are real."""

__version__ = "0.1.0"
