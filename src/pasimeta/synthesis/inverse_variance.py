"""``pool`` and ``pool_counts``: inverse-variance pooling of effect sizes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array, check_choice, check_effects, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.heterogeneity import i2_of, q_profile
from pasimeta.synthesis.model import METHODS, ModelFit, fit_model
from pasimeta.synthesis.prediction import PREDICTIONS, bootstrap_prediction_interval, prediction_interval
from pasimeta.synthesis.projection import intercept
from pasimeta.synthesis.results import PooledResult
from pasimeta.synthesis.small_sample import TESTS

#: Numbers fitted in one go; more data sets are taken in blocks, so that working memory doesn't grow with their number.
_BLOCK_ELEMENTS = 2**20
#: Studies below which an estimate of tau2 is mostly noise.
_FEW_STUDIES = 5


class _Options(NamedTuple):
    """How to pool: checked."""

    method: str
    test: str
    level: float
    prediction: str | None
    seed: int | np.random.Generator | None


def pool(
    yi: ArrayLike,
    vi: ArrayLike,
    method: str = "REML",
    test: str = "adhoc",
    level: float = 0.95,
    prediction: str | None = None,
    *,
    seed: int | np.random.Generator | None = 0,
) -> PooledResult:
    """Pool effect sizes by inverse variance.

    Parameters
    ----------
    yi, vi : array_like, shape (k,) or (k, d)
        Effect sizes and sampling variances of k studies; with a second axis, of d data sets fitted at once.
    method : str
        Estimator of the between-study variance: ``"EE"`` (equal effects: none), ``"DL"`` (DerSimonian-Laird), ``"HE"``
        (Hedges), ``"HS"`` (Hunter-Schmidt), ``"SJ"`` (Sidik-Jonkman), ``"ML"``, ``"REML"``, ``"EB"`` (empirical Bayes)
        or ``"PM"`` (Paule-Mandel). ML and REML are at their certified global maximum.
    test : str
        ``"z"``, ``"t"`` (k - 1 degrees of freedom), ``"knha"`` (Knapp-Hartung) or ``"adhoc"`` (Knapp-Hartung that may
        widen the interval but never narrow it).
    level : float
        Confidence level of every interval, strictly between 0 and 1.
    prediction : str, optional
        Prediction interval: by default normal for ``test="z"`` and t(k - 1) otherwise; ``"HTS"`` t(k - 2); ``"V"``
        t(k - 1); ``"bootstrap"`` the parametric bootstrap of Nagashima et al. (2019), which doesn't depend on
        ``method`` and ``test``.
    seed : int or Generator, optional
        Randomness of the bootstrap; the default gives the same digits every time.

    Returns
    -------
    PooledResult
        Scalars for 1-D input, arrays of shape (d,) for 2-D. A single study gives its own estimate and normal interval,
        with tau2, I2 and the prediction interval None; EE has no interval of tau2 and no prediction interval.

    Raises
    ------
    PasimetaError
        For effects or variances that can't be (the message names the row), unknown options, or a level outside (0, 1).

    Warns
    -----
    PasimetaWarning
        For fewer than 5 studies, tau2 at its boundary, an interval that Knapp-Hartung narrowed, an empty Q-profile
        interval, or an interval that doesn't exist; also kept in ``warnings``.

    References
    ----------
    Viechtbauer W. Conducting meta-analyses in R with the metafor package. J Stat Softw 2010;36(3):1-48.

    Examples
    --------
    >>> result = pool([0.1, 0.3, 0.35, 0.65, 0.45], [0.03, 0.03, 0.05, 0.01, 0.05], test="z")
    >>> round(result.estimate, 4), round(result.tau2, 4)
    (0.3949, 0.0268)
    """
    options = _checked(method, test, level, prediction, seed)
    fields, doubts = _pooled(*check_effects(yi, vi), options)
    return PooledResult(**fields, warnings=tuple(doubt(text, stacklevel=4) for text in doubts))


def _checked(method: str, test: str, level: float, prediction: str | None, seed: Any) -> _Options:
    check_choice("method", method, METHODS)
    check_choice("test", test, TESTS)
    if prediction is not None:
        check_choice("prediction", prediction, PREDICTIONS)
    return _Options(method, test, check_level(level), prediction, seed)


def _pooled(effects: Array, variances: Array, options: _Options) -> tuple[dict[str, Any], list[str]]:
    """Return the fields of a PooledResult (but for its warnings) and the doubts about it."""
    if effects.ndim > 2 or effects.size == 0:
        raise PasimetaError(f"yi: shape {effects.shape} can't be pooled; give (k,) or (k, d) with d > 0")
    flat = effects.ndim == 1
    y, v = (effects[:, None], variances[:, None]) if flat else (effects, variances)
    k, d = y.shape
    block = max(1, _BLOCK_ELEMENTS // k)
    parts = [_columns(y[:, i : i + block], v[:, i : i + block], options) for i in range(0, d, block)]
    arrays = parts[0] if len(parts) == 1 else {name: _concatenated(parts, name) for name in parts[0]}
    doubts = _doubts(arrays, k, options)
    fields: dict[str, Any] = {
        name: None if values is None else float(values[0]) if flat else values
        for name, values in arrays.items()
        if name not in _FOR_DOUBTS
    }
    tau2 = 0.0 if arrays["tau2"] is None else arrays["tau2"][0]
    shares = 1.0 / (v[:, 0] + tau2)
    return {
        **fields,
        "k": k,
        "q_df": k - 1,
        "method": options.method,
        "test": options.test,
        "level": options.level,
        "weights": tuple((100.0 * shares / shares.sum()).tolist()) if flat else None,
    }, doubts


def _concatenated(parts: list[dict[str, Array | None]], name: str) -> Array | None:
    columns = [part[name] for part in parts]
    return None if columns[0] is None else np.concatenate(columns)  # type: ignore[arg-type]


def _columns(y: Array, v: Array, options: _Options) -> dict[str, Array | None]:
    """Return every numeric field of the columns' results, shape (d,) each."""
    k = y.shape[0]
    fit = fit_model(y, v, intercept(k), options.method, options.test, options.level)
    tested, spread = fit.tested, fit.heterogeneity
    random_effects = k > 1 and options.method != "EE"
    fields: dict[str, Array | None] = {
        "estimate": fit.estimate[0],
        "se": tested.se[0],
        "statistic": tested.statistic[0],
        "p_value": tested.p_value[0],
        "ci_lower": tested.ci_lower[0],
        "ci_upper": tested.ci_upper[0],
        "tau2": fit.tau2 if k > 1 else None,
        "i2": spread.i2 if k > 1 else None,
        "h2": spread.h2 if k > 1 else None,
        "q": spread.q,
        "q_p_value": spread.q_p_value,
        "log_likelihood": _log_likelihood(y, v, fit, options.method),
        "scale": fit.scale,
        "empty": None,
    }
    return {**fields, **(_random_effects_intervals(y, v, fit, options) if random_effects else _NO_INTERVALS)}


#: Arrays that are no fields of the result, but what its doubts are judged by.
_FOR_DOUBTS = ("scale", "empty")
_NO_INTERVALS: dict[str, None] = dict.fromkeys(
    ("tau2_ci_lower", "tau2_ci_upper", "i2_ci_lower", "i2_ci_upper", "pi_lower", "pi_upper")
)


def _random_effects_intervals(y: Array, v: Array, fit: ModelFit, options: _Options) -> dict[str, Array | None]:
    k = y.shape[0]
    q, typical = fit.heterogeneity.q, fit.heterogeneity.typical
    lower, upper, empty = q_profile(y, v, intercept(k), q, options.level)
    predicted: tuple[Array, Array] | tuple[None, None] | None
    if options.prediction == "bootstrap":
        predicted = bootstrap_prediction_interval(y, v, options.level, options.seed)
    else:
        mean, se = fit.estimate[0], fit.tested.se[0]
        predicted = prediction_interval(mean, se, fit.tau2, k, options.test, options.level, options.prediction)
    pi_lower, pi_upper = predicted or (None, None)
    return {
        "tau2_ci_lower": lower,
        "tau2_ci_upper": upper,
        "i2_ci_lower": i2_of(lower, typical),
        "i2_ci_upper": i2_of(upper, typical),
        "pi_lower": pi_lower,
        "pi_upper": pi_upper,
        "empty": empty,
    }


def _log_likelihood(y: Array, v: Array, fit: ModelFit, method: str) -> Array | None:
    """Return the maximized log-likelihood (EE, ML) or restricted log-likelihood (REML); None for the others.

    References
    ----------
    Harville DA. JASA 1977;72:320-338; REML with the constant ``log(k) / 2`` of error contrasts of unit length.
    """
    if method not in ("EE", "ML", "REML"):
        return None
    total = v + fit.tau2
    residual = y - fit.estimate[0]
    value = -0.5 * (np.log(2.0 * np.pi * total) + residual**2 / total).sum(axis=0)
    if method == "REML":
        k = y.shape[0]
        value += 0.5 * (np.log(2.0 * np.pi * k) - np.log((1.0 / total).sum(axis=0)))
    return value


def _doubts(arrays: dict[str, Array | None], k: int, options: _Options) -> list[str]:
    """Return a sentence for each doubt, counting the data sets concerned where there are many."""
    if k == 1:
        return ["a single study: its own estimate and normal interval are given; tau2 and prediction do not exist"]
    if options.method == "EE":
        return _narrowed(arrays, options)
    doubts = []
    if k < _FEW_STUDIES:
        doubts.append(f"only {k} studies: tau2 and every interval that uses it are poorly determined")
    at_zero = arrays["tau2"] == 0.0
    if np.any(at_zero):
        doubts.append(f"tau2 is estimated at its boundary 0{_of(at_zero)}: no heterogeneity seen is not none present")
    doubts += _narrowed(arrays, options)
    if np.any(arrays["empty"]):
        doubts.append(
            f"the Q-profile interval of tau2 is empty{_of(arrays['empty'])}: the effects agree better than their "
            "variances allow, so the variances may be too large; [0, 0] is given"
        )
    if options.prediction == "HTS" and k < 3:
        doubts.append("the HTS prediction interval needs 3 studies; none is given")
    return doubts


def _narrowed(arrays: dict[str, Array | None], options: _Options) -> list[str]:
    scale = arrays["scale"]
    if options.test != "knha" or scale is None:
        return []
    narrower = scale < 1.0
    if not narrower.any():
        return []
    return [f'Knapp-Hartung narrowed the interval{_of(narrower)}; test="adhoc" never does']


def _of(concerned: Any) -> str:
    """Say how many data sets are concerned, where there are several."""
    flags = np.asarray(concerned)
    return "" if flags.size == 1 else f" in {int(flags.sum())} of {flags.size} data sets"
