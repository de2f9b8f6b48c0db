"""dev.py read: the Read emulator alone."""

import argparse
import sys
import time

from local.processes import ReadEmulator
from local.stack import StackError, port_is_free


def main(arguments: argparse.Namespace) -> int:
    """Run it until Ctrl-C."""
    if arguments.port and not port_is_free(arguments.port):
        raise StackError(
            f"Port {arguments.port} is taken, perhaps by a Read container, or on a Mac by AirPlay Receiver. Stop that,"
            " or choose another with --port."
        )
    try:
        with ReadEmulator(port=arguments.port, echo=sys.stdout.write) as read:
            while True:
                read.check()
                time.sleep(0.5)
    except KeyboardInterrupt:
        return 0  # the way to end it
