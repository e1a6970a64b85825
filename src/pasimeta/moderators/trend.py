"""Does response rise with dose? The Cochran-Armitage test, its exact conditional twin, and what they could detect."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import erfc, expit, gammaln, xlog1py, xlogy

from pasimeta.effects.validation import Array, as_numbers, check_counts, check_level
from pasimeta.errors import PasimetaError

MOST_TABLES = 2_000_000
_WIDEST = 60.0
_TIE = 1e-7  # in sums of doses from 0 to 1, which are kept to nine decimals


@dataclass(frozen=True, slots=True)
class TrendResult:
    """Trend of response over ordered doses within one study.

    Attributes
    ----------
    slope, slope_ci_lower, slope_ci_upper : float
        Conditional maximum-likelihood log odds ratio per unit of dose, with its exact interval; infinite where the
        responders stand as high or low as they can.
    rate_slope : float
        Change of the response rate per unit of dose (weighted least squares), the Cochran-Armitage numerator.
    z, p_value : float
        Cochran-Armitage statistic and two-sided normal p value.
    exact_p_value, mid_p_value : float
        Two-sided exact conditional p value: tables whose trend lies at least as far from its mean; the same with half
        of the tables that lie as far.
    level : float
    """

    slope: float
    slope_ci_lower: float
    slope_ci_upper: float
    rate_slope: float
    z: float
    p_value: float
    exact_p_value: float
    mid_p_value: float
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame([asdict(self)])


def trend_test(events: ArrayLike, n: ArrayLike, doses: ArrayLike, level: float = 0.95) -> TrendResult:
    """Test for a trend of the response rate over dose groups, asymptotically and exactly.

    Parameters
    ----------
    events, n, doses : array_like, shape (groups,)
        Responders, patients and dose of each group.
    level : float
        Level of the slope's interval.

    Returns
    -------
    TrendResult

    Raises
    ------
    PasimetaError
        For impossible counts, fewer than two doses, or no or only responders (nothing to compare).

    References
    ----------
    Cochran 1954, *Biometrics* 10:417; Armitage 1955, *Biometrics* 11:375; exact: Agresti, *Categorical data analysis*,
    3rd ed., sec. 16.5.
    """
    x, sizes, d = check_groups(events, n, doses)
    check_level(level)
    if x.sum() in (0, sizes.sum()):
        raise PasimetaError(f"events: {x.sum():g} of {sizes.sum():g} responded; a trend needs responders and others")
    z = float(cochran_armitage(x[None], sizes[None], d)[0])
    span = float(np.ptp(d))
    share = (d - d.min()) / span  # of the way from the lowest dose: ties are told apart alike on every scale
    scores, log_weights = _conditional_distribution(sizes, share, int(x.sum()))
    observed = float(x @ share)
    mean = float(np.exp(log_weights) @ scores / np.exp(log_weights).sum())
    chance = np.exp(log_weights) / np.exp(log_weights).sum()
    far, here = np.abs(scores - mean), abs(observed - mean)
    exact = float(chance[far >= here - _TIE].sum())
    ties = float(chance[np.abs(far - here) <= _TIE].sum())
    slope, lower, upper = (end / span for end in _conditional_slope(scores, log_weights, observed, level))
    centred = d - sizes @ d / sizes.sum()
    return TrendResult(
        slope=slope,
        slope_ci_lower=lower,
        slope_ci_upper=upper,
        rate_slope=float((x @ centred) / (sizes @ centred**2)),
        z=z,
        p_value=float(erfc(abs(z) / np.sqrt(2))),
        exact_p_value=min(1.0, exact),
        mid_p_value=exact - 0.5 * ties,
        level=level,
    )


def cochran_armitage(events: Array, n: Array, doses: Array) -> Array:
    """Return the Cochran-Armitage z of many tables; 0 where nobody or everybody responded.

    Parameters
    ----------
    events, n : ndarray, shape (tables, groups)
    doses : ndarray, shape (groups,)
    """
    total = n.sum(axis=1)
    rate = events.sum(axis=1) / total
    centred = doses - (n @ doses / total)[:, None]
    spread = np.sqrt(rate * (1 - rate) * (n * centred**2).sum(axis=1))
    numerator = (events * centred).sum(axis=1)
    return np.divide(numerator, spread, out=np.zeros_like(numerator), where=spread > 1e-12)


def trend_power(
    n: ArrayLike, doses: ArrayLike, intercept: float, slopes: ArrayLike, alpha: float = 0.05, test: str = "exact"
) -> Array:
    """Return the exact chance that a trend test finds logit slopes, summed over every table of these group sizes.

    Parameters
    ----------
    n, doses : array_like, shape (groups,)
        Patients and dose of each group.
    intercept : float
        Log-odds of response at the patients' mean dose.
    slopes : array_like
        True log odds ratios per unit of dose; at 0 the result is the type I error.
    alpha : float
        Two-sided level.
    test : {"exact", "cochran_armitage"}
        Which test.

    Raises
    ------
    PasimetaError
        If the groups make more than ``MOST_TABLES`` tables.
    """
    _, sizes, d = check_groups(np.zeros(np.size(n)), n, doses)
    if np.prod(sizes + 1) > MOST_TABLES:
        raise PasimetaError(f"n: groups of {', '.join(f'{s:g}' for s in sizes)} make too many tables; merge groups")
    tables = np.stack(np.meshgrid(*(np.arange(s + 1) for s in sizes), indexing="ij"), -1).reshape(-1, len(sizes))
    all_sizes = np.broadcast_to(sizes, tables.shape)
    if test == "exact":
        log_weights = (log_choose(sizes, tables)).sum(axis=1)
        classes = tables.sum(axis=1).astype(int)
        rejected = conditional_p_values(tables @ d, log_weights, classes) <= alpha
    else:
        rejected = erfc(np.abs(cochran_armitage(tables, all_sizes, d)) / np.sqrt(2)) <= alpha
    kept = tables[rejected]
    centred = d - sizes @ d / sizes.sum()
    rates = expit(intercept + np.atleast_1d(np.asarray(slopes, float))[:, None] * centred)
    logs = log_choose(sizes, kept).sum(axis=1) + xlogy(kept, rates[:, None, :]).sum(-1)
    return np.exp(logs + xlog1py(sizes - kept, -rates[:, None, :]).sum(-1)).sum(axis=1)


def detectable_slope(
    n: ArrayLike, doses: ArrayLike, intercept: float, power: float = 0.8, alpha: float = 0.05
) -> float | None:
    """Return the smallest rising logit slope the exact trend test finds with the power asked for, None if none does."""
    slopes = np.concatenate([np.arange(0.05, 6.0, 0.05), np.arange(6.0, 40.1, 0.5)])
    reached = trend_power(n, doses, intercept, slopes, alpha) >= power
    return float(slopes[np.argmax(reached)]) if reached.any() else None


def conditional_p_values(scores: Array, log_weights: Array, classes: np.ndarray) -> Array:
    """Return each table's two-sided exact p value among the tables of its class (sizes and total fixed).

    Parameters
    ----------
    scores, log_weights : ndarray, shape (tables,)
        Trend statistic and log of the multiplicity of each table; every class must be complete.
    classes : ndarray of int, shape (tables,)
    """
    weights = np.exp(log_weights - log_weights.max())
    count = classes.max() + 1
    total = np.bincount(classes, weights, minlength=count)
    mean = np.divide(np.bincount(classes, weights * scores, minlength=count), total, where=total > 0, out=total * 0)
    far = np.round(np.abs(scores - mean[classes]), 9)
    order = np.lexsort((-far, classes))
    cumulated = np.cumsum(weights[order])
    starts = np.searchsorted(classes[order], np.arange(count))
    before = np.concatenate([[0.0], cumulated])[starts]
    # of tables as far out, all count: take the sum at the last of the run
    key_class, key_far = classes[order], far[order]
    last = np.append((key_class[1:] != key_class[:-1]) | (key_far[1:] != key_far[:-1]), True)
    run_end = np.flatnonzero(last)[np.concatenate([[0], np.cumsum(last)[:-1]])]
    p = np.empty(len(scores))
    p[order] = (cumulated[run_end] - before[key_class]) / total[key_class]
    return np.minimum(p, 1.0)


def log_choose(n: ArrayLike, k: ArrayLike) -> Array:
    """Log binomial coefficients, elementwise."""
    size, chosen = np.asarray(n, float), np.asarray(k, float)
    return np.asarray(gammaln(size + 1) - gammaln(chosen + 1) - gammaln(size - chosen + 1))


def check_groups(events: ArrayLike, n: ArrayLike, doses: ArrayLike) -> tuple[Array, Array, Array]:
    """Return counts and doses of groups as arrays, or say what can't be.

    Raises
    ------
    PasimetaError
        For impossible counts, unequal lengths, or fewer than two distinct doses.
    """
    x, sizes = check_counts(events, n)
    d = as_numbers("doses", doses)
    if d.shape != x.shape:
        raise PasimetaError(f"doses and events have unequal lengths ({d.size} and {x.size}); give one dose a group")
    if len(np.unique(d)) < 2:
        raise PasimetaError(f"doses: every group got {d[0]:g}; a slope needs at least two doses")
    return x, sizes, d


def _conditional_distribution(sizes: Array, doses: Array, total: int) -> tuple[Array, Array]:
    """Possible sums of the responders' doses given how many responded, and the logs of their multiplicities."""
    states: dict[tuple[int, float], float] = {(0, 0.0): 0.0}
    for size, dose in zip(sizes.astype(int), doses, strict=True):
        k = np.arange(size + 1)
        logs = log_choose(np.full(size + 1, size), k)
        after: dict[tuple[int, float], float] = {}
        for (count, score), weight in states.items():
            for j in range(min(size, total - count) + 1):
                key = (count + j, round(score + j * dose, 9))
                value = weight + float(logs[j])
                after[key] = float(np.logaddexp(after[key], value)) if key in after else value
        states = after
    kept = sorted((score, weight) for (count, score), weight in states.items() if count == total)
    scores, weights = np.array(kept).T
    return scores, weights - weights.max()


def _conditional_slope(scores: Array, log_weights: Array, observed: float, level: float) -> tuple[float, float, float]:
    """Conditional estimate and exact interval of the log odds ratio per unit of dose."""
    from scipy.optimize import brentq

    at_or_above = scores >= observed - _TIE
    at_or_below = scores <= observed + _TIE
    reach = _WIDEST / max(float(np.ptp(scores)), 1e-12) * len(scores)

    def chance(slope: float) -> Array:
        logs = log_weights + slope * (scores - observed)
        weights = np.exp(logs - logs.max())
        return weights / weights.sum()

    half = (1 - level) / 2
    lowest, highest = bool(at_or_below.sum() == 1), bool(at_or_above.sum() == 1)
    slope = -np.inf if lowest else np.inf if highest else 0.0
    if not (lowest or highest):
        slope = brentq(lambda b: float(chance(b) @ scores - observed), -reach, reach, xtol=1e-10)
    lower = -np.inf if lowest else brentq(lambda b: float(chance(b) @ at_or_above - half), -reach, reach, xtol=1e-10)
    upper = np.inf if highest else brentq(lambda b: float(half - chance(b) @ at_or_below), -reach, reach, xtol=1e-10)
    return float(slope), float(lower), float(upper)
