"""``python -m groundschool.dynamodb``: the server process, as the lab starts it."""

from __future__ import annotations

from groundschool.dynamodb.command import command

if __name__ == "__main__":
    command()
