"""Tables hold to their schemas, and a broken one is refused by name."""

import pandas as pd
import pytest

from pasimeta.errors import EvidenceError
from pasimeta.evidence import tables
from pasimeta.evidence.inclusion import InclusionRule, decide_all


@pytest.fixture(scope="module")
def decisions(evidence):
    return decide_all(evidence, InclusionRule())


def test_every_response_names_its_source(evidence, decisions):
    table = tables.responses(evidence, decisions)
    assert table["source"].isin(list(evidence.sources)).all()
    assert table["locator"].str.len().gt(0).all()


def test_doses_reproduce_the_confounding_of_dose_and_schedule(evidence, decisions):
    cheng = tables.doses(evidence, decisions).query("study == 'cheng2022'")
    assert (cheng["dose_low"] / 1e6).tolist() == [1.5, 1.5, 2.0, 2.5, 3.0]
    assert (cheng["cumulative_low"] / 1e6).tolist() == [6, 6, 8, 5, 6]


def test_characteristics_have_a_row_for_every_study(evidence, decisions):
    table = tables.characteristics(evidence, decisions)
    assert table["study"].tolist() == list(evidence.studies)
    assert table["included"].sum() == 2


def test_table_survives_the_way_through_a_file(evidence, decisions, tmp_path):
    table = tables.responses(evidence, decisions)
    path = tmp_path / "responses.csv"
    table.to_csv(path, index=False)
    back = tables.read_table(path, tables.RESPONSES)
    pd.testing.assert_frame_equal(back, table, check_dtype=False)


@pytest.mark.parametrize("column", ["events_lower", "source", "threshold"])
def test_missing_column_is_named(evidence, decisions, tmp_path, column):
    path = tmp_path / "responses.csv"
    tables.responses(evidence, decisions).drop(columns=column).to_csv(path, index=False)
    with pytest.raises(EvidenceError, match=rf"responses\.csv: column '{column}' is missing; run the evidence"):
        tables.read_table(path, tables.RESPONSES)


def test_impossible_row_is_refused(evidence, decisions, tmp_path):
    path = tmp_path / "responses.csv"
    tables.responses(evidence, decisions).assign(events_lower=99).to_csv(path, index=False)
    with pytest.raises(EvidenceError, match="events_lower exceeds events_upper"):
        tables.read_table(path, tables.RESPONSES)


def test_absent_and_empty_tables_are_refused(tmp_path):
    with pytest.raises(EvidenceError, match="is missing; run the evidence notebook first"):
        tables.read_table(tmp_path / "none.csv", tables.RESPONSES)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(EvidenceError, match="is not a readable table"):
        tables.read_table(tmp_path / "empty.csv", tables.RESPONSES)
