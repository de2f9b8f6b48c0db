#!/usr/bin/env python3
"""The one command of a developer or a newcomer: python3 dev.py run invoice.pdf

Installs what the local stack needs into .dev beside this file, once, then carries out the command (local/commands).
This file is written so that any Python, however old, can read it and say what is wrong.
"""

import sys

if __name__ == "__main__":
    if not (3, 11) <= sys.version_info[:2] <= (3, 14):  # what every pinned package has wheels for
        sys.stderr.write(
            "blob-ocr needs Python 3.11 to 3.14, and this is %s (%s). "  # noqa: UP031 - Python 2 knows no f-string
            "Start dev.py with one of those, for instance: python3.13 dev.py run\n"
            % (sys.version.split()[0], sys.executable)
        )
        sys.exit(2)

    try:
        from local import install

        sys.exit(install.main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
