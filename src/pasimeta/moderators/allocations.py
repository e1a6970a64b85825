"""Every way in which responders, and group sizes nobody printed, can fill the margins that were printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pasimeta.errors import PasimetaError

Counts = NDArray[np.int64]
MOST = 3_000_000


@dataclass(frozen=True, slots=True)
class Margins:
    """What a study printed of its groups.

    Attributes
    ----------
    label : str
        The study.
    doses : tuple of float
        Dose of each group, ascending and distinct (or any score of a group: 0 and 1 for men and women).
    size_lower, size_upper : tuple of int
        Fewest and most patients each group can hold; equal where its size is printed.
    n : int
        Patients in all.
    events_lower, events_upper : int
        Fewest and most responders in all.
    group_events : tuple of (int, int) or None
        Fewest and most responders of a group where printed, None where not.
    """

    label: str
    doses: tuple[float, ...]
    size_lower: tuple[int, ...]
    size_upper: tuple[int, ...]
    n: int
    events_lower: int
    events_upper: int
    group_events: tuple[tuple[int, int] | None, ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse margins that no table can have."""
        lengths = {len(self.doses), len(self.size_lower), len(self.size_upper)}
        if len(lengths) > 1 or (self.group_events and len(self.group_events) not in lengths):
            raise PasimetaError(f"{self.label}: doses, sizes and counts differ in number; give one of each a group")
        for i, (low, high) in enumerate(zip(self.size_lower, self.size_upper, strict=True), start=1):
            if not 0 <= low <= high:
                raise PasimetaError(f"{self.label}, group {i}: {low} to {high} patients is not a range of sizes")
        if not sum(self.size_lower) <= self.n <= sum(self.size_upper):
            raise PasimetaError(
                f"{self.label}: groups of {sum(self.size_lower)} to {sum(self.size_upper)} patients can't make "
                f"{self.n}; check the arms' sizes against the number analysed"
            )
        if not 0 <= self.events_lower <= self.events_upper <= self.n:
            raise PasimetaError(
                f"{self.label}: {self.events_lower} to {self.events_upper} responders of {self.n}; "
                "give 0 <= lower <= upper <= n"
            )

    @property
    def sizes_known(self) -> bool:
        """Whether every group's size is printed."""
        return self.size_lower == self.size_upper

    @property
    def complete(self) -> bool:
        """Whether every group's size and responders are printed: nothing is left to enumerate."""
        counted = bool(self.group_events) and all(g is not None and g[0] == g[1] for g in self.group_events)
        return self.sizes_known and counted


@dataclass(frozen=True, slots=True)
class Allocations:
    """All tables that fit the margins.

    Attributes
    ----------
    sizes, events : ndarray of int, shape (tables, groups)
    classes : ndarray of int, shape (tables,)
        Tables of the same sizes and total; within a class the multivariate hypergeometric distribution lives.
    compatible : ndarray of bool, shape (tables,)
        Whether the table also fits the responders printed by group. Classes are complete only with the others.
    """

    sizes: Counts
    events: Counts
    classes: Counts
    compatible: NDArray[np.bool_]

    def __len__(self) -> int:
        """Number of tables, compatible or not."""
        return len(self.sizes)


def enumerate_allocations(margins: Margins) -> Allocations:
    """Return every table of group sizes and responders that fits the margins.

    Raises
    ------
    PasimetaError
        If there are more than ``MOST`` of them.
    """
    sizes = _fillings(np.array(margins.size_lower), np.array(margins.size_upper), margins.n, margins.label)
    parts, classes = [], []
    for total in range(margins.events_lower, margins.events_upper + 1):
        which, events = _responders(sizes, total, margins.label)
        parts.append((which, events))
        classes.append(which + len(sizes) * (total - margins.events_lower))
    which = np.concatenate([part[0] for part in parts])
    events = np.concatenate([part[1] for part in parts])
    compatible = np.ones(len(which), dtype=bool)
    for group, limits in enumerate(margins.group_events):
        if limits is not None:
            compatible &= (limits[0] <= events[:, group]) & (events[:, group] <= limits[1])
    return Allocations(sizes[which], events, np.concatenate(classes), compatible)


def group_margins(
    label: str,
    doses: Sequence[float],
    sizes: Sequence[int | None],
    n: int,
    events: tuple[int, int],
    group_events: Sequence[tuple[int, int] | None] | None = None,
    smallest: int = 1,
) -> Margins:
    """Return margins from arms, those of the same dose joined.

    Parameters
    ----------
    label : str
        The study.
    doses : sequence of float
        Dose of each arm.
    sizes : sequence of int or None
        Patients of each arm, None where not printed.
    n : int
        Patients in all.
    events : (int, int)
        Fewest and most responders in all.
    group_events : sequence of (int, int) or None, optional
        Responders of each arm where printed.
    smallest : int
        Fewest patients an arm of unknown size can hold.

    Raises
    ------
    PasimetaError
        For margins that no table can have.
    """
    known = sum(size for size in sizes if size is not None)
    unknown = sum(size is None for size in sizes)
    spare = n - known - smallest * unknown
    arms = list(zip(doses, sizes, group_events or [None] * len(sizes), strict=True))
    levels = sorted(set(doses))
    lower, upper, counts = [], [], []
    for level in levels:
        mine = [(size, count) for dose, size, count in arms if dose == level]
        fixed = sum(size if size is not None else smallest for size, _ in mine)
        lower.append(fixed)
        upper.append(fixed + (max(spare, 0) if any(size is None for size, _ in mine) else 0))
        printed = [count for _, count in mine if count is not None]
        counts.append(_joined(printed) if len(printed) == len(mine) else None)
    return Margins(label, tuple(levels), tuple(lower), tuple(upper), n, *events, tuple(counts))


def _joined(counts: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return sum(low for low, _ in counts), sum(high for _, high in counts)


def _fillings(lower: Counts, upper: Counts, total: int, label: str) -> Counts:
    """All rows between ``lower`` and ``upper`` that sum to ``total``."""
    rows = np.zeros((1, 0), dtype=np.int64)
    left = np.array([total])
    for group in range(len(lower)):
        rest_low, rest_high = lower[group + 1 :].sum(), upper[group + 1 :].sum()
        first = np.maximum(lower[group], left - rest_high)
        last = np.minimum(upper[group], left - rest_low)
        rows, left = _grown(rows, left, first, last, label)
    return rows


def _responders(sizes: Counts, total: int, label: str) -> tuple[Counts, Counts]:
    """Responders by group for every row of sizes: the row's index, and the counts."""
    which = np.flatnonzero(sizes.sum(axis=1) >= total)
    rows = np.zeros((len(which), 0), dtype=np.int64)
    left = np.full(len(which), total)
    for group in range(sizes.shape[1]):
        rest = sizes[which, group + 1 :].sum(axis=1)
        first, last = np.maximum(0, left - rest), np.minimum(sizes[which, group], left)
        repeats = np.maximum(last - first + 1, 0)
        which = np.repeat(which, repeats)
        rows, left = _grown(rows, left, first, last, label)
    return which, rows


def _grown(rows: Counts, left: Counts, first: Counts, last: Counts, label: str) -> tuple[Counts, Counts]:
    repeats = np.maximum(last - first + 1, 0)
    if repeats.sum() > MOST:
        raise PasimetaError(
            f"{label}: more than {MOST} tables fit these margins; give more group sizes or responders by group"
        )
    steps = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    value = np.repeat(first, repeats) + steps
    grown = np.column_stack([np.repeat(rows, repeats, axis=0), value])
    return grown, np.repeat(left, repeats) - value
