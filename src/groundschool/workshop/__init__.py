"""The build order of the workshop: eleven components, each able to plan, create, check and remove itself.

A component knows AWS and nothing of the world it is built in: only ``AWS_ENDPOINT_URL`` tells the lab from AWS.
``build_order`` is the table of contents.
"""
