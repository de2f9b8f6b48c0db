"""dev.py up: everything, until Ctrl-C."""

import argparse
import os
import sys
import time

from cli.connection import explained
from cli.settings import load_settings
from local.commands.store import connect
from local.functions_emulator.keys import FUNCTION_KEY
from local.paths import DATA, LOGS, from_here
from local.stack import KNOWN_PORTS, Ports, Stack, check_settings, only_user, own_stack


def main(arguments: argparse.Namespace) -> int:
    """Run the stack, and print what the Functions host prints."""
    settings = load_settings(os.environ)
    check_settings(settings)
    ports = KNOWN_PORTS if arguments.ports is None else Ports.from_base(arguments.ports)
    host = None if arguments.without_host else "func" if arguments.func else "emulator"
    try:
        with only_user("up"), own_stack("up", settings, ports, data=DATA, host=host, echo=sys.stdout.write) as stack:
            with explained():
                connect(stack.app_settings()).make_inbox()
            print(_welcome(stack), flush=True)
            while True:
                stack.check()
                time.sleep(0.5)
    except KeyboardInterrupt:
        return 0  # the way to end it


def _welcome(stack: Stack) -> str:
    running = stack.description
    standard = "BlobEndpoint=http://127.0.0.1:10000/" in running.connection_string
    storage = "UseDevelopmentStorage=true" if standard else running.connection_string
    names = connect(stack.app_settings()).settings
    if running.host:
        drop = (
            "Drop files onto the page, with `python3 dev.py run FILE` in another terminal,\nor with any storage tool."
        )
    else:
        drop = (
            "Start the app with `func start` or F5; local.settings.sample.json, copied to local.settings.json,\n"
            f"has its settings: DocumentStorage={storage}, READ_ENDPOINT={running.read_endpoint}."
        )
    key = f" (its key is {FUNCTION_KEY})" if running.host == "emulator" else ""
    return f"""
Everything is running. {drop}

  page              {running.page}{key}
  Storage Explorer  Emulator & Attached > (Emulator - Default Ports), or this connection string:
                    {storage}
  files             blob container {names.input_container}{f", folder {names.input_prefix}" * bool(names.input_prefix)}
  results           blob container {names.output_container}
  rows              tables {names.documents_table} and {names.lines_table}
  Read              {running.read_endpoint}
  logs              {from_here(LOGS)}

Ctrl-C stops everything; what was stored stays."""
