"""`pasimeta pool` and `pasimeta gosh` on anyone's table: the engine's numbers, and one line for what can't be."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pasimeta import robustness, synthesis
from pasimeta.cli import app
from pasimeta.effects import escalc
from pasimeta.errors import PasimetaError
from pasimeta.pipeline.anyones_table import pool_table, read_study_table

RATES = "study,events,n\nA,6,17\nB,2,7\nC,3,12\n"
TWO_ARM = "study,events1,n1,events2,n2\nA,6,20,2,19\nB,4,15,3,16\nC,7,30,1,28\n"
EFFECTS = "yi,vi\n0.2,0.05\n0.5,0.08\n-0.1,0.04\n"


@pytest.fixture
def saved(tmp_path):
    def save(text):
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return save


def printed(*arguments):
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def as_json(*arguments):
    return json.loads(printed(*arguments, "--format", "json"))


@pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")
@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (RATES, [], lambda: synthesis.pool_binomial([6, 2, 3], [17, 7, 12])),
        (RATES, ["--model", "common"], lambda: synthesis.pool_binomial([6, 2, 3], [17, 7, 12], model="common")),
        (
            RATES,
            ["--measure", "PAS", "--method", "DL", "--test", "z", "--level", "0.9"],
            lambda: synthesis.pool_counts(
                "PAS", events=[6, 2, 3], n=[17, 7, 12], method="DL", test="z", level=0.9, prediction=None
            ),
        ),
        (EFFECTS, [], lambda: synthesis.pool([0.2, 0.5, -0.1], [0.05, 0.08, 0.04])),
        (
            TWO_ARM,
            ["--measure", "RR"],
            lambda: synthesis.pool_counts("RR", events1=[6, 4, 7], n1=[20, 15, 30], events2=[2, 3, 1], n2=[19, 16, 28]),
        ),
        (
            TWO_ARM,
            ["--model", "mantel_haenszel"],
            lambda: synthesis.mantel_haenszel([6, 4, 7], [20, 15, 30], [2, 3, 1], [19, 16, 28]),
        ),
        (TWO_ARM, ["--model", "peto"], lambda: synthesis.peto([6, 4, 7], [20, 15, 30], [2, 3, 1], [19, 16, 28])),
    ],
)
def test_printed_numbers_are_the_engines(saved, text, options, expected):
    record, result = as_json("pool", saved(text), *options), expected()
    for name in ("k", "estimate", "se", "ci_lower", "ci_upper", "tau2", "pi_lower", "response_estimate", "method"):
        value = getattr(result, name)
        assert record[name] == (value if value is None or isinstance(value, str) else pytest.approx(float(value)))
    assert record["warnings"] == list(result.warnings)


def test_csv_and_table_print_the_same_estimate(saved):
    path = saved(RATES)
    record = as_json("pool", path)
    frame = pd.read_csv(io.StringIO(printed("pool", path, "--format", "csv")))
    assert frame["estimate"].item() == pytest.approx(record["estimate"])
    assert f"estimate             {record['estimate']:.6g}" in printed("pool", path)


def test_doubts_are_printed_with_the_result(saved):
    assert "doubt: only 2 studies" in printed("pool", saved("events,n\n6,17\n2,7\n"))


def test_no_events_at_all_is_valid_json(saved):
    record = as_json("pool", saved("events,n\n0,17\n0,7\n"))
    assert record["response_estimate"] == 0
    assert record["response_ci_upper"] < 0.3


def test_gosh_prints_every_subset_or_their_spread(saved):
    path = saved(EFFECTS)
    subsets = pd.read_csv(io.StringIO(printed("gosh", path, "--format", "csv")))
    expected = robustness.gosh([0.2, 0.5, -0.1], [0.05, 0.08, 0.04])
    assert len(subsets) == 7
    np.testing.assert_allclose(subsets["estimate"], expected["estimate"])
    spread = json.loads(printed("gosh", path, "--format", "json"))
    assert spread["estimate"]["50%"] == pytest.approx(expected["estimate"].median())


def test_gosh_transforms_rates_first(saved):
    subsets = pd.read_csv(io.StringIO(printed("gosh", saved(RATES), "--measure", "PAS", "--format", "csv")))
    yi, vi = escalc("PAS", events=[6, 2, 3], n=[17, 7, 12])
    np.testing.assert_allclose(subsets["estimate"], robustness.gosh(yi, vi)["estimate"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "can't be read as CSV"),
        ("events,n\n", "holds no study"),
        ("events,m\n6,17\n", "column n is missing; give the columns events, n; or"),
        ("a,b\n1,2\n", "is missing; give the columns"),
        ("events,n,yi,vi\n6,17,1,1\n", "has the columns of rates and effects; keep one set"),
        ("events,n\n6,17\nx,7\n", "events, row 2: 'x' is not a number"),
        ("events,n\n6,17\n,7\n", "events, row 2: an empty cell is not a number"),
        ("events,n\n6,17\n8,7\n", "events, row 2: 8 exceeds n"),
        ("events,n\n6,0\n", "n, row 1: 0 leaves the group empty"),
        ("events,n\n2.5,7\n", "events, row 1: 2.5 is not a whole number"),
        ("events,n\n-1,7\n", "events, row 1: -1 is negative"),
        ("events,n\nnan,7\n", "events, row 1: nan is not finite"),
        ("yi,vi\n1,0\n", "vi, row 1: 0 is not positive"),
        ("yi,vi\n1,-2\n", "vi, row 1: -2 is not positive"),
        ("yi,vi\ninf,2\n", "yi, row 1: inf is not finite"),
    ],
)
def test_bad_table_is_refused_with_file_and_row(saved, text, complaint):
    path = saved(text)
    with pytest.raises(PasimetaError) as refusal:
        pool_table(read_study_table(path))
    assert str(refusal.value).startswith(str(path))
    assert complaint in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "options", "complaint"),
    [
        (EFFECTS, {"model": "common"}, "common needs the columns events, n"),
        (RATES, {"model": "peto"}, "peto needs the columns events1"),
        (RATES, {"model": "median"}, "choose one of inverse_variance, binomial_normal"),
        (RATES, {"model": "common", "measure": "PLO"}, "leave --measure out"),
        (EFFECTS, {"measure": "PLO"}, "holds effect sizes already"),
        (RATES, {"measure": "OR"}, "OR"),
        (RATES, {"measure": "XYZ"}, "XYZ"),
        (RATES, {"level": 95.0}, "95 % is 0.95"),
        (EFFECTS, {"method": "XX"}, "XX"),
        (EFFECTS, {"test": "XX"}, "XX"),
        (EFFECTS, {"prediction": "XX"}, "XX"),
    ],
)
def test_option_that_does_not_fit_is_refused(saved, text, options, complaint):
    with pytest.raises(PasimetaError, match=complaint):
        pool_table(read_study_table(saved(text)), **options)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(PasimetaError, match=r"nowhere\.csv: can't be read as CSV"):
        read_study_table(tmp_path / "nowhere.csv")


def test_binary_file_is_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(PasimetaError, match="can't be read as CSV"):
        read_study_table(path)


@given(st.text(max_size=60))
def test_no_text_brings_a_traceback(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "table.csv"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(PasimetaError):
        read_study_table(path)
