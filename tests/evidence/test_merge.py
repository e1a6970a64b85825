"""Two documents of one trial: what agrees is cited twice, what differs is kept twice, and nothing is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pasimeta.errors import EvidenceError
from pasimeta.evidence.merge import UNDECIDED, merged_all, merged_yaml
from pasimeta.evidence.store import load_study

REGISTRY = """\
# from the registry
id: nct99999999
label: null
title: Cells in a fictional trial
registry_ids: [NCT99999999]
citation: null
phase: ["1"]
status: unknown
population:
  enrolled: {value: 40, source: registry, locator: line 7, confidence: seen}   # a target
  female: {value: null, reason: Not given}
arms:
  - id: low
    label: Low dose
    n: {value: null, reason: Not given}
    dose:
      {cells_per_kg: 1.0e+6, infusions: null, weeks: null, reason: None, source: registry,
       locator: line 9, confidence: seen}
outcomes: []
conflicts: []
problems:
  - {code: units_missing, message: no unit}
sources: [registry]
"""
REPORT = """\
id: nct99999999
label: Fictional 2030
title: Cells in a fictional trial
registry_ids: [NCT99999999, FIC-1]
citation: {authors: Nobody N, year: 2030}
phase: ["1", "2"]
status: reported
population:
  enrolled: {value: 38, source: report, locator: line 3, confidence: seen}
  female: {value: 20, source: report, locator: line 4, confidence: seen}
arms:
  - id: group-a
    label: Group A
    n: {value: 19, source: report, locator: line 5, confidence: seen}
    dose: {cells_per_kg: 1.0e+6, infusions: 3, weeks: [0, 2, 4], source: report, locator: line 5, confidence: seen}
  - id: group-b
    label: Group B
    n: {value: 19, source: report, locator: line 6, confidence: seen}
    dose: {cells_per_kg: 2.0e+6, infusions: 3, weeks: [0, 2, 4], source: report, locator: line 6, confidence: seen}
outcomes:
  - {endpoint: pasi_response, threshold: 75, events: 10, n_enrolled: 38, n_analysed: 38, week: 12,
     source: report, locator: line 8, confidence: seen}
conflicts: []
problems:
  - {code: design_conflict, message: two designs}
sources: [report]
"""


def merged(first=REGISTRY, second=REPORT):
    return YAML(typ="safe").load(merged_yaml(first, second))


def conflict(tree, field):
    (found,) = [c for c in tree["conflicts"] if c["field"] == field]
    return found


def test_values_that_differ_are_both_kept_with_their_places():
    found = conflict(merged(), "population.enrolled")
    assert found["preferred"] is None
    assert found["why"] == UNDECIDED
    assert [(r["value"], r["source"], r["locator"]) for r in found["readings"]] == [
        (40, "registry", "line 7"),
        (38, "report", "line 3"),
    ]
    assert merged()["population"]["enrolled"]["value"] == 40


def test_values_without_a_place_of_their_own_conflict_too():
    assert [r["value"] for r in conflict(merged(), "phase")["readings"]] == ["1", "1, 2"]


def test_what_only_one_tells_is_taken_over():
    tree = merged()
    assert tree["label"] == "Fictional 2030"
    assert tree["citation"]["year"] == 2030
    assert tree["status"] == "reported"
    assert tree["population"]["female"] == {"value": 20, "source": "report", "locator": "line 4", "confidence": "seen"}
    assert tree["registry_ids"] == ["NCT99999999", "FIC-1"]
    assert tree["sources"] == ["registry", "report"]
    assert [p["code"] for p in tree["problems"]] == ["units_missing", "design_conflict"]
    assert len(tree["outcomes"]) == 1


def test_an_arm_is_known_by_its_dose():
    low, other = merged()["arms"]
    assert (low["id"], low["n"]["value"], low["dose"]["infusions"], low["dose"]["weeks"]) == ("low", 19, 3, [0, 2, 4])
    assert "reason" not in low["dose"]
    assert low["dose"]["also"] == [{"source": "report", "locator": "line 5"}]
    assert low["dose"]["derived"] == "infusions 3; weeks 0, 2, 4: as in report, line 5"
    assert other["id"] == "group-b"


def test_agreement_is_cited_twice():
    second = REPORT.replace("value: 38", "value: 40")
    tree = merged(second=second)
    assert tree["population"]["enrolled"]["also"] == [{"source": "report", "locator": "line 3"}]
    assert not any(c["field"] == "population.enrolled" for c in tree["conflicts"])


def test_counts_of_the_same_patients_and_week_conflict():
    other = REPORT.replace("events: 10", "events: 11").replace("report,", "paper,").replace("[report]", "[paper]")
    found = conflict(merged(REPORT, other), "outcomes.pasi response 75.events")
    assert [(r["value"], r["source"]) for r in found["readings"]] == [(10, "report"), (11, "paper")]


def test_comments_and_order_survive():
    text = merged_yaml(REGISTRY, REPORT)
    assert text.startswith("# from the registry\nid: nct99999999\n")
    assert "# a target" in text


def test_another_trial_is_refused():
    other = REPORT.replace("NCT99999999", "NCT88888888").replace("nct99999999", "nct88888888")
    with pytest.raises(
        EvidenceError, match=r"b: tells of NCT88888888, FIC-1, but a of NCT99999999; merge documents of"
    ):
        merged_yaml(REGISTRY, other, ("a", "b"))


@pytest.mark.parametrize("text", ["", "- a\n", "just words", "a: [b"])
def test_what_is_no_study_is_refused(text):
    with pytest.raises(EvidenceError, match=r"^draft: is not "):
        merged_yaml(REGISTRY, text, ("study", "draft"))


def test_several_drafts_merge_from_left_to_right():
    third = REPORT.replace("value: 38", "value: 39").replace("source: report", "source: paper")
    tree = YAML(typ="safe").load(merged_all([("a", REGISTRY), ("b", REPORT), ("c", third)]))
    assert [r["value"] for r in conflict(tree, "population.enrolled")["readings"]] == [40, 38, 39]
    with pytest.raises(EvidenceError, match="no draft to merge"):
        merged_all([])


def test_every_committed_study_merged_with_itself_is_unchanged(project):
    for path in sorted((project.data / "studies").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        assert merged_yaml(text, text) == text, path.name


def test_a_committed_study_merged_with_a_draft_still_loads(project, tmp_path):
    text = (project.data / "studies" / "cheng2022.yaml").read_text(encoding="utf-8")
    draft = """\
registry_ids: [NCT03765957]
population:
  enrolled: {value: 16, source: cheng2022-news-nfa5, locator: text, confidence: seen}
  female: {value: 9, source: cheng2022-news-nfa5, locator: text, confidence: seen}
  age: {value: {mean: 40.5}, source: cheng2022-news-nfa5, locator: text, confidence: seen}
"""
    path = tmp_path / "cheng2022.yaml"
    path.write_text(merged_yaml(text, draft), encoding="utf-8")
    study = load_study(path)
    assert study.population.enrolled.value == 17
    assert study.population.age.value.mean == 40.5
    assert study.population.female.also[-1].source == "cheng2022-news-nfa5"
    readings = next(c for c in study.conflicts if c.field == "population.enrolled").readings
    assert [r.value for r in readings] == [17, 50, 12, 12, 16]


# Properties

fact = st.none() | st.tuples(st.integers(0, 9), st.integers(1, 30))
facts = st.fixed_dictionaries(dict.fromkeys(("enrolled", "analysed", "female", "male"), fact))


def study_of(given_, source):
    lines = ["id: one", "registry_ids: [NCT1]", f"sources: [{source}]", "population:"]
    for name, told in given_.items():
        if told is None:
            lines.append(f"  {name}: {{value: null, reason: Not given}}")
        else:
            value, line = told
            lines.append(f"  {name}: {{value: {value}, source: {source}, locator: line {line}, confidence: seen}}")
    return "\n".join(lines) + "\n"


def told_in(tree):
    """Return every (field, value, source, locator) that a tree tells."""
    found = set()
    for name, entry in tree["population"].items():
        if entry["value"] is not None:
            for place in [entry, *entry.get("also", [])]:
                found.add((f"population.{name}", entry["value"], place["source"], place["locator"]))
    for item in tree.get("conflicts") or []:
        found |= {(item["field"], r["value"], r["source"], r["locator"]) for r in item["readings"]}
    return found


@settings(max_examples=40)
@given(facts, facts)
def test_nothing_is_lost_and_nothing_is_invented(first, second):
    yaml = YAML(typ="safe")
    one, two = study_of(first, "a"), study_of(second, "b")
    together = merged_yaml(one, two)
    assert told_in(yaml.load(together)) == told_in(yaml.load(one)) | told_in(yaml.load(two))
    assert merged_yaml(together, two) == together
    assert told_in(yaml.load(merged_yaml(two, one))) == told_in(yaml.load(together))
