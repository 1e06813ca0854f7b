"""One endpoint on loopback that speaks AWS to unmodified clients."""
