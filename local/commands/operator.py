"""dev.py status, list, text, again, forget, missed, check: forwarded to cli, with the storage of the local stack."""

import argparse
import os

from cli.__main__ import run
from cli.connection import App, pointed_to
from cli.settings import load_settings
from local.stack import shared_storage


def main(arguments: argparse.Namespace) -> int:
    """Run the command on this machine's storage, or with --storage in Azure."""
    settings = load_settings(os.environ)
    if arguments.storage:
        return run(arguments, App(pointed_to(arguments.storage, settings)))
    with shared_storage(arguments.operator) as stack:
        of_stack = stack.app_settings()
        if of_stack.get("READ_ENDPOINT", settings.get("READ_ENDPOINT")) != settings.get("READ_ENDPOINT"):
            settings.pop("READ_KEY", None)  # it is for another service
        return run(arguments, App({**settings, **of_stack}, runs=stack.description.host is not None))
