"""The error that ends a command."""


class CommandError(Exception):
    """A command cannot be carried out. Its text says why, and what to do."""
