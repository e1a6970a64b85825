"""How many patients give a wanted assurance, or why none do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pasimeta.effects.validation import check_choice, check_level
from pasimeta.errors import PasimetaError
from pasimeta.forecast.beliefs import RateBelief, check_whole
from pasimeta.forecast.exact_tests import rejects_for_benefit
from pasimeta.forecast.predictive import ALTERNATIVES, TESTS

_STAYS = 6  # sizes that must hold after the first: exact tests' power is a saw


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """Patients for one target.

    Attributes
    ----------
    target : float
        Wanted assurance.
    n_per_arm : int or None
        Fewest patients in the experimental arm from which assurance stays at the target; None if unreachable.
    n_control : int or None
        Patients in the control arm.
    assurance : float or None
        Assurance with them.
    reason : str
        Why there is no number, or nothing.
    """

    target: float
    n_per_arm: int | None
    n_control: int | None
    assurance: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSizeResult:
    """Patients for each target, and the curve of assurance they were read from.

    Attributes
    ----------
    sizes : tuple of SampleSize
        In order of the targets.
    ceiling : float
        Probability that the experimental rate is the higher one: no size does better.
    curve : DataFrame
        ``n_per_arm``, ``n_control``, ``assurance``; ascending.
    allocation : float
        Control patients per experimental patient.
    test, alternative, alpha
        Of the contrast.
    """

    sizes: tuple[SampleSize, ...]
    ceiling: float
    curve: pd.DataFrame
    allocation: float
    test: str
    alternative: str
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """One row a target."""
        rows = [{name: getattr(size, name) for name in SampleSize.__slots__} for size in self.sizes]
        frame = pd.DataFrame(rows).assign(ceiling=self.ceiling, allocation=self.allocation, test=self.test)
        return frame.astype({"n_per_arm": "Int64", "n_control": "Int64", "assurance": float})


def sample_size(
    cells: RateBelief,
    control: RateBelief,
    targets: Sequence[float] = (0.8, 0.9),
    *,
    test: str = "fisher",
    alternative: str = "two_sided",
    alpha: float = 0.05,
    allocation: float = 1.0,
    largest: int = 400,
) -> SampleSizeResult:
    """Search the fewest patients per arm that give each assurance.

    Parameters
    ----------
    cells, control : RateBelief
        Of the experimental and the control arm.
    targets : sequence of float
        Wanted assurances.
    test, alternative, alpha
        As in :class:`~pasimeta.forecast.predictive.Design`.
    allocation : float
        Control patients per experimental patient, rounded up.
    largest : int
        Where to stop searching, patients in the experimental arm.

    Returns
    -------
    SampleSizeResult
        A target at or above the ceiling is unreachable, and says so.

    Raises
    ------
    PasimetaError
        For targets outside (0, 1), an allocation that isn't positive, or an unknown test.
    """
    _check(test, alternative, alpha, allocation, largest)
    wanted = [check_target(target) for target in targets]
    known: dict[int, float] = {}

    def reached(n: int) -> float:
        if n not in known:
            m = control_size(n, allocation)
            rejected = rejects_for_benefit(n, m, test, alternative, alpha)
            known[n] = float(cells.counts(n) @ rejected @ control.counts(m))
        return known[n]

    grid = sorted({round(size) for size in np.geomspace(5, largest, 24)})
    for size in grid:
        reached(size)
    ceiling = cells.exceeds(control)
    sizes = tuple(_smallest(target, ceiling, grid, reached, allocation) for target in wanted)
    curve = pd.DataFrame(sorted(known.items()), columns=["n_per_arm", "assurance"])
    curve.insert(1, "n_control", [control_size(n, allocation) for n in curve["n_per_arm"]])
    rule: dict[str, Any] = {"allocation": allocation, "test": test, "alternative": alternative, "alpha": alpha}
    return SampleSizeResult(sizes=sizes, ceiling=ceiling, curve=curve, **rule)


def sizes_table(results: Mapping[str, SampleSizeResult]) -> pd.DataFrame:
    """Sizes of several comparisons below one another: ``against``, then the columns of each result."""
    tables = [result.to_frame().assign(against=label) for label, result in results.items()]
    table = pd.concat(tables, ignore_index=True)
    return table[["against", *(name for name in table.columns if name != "against")]]


def control_size(n: int, allocation: float) -> int:
    """Control patients for ``n`` experimental ones, rounded up."""
    return max(1, int(np.ceil(n * allocation - 1e-9)))


def check_target(target: float) -> float:
    """Return a wanted assurance, or refuse one outside (0, 1).

    Raises
    ------
    PasimetaError
        Naming the value.
    """
    number = isinstance(target, (int, float, np.number)) and not isinstance(target, bool)
    if not number or not 0 < target < 1:
        raise PasimetaError(f"targets: {target!r} is not strictly between 0 and 1; 80 % is 0.8")
    return float(target)


def _check(test: str, alternative: str, alpha: float, allocation: float, largest: int) -> None:
    check_choice("test", test, TESTS)
    check_choice("alternative", alternative, ALTERNATIVES)
    check_level(alpha)
    check_whole("largest", largest, 10)
    if not (np.isfinite(allocation) and allocation > 0):
        raise PasimetaError(f"allocation: {allocation!r} is not a positive number; 1 is equal arms")


def _smallest(
    target: float, ceiling: float, grid: Sequence[int], reached: Callable[[int], float], allocation: float
) -> SampleSize:
    largest = grid[-1]
    above = [size for size in grid if reached(size) >= target]
    if ceiling <= target or not above:
        beyond = (
            f"is out of reach of any number of patients: the cells are better with a probability of {ceiling:.2f} only"
            if ceiling <= target
            else f"takes more than {largest} patients an arm: assurance there is {reached(largest):.2f}"
        )
        return SampleSize(target=target, n_per_arm=None, n_control=None, assurance=None, reason=beyond)
    # the curve rises but for the saw: halve between the last size below the target and the first above it ...
    high = above[0]
    low = max([size for size in grid if size < high], default=0)
    while high - low > 2 * _STAYS:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) >= target else (middle, high)
    # ... then walk along the teeth
    n = max(1, low - 2 * _STAYS)
    while not all(reached(size) >= target for size in range(n, n + _STAYS)):
        n += 1
    return SampleSize(
        target=target, n_per_arm=n, n_control=control_size(n, allocation), assurance=reached(n), reason=""
    )
