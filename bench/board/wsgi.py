"""The Visitor Board as other WSGI servers load it: ``wsgi:app``, with the settings of the environment."""

from __future__ import annotations

import os

from visitor_board.cli import build_app
from visitor_board.instance import identify
from visitor_board.settings import Settings
from visitor_board.store_client import StoreClient
from visitor_board.telemetry import Metrics

settings, instance = Settings.from_environment(os.environ), identify(os.environ)
metrics = Metrics(instance.id)
app = build_app(
    settings, StoreClient(settings.region, settings.endpoint, observe=metrics.observe_store), instance, metrics
)
