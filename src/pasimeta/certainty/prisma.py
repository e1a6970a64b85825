"""Flow of records in PRISMA 2020's stages, told as the search was: not a systematic one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from pasimeta.errors import PasimetaError
from pasimeta.evidence.inclusion import Decision
from pasimeta.evidence.store import Evidence

SILENCE = {"unreported": "ended, never reported", "ongoing": "not ended", "unknown": "fate unknown"}
Counted = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrismaStage:
    """One box of the flow.

    Attributes
    ----------
    phase : {"identification", "screening", "included"}
    label : str
        What is counted.
    count : int
        How many arrive.
    sources, excluded : tuple of (str, int)
        Where they came from, and why some go no further; each sums to what it must.
    details : tuple of str
        Further lines.
    """

    phase: str
    label: str
    count: int
    sources: Counted = ()
    excluded: Counted = ()
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrismaFlow:
    """The whole flow, and how far it may be called one.

    Attributes
    ----------
    stages : tuple of PrismaStage
    caveats : tuple of str
        What a systematic search would have and this one hasn't.
    """

    stages: tuple[PrismaStage, ...]
    caveats: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a box, source and reason: ``phase``, ``stage``, ``kind``, ``label``, ``count``."""
        rows: list[tuple[str, str, str, str, int]] = []
        for stage in self.stages:
            rows.append((stage.phase, stage.label, "stage", stage.label, stage.count))
            rows += [(stage.phase, stage.label, "source", label, count) for label, count in stage.sources]
            rows += [(stage.phase, stage.label, "excluded", label, count) for label, count in stage.excluded]
        return pd.DataFrame(rows, columns=["phase", "stage", "kind", "label", "count"])


def prisma_flow(evidence: Evidence, decisions: Sequence[Decision]) -> PrismaFlow:
    """Count what became of everything the search kept.

    Parameters
    ----------
    evidence : Evidence
        Its ``search`` says how and when; its studies are what was kept.
    decisions : sequence of Decision
        Whether each study is analysed, from :func:`pasimeta.evidence.inclusion.decide_all`.

    Returns
    -------
    PrismaFlow
        Hits and duplicates were not counted, so the flow starts at the records that were kept.

    Raises
    ------
    PasimetaError
        If the decisions aren't those of the studies, or a sum doesn't close.
    """
    if sorted(d.study for d in decisions) != sorted(evidence.studies):
        raise PasimetaError("decisions: not one for every study of the data; decide them all by the same rule")
    stages = _stages(evidence, decisions)
    check_sums(stages)
    return PrismaFlow(stages=stages, caveats=tuple(evidence.search.limits))


def check_sums(stages: Sequence[PrismaStage]) -> None:
    """Refuse a flow that loses a record or counts it twice.

    Raises
    ------
    PasimetaError
        Naming the stage and both numbers.
    """
    for stage in stages:
        came = sum(count for _, count in stage.sources)
        if stage.sources and came != stage.count:
            raise PasimetaError(f"flow: sources of {stage.label!r} sum to {came}, not to its {stage.count}")
    for stage, following in pairwise(stages):
        left = stage.count - sum(count for _, count in stage.excluded)
        if left != following.count:
            raise PasimetaError(
                f"flow: {stage.label!r} leaves {left}, but {following.label!r} has {following.count}; "
                "give every record a reason"
            )


def _stages(evidence: Evidence, decisions: Sequence[Decision]) -> tuple[PrismaStage, ...]:
    search, studies = evidence.search, evidence.studies
    reported = [d for d in decisions if studies[d.study].status == "reported"]
    silent = [studies[d.study] for d in decisions if studies[d.study].status != "reported"]
    analysed = [d for d in reported if d.included]
    reviews, strays = len(search.reviews), len(search.set_aside)
    patients = sum(studies[d.study].population.analysed.value or 0 for d in analysed)
    kinds = (
        ("published studies of a cell product", len(reported)),
        ("registrations without results", len(silent)),
        ("reviews", reviews),
        ("reports that don't belong here", strays),
    )
    kept = sum(count for _, count in kinds)
    how = "A systematic search" if search.systematic else "Not a systematic search; hits and duplicates weren't counted"
    return (
        PrismaStage(
            phase="identification",
            label="Records kept from registries, mirrors and the web",
            count=kept,
            sources=_nonzero(kinds),
            excluded=_nonzero((("reviews, read for their references", reviews), ("not on the question", strays))),
            details=(f"Searched on {search.date.isoformat()}", how),
        ),
        PrismaStage(
            phase="screening",
            label="Studies of a cell product, results sought",
            count=len(reported) + len(silent),
            excluded=_tally(f"no results found: {SILENCE[study.status]}" for study in silent),
        ),
        PrismaStage(
            phase="screening",
            label="Studies with results, held against the rule",
            count=len(reported),
            excluded=_tally(d.reason for d in reported if not d.included),
        ),
        PrismaStage(
            phase="included",
            label="Studies in the pooled analyses",
            count=len(analysed),
            details=(f"{patients} patients",),
        ),
    )


def _nonzero(counted: Counted) -> Counted:
    return tuple((label, count) for label, count in counted if count)


def _tally(reasons: Iterable[str]) -> Counted:
    return tuple(Counter(reasons).most_common())
