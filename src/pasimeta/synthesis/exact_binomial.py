"""Pool event counts under an exact binomial model: no correction, no transformation, no made-up variance.

*Intervals* of mu and of the heterogeneity invert the likelihood-ratio test (chi-squared with one degree of
freedom); the profile over tau2 is scanned, so a second maximum is not overlooked. The common model's interval
is Clopper and Pearson's.

*Weights* are each study's share of the observed information on mu at the estimate: of the patients, under a common
rate or where tau2 is estimated at 0. The beta-binomial fit gives none.

*Prediction interval* of a new study's rate: the model's distribution at each tau2, widened by the uncertainty of
mu given tau2, averaged over the confidence distribution of tau2 (:mod:`.confidence_mixture`). A tau2
estimated at 0 therefore doesn't collapse it, as it does the plug-in interval.

*Without events* (or non-events) the estimate is minus (plus) infinity, the rate 0 (1); tau2, of which the data
then say nothing, is taken as 0, its interval as [0, inf), and the interval of the rate is one-sided: the
common-rate likelihood's under the binomial-normal model, that of all-or-none studies under the beta-binomial
(:func:`.common_rate.one_sided_profile`). A new study's rate is not predictable: [0, 1].

*All-or-none studies* of both kinds have no finite tau2: it is infinite, and so is the estimate unless both kinds
are equally many. *One study*, or single patients only, can't tell tau2 at all: the common-rate model is
fitted, tau2 and the prediction interval are None (NaN in a column among others).

Stijnen T, Hamza TH, Ozdemir P. Random effects meta-analysis of event outcome in the framework of the generalized
linear mixed model with applications in sparse data. Stat Med 2010;29:3046-3067. Kuss O. Statistical methods for
meta-analyses including information from studies without any events. Stat Med 2015;34:1097-1116.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, expit, logit

from pasimeta.effects.validation import Array, check_choice, check_counts, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.beta_binomial import beta_binomial_columns
from pasimeta.synthesis.binomial_normal import binomial_normal_columns, study_information
from pasimeta.synthesis.common_rate import (
    RateInterval,
    chi2_quantile,
    clopper_pearson,
    common_log_likelihood,
    one_sided_profile,
    saturated_deviance,
)
from pasimeta.synthesis.results import PooledResult

MODELS = ("binomial_normal", "beta_binomial", "common")
_FEW_STUDIES = 5
_BLOCK_ELEMENTS = 600  # studies times data sets fitted together: bounds the memory, keeps the arrays in cache


def pool_binomial(events: ArrayLike, n: ArrayLike, model: str = "binomial_normal", level: float = 0.95) -> PooledResult:
    """Pool event counts by maximum likelihood under an exact binomial model; the module says how.

    Parameters
    ----------
    events, n : array_like, shape (k,) or (k, d)
        Events and patients of k studies (of d data sets, fitted at once).
    model : {"binomial_normal", "beta_binomial", "common"}
        ``"binomial_normal"``: log-odds normal between studies. ``"beta_binomial"``: rates beta between studies.
        ``"common"``: one rate for all.
    level : float
        Level of every interval.

    Returns
    -------
    PooledResult
        ``estimate``, its interval and the prediction interval are log-odds (``measure="PLO"``), the ``response_*``
        fields rates in [0, 1]. ``response_estimate`` is the rate of the *median* study of a binomial-normal model and
        the mean rate of the others; ``response_population`` is the population-average rate of either.
        ``log_likelihood`` is the full one, binomial coefficients included; ``q`` is the likelihood-ratio statistic of
        one rate for all against one each. ``statistic`` and ``p_value`` don't exist: a rate of 50 % is nobody's null.

    Raises
    ------
    PasimetaError
        For counts that can't be (the message names the row), an unknown model, or a level outside (0, 1).

    Warns
    -----
    PasimetaWarning
        Few studies; tau2 estimated at 0, or without a finite maximum; no events, or nothing but events.

    Examples
    --------
    >>> result = pool_binomial([2, 5], [14, 40])
    >>> round(result.response_estimate, 4)
    0.1296
    """
    counts, sizes = check_counts(events, n)
    check_choice("model", model, MODELS)
    level = check_level(level)
    if counts.ndim > 2 or counts.size == 0:
        raise PasimetaError(f"events: shape {counts.shape} can't be pooled; give (k,) or (k, d) with d > 0")
    flat = counts.ndim == 1
    x, m = (counts[:, None], sizes[:, None]) if flat else (counts, sizes)
    block = max(1, _BLOCK_ELEMENTS // len(x))
    parts = [_columns(x[:, i : i + block], m[:, i : i + block], model, level) for i in range(0, x.shape[1], block)]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    doubts = tuple(doubt(text, stacklevel=4) for text in _doubts(x, m, arrays, model))
    return PooledResult(
        k=len(x),
        **{name: _presented(values, flat) for name, values in arrays.items()},
        q_df=len(x) - 1,
        measure="PLO",
        method=model,
        test="exact" if model == "common" else "profile",
        level=level,
        weights=_weights(counts, sizes, model, arrays) if flat else None,
        warnings=doubts,
    )


def _weights(events: Array, n: Array, model: str, arrays: dict[str, Array]) -> tuple[float, ...] | None:
    """Each study's share in percent of the information on mu; None where the model has no finite estimate."""
    mu, tau2 = arrays["estimate"][0], arrays["tau2"][0]
    if model == "common" or np.isnan(tau2):
        information = n
    elif model == "binomial_normal" and np.isfinite(mu) and np.isfinite(tau2):
        information = study_information(events, n, mu, tau2)
    else:
        return None
    return tuple((100 * information / information.sum()).tolist())


def _columns(x: Array, n: Array, model: str, level: float) -> dict[str, Array]:
    """Every numeric field, shape (d,) each; NaN where a field doesn't exist."""
    d = x.shape[1]
    one_sided = (x == 0).all(axis=0) | (x == n).all(axis=0)
    seen = (len(x) > 1) & ~(n == 1).all(axis=0) & (model != "common")
    fields = {name: np.full(d, np.nan) for name in ("pi_lower", "pi_upper", "tau2", "tau2_ci_lower", "tau2_ci_upper")}
    for columns, fit in ((~seen, _common), (seen & one_sided, _ONE_SIDED[model]), (seen & ~one_sided, _FITS[model])):
        if columns.any():
            for name, values in fit(x[:, columns], n[:, columns], level).items():
                fields.setdefault(name, np.full(d, np.nan))[columns] = values
    if model == "common":
        fields["tau2"] = np.zeros(d)
    for name in ("estimate", "ci_lower", "ci_upper", "pi_lower", "pi_upper"):
        fields[f"response_{name}"] = expit(fields[name])
    return fields | _heterogeneity(x, n, fields)


def _common(x: Array, n: Array, level: float) -> dict[str, Array]:
    events, patients = x.sum(axis=0), n.sum(axis=0)
    interval = clopper_pearson(events, patients, level)
    return _on_log_odds(interval, events, patients) | {"log_likelihood": common_log_likelihood(x, n)}


def _one_sided_patients(x: Array, n: Array, level: float) -> dict[str, Array]:
    return _one_sided(x, n, level, n.sum(axis=0))


def _one_sided_studies(x: Array, n: Array, level: float) -> dict[str, Array]:
    # spread out fully, the beta-binomial's studies are all-or-none: as many draws as studies, not as patients
    return _one_sided(x, n, level, np.full(x.shape[1], float(len(x))))


def _one_sided(x: Array, n: Array, level: float, draws: Array) -> dict[str, Array]:
    events, patients = x.sum(axis=0), n.sum(axis=0)
    interval = one_sided_profile(np.where(events > 0, draws, 0.0), draws, 0.5 * chi2_quantile(level))
    zero, unbounded = np.zeros(events.shape), np.full(events.shape, np.inf)
    return {
        **_on_log_odds(interval, events, patients),
        "pi_lower": -unbounded,
        "pi_upper": unbounded,
        "tau2": zero,
        "tau2_ci_lower": zero,
        "tau2_ci_upper": unbounded,
        "log_likelihood": common_log_likelihood(x, n),
    }


_FITS = {"binomial_normal": binomial_normal_columns, "beta_binomial": beta_binomial_columns, "common": _common}
_ONE_SIDED = {"binomial_normal": _one_sided_patients, "beta_binomial": _one_sided_studies, "common": _common}


def _on_log_odds(interval: RateInterval, events: Array, patients: Array) -> dict[str, Array]:
    with np.errstate(divide="ignore"):
        se = np.sqrt(1 / events + 1 / (patients - events))
    return {
        "estimate": logit(interval.rate),
        "se": se,
        "ci_lower": logit(interval.lower),
        "ci_upper": logit(interval.upper),
        "response_population": interval.rate,
    }


def _heterogeneity(x: Array, n: Array, fields: dict[str, Array]) -> dict[str, Array]:
    """Deviance of the common rate, and I2 and H2 against the typical sampling variance of an empirical logit."""
    k = len(x)
    deviance = saturated_deviance(x, n)
    nothing = np.full(deviance.shape, np.nan)
    if k == 1:
        return {"q": deviance, "q_p_value": np.ones_like(deviance), "i2": nothing, "h2": nothing} | {
            "i2_ci_lower": nothing,
            "i2_ci_upper": nothing,
        }
    half = np.where((x == 0) | (x == n), 0.5, 0.0)
    weights = 1 / (1 / (x + half) + 1 / (n - x + half))
    typical = (k - 1) / (weights.sum(axis=0) - (weights**2).sum(axis=0) / weights.sum(axis=0))
    return {
        "q": deviance,
        "q_p_value": chdtrc(k - 1, deviance),
        "i2": _i2(fields["tau2"], typical),
        "i2_ci_lower": _i2(fields["tau2_ci_lower"], typical),
        "i2_ci_upper": _i2(fields["tau2_ci_upper"], typical),
        "h2": 1 + fields["tau2"] / typical,
    }


def _i2(tau2: Array, typical: Array) -> Array:
    """I2 in percent; all of it where tau2 is infinite."""
    return 100 / (1 + np.divide(typical, tau2, out=np.full(tau2.shape, np.inf), where=tau2 != 0))


def _presented(values: Array, flat: bool) -> Any:
    if np.isnan(values).all():
        return None
    return float(values[0]) if flat else values


def _doubts(x: Array, n: Array, arrays: dict[str, Array], model: str) -> list[str]:
    """A sentence for each doubt, counting the data sets concerned where there are many."""
    k = len(x)
    empty, full = (x == 0).all(axis=0), (x == n).all(axis=0)
    doubts = []
    if model != "common" and k == 1:
        doubts.append(
            "a single study: the common-rate model's exact interval is given; tau2 and prediction don't exist"
        )
    elif model != "common":
        doubts += _heterogeneity_doubts(x, n, arrays["tau2"], empty | full)
    for concerned, what in ((empty, "no events at all"), (full, "nothing but events")):
        if concerned.any():
            doubts.append(f"{what}{_of(concerned)}: the interval of the rate is one-sided, the estimate its end")
    return doubts


def _heterogeneity_doubts(x: Array, n: Array, tau2: Array, one_sided: NDArray[np.bool_]) -> list[str]:
    singles = (n == 1).all(axis=0)
    doubts = []
    if len(x) < _FEW_STUDIES:
        doubts.append(f"only {len(x)} studies: tau2 and every interval that uses it are poorly determined")
    for concerned, what in (
        (singles, "single patients only{}: they can't tell tau2; the common-rate model's exact interval is given"),
        (
            (tau2 == 0) & ~one_sided & ~singles,
            "tau2 is estimated at its boundary 0{}: no heterogeneity seen is not none present",
        ),
        (np.isposinf(tau2), "every study is all-or-none{}: the likelihood rises without end in tau2"),
    ):
        if concerned.any():
            doubts.append(what.format(_of(concerned)))
    return doubts


def _of(concerned: NDArray[np.bool_]) -> str:
    return "" if concerned.size == 1 else f" in {int(concerned.sum())} of {concerned.size} data sets"
