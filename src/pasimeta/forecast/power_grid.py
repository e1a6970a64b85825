"""Power over a grid: if the cells' true rate were this and an arm held so many, how often would the trial tell?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array, check_choice, check_level
from pasimeta.errors import PasimetaError
from pasimeta.forecast.beliefs import RateBelief, binomial, check_whole
from pasimeta.forecast.exact_tests import rejects_for_benefit
from pasimeta.forecast.predictive import ALTERNATIVES, TESTS
from pasimeta.forecast.sample_size import control_size

#: Assumed rates from 0 to 100 %, 2.5 points apart.
RATES = tuple(i / 40 for i in range(41))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PowerGrid:
    """Probability of a significant result in favour of the cells.

    Attributes
    ----------
    sizes, control_sizes : tuple of int
        Patients in the experimental and in the control arm.
    rates : ndarray, shape (r,)
        Assumed true rates of the experimental arm.
    power : ndarray, shape (sizes, r)
        Exact, and averaged over what is believed of control.
    control : RateBelief
    test, alternative, alpha
        Of the contrast.
    """

    sizes: tuple[int, ...]
    control_sizes: tuple[int, ...]
    rates: Array
    power: Array
    control: RateBelief
    test: str
    alternative: str
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """One row a size and rate."""
        return pd.DataFrame(
            {
                "n_per_arm": np.repeat(self.sizes, len(self.rates)),
                "n_control": np.repeat(self.control_sizes, len(self.rates)),
                "rate": np.tile(self.rates, len(self.sizes)),
                "power": self.power.ravel(),
            }
        )

    def rate_needed(self, target: float) -> list[float | None]:
        """For each size the lowest rate of the grid from which power stays at the target; None if there is none."""
        reached = np.logical_and.accumulate((self.power >= target)[:, ::-1], axis=1)[:, ::-1]
        return [float(self.rates[np.argmax(row)]) if row.any() else None for row in reached]


def power_grid(
    control: RateBelief,
    sizes: Sequence[int],
    rates: ArrayLike = RATES,
    *,
    test: str = "fisher",
    alternative: str = "two_sided",
    alpha: float = 0.05,
    allocation: float = 1.0,
) -> PowerGrid:
    """Evaluate a two-arm trial at every size and every assumed rate, all rates of a size at once.

    Parameters
    ----------
    control : RateBelief
        Of the control arm; :func:`~pasimeta.forecast.beliefs.point_belief` for a rate taken as known.
    sizes : sequence of int
        Patients in the experimental arm.
    rates : array_like, shape (r,)
        Assumed true rates of the experimental arm, ascending.
    test, alternative, alpha
        As in :class:`~pasimeta.forecast.predictive.Design`.
    allocation : float
        Control patients per experimental patient, rounded up.

    Returns
    -------
    PowerGrid

    Raises
    ------
    PasimetaError
        For rates outside [0, 1] or not ascending, an empty arm or grid, or an unknown test.
    """
    at = np.atleast_1d(np.asarray(rates, float))
    if at.ndim != 1 or at.size == 0 or not ((at >= 0) & (at <= 1)).all() or (np.diff(at) <= 0).any():
        raise PasimetaError("rates: must ascend and lie in [0, 1]; 45 % is 0.45")
    if len(sizes) == 0:
        raise PasimetaError("sizes: none; give the patients of at least one arm")
    check_choice("test", test, TESTS)
    check_choice("alternative", alternative, ALTERNATIVES)
    check_level(alpha)
    if not (np.isfinite(allocation) and allocation > 0):
        raise PasimetaError(f"allocation: {allocation!r} is not a positive number; 1 is equal arms")
    ours = tuple(check_whole("sizes", size) for size in sizes)
    theirs = tuple(control_size(size, allocation) for size in ours)
    rows = [
        binomial(n, at) @ rejects_for_benefit(n, m, test, alternative, alpha) @ control.counts(m)
        for n, m in zip(ours, theirs, strict=True)
    ]
    return PowerGrid(
        sizes=ours,
        control_sizes=theirs,
        rates=at,
        power=np.stack(rows),
        control=control,
        test=test,
        alternative=alternative,
        alpha=alpha,
    )


def power_table(grids: Mapping[str, PowerGrid]) -> pd.DataFrame:
    """Grids of several comparisons below one another: ``against``, then the columns of each."""
    table = pd.concat([grid.to_frame().assign(against=label) for label, grid in grids.items()], ignore_index=True)
    return table[["against", *(name for name in table.columns if name != "against")]]
