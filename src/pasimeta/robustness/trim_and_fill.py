"""Trim and fill: how many studies does a symmetric funnel lack, and what would they change?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array, check_choice
from pasimeta.errors import PasimetaError, doubt
from pasimeta.robustness.refits import one_data_set
from pasimeta.synthesis.model import fit_model
from pasimeta.synthesis.projection import intercept, score_terms

_MAX_ROUNDS = 100
_SCORING_THRESHOLD = 1e-5


@dataclass(frozen=True, kw_only=True, slots=True)
class TrimAndFillResult:
    """The pooled result with the missing studies filled in.

    Attributes
    ----------
    k0 : int
        Estimated number of missing studies; ``side`` is where they are missing, ``"left"`` or ``"right"``.
    k : int
        Number of studies, filled ones included.
    estimate, se, statistic, p_value, ci_lower, ci_upper, tau2, i2, q : float
        The pooled result of observed and filled studies.
    filled_yi, filled_vi : tuple of float
        The filled studies.
    estimator, method, test, level, warnings
        As asked for, and the doubts raised.
    """

    k0: int
    side: str
    k: int
    estimate: float
    se: float
    statistic: float
    p_value: float
    ci_lower: float
    ci_upper: float
    tau2: float
    i2: float
    q: float
    filled_yi: tuple[float, ...]
    filled_vi: tuple[float, ...]
    estimator: str
    method: str
    test: str
    level: float
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        names = ("k0", "side", "k", "estimate", "se", "statistic", "p_value", "ci_lower", "ci_upper", "tau2", "i2", "q")
        return pd.DataFrame({name: [getattr(self, name)] for name in names})


def trim_and_fill(
    yi: ArrayLike,
    vi: ArrayLike,
    method: str = "REML",
    test: str = "z",
    level: float = 0.95,
    *,
    estimator: str = "L0",
    side: str | None = None,
    convergence: str = "metafor",
) -> TrimAndFillResult:
    """Estimate how many studies are missing from one side of the funnel, fill in their mirror images, and pool again.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effect sizes and sampling variances, k at least 3.
    method, test, level
        As in :func:`pasimeta.synthesis.pool`; normal by default, as the method was studied.
    estimator : str
        Of the number missing: ``"L0"`` (from the sum of the positive ranks) or ``"R0"`` (from the largest run).
    side : str, optional
        Where studies are missing, ``"left"`` or ``"right"``; by default the side against which the effects lean in a
        regression on their standard errors.
    convergence : str
        Of the last fit, by REML or ML, to observed and filled studies. ``"metafor"``: Fisher scoring until tau2 moves
        by no more than 1e-5, where metafor's ``trimfill`` stops whatever convergence it was asked for, so that its
        results are met digit for digit; tau2 may then be off its optimum from the fifth digit on. ``"optimum"``: the
        certified maximum, as in :func:`pasimeta.synthesis.pool`. All other fits, and the last one where nothing was
        filled in, are at the optimum either way.

    Returns
    -------
    TrimAndFillResult

    Raises
    ------
    PasimetaError
        For data or options that can't be, fewer than 3 studies, or a count that doesn't settle.

    Warns
    -----
    PasimetaWarning
        Always where studies were filled in: they are a sensitivity analysis, no data.

    References
    ----------
    Duval S, Tweedie R. Trim and fill: a simple funnel-plot-based method of testing and adjusting for publication bias
    in meta-analysis. Biometrics 2000;56:455-463.
    """
    effects, variances = one_data_set(yi, vi, method, test, level, least=3)
    _check_options(estimator, side, convergence)
    side = side or _emptier_side(effects, variances, method)
    filled_y, filled_v = _mirror_images(effects, variances, method, estimator, -1.0 if side == "right" else 1.0)
    k0 = filled_y.size
    all_y, all_v = np.concatenate([effects, filled_y]), np.concatenate([variances, filled_v])
    scored = k0 > 0 and convergence == "metafor" and method in ("ML", "REML")
    doubts = [f"{k0} studies were filled in: a sensitivity analysis, not an adjusted truth"] if k0 else []
    return TrimAndFillResult(
        k0=k0,
        side=side,
        k=len(all_y),
        **_pooled(all_y, all_v, method, test, level, scored=scored),
        filled_yi=tuple(filled_y.tolist()),
        filled_vi=tuple(filled_v.tolist()),
        estimator=estimator,
        method=method,
        test=test,
        level=level,
        warnings=tuple(doubt(text, stacklevel=4) for text in doubts),
    )


def _check_options(estimator: str, side: str | None, convergence: str) -> None:
    check_choice("estimator", estimator, ("L0", "R0"))
    check_choice("convergence", convergence, ("metafor", "optimum"))
    if side is not None:
        check_choice("side", side, ("left", "right"))


def _mirror_images(effects: Array, variances: Array, method: str, estimator: str, sign: float) -> tuple[Array, Array]:
    """Effects and variances of the studies to be filled in; ``sign`` is -1 where the right side is the emptier one."""
    order = np.argsort(sign * effects, kind="stable")
    y, v = sign * effects[order], variances[order]
    k0, centre = _missing(y, v, method, estimator)
    return sign * (2.0 * centre - y[y.size - k0 :]), v[v.size - k0 :]


def _pooled(y: Array, v: Array, method: str, test: str, level: float, *, scored: bool) -> dict[str, float]:
    """Return the fields of the result on the pooled effect; ``scored`` stops tau2 where metafor does."""
    X = intercept(y.size)
    tau2 = _scored_tau2(y[:, None], v[:, None], X, method) if scored else None
    fit = fit_model(y[:, None], v[:, None], X, method, test, level, tau2=tau2)
    return {
        "estimate": float(fit.estimate[0, 0]),
        **{name: float(values[0, 0]) for name, values in fit.tested._asdict().items()},
        "tau2": float(fit.tau2[0]),
        "i2": float(fit.heterogeneity.i2[0]),
        "q": float(fit.heterogeneity.q[0]),
    }


def _emptier_side(effects: Array, variances: Array, method: str) -> str:
    if np.ptp(variances) == 0:
        raise PasimetaError("vi: all variances are equal, so the emptier side can't be told; give side")
    X = np.column_stack([np.ones(effects.size), np.sqrt(variances)])
    slope = fit_model(effects[:, None], variances[:, None], X, method, "z", 0.95).estimate[1, 0]
    return "right" if slope < 0 else "left"


def _scored_tau2(y: Array, v: Array, X: Array, method: str) -> Array:
    """Return tau2 by Fisher scoring from Hedges' estimate, stopped once it moves by no more than 1e-5."""
    tau2 = fit_model(y, v, X, "HE", "z", 0.95).tau2
    for _ in range(_MAX_ROUNDS):
        terms = score_terms(y, v, X, tau2, restricted=method == "REML")
        step = (terms.quadratic - terms.trace) / terms.trace2
        while (tau2 + step < 0).any():
            step = step / 2.0
        tau2 = tau2 + step
        if (np.abs(step) <= _SCORING_THRESHOLD).all():
            return tau2
    raise PasimetaError(f'yi: {method} doesn\'t converge by Fisher scoring; use convergence="optimum"')


def _missing(y: Array, v: Array, method: str, estimator: str) -> tuple[int, float]:
    """Return the number of studies missing on the left and the centre about which to mirror; ``y`` ascends."""
    k, k0, seen = y.size, 0, {}
    for _ in range(_MAX_ROUNDS):
        kept = k - k0
        centre = float(fit_model(y[:kept, None], v[:kept, None], intercept(kept), method, "z", 0.95).estimate[0, 0])
        deviation = y - centre
        rank = np.empty(k)
        rank[np.argsort(np.abs(deviation), kind="stable")] = np.arange(1, k + 1)
        if estimator == "L0":
            count = (4.0 * rank[deviation > 0].sum() - k * (k + 1)) / (2 * k - 1)
        else:
            count = k - rank[deviation < 0].max(initial=0.0) - 1.0
        seen[k0] = centre
        last, k0 = k0, min(max(0, round(count)), k - 2)
        if k0 == last:
            return k0, centre
    raise PasimetaError(f"yi: the number of missing studies keeps changing ({sorted(seen)}); try the other estimator")
