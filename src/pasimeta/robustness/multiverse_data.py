"""The data side of a multiverse: every way to choose which studies count, at which threshold, week and denominator."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pasimeta.effects.validation import check_choice
from pasimeta.errors import PasimetaError
from pasimeta.evidence.inclusion import InclusionRule, included
from pasimeta.evidence.selection import response_counts
from pasimeta.evidence.store import Evidence

DATA_CHOICES = ("threshold", "inclusion", "imputation", "timepoint", "unreported", "counts")
IMPUTATIONS = ("nonresponder", "completers", "one_year_completers")
TIMEPOINTS = ("latest", "earliest")
UNREPORTED = ("omit", "bound")
ALLOCATIONS = ("ends", "all")
MOST_ALLOCATIONS = 10_000

#: Inclusion rules a reviewer could defend, from the strictest to the widest; names are shown in tables and figures.
INCLUSION_RULES: Mapping[str, InclusionRule] = {
    "trials of 10 or more": InclusionRule(min_analysed=10),
    "trials": InclusionRule(),
    "trials and case series": InclusionRule(designs=("single_arm", "randomized", "case_series")),
    "trials, series and case reports": InclusionRule(
        designs=("single_arm", "randomized", "case_series", "case_report")
    ),
    "all reports, uncultured cells too": InclusionRule(
        product_classes=("expanded_msc", "svf", "uncultured"),
        designs=("single_arm", "randomized", "case_series", "case_report"),
    ),
}


@dataclass(frozen=True, slots=True)
class DataSet:
    """Counts to pool, and the choices that led to them.

    Attributes
    ----------
    choices : tuple of str
        One value for each of ``DATA_CHOICES``.
    studies : tuple of str
        Ids, in order.
    events, n : tuple of int
        Responders and patients of each study.
    """

    choices: tuple[str, ...]
    studies: tuple[str, ...]
    events: tuple[int, ...]
    n: tuple[int, ...]

    @property
    def key(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What the fits depend on: two data sets with one key give one result."""
        return self.events, self.n


def studies_by_rule(
    evidence: Evidence, rules: Mapping[str, InclusionRule] = INCLUSION_RULES
) -> dict[str, tuple[str, ...]]:
    """Return the ids of the studies that each inclusion rule lets in."""
    return {name: tuple(study.id for study in included(evidence, rule)) for name, rule in rules.items()}


def data_sets(
    responses: pd.DataFrame,
    inclusion: Mapping[str, Collection[str]],
    *,
    thresholds: Sequence[int],
    imputations: Sequence[str] = IMPUTATIONS,
    timepoints: Sequence[str] = TIMEPOINTS,
    unreported: Sequence[str] = UNREPORTED,
    allocations: str = "all",
) -> list[DataSet]:
    """Return the data set of every combination of choices; a combination that no study answers gives none.

    Parameters
    ----------
    responses : DataFrame
        The ``RESPONSES`` table; its column ``included`` is set aside in favour of ``inclusion``.
    inclusion : mapping of str to collection of str
        Study ids by name of the inclusion rule, as from :func:`studies_by_rule`.
    thresholds : sequence of int
        PASI thresholds, in percent.
    imputations, timepoints, unreported : sequence of str
        As in :func:`pasimeta.evidence.selection.response_counts`.
    allocations : {"all", "ends"}
        Counts known as intervals: every way to fill them, or the fewest and the most responders alone.

    Returns
    -------
    list of DataSet
        ``counts`` among its choices is ``exact``, ``fewest``, ``most``, or ``3 of 9`` for the third of nine ways.

    Raises
    ------
    PasimetaError
        For an empty or unknown choice, a study id that isn't in the table, or intervals that allow too many ways.
    """
    _check(responses, inclusion, (thresholds, imputations, timepoints, unreported), allocations)
    everyone = responses.assign(included=responses["study"].isin({i for ids in inclusion.values() for i in ids}))
    found = []
    for threshold, imputation, timepoint, silent in itertools.product(thresholds, imputations, timepoints, unreported):
        # a study's count depends on no other study, so the rules share one selection
        counts = response_counts(
            everyone,
            threshold,
            imputation=imputation,
            timepoint=timepoint,  # type: ignore[arg-type]
            unreported=silent,  # type: ignore[arg-type]
        )
        for rule, ids in inclusion.items():
            rows = counts[counts["study"].isin(set(ids))]
            if not rows.empty:
                choices = (str(threshold), rule, imputation, timepoint, silent)
                found += _allocated(choices, rows, allocations)
    return found


def _check(
    responses: pd.DataFrame,
    inclusion: Mapping[str, Collection[str]],
    choices: tuple[Sequence[object], ...],
    allocations: str,
) -> None:
    names = ("thresholds", "imputations", "timepoints", "unreported")
    for name, values in (*zip(names, choices, strict=True), ("inclusion", tuple(inclusion))):
        if not values:
            raise PasimetaError(f"{name}: no choice at all; give at least one")
        if len(set(values)) < len(values):
            raise PasimetaError(f"{name}: a choice is named twice; name each once")
    for name, allowed, values in (
        ("imputations", IMPUTATIONS, choices[1]),
        ("timepoints", TIMEPOINTS, choices[2]),
        ("unreported", UNREPORTED, choices[3]),
    ):
        for value in values:
            check_choice(name, value, allowed)
    check_choice("allocations", allocations, ALLOCATIONS)
    known = set(responses["study"])
    for rule, ids in inclusion.items():
        # a study that an inclusion rule lets in by its patients alone has no count to give, but must be a study
        strangers = sorted(set(ids) - known)
        if strangers:
            raise PasimetaError(f"inclusion {rule!r}: {strangers[0]!r} is not in the responses table; leave it out")


def _allocated(choices: tuple[str, ...], rows: pd.DataFrame, allocations: str) -> list[DataSet]:
    lower, upper, n = (tuple(int(v) for v in rows[c]) for c in ("events_lower", "events_upper", "n"))
    studies = tuple(rows["study"])
    if lower == upper:
        return [DataSet((*choices, "exact"), studies, lower, n)]
    ways = float(np.prod([high - low + 1.0 for low, high in zip(lower, upper, strict=True)]))
    if allocations == "ends" or ways == 2:
        return [DataSet((*choices, "fewest"), studies, lower, n), DataSet((*choices, "most"), studies, upper, n)]
    if ways > MOST_ALLOCATIONS:
        raise PasimetaError(
            f"allocations: the intervals at PASI{choices[0]} under {choices[1]!r} can be filled in {ways:,.0f} ways; "
            'give allocations="ends"'
        )
    every = itertools.product(*(range(low, high + 1) for low, high in zip(lower, upper, strict=True)))
    total = int(ways)
    names = ["fewest", *(f"{i} of {total}" for i in range(2, total)), "most"]
    return [DataSet((*choices, name), studies, events, n) for name, events in zip(names, every, strict=True)]
