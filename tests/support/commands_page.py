"""docs/commands.md: what each command's --help says, as a page. ``python -m tests.support.commands_page`` writes it."""

import argparse
from collections.abc import Iterator

from cli.arguments import add_commands
from local.commands.__main__ import make_parser
from local.paths import ROOT

PAGE = ROOT / "docs/commands.md"

_START = """\
# Commands

Every command of `dev.py`, with its arguments; `python3 dev.py COMMAND --help` says the same. [tasks.md](tasks.md) says
what the operator's commands do and need. Those are also there without `dev.py`: where the packages of
`requirements.txt` are installed, `python -m cli COMMAND` takes the same arguments.

Exit status: 0 when all was done, 1 when a file was not read, not found or not dealt with, or a test failed, 2 when the
command could not be carried out at all (standard error says why), 130 when it was stopped by Ctrl-C.

"""


def page() -> str:
    """The text of the page."""
    operators = set(_commands(_operators()))
    parts = [_START]
    for title, mine in (("For the operator", True), ("On your machine", False)):
        parts.append(f"## {title}\n\n")
        for name, parser in _commands(make_parser()).items():
            if (name in operators) is mine:
                parts.append(f"### {name}\n\n{''.join(_section(parser))}")
    return "".join(parts).rstrip() + "\n"


def _operators() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    return parser


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    (action,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    return dict(action.choices)


def _section(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"{parser.description}\n\n"
    actions = [each for each in parser._actions if not isinstance(each, argparse._HelpAction)]
    if actions:
        yield "| argument | meaning |\n|---|---|\n"
        for action in actions:
            yield f"| `{_written(action)}` | {_cell(action.help or '')} |\n"
        yield "\n"


def _written(action: argparse.Action) -> str:
    """How an argument is typed."""
    value = str(action.metavar or "") or (str(action.dest).upper() if action.nargs != 0 else "")
    if action.choices:
        value = _cell("|".join(map(str, action.choices)))
    if action.option_strings:
        return f"{action.option_strings[0]} {value}".strip()
    many = "..." if action.nargs in ("*", "+") else ""
    return f"[{_cell(value)}{many}]" if action.nargs in ("*", "?") else f"{value}{many}"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("%(default)s", "")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
