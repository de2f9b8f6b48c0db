"""What can go wrong with a file, as classes by what a caller would do differently."""


class SourceMissing(Exception):
    """The file is not in storage any more."""


class SourceChanged(Exception):
    """The file was overwritten while it was being read: the newer version is to be read instead."""


class InputContainerMissing(Exception):
    """The input container does not exist. Its text names account and container."""
