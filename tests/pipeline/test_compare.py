"""Two runs compared: what changed, and what the conclusions now say."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from pasimeta.cli import app
from pasimeta.errors import PasimetaError
from pasimeta.pipeline.compare import Difference, compare_runs, in_words, what_follows
from pasimeta.pipeline.record import NotebookRecord, RunRecord, read_record

POOLED = "threshold,k,estimate,ci_lower\n50,2,0.33,0.14\n75,1,0.35,0.14\n"
SUMMARY = "key,heading,text\nsex,Do women respond better?,A sex difference is not identified.\n"


@pytest.fixture
def run_folder(tmp_path):
    def write(name, parameters=50, data="a" * 64, pooled=POOLED, summary=SUMMARY):
        folder = tmp_path / name
        (folder / "tables").mkdir(parents=True)
        (folder / "tables" / "pooled.csv").write_text(pooled)
        (folder / "tables" / "summary.csv").write_text(summary)
        prints = {"inputs": {"data/studies/cheng2022.yaml": data, "tables/x.csv": data}, "code": {"pasimeta": "1"}}
        record = RunRecord({"pooling": {"threshold": parameters}}, {"04_pooling": NotebookRecord(prints, {}, "", 1.0)})
        record.write(folder)
        return folder

    return write


def test_equal_runs_agree(run_folder):
    differences = compare_runs(run_folder("a"), run_folder("b"))
    assert differences == []
    assert "agree in every parameter" in in_words(differences)


def test_every_kind_of_difference_is_found_and_said(run_folder):
    changed = {
        "parameters": 75,
        "data": "b" * 64,
        "pooled": POOLED.replace("0.33", "0.42") + "90,1,0.18,0.04\n",
        "summary": SUMMARY.replace(
            "is not identified", "of 42 points remains; equal response is excluded at this level"
        ),
    }
    differences = compare_runs(run_folder("a"), run_folder("b", **changed))
    kinds = [(d.kind, d.where) for d in differences]
    assert kinds == [
        ("parameter", "pooling.threshold"),
        ("input", "data/studies/cheng2022.yaml"),
        ("number", "pooled [50] estimate"),
        ("number", "pooled [90]"),
        ("conclusion", "summary [sex] text"),
    ]
    words = in_words(differences)
    assert "pooling.threshold: 50 -> 75" in words
    assert "pooled [50] estimate: 0.33 -> 0.42" in words
    assert "pooled [90]: absent -> row" in words
    assert "after:  A sex difference of 42 points remains" in words
    assert words.index("1 conclusion:") < words.index("2 numbers:")


def test_notebook_that_one_run_lacks_is_named_and_its_code_does_not_drown_the_rest(run_folder):
    first, second = run_folder("a"), run_folder("b")
    record = read_record(second)
    prints = {"code": {f"pasimeta.m{i}": "1" for i in range(20)}}
    record.notebooks["05_thresholds"] = NotebookRecord(prints, {}, "", 1.0)
    record.write(second)
    differences = compare_runs(first, second)
    assert (differences[0].kind, differences[0].where, differences[0].after) == ("notebook", "05_thresholds", "run")
    words = in_words(differences).splitlines()
    assert words[:2] == ["1 notebook:", "  05_thresholds: absent -> run"]
    assert words[2] == "20 code:"
    assert words[-1] == "  ... and 12 more; --format csv lists them"


def test_other_versions_are_named(run_folder):
    first, second = run_folder("a"), run_folder("b")
    record = read_record(second)
    record.environment = {"python": "3.12.1"}
    record.write(second)
    differences = compare_runs(first, second)
    assert [(d.kind, d.where, d.after) for d in differences] == [("version", "python", "3.12.1")]
    assert "1 version:\n  python: absent -> 3.12.1" in in_words(differences)


def test_command_ends_with_1_where_runs_differ(run_folder):
    first, second = run_folder("a"), run_folder("b", parameters=75)
    same = CliRunner().invoke(app, ["diff", str(first), str(first)])
    assert same.exit_code == 0
    differing = CliRunner().invoke(app, ["diff", str(first), str(second), "--format", "json"])
    assert differing.exit_code == 1
    assert json.loads(differing.stdout)[0]["after"] == "75"


def test_missing_table_is_a_difference(run_folder):
    first, second = run_folder("a"), run_folder("b")
    (second / "tables" / "pooled.csv").unlink()
    assert {(d.before, d.after) for d in compare_runs(first, second)} == {("row", "absent")}


def test_folder_that_is_no_run_is_refused(run_folder, tmp_path):
    with pytest.raises(PasimetaError, match=r"has no run\.json"):
        compare_runs(run_folder("a"), tmp_path / "nothing")
    broken = run_folder("broken")
    shutil.copyfile(broken / "tables" / "pooled.csv", broken / "run.json")
    with pytest.raises(PasimetaError, match=r"has no run\.json"):
        compare_runs(broken, broken)


def test_what_a_change_did_is_said_with_conclusions_in_full_and_numbers_counted():
    differences = [
        Difference("parameter", "pooling.threshold", "50", "75"),
        Difference("code", "pasimeta.errors", "a", "b"),
        Difference("number", "pooled [75] estimate", "0.1", "0.2"),
        Difference("number", "pooled [75] se", "0.1", "0.2"),
        Difference("number", "doses [a] rate", "1", "2"),
    ]
    assert what_follows(differences).splitlines() == [
        "1 parameter:",
        "  pooling.threshold: 50 -> 75",
        "no conclusion has changed",
        "numbers that have changed, by table: pooled (2), doses (1)",
    ]
    conclusion = Difference("conclusion", "summary [sex] text", "Women respond", "Not identified")
    assert what_follows([conclusion]).splitlines() == [
        "1 conclusion:",
        "  summary [sex] text: Women respond -> Not identified",
        "no number has changed",
    ]
