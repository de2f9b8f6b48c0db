"""The command lines. Nothing is imported but the standard library: dev.py reads them before anything is installed."""

import argparse
from collections.abc import Sequence

from shared.document import Status
from shared.keys import blob_name

EPILOG = """\
exit status: 0 done; 1 a file was not found, or something could not be done for one of several; 2 the command could not
be carried out (standard error says why); 130 stopped by Ctrl-C"""

TROUBLE = "trouble"
"""The same as shared.entries.TROUBLE; that module imports the storage SDKs."""

PREFIX = "only names that start with this, such as 2024/"


def parse(arguments: Sequence[str] | None = None, program: str = "python -m cli") -> argparse.Namespace:
    """Read a command line of ``python -m cli``. Exits with status 2, its usage on standard error, if it is wrong."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="See the status of files, get their text, and have files read again or deleted.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_commands(parser.add_subparsers(title="commands", metavar="COMMAND", required=True))
    return checked(parser, parser.parse_args(arguments))


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the operator's commands to a parser. Each sets ``operator`` to the module of cli that carries it out."""
    _add_views(commands)
    _add_requests(commands)
    check = add_command(
        commands,
        "check",
        "check that everything is set up, before the first file",
        "Tries the app settings, the Read service, and each container, table and queue, and says for each whether it"
        " works, or what to do. Nothing is changed and nothing is billed. In Azure this uses your own login; /api/check"
        " of the app says what the app's identity may do.",
    )
    _json_option(check, "one JSON object for each")
    _storage_option(check)
    check.set_defaults(operator="check")


def checked(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> argparse.Namespace:
    """Refuse combinations of arguments that make no sense together."""
    if getattr(chosen, "operator", None) == "again":
        if chosen.status is None and not chosen.names:
            parser.error("again: name a file, or choose files with --status")
        if chosen.status is None and (chosen.code or chosen.dry_run):
            parser.error("again: --code and --dry-run go with --status")
        if chosen.status is not None and len(chosen.names) > 1:
            parser.error("again: with --status, give one prefix at most")
    return chosen


def add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, more: str = ""
) -> argparse.ArgumentParser:
    """Add one command, with a line for the list of commands, and more for its own help."""
    description = f"{text[0].upper()}{text[1:]}. {more}".strip()
    return commands.add_parser(name, help=text, description=description, allow_abbrev=False)


def _add_views(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    status = add_command(commands, "status", "how many files were read, have failed, or are waiting")
    status.add_argument("prefix", type=blob_name, nargs="?", default="", metavar="PREFIX", help=PREFIX)
    _json_option(status, "the counts as one JSON object")
    _storage_option(status)
    status.set_defaults(operator="status")

    listing = add_command(
        commands,
        "list",
        "files, their status, and what to do about those that failed",
        "The status trouble marks a row that somebody has edited and that the app can no longer read.",
    )
    listing.add_argument("prefix", type=blob_name, nargs="?", default="", metavar="PREFIX", help=PREFIX)
    listing.add_argument("--status", choices=[*map(str, Status), TROUBLE], help="only files with this status")
    _json_option(listing, "one JSON object for each file")
    _storage_option(listing)
    listing.set_defaults(operator="listing")

    text = add_command(commands, "text", "print a file's text")
    text.add_argument("name", type=name, metavar="NAME", help="the file's name in the container")
    text.add_argument("--page", type=_page, metavar="N", help="only this page of it, counted from 1")
    _json_option(text, "the text with its pages, lines and boxes, as `dev.py run --json` prints it")
    _storage_option(text)
    text.set_defaults(operator="text")


def _add_requests(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    again = add_command(
        commands,
        "again",
        "read files again, whatever their status",
        "Each page is billed again, unless Read still has a result that was paid for and not stored. A file that is"
        " being read now is left alone. With --status, all files with that status are read again; add --dry-run to"
        " see first how many there are.",
    )
    again.add_argument(
        "names", type=name, nargs="*", metavar="NAME", help="a file's name in the container; with --status, a prefix"
    )
    again.add_argument(
        "--status",
        choices=AGAIN_STATUSES,
        help="instead of names: every file with this status, below a prefix if given",
    )
    again.add_argument("--code", metavar="CODE", help="with --status: only files with this ErrorCode")
    again.add_argument(
        "--dry-run", action="store_true", help="with --status: only show how many files there are, and what is billed"
    )
    _storage_option(again)
    again.set_defaults(operator="again")

    forget = add_command(
        commands,
        "forget",
        "delete files and everything stored about them",
        "Deletes text, lines, results and row first, then the file. Read's own copy of a result is deleted where that"
        " is possible (READ_API_VERSION 2024-11-30, with READ_ENDPOINT and READ_KEY as in the app); otherwise Read"
        " deletes it by itself within 48 hours.",
    )
    forget.add_argument("names", type=name, nargs="+", metavar="NAME", help="a file's name in the container")
    forget.add_argument(
        "--keep-file", action="store_true", help="keep the file itself; it is read again only if you ask for it"
    )
    _storage_option(forget)
    forget.set_defaults(operator="forget")

    missed = add_command(
        commands,
        "missed",
        "read files that no event reported",
        "The app does this by itself each day; this does it now, and includes the newest files. It compares the"
        " container with the table, and enqueues files whose current version has not been read, as many as READ_RATE"
        " allows in a day. Files last changed before READ_FILES_FROM are left alone.",
    )
    missed.add_argument(
        "--dry-run", action="store_true", help="only show how many files there are, and how large they are"
    )
    _storage_option(missed)
    missed.set_defaults(operator="missed")


AGAIN_STATUSES = (str(Status.FAILED), str(Status.SUCCEEDED), str(Status.IGNORED), TROUBLE)


def name(text: str) -> str:
    """The type of an argument that is a file's name."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("a name is not text in this system's encoding") from None
    if not text:
        raise argparse.ArgumentTypeError("a name is empty")
    return blob_name(text)


def _page(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 99_999:
        raise argparse.ArgumentTypeError(f"{text} is not a page number")
    return int(text)


def _json_option(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--json", action="store_true", help=text)


def _storage_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--storage",
        metavar="ACCOUNT",
        help="use this storage account in Azure, with your Azure login; or the URL of one of its services, a"
        " connection string, or the name of the app setting that holds one",
    )
