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
