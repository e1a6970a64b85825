"""Rules of time, dose and persons: schedules, follow-up, patients, distributions, dates and conflicts."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import sqrt

from pasimeta.evidence.audit.counts import mean_is_possible
from pasimeta.evidence.audit.printed import printed_numbers, weeks_named
from pasimeta.evidence.audit.result import Complaint
from pasimeta.evidence.context import Source
from pasimeta.evidence.facts import Fact, Range
from pasimeta.evidence.store import cited_figures
from pasimeta.evidence.study import Arm, Patient, Study, Summary

# the lightest child to the heaviest adult; outside, a dose per kg and a dose per body can't both be right
_BODY_KG = (10.0, 250.0)
_CELLS_PER_KG = (1e3, 1e9)
_OPEN_END = re.compile(r"more than|over|at least|longer|beyond|up to now|or more", re.IGNORECASE)
_IMPROVEMENT = re.compile(r"improvements? of ([\d., and]+?)\s*%")
_PASI_STEP = Fraction(1, 10)
_PERCENT_SLACK = 0.051


def course_complaints(study: Study, sources: Mapping[str, Source]) -> Iterator[Complaint]:
    """Yield what is wrong with a study's doses, weeks, patients, distributions, dates and conflicts."""
    has_cells = study.product.product_class not in ("secretome", "exosome")
    for i, arm in enumerate(study.arms):
        yield from _dose_complaints(f"arms.{i}", arm, has_cells)
    yield from _weeks_beyond_follow_up(study)
    yield from _distribution_complaints("population.age", study.population.age, study, Fraction(1), 120)
    yield from _distribution_complaints(
        "population.baseline_pasi", study.population.baseline_pasi, study, _PASI_STEP, 72
    )
    yield from _patient_complaints(study)
    yield from _date_complaints(study, sources)
    yield from _conflict_complaints(study)
    yield from _source_complaints(study)


def _dose_complaints(field: str, arm: Arm, has_cells: bool) -> Iterator[Complaint]:
    dose = arm.dose
    if dose is None:
        if has_cells and arm.intervention == "cells" and arm.drug is None:
            yield Complaint(
                field, "dose_missing", "is given cells without a dose; give the dose, or null with a reason"
            )
        return
    if arm.intervention != "cells":
        message = f"an arm of kind {arm.intervention} has a dose of cells; mend one of them"
        yield Complaint(f"{field}.dose", "dose_arm_mismatch", message)
    if dose.weeks is not None and dose.infusions is not None:
        if not dose.infusions.low <= len(dose.weeks) <= dose.infusions.high:
            message = f"{dose.infusions} infusions, but {len(dose.weeks)} weeks are listed; mend one of them"
            yield Complaint(f"{field}.dose.infusions", "schedule_mismatch", message)
        if dose.weeks and dose.weeks[0] != 0:
            message = f"begin with {dose.weeks[0]:g}; weeks count from the first infusion, which is week 0"
            yield Complaint(f"{field}.dose.weeks", "schedule_mismatch", message)
    if dose.weeks is not None and len(set(dose.weeks)) < len(dose.weeks):
        yield Complaint(f"{field}.dose.weeks", "schedule_mismatch", "repeat a week; give each infusion its own")
    per_kg, total = dose.cells_per_kg, dose.total_cells
    if per_kg is not None and not _within(per_kg, _CELLS_PER_KG):
        message = f"{per_kg} cells per kg is no plausible dose; check the power and the unit"
        yield Complaint(f"{field}.dose.cells_per_kg", "dose_implausible", message)
    if per_kg is not None and total is not None and per_kg.low > 0:
        lightest, heaviest = total.low / per_kg.high, total.high / per_kg.low
        if heaviest < _BODY_KG[0] or lightest > _BODY_KG[1]:
            message = f"{total} cells at {per_kg} per kg make a body of {lightest:.3g} kg; mend one of them"
            yield Complaint(f"{field}.dose.total_cells", "dose_implausible", message)


def _within(amount: Range, limits: tuple[float, float]) -> bool:
    return limits[0] <= amount.low and amount.high <= limits[1]


def _weeks_beyond_follow_up(study: Study) -> Iterator[Complaint]:
    told = study.follow_up.value
    named = weeks_named(told) if told is not None else []
    if not named or study.status != "reported" or _OPEN_END.search(told or ""):
        return
    # "three months" may be written as week 13 or 14
    end = 1.08 * max(named) + 0.5
    weeks = [
        *((f"outcomes.{i}.week", outcome.week) for i, outcome in enumerate(study.outcomes)),
        *((f"safety.{i}.week", count.week) for i, count in enumerate(study.safety)),
        *((f"patients.{i}.week", patient.week) for i, patient in enumerate(study.patients)),
    ]
    for field, week in weeks:
        if week is not None and week > end:
            message = f"week {week:g} lies beyond the follow-up ({told}); mend one of them"
            yield Complaint(field, "week_beyond_follow_up", message)


def _distribution_complaints(
    field: str, fact: Fact[Summary], study: Study, step: Fraction, most: float
) -> Iterator[Complaint]:
    summary = fact.value
    if summary is None:
        return
    mean, sd, low, high = summary.mean, summary.sd, summary.low, summary.high
    given = [x for x in (low, mean, high) if x is not None]
    if given != sorted(given) or any(not 0 <= x <= most for x in given):
        message = f"needs 0 <= low <= mean <= high <= {most:g}, got {', '.join(f'{x:g}' for x in given)}; mend it"
        yield Complaint(f"{field}.value", "distribution_order", message)
        return
    n = study.population.analysed.value or study.population.enrolled.value
    if mean is None or n is None:
        return
    sizes = {size for size in (study.population.enrolled.value, n) if size is not None}
    if not any(mean_is_possible(mean, size, step) for size in sizes):
        unit = "whole years" if step == 1 else "steps of 0.1"
        message = f"no {n} values in {unit} have the mean {mean:g}; check the mean and the number of patients"
        yield Complaint(f"{field}.value.mean", "mean_not_possible", message)
    if sd is not None and low is not None and high is not None and n > 1:
        # Bhatia and Davis 2000: a variance is at most (high - mean)(mean - low)
        widest = sqrt(n / (n - 1) * max(0.0, (high - mean) * (mean - low)))
        if sd > 1.02 * widest + 0.05:
            message = (
                f"values from {low:g} to {high:g} with mean {mean:g} have a sd of at most {widest:.3g}, not {sd:g}"
            )
            yield Complaint(f"{field}.value.sd", "distribution_spread", message)


def _patient_complaints(study: Study) -> Iterator[Complaint]:
    population, patients = study.population, study.patients
    if population.enrolled.value is not None and len(patients) > population.enrolled.value:
        message = f"{len(patients)} patients are told, but {population.enrolled.value} are enrolled; mend one of them"
        yield Complaint("patients", "patient_sum", message)
    for sex in ("female", "male"):
        counted, told = getattr(population, sex).value, sum(p.sex == sex for p in patients)
        if counted is not None and told > counted:
            message = f"{told} {sex} patients are told, but population.{sex} is {counted}; mend one of them"
            yield Complaint("patients", "patient_sum", message)
    for i, patient in enumerate(patients):
        yield from _outside(f"patients.{i}.age", patient.age, population.age.value)
        yield from _outside(f"patients.{i}.baseline_pasi", patient.baseline_pasi, population.baseline_pasi.value)
        yield from _improvement_complaints(f"patients.{i}", patient)


def _outside(field: str, value: float | None, summary: Summary | None) -> Iterator[Complaint]:
    if value is None or summary is None:
        return
    too_low = summary.low is not None and value < summary.low
    too_high = summary.high is not None and value > summary.high
    if too_low or too_high:
        limit = f"at least {summary.low:g}" if too_low else f"at most {summary.high:g}"
        message = f"is {value:g}, but the study's patients are {limit}; mend one of them"
        yield Complaint(field, "patient_range", message)


def _improvement_complaints(field: str, patient: Patient) -> Iterator[Complaint]:
    before, after = patient.baseline_pasi, patient.followup_pasi
    if not before or after is None:
        return
    computed = 100 * (before - after) / before
    if patient.improvement_percent is not None and abs(patient.improvement_percent - computed) > 0.51:
        message = f"is {patient.improvement_percent:g}, but PASI {before:g} to {after:g} is {computed:.1f} %; mend one"
        yield Complaint(f"{field}.improvement_percent", "improvement_mismatch", message)


def derived_improvement_complaints(study: Study) -> Iterator[Complaint]:
    """Yield an improvement named in ``derived`` that none of the study's patients has."""
    known = [p.improvement for p in study.patients if p.improvement is not None]
    if not known:
        return
    for i, outcome in enumerate(study.outcomes):
        for match in _IMPROVEMENT.finditer(outcome.derived or ""):
            for number in printed_numbers(match[1]):
                if not any(abs(number.value - improvement) <= _PERCENT_SLACK for improvement in known):
                    message = f"names an improvement of {number.value:g} %, which no patient has; mend one of them"
                    yield Complaint(f"outcomes.{i}.derived", "improvement_mismatch", message)


def _date_complaints(study: Study, sources: Mapping[str, Source]) -> Iterator[Complaint]:
    seen = [sources[s].accessed for s in study.sources if s in sources]
    latest = max((day for day in seen if day is not None), default=None)
    if study.citation is not None and latest is not None and study.citation.year > latest.year:
        message = f"is {study.citation.year}, but its documents were seen in {latest.year} at the latest; mend one"
        yield Complaint("citation.year", "date_order", message)
    for i, conflict in enumerate(study.conflicts):
        for j, reading in enumerate(conflict.readings):
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(reading.value)) and _date(str(reading.value)) is None:
                field = f"conflicts.{i}.readings.{j}.value"
                yield Complaint(field, "date_order", f"{reading.value} is no day of the calendar; mend it")


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _conflict_complaints(study: Study) -> Iterator[Complaint]:
    for i, conflict in enumerate(study.conflicts):
        values = [_plain(reading.value) for reading in conflict.readings]
        if len(set(values)) == 1:
            message = "its readings agree; drop the conflict and list the documents under also"
            yield Complaint(f"conflicts.{i}", "no_conflict", message)
        analysed = _fact_at(study, conflict.field)
        if analysed is None or conflict.preferred is None:
            continue
        preferred = conflict.readings[conflict.preferred].value
        if _plain(preferred) != _plain(analysed):
            message = f"{conflict.field} is {analysed}, but the preferred reading is {preferred}; mend one of them"
            yield Complaint(f"conflicts.{i}.preferred", "preferred_mismatch", message)


def _fact_at(study: Study, path: str) -> object | None:
    node: object = study
    for key in path.split("."):
        node = getattr(node, key, None)
    # a sentence in our own words need not repeat the reading's
    value = node.value if isinstance(node, Fact) else None
    return value if isinstance(value, int) or (isinstance(value, str) and " " not in value) else None


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value).replace("_", " ").casefold()


def _source_complaints(study: Study) -> Iterator[Complaint]:
    listed = set(study.sources)
    for field, figure in cited_figures(study):
        for source in (figure.source, *(place.source for place in figure.also)):
            if source is not None and source not in listed:
                message = f"'{source}' is cited but not among the study's sources; add it there"
                yield Complaint(f"{field}.source" if field else "source", "source_not_listed", message)
                listed.add(source)
