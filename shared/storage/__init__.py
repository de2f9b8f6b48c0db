"""Thin adapters over the storage SDKs: conditional writes, fences and delayed messages."""
