"""Errors with a file, one class for each way in which a caller reacts."""


class SourceMissing(Exception):
    """The file is not in storage any more."""


class SourceChanged(Exception):
    """The file was overwritten while it was being read. The newer version is to be read instead."""


class InputContainerMissing(Exception):
    """The input container does not exist. The text names the account and the container."""
