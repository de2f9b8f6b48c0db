"""The benchmark of start-up, at its smallest."""

from bench.startup import measure


def test_the_imports_are_timed_and_a_start_imports_no_more_than_it_needs() -> None:
    figures = {figure.name: figure for figure in measure(quick=True)}
    assert list(figures) == [
        "Import azure-functions alone",
        "Import function_app.py",
        "Import all SDKs that the app names",
        "Import function_app.py, beyond azure-functions",
        "Import function_app.py, against azure-functions",
        "Import function_app.py, against all SDKs that it names",
        "Import of what the first event needs, beyond function_app.py",
    ]
    assert all(0 < figure.value < 60 for name, figure in figures.items() if "beyond" not in name)
    assert all(-60 < figure.value < 60 for figure in figures.values())  # on a busy machine, the difference is noise
    assert figures["Import function_app.py, against azure-functions"].note.startswith("not imported at a start")
