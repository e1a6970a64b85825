"""Files and folders appear whole or not at all."""

import os
import signal
import sys

import pytest

from pasimeta.pipeline import files
from pasimeta.pipeline.files import recover, staged_folders, write_text


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
    with staged_folders(target) as [scratch]:
        (scratch / "fresh").touch()
        assert (target / "stale").exists()
    assert [p.name for p in target.iterdir()] == ["fresh"]
    assert leftovers(tmp_path) == []


def test_failed_block_leaves_everything_as_it_was(tmp_path):
    target = tmp_path / "results"
    target.mkdir()
    (target / "old").write_text("1")
    with pytest.raises(KeyboardInterrupt), staged_folders(target) as [scratch]:  # noqa: PT012
        (scratch / "old").write_text("half")
        raise KeyboardInterrupt
    assert (target / "old").read_text() == "1"
    assert leftovers(tmp_path) == []


def test_an_interruption_finds_both_folders_old_or_both_new(tmp_path, monkeypatch):
    targets = [tmp_path / "results", tmp_path / "site"]
    for target in targets:
        target.mkdir()
        (target / "old").touch()
    replace = files._replace_folder

    def interrupted(target, scratch):
        replace(target, scratch)
        os.kill(os.getpid(), signal.SIGINT)  # after the first as after the second

    monkeypatch.setattr(files, "_replace_folder", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), staged_folders(*targets) as scratches:  # noqa: PT012
            for scratch in scratches:
                (scratch / "new").touch()
    finally:
        signal.signal(signal.SIGINT, before)
    assert [[p.name for p in target.iterdir()] for target in targets] == [["new"], ["new"]]
    assert leftovers(tmp_path) == []


def test_failed_first_run_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="x"), staged_folders(tmp_path / "results"):
        raise ValueError("x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="folders are swapped by a call of Linux")
def test_there_is_no_moment_without_the_folder(tmp_path):
    target = tmp_path / "results"
    target.mkdir()
    (target / "old").touch()
    scratch = tmp_path / ".results-new-x"
    scratch.mkdir()
    (scratch / "new").touch()
    assert files._exchanged(target, scratch)
    assert [p.name for p in target.iterdir()] == ["new"]
    assert [p.name for p in scratch.iterdir()] == ["old"]
    assert not files._exchanged(target, tmp_path / "absent")


def test_folder_takes_its_place_where_two_cannot_be_swapped(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exchanged", lambda one, other: False)
    test_folder_takes_the_place_of_the_old_one(tmp_path)


def test_what_a_killed_process_left_is_put_right(tmp_path):
    retired = tmp_path / ".results-old-a" / "results"
    retired.mkdir(parents=True)
    (retired / "table").write_text("1")
    (tmp_path / ".results-new-b").mkdir()
    (tmp_path / ".results-new-b-work-c").mkdir()
    recover(tmp_path / "results")
    assert [p.name for p in tmp_path.iterdir()] == ["results"]
    assert (tmp_path / "results" / "table").read_text() == "1"


def test_folder_in_place_is_not_replaced_by_a_retired_one(tmp_path):
    for folder, text in (("results", "new"), (".results-old-a/results", "old")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "table").write_text(text)
    recover(tmp_path / "results")
    assert (tmp_path / "results" / "table").read_text() == "new"
    assert leftovers(tmp_path) == []
