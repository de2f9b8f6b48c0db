"""docs/commands.md says what --help says."""

from tests.support.commands_page import PAGE, page


def test_the_page_of_commands_is_what_help_says() -> None:
    """``python -m tests.support.commands_page`` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page()
