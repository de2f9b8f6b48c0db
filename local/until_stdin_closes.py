"""Run a module until its standard input closes: python -m local.until_stdin_closes MODULE [ARGUMENT …]

A child started this way cannot outlive its parent. However the parent ends, even by kill -9, the system closes the
pipe between them, on every platform. The child is then interrupted as by Ctrl-C, and killed if it takes too long.
"""

import os
import runpy
import signal
import sys
import threading
import time

GRACE = 5.0
"""Seconds that an interrupted module may take to finish."""


def _watch() -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock, held here, would be fatal when the interpreter shuts down
        pass
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGINT)
        time.sleep(GRACE)
        os._exit(1)
    os.kill(os.getpid(), signal.SIGINT)  # to the process, so that the main thread's wait is interrupted
    time.sleep(GRACE)
    os.killpg(0, signal.SIGKILL)  # the module's own children with it: the stack gave it a process group of its own


def main() -> None:
    """Run the module that the command line names."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # our parent may have ignored it
    threading.Thread(target=_watch, daemon=True).start()
    del sys.argv[0]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
