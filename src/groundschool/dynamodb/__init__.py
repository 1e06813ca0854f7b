"""An embedded DynamoDB-compatible store.

From the wire inwards: ``protocol`` parses and answers, driven by botocore's service model; ``operations`` holds one
module per noun of the API; ``expressions`` and ``values`` are pure; ``tables`` defines and describes; ``storage`` keeps
items as ready-made JSON in SQLite. ``python -m groundschool.dynamodb`` is the server process.
"""
