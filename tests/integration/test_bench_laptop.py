"""The benchmark of the laptop: the files that it makes, and the engine alone. ``dev.py run`` has tests of its own."""

from pathlib import Path

from bench.laptop import Load, alone, files_of


def test_the_engine_alone_reads_pictures_and_pages_that_are_new_each_time(tmp_path: Path) -> None:
    pictures, pdf = files_of(tmp_path, Load("", 1, 0, 1)), files_of(tmp_path, Load("", 0, 2, 1))
    assert [file.suffix for file in pictures + pdf] == [".png", ".pdf"]
    assert files_of(tmp_path, Load("", 1, 0, 1)) != pictures
    assert 0 < alone(pictures + pdf) < 120
