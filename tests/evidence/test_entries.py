"""Every value of the data files has one address, and every row of the tables names the entry it comes from."""

import pytest
from ruamel.yaml import YAML

from pasimeta.evidence import tables
from pasimeta.evidence.entries import (
    anchor_of,
    benchmark_entries,
    comparator_entries,
    conflicted_path,
    entry_href,
    study_entries,
)
from pasimeta.evidence.inclusion import InclusionRule, decide_all


@pytest.fixture(scope="module")
def decisions(evidence):
    return decide_all(evidence, InclusionRule())


@pytest.fixture(scope="module")
def known(evidence):
    """Every entry by id."""
    entries = [entry for study in evidence.studies.values() for entry in study_entries(study)]
    entries += [entry for trial in evidence.comparators.values() for entry in comparator_entries(trial)]
    entries += [entry for benchmark in evidence.benchmarks.values() for entry in benchmark_entries(benchmark)]
    by_id = {entry.id: entry for entry in entries}
    assert len(by_id) == len(entries)
    return by_id


def at_path(tree, path):
    for key in path.split("."):
        tree = tree[int(key)] if isinstance(tree, list) else tree[key]
    return tree


def test_a_path_is_that_of_the_yaml_file(project, evidence):
    for study in evidence.studies.values():
        file = YAML(typ="safe").load((project.data / "studies" / f"{study.id}.yaml").read_text(encoding="utf-8"))
        for entry in study_entries(study):
            if entry.path.endswith("imputation"):  # the model's default where the file says nothing
                continue
            written = at_path(file, entry.path)
            if isinstance(written, dict) and "value" in written:
                written = written["value"]
            if isinstance(written, int) and not isinstance(written, bool):
                assert entry.value.replace(",", "") == str(written), entry.id


def test_every_row_of_a_table_names_an_entry(evidence, decisions, known):
    for name in ("responses", "doses", "safety", "comparators", "benchmarks"):
        named = getattr(tables, name)(evidence, decisions)["entry"]
        assert len(named), name
        assert set(named) <= set(known), name


def test_an_entry_of_the_responses_holds_the_count_of_its_row(evidence, decisions, known):
    for row in tables.responses(evidence, decisions).itertuples():
        ends = {row.events_lower, row.events_upper}
        assert {int(end) for end in known[row.entry].value.split("–")} == ends
        assert known[row.entry].cited.source == row.source


def test_pasi90_of_cheng_leads_to_its_line(known):
    entry = known["cheng2022#outcomes-3-events"]
    assert (entry.subject, entry.quantity, entry.value) == ("PASI90", "patients who reached it", "3")
    assert (entry.cited.source, entry.cited.locator, entry.cited.confidence) == (
        "cheng2022-news-stored",
        "line 21",
        "seen",
    )
    assert entry_href(entry.id) == "study-cheng2022.html#outcomes-3-events"


def test_what_is_not_known_says_why(known):
    week = known["cheng2022#outcomes-3-week"]
    assert week.value == ""
    assert "No document seen says" in week.reason


def test_disputed_figures_name_their_conflict_and_each_reading_its_standing(evidence, known):
    study = evidence.studies["cheng2022"]
    assert [study.conflicts[i].field for i in known["cheng2022#population-enrolled"].conflicts] == [
        "population.enrolled"
    ]
    assert known["cheng2022#outcomes-0-printed_percent"].conflicts
    assert not known["cheng2022#outcomes-0-events"].conflicts  # the percentage is disputed, not the count
    assert known["cheng2022#conflicts-0-readings-0"].standing == "preferred"
    assert known["cheng2022#conflicts-0-readings-1"].standing == "set aside"


@pytest.mark.parametrize(
    ("study", "field", "path"),
    [
        ("cheng2022", "population.enrolled", "population.enrolled"),
        ("cheng2022", "outcomes PGA 0/1 percent", "outcomes.4.printed_percent"),
        ("yao2021", "arms.single.dose.weeks", "arms.0.dose.weeks"),
        ("nct03392311", "registration.end", None),
    ],
)
def test_a_conflict_is_about_a_path(evidence, study, field, path):
    assert conflicted_path(evidence.studies[study], field) == path


def test_context_has_addresses_of_its_own():
    assert entry_href("context/erasure#arms-0-counts-0-events") == "context.html#erasure-arms-0-counts-0-events"
    assert entry_href("cheng2022") == "study-cheng2022.html"
    assert anchor_of("arms.0.dose.weeks") == "arms-0-dose-weeks"


def test_amounts_are_written_for_readers(known):
    assert known["lwin2025#arms-0-dose-cells_per_kg"].value == "1,960,000–3,000,000"
    assert known["yao2021#population-age"].value == "mean 50.71, from 35 to 65"
