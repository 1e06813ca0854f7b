"""What the lab only has to remember (VPCs, roles, buckets, load balancer records): moto, in process."""
