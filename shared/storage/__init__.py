"""Thin adapters over the storage SDKs: conditional writes, fences, delayed messages."""
