"""What a run tells: each notebook's end, and a table of times when something ran."""

import pytest

from pasimeta.pipeline.progress import Lines, Live, closing_table


@pytest.mark.parametrize("reporter", [Lines, Live])
def test_table_closes_a_run_even_if_it_failed(reporter, capsys):
    told = reporter()
    told.started("02_b", "has no results yet", 3)
    told.at_cell("02_b", 2)
    told.finished("02_b", "failed", 12.34)
    told.finished("01_a", "unchanged", 0)
    told.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[-3:]]
    assert rows[0] == ["01_a", "unchanged"]
    assert rows[1] == ["02_b", "12.3", "s", "failed"]
    assert rows[2][:2] == ["in", "all"]


@pytest.mark.parametrize("reporter", [Lines, Live])
def test_run_without_work_prints_no_table(reporter, capsys):
    with reporter() as told:
        told.say("nothing has changed")
    assert capsys.readouterr().out == "nothing has changed\n"


def test_columns_of_the_table_line_up():
    lines = closing_table([("a_long_name", "done", 101.5), ("b", "done", 1.25)], 102.75).splitlines()[1:]
    assert lines[0].index("done") == lines[1].index("done")
    assert [line.index(" s") for line in lines] == [lines[0].index(" s")] * 3
    assert lines[2].endswith("102.8 s")


@pytest.mark.parametrize("reporter", [Lines, Live])
def test_nothing_is_told_after_the_end(reporter, capsys):
    with reporter() as told:
        told.started("02_b", "has no results yet", 3)
    capsys.readouterr()
    told.started("03_c", "has no results yet", 3)
    told.at_cell("02_b", 2)
    told.finished("02_b", "stopped", 1.0)
    told.say("a late word")
    assert capsys.readouterr().out == ""


def test_brief_lines_tell_only_what_runs(capsys):
    with Lines(brief=True) as told:
        told.started("02_b", "parameters changed: threshold", 3)
        told.finished("01_a", "unchanged", 0)
        told.finished("02_b", "done", 1.04)
    assert capsys.readouterr().out.splitlines() == ["02_b: runs, parameters changed: threshold", "02_b: done in 1.0 s"]
