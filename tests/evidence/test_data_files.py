"""Claims about the data folder: headline figures, internal agreement, and that each figure stands where it says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from pasimeta.evidence.context import Comparator, ComparatorCount
from pasimeta.evidence.facts import AlwaysCited, Cited, Fact, Reading
from pasimeta.evidence.store import Evidence, cited_figures, load_evidence
from pasimeta.evidence.study import Dose, PlannedOutcome, ResponseCount, SafetyCount, Study

CHECKOUT = Path(__file__).parents[2]
DOCUMENTS = CHECKOUT.parent / "shared" / "seeds"
needs_documents = pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the stored documents aren't beside this checkout")


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence(CHECKOUT / "data")


def counts(
    study: Study,
    threshold: int,
    *,
    level: str | None = None,
    imputation: str | None = None,
    week: float | None = None,
) -> tuple[int, int, int]:
    """Return the only matching response as (lower, upper, n analysed)."""
    found = [
        o
        for o in study.outcomes
        if o.threshold == threshold
        and (o.subgroup.level if o.subgroup else None) == level
        and imputation in (None, o.imputation)
        and week in (None, o.week)
    ]
    assert len(found) == 1, f"{study.id} PASI{threshold}: {len(found)} matches"
    return found[0].events.lower, found[0].events.upper, found[0].n_analysed


def comparator_count(trial: Comparator, arm: str, threshold: int) -> ComparatorCount:
    (found,) = [c for a in trial.arms if a.id == arm for c in a.counts if c.threshold == threshold]
    return found


def records(evidence: Evidence) -> Iterator[tuple[str, BaseModel]]:
    for folder in (evidence.studies, evidence.comparators, evidence.benchmarks, evidence.sources):
        yield from folder.items()
    yield "search", evidence.search


# Headline figures


@pytest.mark.parametrize(
    ("threshold", "level", "expected"),
    [
        (40, None, (8, 8, 17)),
        (50, None, (6, 8, 17)),
        (75, None, (6, 6, 17)),
        (90, None, (3, 3, 17)),
        (40, "female", (6, 6, 9)),
        (40, "male", (2, 2, 8)),
    ],
)
def test_cheng_responses(evidence: Evidence, threshold: int, level: str | None, expected: tuple[int, int, int]) -> None:
    assert counts(evidence.studies["cheng2022"], threshold, level=level) == expected


def test_cheng_clear_or_minimal_disease_in_3_of_17(evidence: Evidence) -> None:
    (pga,) = [o for o in evidence.studies["cheng2022"].outcomes if o.endpoint == "pga_0_1"]
    assert (pga.events.lower, pga.events.upper, pga.n_analysed) == (3, 3, 17)


def test_cheng_has_no_related_serious_event_among_17(evidence: Evidence) -> None:
    (count,) = evidence.studies["cheng2022"].safety
    assert (count.event, count.unit, count.count.upper, count.n, count.week) == (
        "serious_related",
        "patients",
        0,
        17,
        26,
    )


def test_cheng_sex_subgroups_make_up_the_whole(evidence: Evidence) -> None:
    cheng = evidence.studies["cheng2022"]
    women, men, everyone = (counts(cheng, 40, level=level) for level in ("female", "male", None))
    assert tuple(w + m for w, m in zip(women, men, strict=True)) == everyone


def test_cheng_cumulative_dose_by_arm(evidence: Evidence) -> None:
    doses = {arm.id: arm.dose for arm in evidence.studies["cheng2022"].arms}
    cumulative = {name: dose.cumulative_cells_per_kg.low / 1e6 for name, dose in doses.items()}  # type: ignore[union-attr]
    assert cumulative == {"phase1": 6, "phase2a-a": 6, "phase2a-b": 8, "phase2a-c": 5, "phase2a-d": 6}


@pytest.mark.parametrize(
    ("imputation", "n"),
    [("nonresponder", 7), ("completers", 4), ("one_year_completers", 2)],
)
def test_yao_pasi50_by_denominator(evidence: Evidence, imputation: str, n: int) -> None:
    assert counts(evidence.studies["yao2021"], 50, imputation=imputation, week=52) == (2, 2, n)


def test_yao_events_by_grade_make_up_the_sixteen(evidence: Evidence) -> None:
    events = {s.term: s.count.lower for s in evidence.studies["yao2021"].safety if s.unit == "events"}
    assert events["grade 1"] + events["grade 2"] == events[None] == 16


@pytest.mark.parametrize(("threshold", "expected"), [(50, (1, 3, 3)), (75, (1, 3, 3)), (90, (0, 0, 3))])
def test_lwin_best_responder_bounds_the_counts(
    evidence: Evidence, threshold: int, expected: tuple[int, int, int]
) -> None:
    assert counts(evidence.studies["lwin2025"], threshold) == expected


def test_published_patients_given_expanded_cells(evidence: Evidence) -> None:
    reports = [
        s for s in evidence.studies.values() if s.status == "reported" and s.product.product_class == "expanded_msc"
    ]
    assert len(reports) == 7
    assert sum(s.population.enrolled.value or 0 for s in reports) == 37
    registered = [s for s in reports if s.registry_ids]
    assert {s.id: s.population.enrolled.value for s in registered} == {"cheng2022": 17, "yao2021": 7, "bajouri2023": 5}


def test_every_registered_trial_is_there(evidence: Evidence) -> None:
    listed = {name for s in evidence.studies.values() for name in s.registry_ids}
    assert listed >= {
        *("NCT03424629", "NCT03392311", "S2016-04-02", "NCT03745417", "NCT03265613", "NCT03765957", "NCT05258331"),
        *("NCT04275024", "NCT04785027", "NCT02491658", "NCT02918123", "IRCT20080728001031N24", "IRCT/37255"),
        *("IRCT20200127046282N38", "IRCT20221130056672N4", "IRCT20080901001159N29", "NCT05523011"),
    }


def test_only_ct303_is_known_to_have_treated_unreported_patients(evidence: Evidence) -> None:
    treated = {
        s.id: s.registration.treated.value
        for s in evidence.studies.values()
        if s.registration and s.registration.treated and s.registration.treated.value is not None
    }
    assert treated == {"nct05258331": 9}


@pytest.mark.parametrize(
    ("benchmark", "value"),
    [
        ("ambikaibalan2021-placebo-pasi75", 5.2),
        ("west2016-methotrexate-pasi75", 45.2),
        ("maul2021-female-week13", 54.8),
        ("maul2021-male-week13", 47.2),
    ],
)
def test_benchmarks(evidence: Evidence, benchmark: str, value: float) -> None:
    assert evidence.benchmarks[benchmark].value == value


@pytest.mark.parametrize(
    ("trial", "arm", "threshold", "events", "n"),
    [
        ("champion", "methotrexate", 75, 39, 110),
        ("leonardi2003", "placebo", 50, 24, 166),
        ("leonardi2003", "etanercept-50", 50, 121, 164),
        ("gordon2003", "efalizumab", 50, 216, 369),
        ("express", "placebo", 90, 1, 77),
        ("fixture", "placebo", 75, 16, 324),
        ("clear", "secukinumab-300", 90, 243, 334),
        ("metop", "placebo", 75, 3, 29),
    ],
)
def test_comparator_counts(evidence: Evidence, trial: str, arm: str, threshold: int, events: int, n: int) -> None:
    count = comparator_count(evidence.comparators[trial], arm, threshold)
    assert (count.events.lower, count.events.upper, count.n) == (events, events, n)


def test_champion_keeps_the_reading_it_does_not_analyse(evidence: Evidence) -> None:
    conflict = evidence.comparators["champion"].conflicts[0]
    assert [r.value for r in conflict.readings] == [39, 66]
    assert conflict.preferred == 0


# Internal agreement


def test_every_cited_document_is_listed(evidence: Evidence) -> None:
    for name, record in records(evidence):
        for where, cited in cited_figures(record):
            places = {cited.source, *(place.source for place in cited.also)} - {None}
            assert places <= set(evidence.sources), f"{name}: {where}"


def test_every_document_consulted_is_listed_with_the_study(evidence: Evidence) -> None:
    for study in evidence.studies.values():
        cited = [c for _, c in cited_figures(study)]
        used = {c.source for c in cited if c.source} | {place.source for c in cited for place in c.also}
        assert used <= set(study.sources), study.id


def test_unverified_items_are_never_analysed(evidence: Evidence) -> None:
    for name, record in records(evidence):
        for where, cited in cited_figures(record):
            if cited.source == "collection-notes":
                assert isinstance(cited, Reading), f"{name}: {where}"


def test_counts_never_rise_with_the_threshold(evidence: Evidence) -> None:
    series: dict[tuple[object, ...], list[tuple[int, int, int]]] = {}
    for study in evidence.studies.values():
        for o in study.outcomes:
            level = o.subgroup.level if o.subgroup else None
            if o.threshold:
                key = (study.id, level, o.imputation, o.week)
                series.setdefault(key, []).append((o.threshold, o.events.lower, o.events.upper))
    for trial in evidence.comparators.values():
        for arm in trial.arms:
            for c in arm.counts:
                if c.threshold:
                    series.setdefault((trial.id, arm.id, c.week), []).append(
                        (c.threshold, c.events.lower, c.events.upper)
                    )
    assert len(series) > 50
    for key, rows in series.items():
        for (_, low, high), (_, next_low, next_high) in zip(sorted(rows), sorted(rows)[1:], strict=False):
            assert next_low <= low, key
            assert next_high <= high, key


def test_no_count_is_given_twice(evidence: Evidence) -> None:
    for trial in evidence.comparators.values():
        for arm in trial.arms:
            keys = [(c.endpoint, c.threshold, c.week) for c in arm.counts]
            assert len(keys) == len(set(keys)), f"{trial.id} {arm.id}"


def test_count_taken_from_a_percentage_is_the_only_one_that_fits(evidence: Evidence) -> None:
    checked = 0
    for name, record in records(evidence):
        for where, cited in cited_figures(record):
            printed = re.match(r"(\d+)(\.\d+)? % is printed", cited.derived or "")
            if printed is None or not isinstance(cited, (ComparatorCount, ResponseCount)):
                continue
            decimals = len(printed[2] or ".") - 1
            n = cited.n if isinstance(cited, ComparatorCount) else cited.n_analysed
            percent = float(printed[1] + (printed[2] or ""))
            fits = [k for k in range(n + 1) if round(100 * k / n, decimals) == percent]
            positive = [k for k in fits if k]
            assert positive == [cited.events.lower] == [cited.events.upper], f"{name}: {where}"
            checked += 1
    assert checked >= 15


def test_patient_courses_agree_with_the_counts(evidence: Evidence) -> None:
    for name in ("dejesus2016", "comella2018", "ahn2021"):
        study = evidence.studies[name]
        improvements = [p.improvement for p in study.patients]
        assert improvements
        for outcome in study.outcomes:
            reached = sum(i is not None and i >= (outcome.threshold or 0) for i in improvements)
            assert outcome.events.lower == outcome.events.upper == reached, f"{name} PASI{outcome.threshold}"


# Against the stored documents


def document_lines(evidence: Evidence, source: str) -> list[str] | None:
    name = evidence.sources[source].document
    if name is None or not (DOCUMENTS / name).is_file():
        return None
    return (DOCUMENTS / name).read_text(encoding="utf-8").split("\n")


def located_text(lines: list[str], locator: str) -> str:
    match = re.fullmatch(r"lines? (\d+(?:-\d+)?(?:, \d+(?:-\d+)?)*)", locator)
    assert match, f"locator '{locator}' is not 'line N' or 'lines N-M'"
    found: list[str] = []
    for part in match[1].split(", "):
        first, _, last = part.partition("-")
        assert 1 <= int(first) <= int(last or first) <= len(lines), f"'{locator}' runs past the {len(lines)} lines"
        found += lines[int(first) - 1 : int(last or first)]
    return "\n".join(found)


def stands_in(figure: str, text: str) -> bool:
    return re.search(rf"(?<![\d.]){re.escape(figure)}(?!\.?\d)", text) is not None


def figures(cited: Cited) -> list[list[str]]:
    """Return what a document must print for the figure: one of each inner list."""
    match cited:
        case ResponseCount(events=events, n_analysed=n):
            bounds = {events.lower, events.upper}
            return [[f"{k}/{n}", f"{100 * k / n:.1f}"] for k in sorted(bounds)]
        case SafetyCount(n=n):
            return [[str(n)]]
        case Dose(cells_per_kg=amount) if amount is not None:
            return [[f"{amount.low / 1e6:g}", f"{amount.low / 1e6:.1f}"], ["10^6", r"10\^6", "million"]]
        case PlannedOutcome(threshold=threshold, weeks=weeks, derived=derived, definition=definition):
            numbers = [f"{w:g}" for w in weeks or [] if derived is None]
            numbers += [str(threshold)] if threshold else []
            return [[number] for number in numbers + re.findall(r"\d+", definition or "")]
        case Fact(value=value) | Reading(value=value):
            if isinstance(value, str) and isinstance(cited, Reading):
                return [[value]] if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else []
            return [[number] for number in re.findall(r"\d+(?:\.\d+)?", str(value))]
    return []


@needs_documents
def test_stored_documents_are_those_listed(evidence: Evidence) -> None:
    stored = {s.document: s.sha256 for s in evidence.sources.values() if s.document and s.kind != "dataset"}
    assert len(stored) == 5
    for name, digest in stored.items():
        assert hashlib.sha256((DOCUMENTS / str(name)).read_bytes()).hexdigest() == digest, name


@needs_documents
def test_every_figure_stands_at_its_line(evidence: Evidence) -> None:
    checked = 0
    for name, record in records(evidence):
        for where, cited in cited_figures(record):
            places = [(cited.source, cited.locator), *((place.source, place.locator) for place in cited.also)]
            for source, locator in places:
                lines = None if source is None else document_lines(evidence, source)
                if lines is None:
                    continue
                text = located_text(lines, str(locator))
                # registry mirrors run words and numbers together: "PASI75", "PASI-50", "20Week", "1x10"
                text = re.sub(r"(?<=[A-Za-z])-?(?=\d)|(?<=\d)(?=[A-Za-z])", " ", text)
                for forms in figures(cited):
                    assert any(stands_in(form, text) for form in forms), f"{name}: {where} {locator} {forms}"
                    checked += 1
    assert checked >= 80


def ten_word_runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", text.lower())
    return {tuple(words[i : i + 10]) for i in range(len(words) - 9)}


def prose(value: object) -> Iterator[str]:
    """Yield every text of a record but titles of works and addresses, which are cited as they are."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from prose(item)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            if name not in {"title", "url"}:
                yield from prose(getattr(value, name))


@needs_documents
def test_no_sentence_is_copied(evidence: Evidence) -> None:
    stored: set[tuple[str, ...]] = set()
    for path in sorted(DOCUMENTS.glob("*.txt")):
        stored |= ten_word_runs(path.read_text(encoding="utf-8"))
    assert len(stored) > 1000
    for name, record in records(evidence):
        for text in prose(record):
            copied = ten_word_runs(text) & stored
            assert not copied, f"{name}: {' '.join(min(copied))}"


def test_copied_words_are_noticed_across_punctuation_and_case() -> None:
    stored = ten_word_runs("Any adverse events, related to the infusion of cells, will be monitored.")
    assert ten_word_runs("any adverse events related to the infusion of cells will") & stored
    assert not ten_word_runs("Adverse events that the infusions cause are watched for throughout") & stored


def test_a_figure_inside_a_longer_number_is_not_found() -> None:
    assert stands_in("17", "8/17) of patients")
    assert not stands_in("17", "2017")
    assert not stands_in("7.1", "47.1 %")


def test_a_figure_without_source_is_refused() -> None:
    with pytest.raises(ValueError, match="needs source, locator and confidence"):
        AlwaysCited(note="no source")
