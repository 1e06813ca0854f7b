"""``ground dynamodb``: the embedded DynamoDB on its own, for local runs of an app."""

from __future__ import annotations

from groundschool.dynamodb.command import command

__all__ = ["command"]
