"""Files and folders appear whole or not at all."""

import pytest

from pasimeta.pipeline.files import staged_folder, write_text


def leftovers(folder):
    return [p.name for p in folder.iterdir() if p.name.startswith(".")]


def test_text_is_written_whole(tmp_path):
    path = tmp_path / "new" / "file.txt"
    write_text(path, "a\nb\n")
    assert path.read_bytes() == b"a\nb\n"
    assert leftovers(path.parent) == []


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "old"
    assert leftovers(tmp_path) == []


def test_folder_takes_the_place_of_the_old_one(tmp_path):
    target = tmp_path / "results"
    target.mkdir()
    (target / "stale").touch()
    with staged_folder(target) as scratch:
        (scratch / "fresh").touch()
        assert (target / "stale").exists()
    assert [p.name for p in target.iterdir()] == ["fresh"]
    assert leftovers(tmp_path) == []


def test_failed_block_leaves_everything_as_it_was(tmp_path):
    target = tmp_path / "results"
    target.mkdir()
    (target / "old").write_text("1")
    with pytest.raises(KeyboardInterrupt), staged_folder(target) as scratch:  # noqa: PT012
        (scratch / "old").write_text("half")
        raise KeyboardInterrupt
    assert (target / "old").read_text() == "1"
    assert leftovers(tmp_path) == []


def test_failed_first_run_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="x"), staged_folder(tmp_path / "results"):
        raise ValueError("x")
    assert list(tmp_path.iterdir()) == []
