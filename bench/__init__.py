"""Benchmarks. Nothing here is part of the app."""
