"""What a comparison of two groups could have found: exact power, detectable differences, fragility, sample size."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import gammaln, ndtri, xlog1py, xlogy

from pasimeta.effects.validation import Array, check_choice, check_counts, check_level
from pasimeta.errors import PasimetaError
from pasimeta.moderators.restricted_rates import score_statistic

Test = Literal["fisher", "mid_p", "score"]
TESTS: tuple[Test, ...] = ("fisher", "mid_p", "score")
MOST_EXACT = 400
_TIE = 1 + 1e-7


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest true difference that two groups would find with a given power.

    Attributes
    ----------
    n1, n2, rate2 : int, int, float
        Group sizes and the true rate of the second group.
    higher, lower : float or None
        Rates of the first group, above and below ``rate2``, from which on the power is reached; None where not even
        100 % (or 0 %) response would.
    power, alpha, test : float, float, str
        Power wanted, two-sided alpha, and the test.
    """

    n1: int
    n2: int
    rate2: float
    higher: float | None
    lower: float | None
    power: float
    alpha: float
    test: str

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame([asdict(self)])


@dataclass(frozen=True, slots=True)
class Fragility:
    """How few patients would have to fare differently for a p value to cross alpha.

    Attributes
    ----------
    index : int or None
        Fewest patients; None where no table of these sizes crosses.
    events1, events2 : int or None
        The nearest table on the other side.
    p_value, other_p_value : float
        Two-sided Fisher p value of the observed and of that table.
    significant : bool
        Whether the observed table is.
    """

    index: int | None
    events1: int | None
    events2: int | None
    p_value: float
    other_p_value: float | None
    significant: bool


@dataclass(frozen=True, slots=True)
class SampleSize:
    """Patients a trial would need.

    Attributes
    ----------
    n1, n2 : int
        Patients of the first and the second group.
    power : float
        Power reached with them: exact, or of the normal approximation with continuity correction.
    exact : bool
        Which of the two.
    """

    n1: int
    n2: int
    power: float
    exact: bool


@lru_cache(maxsize=64)
def p_values(n1: int, n2: int, test: Test = "fisher") -> Array:
    """Return the two-sided p value of every table of two group sizes.

    Parameters
    ----------
    n1, n2 : int
        Group sizes.
    test : {"fisher", "mid_p", "score"}
        Fisher's exact test (tables as likely or less), the same with half of the tables as likely as the one
        observed, or the normal score test with the N/(N - 1) variance.

    Returns
    -------
    ndarray, shape (n1 + 1, n2 + 1)
        Row: responders of the first group; column: of the second.
    """
    check_choice("test", test, TESTS)
    i, j = np.mgrid[0 : n1 + 1, 0 : n2 + 1]
    if test == "score":
        from scipy.special import erfc

        return np.asarray(erfc(np.abs(score_statistic("RD", 0.0, i, n1, j, n2)) / np.sqrt(2)))
    out = np.empty((n1 + 1, n2 + 1))
    for responders in range(n1 + n2 + 1):
        first = np.arange(max(0, responders - n2), min(n1, responders) + 1)
        logs = _log_choose(n1, first) + _log_choose(n2, responders - first)
        chance = np.exp(logs - logs.max())
        chance /= chance.sum()
        ascending = np.sort(chance)
        cumulated = np.concatenate([[0.0], np.cumsum(ascending)])
        tail = cumulated[np.searchsorted(ascending, chance * _TIE, side="right")]
        if test == "mid_p":
            ties = tail - cumulated[np.searchsorted(ascending, chance / _TIE, side="left")]
            tail = tail - 0.5 * ties
        out[first, responders - first] = np.minimum(tail, 1.0)
    out.setflags(write=False)
    return out


def exact_power(
    n1: int, rate1: ArrayLike, n2: int, rate2: ArrayLike, alpha: float = 0.05, test: Test = "fisher"
) -> Array:
    """Return the chance that the test finds a difference, summed over every table.

    Parameters
    ----------
    n1, n2 : int
        Group sizes.
    rate1, rate2 : array_like
        True rates; shapes that broadcast.
    alpha : float
        Two-sided level; with equal rates the result is the type I error.
    test : str
        As in :func:`p_values`.

    Returns
    -------
    ndarray
    """
    _check_sizes(n1, n2)
    check_level(1 - alpha)
    p1, p2 = np.broadcast_arrays(_check_rate("rate1", rate1), _check_rate("rate2", rate2))
    rejected = (p_values(n1, n2, test) <= alpha).astype(float)
    first, second = _binomials(n1, p1.ravel()), _binomials(n2, p2.ravel())
    return np.einsum("ri,ij,rj->r", first, rejected, second, optimize=True).reshape(p1.shape)


def detectable(
    n1: int, n2: int, rate2: float, power: float = 0.8, alpha: float = 0.05, test: Test = "fisher"
) -> Detectable:
    """Return the nearest rates of the first group that would be told from ``rate2`` with the power asked for.

    Raises
    ------
    PasimetaError
        For sizes, rates, a power or an alpha that can't be.
    """
    check_level(power)
    rates = np.linspace(0.0, 1.0, 2001)
    reached = exact_power(n1, rates, n2, rate2, alpha, test) >= power
    above, below = rates[reached & (rates > rate2)], rates[reached & (rates < rate2)]
    return Detectable(
        n1=n1,
        n2=n2,
        rate2=float(rate2),
        higher=float(above.min()) if above.size else None,
        lower=float(below.max()) if below.size else None,
        power=power,
        alpha=alpha,
        test=test,
    )


def fragility_index(events1: int, n1: int, events2: int, n2: int, alpha: float = 0.05) -> Fragility:
    """Count the fewest patients, in either group, whose outcome would have to change for Fisher's p to cross alpha.

    A significant result that hangs on one patient is fragile; for one that isn't significant this is the "reverse"
    index, how near it came.

    References
    ----------
    Walsh et al. 2014, *J Clin Epidemiol* 67:622; Khan et al. 2020, *JAMA Netw Open* 3:e2012469 (reverse).
    """
    check_counts([events1, events2], [n1, n2])
    table = p_values(int(n1), int(n2))
    p = float(table[events1, events2])
    significant = p <= alpha
    other = table > alpha if significant else table <= alpha
    if not other.any():
        return Fragility(None, None, None, p, None, significant)
    i, j = np.mgrid[0 : n1 + 1, 0 : n2 + 1]
    distance = np.where(other, np.abs(i - events1) + np.abs(j - events2), n1 + n2 + 1)
    # among tables as near, the one furthest across
    nearest = np.where(distance == distance.min(), table if not significant else -table, np.inf)
    a, b = np.unravel_index(int(np.argmin(nearest)), table.shape)
    return Fragility(int(distance.min()), int(a), int(b), p, float(table[a, b]), significant)


def sample_size(
    rate1: float, rate2: float, power: float = 0.8, alpha: float = 0.05, share1: float = 0.5, test: Test = "fisher"
) -> SampleSize:
    """Return the patients two groups need for the power asked for.

    Up to ``MOST_EXACT`` patients a group the power is exact: the smallest trial from which on ten in a row reach it
    (exact power isn't monotone). Beyond, the normal approximation with Fleiss, Tytun and Ury's continuity correction,
    which follows Fisher's test closely in groups that large.

    Parameters
    ----------
    rate1, rate2 : float
        True rates, in (0, 1) and different.
    power, alpha : float
        Power wanted and two-sided level.
    share1 : float
        Share of patients in the first group.
    test : str
        As in :func:`p_values`.

    Raises
    ------
    PasimetaError
        For equal rates, or a rate, share, power or alpha outside (0, 1).

    References
    ----------
    Fleiss, Tytun & Ury 1980, *Biometrics* 36:343.
    """
    for name, value in (("rate1", rate1), ("rate2", rate2), ("share1", share1)):
        if not 0 < value < 1:
            raise PasimetaError(f"{name}: {value!r} is not strictly between 0 and 1")
    if rate1 == rate2:
        raise PasimetaError("rate1, rate2: equal rates can't be told apart by any number of patients; give two rates")
    check_level(power)
    check_level(1 - alpha)
    total = _approximate_total(rate1, rate2, power, alpha, share1)
    if total * max(share1, 1 - share1) > MOST_EXACT:
        n1 = int(np.ceil(total * share1))
        return SampleSize(n1, int(np.ceil(total * (1 - share1))), power, exact=False)
    low = max(4, int(0.6 * total))
    run: list[tuple[int, int, float]] = []
    for n in range(low, 4 * int(total) + 60):
        n1 = min(max(1, round(n * share1)), n - 1)
        reached = float(exact_power(n1, rate1, n - n1, rate2, alpha, test))
        run = [*run, (n1, n - n1, reached)] if reached >= power else []
        if len(run) == 10:
            break
    return SampleSize(*run[0], exact=True)


def _approximate_total(rate1: float, rate2: float, power: float, alpha: float, share1: float) -> float:
    z_alpha, z_power = float(ndtri(1 - alpha / 2)), float(ndtri(power))
    ratio = (1 - share1) / share1
    mean = (rate1 + ratio * rate2) / (1 + ratio)
    gap = abs(rate1 - rate2)
    null = z_alpha * np.sqrt((ratio + 1) * mean * (1 - mean))
    other = z_power * np.sqrt(ratio * rate1 * (1 - rate1) + rate2 * (1 - rate2))
    n1 = (null + other) ** 2 / (ratio * gap**2)
    corrected = n1 / 4 * (1 + np.sqrt(1 + 2 * (ratio + 1) / (n1 * ratio * gap))) ** 2
    return float(corrected * (1 + ratio))


def _log_choose(n: int, k: Any) -> Array:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=np.float64)


def _binomials(n: int, rates: Array) -> Array:
    k = np.arange(n + 1)
    return np.exp(_log_choose(n, k) + xlogy(k, rates[:, None]) + xlog1py(n - k, -rates[:, None]))


def _check_sizes(n1: int, n2: int) -> None:
    for name, n in (("n1", n1), ("n2", n2)):
        if n < 1 or n != int(n):
            raise PasimetaError(f"{name}: {n!r} is not a number of patients; give a whole number of at least 1")


def _check_rate(name: str, rate: ArrayLike) -> Array:
    values = np.asarray(rate, float)
    if not ((values >= 0) & (values <= 1)).all():
        raise PasimetaError(f"{name}: outside 0 to 1; give proportions, not percentages")
    return values
