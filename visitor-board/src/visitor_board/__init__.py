"""Visitor Board: a stateless web tier over DynamoDB, small enough to be read in ten minutes.

Read in this order: ``message`` and ``board`` (what there is), ``feed`` (how it is stored), ``web`` (pages and API),
``guard`` (what is refused), ``store_client`` (the wire), ``server`` and ``cli`` (how it runs).
"""
