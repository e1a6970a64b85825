"""What one trial's comparison of two groups could have shown, and how many patients a trial of it would need."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from pasimeta.moderators.power import detectable, exact_power, fragility_index, sample_size
from pasimeta.moderators.sex import GroupComparison


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPower:
    """Power behind one comparison.

    Attributes
    ----------
    n1, n2, rate1, rate2 : int, int, float, float
        The comparison.
    detectable_higher, detectable_lower : float or None
        Rates of the first group that would be found with the power asked for, were the second's as observed; None
        where none would.
    power_observed, power_external : float
        Chance of a significant Fisher test were the true rates those observed, and those of the external source.
    fragility : int or None
        Fewest patients whose outcome would have to change for Fisher's p to cross 0.05.
    needed_observed, needed_external : int or None
        Patients in all, half of each group, that a trial would need for each of the two differences; None for no
        difference.
    external_rate1, external_rate2, power, alpha : float
    """

    n1: int
    n2: int
    rate1: float
    rate2: float
    detectable_higher: float | None
    detectable_lower: float | None
    power_observed: float
    power_external: float
    fragility: int | None
    significant: bool
    needed_observed: int | None
    needed_external: int | None
    external_rate1: float
    external_rate2: float
    power: float
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame([asdict(self)])


def comparison_power(
    comparison: GroupComparison, external: tuple[float, float], power: float = 0.8, alpha: float = 0.05
) -> ComparisonPower:
    """Return what a comparison could have found, and the trial that would settle it.

    Parameters
    ----------
    comparison : GroupComparison
    external : (float, float)
        Rates of the first and the second group in another source.
    power, alpha : float
        Power wanted; two-sided level of Fisher's test.
    """
    c = comparison
    found = detectable(c.n1, c.n2, c.rate2, power, alpha)
    fragility = fragility_index(c.events1, c.n1, c.events2, c.n2, alpha)
    return ComparisonPower(
        n1=c.n1,
        n2=c.n2,
        rate1=c.rate1,
        rate2=c.rate2,
        detectable_higher=found.higher,
        detectable_lower=found.lower,
        power_observed=float(exact_power(c.n1, c.rate1, c.n2, c.rate2, alpha)),
        power_external=float(exact_power(c.n1, external[0], c.n2, external[1], alpha)),
        fragility=fragility.index,
        significant=fragility.significant,
        needed_observed=_needed(c.rate1, c.rate2, power, alpha),
        needed_external=_needed(*external, power, alpha),
        external_rate1=external[0],
        external_rate2=external[1],
        power=power,
        alpha=alpha,
    )


def _needed(rate1: float, rate2: float, power: float, alpha: float) -> int | None:
    if rate1 == rate2 or not (0 < rate1 < 1 and 0 < rate2 < 1):
        return None
    size = sample_size(rate1, rate2, power, alpha)
    return size.n1 + size.n2
