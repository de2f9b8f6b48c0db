"""For development only: what stands in for Azure on a laptop. The product imports nothing of it."""
