"""EC2's living part: instances, from RunInstances to terminated."""
