"""docs/commands.md says what --help says."""

from tests.support.commands_page import PAGE, page


def test_the_page_of_commands_matches_help() -> None:
    """To regenerate it, run ``python -m tests.support.commands_page``."""
    assert PAGE.read_text(encoding="utf-8") == page()
