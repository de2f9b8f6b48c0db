"""The keys of the emulator's HTTP functions: fixed and public, as Azurite's. It listens on this machine only.

The real host makes keys at random and keeps them in storage; Core Tools asks for none.
"""

FUNCTION_KEY = "local"
"""Opens functions of level `function`: the header `x-functions-key`, or `?code=`."""

MASTER_KEY = "local-master"
"""Opens all."""
