"""The keys of the emulator's HTTP functions: fixed and public, like Azurite's. It listens on this machine only.

The real host creates random keys and keeps them in storage; Core Tools asks for none.
"""

FUNCTION_KEY = "local"
"""Opens functions of level `function`: the header `x-functions-key`, or `?code=`."""

MASTER_KEY = "local-master"
"""Opens all functions."""
