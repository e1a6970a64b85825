"""Rules of counted patients: percentages, subgroups, thresholds, arms and sums that don't add up."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations

from pasimeta.evidence.audit.result import Complaint
from pasimeta.evidence.context import Comparator, ComparatorCount
from pasimeta.evidence.facts import Count
from pasimeta.evidence.grim import compatible_counts, rounded_percent
from pasimeta.evidence.study import ResponseCount, Study

_SUM = re.compile(r"(?<![\d.])\d+(?:\s*\+\s*\d+)+(?![\d.])")
_ONLY = re.compile(r"\bonly (?:count|whole number)\b")

Indexed = Sequence[tuple[str, ResponseCount]]


def count_complaints(study: Study) -> Iterator[Complaint]:
    """Yield what is wrong with a study's counts."""
    outcomes = [(f"outcomes.{i}", outcome) for i, outcome in enumerate(study.outcomes)]
    for field, outcome in outcomes:
        yield from percent_complaints(field, outcome, outcome.n_analysed)
        yield from derived_sum_complaints(field, outcome.events, outcome.derived)
        yield from _size_complaints(field, outcome, study)
    yield from _repeated(outcomes)
    yield from threshold_complaints(outcomes)
    yield from _subgroup_sums(outcomes)
    yield from _imputations(outcomes)
    yield from _arm_sizes(study)
    yield from _analysed(study)


def comparator_complaints(trial: Comparator) -> Iterator[Complaint]:
    """Yield what is wrong with a comparator trial's counts."""
    for a, arm in enumerate(trial.arms):
        counts = [(f"arms.{a}.counts.{i}", count) for i, count in enumerate(arm.counts)]
        for field, count in counts:
            yield from percent_complaints(field, count, count.n)
            yield from derived_sum_complaints(field, count.events, count.derived)
        yield from _rises(counts)
        for (_, first), (field, second) in combinations(counts, 2):
            same = (first.endpoint, first.threshold, first.week) == (second.endpoint, second.threshold, second.week)
            if same and first.n == second.n and first.events != second.events:
                message = (
                    f"{second.events} stands beside {first.events} of {first.n}; keep one, and the other as a conflict"
                )
                yield Complaint(f"{field}.events", "count_disagrees", message)


def percent_complaints(field: str, count: ResponseCount | ComparatorCount, n: int) -> Iterator[Complaint]:
    """Yield a printed percentage that the count doesn't round to, or that several counts would round to."""
    printed = count.printed_percent
    if printed is None:
        return
    fitting = compatible_counts(printed, n)
    lower, upper = count.events.lower, count.events.upper
    if not fitting:
        nearest = rounded_percent(round(float(printed) * n / 100), n) if float(printed) <= 100 else None
        remedy = f"; the nearest count prints as {nearest} %" if nearest else ""
        message = f"no count of {n} rounds to {printed} %{remedy}; check the percentage and the denominator"
        yield Complaint(f"{field}.printed_percent", "percent_count_mismatch", message)
    elif not set(range(lower, upper + 1)) & set(fitting):
        message = f"{printed} % of {n} is {_or(fitting)}, not {count.events}; mend the count or the percentage"
        yield Complaint(f"{field}.events", "percent_count_mismatch", message)
    elif len(fitting) > 1 and lower == upper and count.derived and _ONLY.search(count.derived):
        message = f"{printed} % of {n} may be {_or(fitting)}; write the interval from {fitting[0]} to {fitting[-1]}"
        yield Complaint(f"{field}.derived", "percent_not_unique", message)


def derived_sum_complaints(field: str, events: Count, derived: str | None) -> Iterator[Complaint]:
    """Yield a sum in ``derived`` that isn't the count it is said to give."""
    for match in _SUM.finditer(derived or ""):
        total = sum(int(term) for term in match[0].split("+"))
        if not events.lower <= total <= events.upper:
            message = f"{' '.join(match[0].split())} is {total}, not {events}; mend the count or the sum"
            yield Complaint(f"{field}.events", "derived_sum", message)


def _size_complaints(field: str, outcome: ResponseCount, study: Study) -> Iterator[Complaint]:
    enrolled = study.population.enrolled.value
    group = outcome.subgroup
    if group is None:
        whole, name = enrolled, "enrolled"
    elif group.by == "sex":
        whole = {"female": study.population.female.value, "male": study.population.male.value}.get(group.level.lower())
        name = group.level
    else:
        whole = next((arm.n.value for arm in study.arms if group.level in (arm.id, arm.label)), None)
        name = f"in {group.level}"
    if whole is not None and outcome.n_enrolled != whole:
        message = f"is {outcome.n_enrolled}, but the study has {whole} {name}; mend one of them"
        yield Complaint(f"{field}.n_enrolled", "enrolment_mismatch", message)
    if outcome.imputation == "nonresponder" and outcome.n_analysed != outcome.n_enrolled:
        message = f"is {outcome.n_analysed} of {outcome.n_enrolled}; non-responder imputation counts everyone enrolled"
        yield Complaint(f"{field}.n_analysed", "imputation_mismatch", message)


def _key(outcome: ResponseCount) -> tuple[object, ...]:
    group = outcome.subgroup
    return (outcome.week, outcome.imputation, (group.by, group.level) if group else None, outcome.n_analysed)


def _repeated(outcomes: Indexed) -> Iterator[Complaint]:
    for (_, first), (field, second) in combinations(outcomes, 2):
        if (first.label, first.definition, _key(first)) != (second.label, second.definition, _key(second)):
            continue
        if first.events == second.events:
            message = (
                f"{first.label} is given twice for the same patients and week; keep one, with the other under also"
            )
            yield Complaint(field, "count_repeated", message)
        else:
            message = (
                f"{second.events} stands beside {first.events} for {first.label}; keep one, and the other as a conflict"
            )
            yield Complaint(f"{field}.events", "count_disagrees", message)


def threshold_complaints(outcomes: Indexed) -> Iterator[Complaint]:
    """Yield counts of the same patients at the same week that rise with the threshold."""
    groups: dict[tuple[object, ...], list[tuple[str, ResponseCount]]] = defaultdict(list)
    for field, outcome in outcomes:
        if outcome.threshold is not None:
            groups[_key(outcome)].append((field, outcome))
    for group in groups.values():
        yield from _rises(group)


def _rises(counts: Sequence[tuple[str, ResponseCount | ComparatorCount]]) -> Iterator[Complaint]:
    """Yield counts of one week and size that rise with the threshold."""
    for (field, first), (other, second) in combinations(counts, 2):
        if first.threshold is None or second.threshold is None or first.week != second.week:
            continue
        if _size(first) != _size(second):
            continue
        where = {id(first): field, id(second): other}
        low, high = sorted((first, second), key=lambda count: count.threshold or 0)
        if low.threshold != high.threshold and high.events.lower > low.events.upper:
            message = (
                f"{high.events} reach PASI{high.threshold}, but only {low.events} reach PASI{low.threshold} "
                f"({where[id(low)]}); who reaches the higher reaches the lower too, so mend one of them"
            )
            yield Complaint(f"{where[id(high)]}.events", "threshold_order", message)


def _size(count: ResponseCount | ComparatorCount) -> int:
    return count.n_analysed if isinstance(count, ResponseCount) else count.n


def _subgroup_sums(outcomes: Indexed) -> Iterator[Complaint]:
    parts: dict[tuple[object, ...], list[tuple[str, ResponseCount]]] = defaultdict(list)
    for field, outcome in outcomes:
        if outcome.subgroup is not None:
            parts[(outcome.label, outcome.week, outcome.imputation, outcome.subgroup.by)].append((field, outcome))
    for (label, week, imputation, by), levels in parts.items():
        wholes = [
            (f, o)
            for f, o in outcomes
            if o.subgroup is None and (o.label, o.week, o.imputation) == (label, week, imputation)
        ]
        for whole_field, whole in wholes:
            yield from _sum_against(str(label), str(by), levels, whole_field, whole)


def _sum_against(label: str, by: str, levels: Indexed, field: str, whole: ResponseCount) -> Iterator[Complaint]:
    size = sum(o.n_analysed for _, o in levels)
    lower, upper = sum(o.events.lower for _, o in levels), sum(o.events.upper for _, o in levels)
    left_out = whole.n_analysed - size
    first = levels[0][0]
    if left_out < 0:
        message = f"{label} by {by}: the groups hold {size} patients, the whole {whole.n_analysed} ({field}); mend one"
        yield Complaint(f"{first}.n_analysed", "subgroup_sum", message)
    elif lower > whole.events.upper or upper + left_out < whole.events.lower:
        total = f"{lower}" if lower == upper else f"{lower} to {upper}"
        message = f"{label} by {by}: the groups sum to {total}, the whole counts {whole.events} ({field}); mend one"
        yield Complaint(f"{first}.events", "subgroup_sum", message)


def _imputations(outcomes: Indexed) -> Iterator[Complaint]:
    """A denominator may follow from who is imputed; the responders are the same patients."""
    for (_, first), (field, second) in combinations(outcomes, 2):
        same = (first.label, first.week, first.subgroup) == (second.label, second.week, second.subgroup)
        if not same or first.imputation == second.imputation or "none" in (first.imputation, second.imputation):
            continue
        apart = first.events.lower > second.events.upper or second.events.lower > first.events.upper
        if apart and "nonresponder" in (first.imputation, second.imputation):
            message = (
                f"{second.events} respond with imputation {second.imputation}, {first.events} with {first.imputation}; "
                "counting non-completers as failures adds no responder"
            )
            yield Complaint(f"{field}.events", "imputation_mismatch", message)


def _arm_sizes(study: Study) -> Iterator[Complaint]:
    enrolled = study.population.enrolled.value
    where = "population.enrolled"
    if enrolled is None and study.registration is not None:
        enrolled, where = study.registration.enrollment.value, "registration.enrollment"
    sizes = [arm.n.value for arm in study.arms]
    known = [n for n in sizes if n is not None]
    if enrolled is None or not known:
        return
    both_sides = len(known) > 1 and all(n == enrolled for n in known)
    total = sum(known)
    if both_sides and any(arm.n.derived for arm in study.arms):
        return
    if total > enrolled or (len(known) == len(sizes) and total != enrolled):
        message = (
            f"the arms hold {total} patients, {where} says {enrolled}; mend one, or say in derived how both can be"
        )
        yield Complaint("arms.0.n" if len(sizes) == 1 else "arms", "arm_sum", message)


def _analysed(study: Study) -> Iterator[Complaint]:
    population = study.population
    enrolled, analysed = population.enrolled.value, population.analysed.value
    if enrolled is not None and analysed is not None and analysed > enrolled:
        message = f"{analysed} analysed exceed the {enrolled} enrolled; mend one of them"
        yield Complaint("population.analysed", "enrolment_mismatch", message)
    for name in ("female", "male"):
        value = getattr(population, name).value
        if enrolled is not None and value is not None and value > enrolled:
            message = f"{value} exceed the {enrolled} enrolled; mend one of them"
            yield Complaint(f"population.{name}", "sex_sum", message)
    for i, count in enumerate(study.safety):
        if enrolled is not None and count.n is not None and count.group is None and count.n > enrolled:
            message = f"{count.n} at risk exceed the {enrolled} enrolled; mend one, or name the group"
            yield Complaint(f"safety.{i}.n", "enrolment_mismatch", message)


def mean_is_possible(mean: float, n: int, unit: Fraction = Fraction(1)) -> bool:
    """Return whether ``n`` values in steps of ``unit`` can have this rounded mean (the GRIM test).

    References
    ----------
    Brown NJL, Heathers JAJ (2017). The GRIM test. Soc Psychol Personal Sci 8(4):363-369.
    """
    decimals = len(f"{mean!r}".partition(".")[2].rstrip("0")) if "e" not in f"{mean!r}" else 0
    printed, half = Fraction(f"{mean!r}"), Fraction(1, 2 * 10**decimals)
    nearest = round(printed * n / unit)
    return any(abs(total * unit / n - printed) <= half for total in (nearest - 1, nearest, nearest + 1))


def _or(counts: Sequence[int]) -> str:
    return f"{counts[0]}" if len(counts) == 1 else f"{', '.join(map(str, counts[:-1]))} or {counts[-1]}"
