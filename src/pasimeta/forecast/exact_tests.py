"""Exact p values of every possible 2 by 2 table at once: Fisher's test and Boschloo's."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from pasimeta.effects.validation import Array, check_choice
from pasimeta.forecast.beliefs import binomial, check_whole

_TIE = 1 + 1e-7  # relative: probabilities that differ by less are equal (the convention of R's fisher.test)
_BLOCK = 2_000_000  # elements of a block of nuisance values times tables


def exact_p_values(n1: int, n2: int, test: str = "fisher", alternative: str = "two_sided") -> Array:
    """P values of all outcomes of two arms.

    Parameters
    ----------
    n1, n2 : int
        Patients in the experimental and the control arm.
    test : {"fisher", "boschloo"}
        Fisher's exact test conditions on the total of responders. Boschloo's takes Fisher's one-sided p value as its
        statistic and maximizes over the common rate: never less powerful, at the same level.
    alternative : {"two_sided", "greater"}
        ``greater``: the experimental rate is higher. Two-sided Fisher sums the tables no more probable than the
        observed one; two-sided Boschloo doubles the smaller one-sided p value.

    Returns
    -------
    ndarray, shape (n1 + 1, n2 + 1)
        Row: responders in the experimental arm; column: in the control arm.

    Raises
    ------
    PasimetaError
        For empty arms, an unknown test or alternative.

    References
    ----------
    Boschloo RD. Raised conditional level of significance for the 2 x 2-table when testing the equality of two
    probabilities. Stat Neerl 1970;24:1-35. Mehrotra DV, Chan ISF, Berger RL. A cautionary note on exact unconditional
    inference for a difference between two independent binomial proportions. Biometrics 2003;59:441-450.
    """
    n1, n2 = check_whole("n1", n1), check_whole("n2", n2)
    check_choice("test", test, ("fisher", "boschloo"))
    check_choice("alternative", alternative, ("two_sided", "greater"))
    if test == "fisher":
        return _fisher_two_sided(n1, n2) if alternative == "two_sided" else _fisher_greater(n1, n2)
    greater = _boschloo(_fisher_greater(n1, n2))
    if alternative == "greater":
        return greater
    less = _boschloo(_fisher_greater(n2, n1)).T
    return np.minimum(2 * np.minimum(greater, less), 1.0)


def rejects_for_benefit(n1: int, n2: int, test: str, alternative: str, alpha: float) -> Array:
    """Whether each outcome is significant with the higher rate in the experimental arm; (n1 + 1, n2 + 1) of 0 or 1.

    Not to be written to: who asks again, as every belief held against one design does, gets the same array.
    """
    check_choice("test", test, ("fisher", "boschloo"))
    check_choice("alternative", alternative, ("two_sided", "greater"))
    return _region(check_whole("n1", n1), check_whole("n2", n2), test, alternative, float(alpha))


@lru_cache(maxsize=128)
def _region(n1: int, n2: int, test: str, alternative: str, alpha: float) -> Array:
    better = np.arange(n1 + 1)[:, None] / n1 > np.arange(n2 + 1) / n2
    if test == "boschloo":
        one_sided = alpha / 2 if alternative == "two_sided" else alpha
        significant = _boschloo_region(_fisher_greater(n1, n2), one_sided)
    else:
        significant = exact_p_values(n1, n2, test, alternative) <= alpha * (1 + 1e-12)
    region = (better & significant).astype(float)
    region.flags.writeable = False
    return region


def _hypergeometric(n1: int, n2: int) -> Array:
    """Chance of x responders in the first arm given the total t: row t, column x."""
    t, x = np.arange(n1 + n2 + 1)[:, None], np.arange(n1 + 1)
    c = t - x
    possible = (c >= 0) & (c <= n2)
    c = np.clip(c, 0, n2)
    log_chance = _log_choose(n1, x) + _log_choose(n2, c) - _log_choose(n1 + n2, t)
    return np.where(possible, np.exp(log_chance), 0.0)


def _log_choose(n: int, k: NDArray[Any]) -> Array:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def _by_table(by_total: Array, n1: int, n2: int) -> Array:
    """From (total, x) to (x, c)."""
    x = np.arange(n1 + 1)[:, None]
    return by_total[x + np.arange(n2 + 1), x]


def _fisher_greater(n1: int, n2: int) -> Array:
    tails = np.cumsum(_hypergeometric(n1, n2)[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(_by_table(tails, n1, n2), 1.0)


def _fisher_two_sided(n1: int, n2: int) -> Array:
    chances = _hypergeometric(n1, n2)
    order = np.argsort(chances, axis=1, kind="stable")
    ascending = np.take_along_axis(chances, order, axis=1)
    totals = np.cumsum(ascending, axis=1)
    # a table's p value includes all that tie with it: take the sum at the end of its run of equal probabilities
    last = np.ones(ascending.shape, bool)
    last[:, :-1] = ascending[:, 1:] > ascending[:, :-1] * _TIE
    column = np.where(last, np.arange(n1 + 1), n1 + 1)
    run_end = np.minimum.accumulate(column[:, ::-1], axis=1)[:, ::-1]
    sorted_p = np.take_along_axis(totals, run_end, axis=1)
    p = np.empty_like(sorted_p)
    np.put_along_axis(p, order, sorted_p, axis=1)
    return np.minimum(_by_table(p, n1, n2), 1.0)


def _boschloo(statistic: Array) -> Array:
    """Largest probability, over the common rate, of a statistic as small as each table's."""
    n1, n2 = statistic.shape[0] - 1, statistic.shape[1] - 1
    order = np.argsort(statistic, axis=None, kind="stable")
    ordered = statistic.ravel()[order]
    last = np.append(ordered[1:] > ordered[:-1] * _TIE, True)
    run_end = np.minimum.accumulate(np.where(last, np.arange(ordered.size), ordered.size)[::-1])[::-1]
    largest = np.zeros(ordered.size)
    rates = _nuisance_rates(n1 + n2)
    size = max(1, _BLOCK // ordered.size)
    for block in (rates[i : i + size] for i in range(0, len(rates), size)):
        joint = binomial(n1, block)[:, :, None] * binomial(n2, block)[:, None, :]
        np.maximum(largest, np.cumsum(joint.reshape(len(block), -1)[:, order], axis=1).max(axis=0), out=largest)
    p = np.empty(ordered.size)
    p[order] = largest[run_end]
    return np.minimum(p, 1.0).reshape(statistic.shape)


def _boschloo_region(statistic: Array, alpha: float) -> NDArray[np.bool_]:
    """Tables whose Boschloo p value is at most ``alpha``, found without the others' p values.

    The regions "statistic at most s" are nested, so their largest probability rises with s: the last one that keeps the
    level is found by halving.
    """
    rates = _nuisance_rates(sum(statistic.shape) - 2)
    first, second = (binomial(size - 1, rates) for size in statistic.shape)
    cuts = np.unique(statistic)
    low, high = -1, cuts.size
    while high - low > 1:
        middle = (low + high) // 2
        region = (statistic <= cuts[middle] * _TIE).astype(float)
        size = ((first @ region) * second).sum(axis=1).max()
        low, high = (middle, high) if size <= alpha * (1 + 1e-12) else (low, middle)
    return statistic <= (cuts[low] * _TIE if low >= 0 else -1.0)


def _nuisance_rates(total: int) -> Array:
    # even in the arcsine of the rate, where curvature is that of ``total`` patients everywhere: the grid's maximum then
    # misses the true one by less than 1e-5 of it
    steps = int(np.ceil(np.pi / 2 * np.sqrt(total / 2e-5)))
    return np.sin(np.linspace(0, np.pi / 2, steps + 1)) ** 2
