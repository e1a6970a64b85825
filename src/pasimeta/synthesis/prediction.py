"""Where the true effect of a new study lies."""

from __future__ import annotations

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.synthesis.projection import generalized_q, intercept
from pasimeta.synthesis.small_sample import critical_value

PREDICTIONS = ("HTS", "V", "bootstrap")
#: Draws behind a bootstrap prediction interval; its limits then vary by about 1 % of the width between seeds.
DRAWS = 50_000


def prediction_interval(
    estimate: Array, se: Array, tau2: Array, k: int, test: str, level: float, prediction: str | None
) -> tuple[Array, Array] | None:
    """Return ``estimate -+ q sqrt(se**2 + tau2)``, or None where its degrees of freedom run out.

    Parameters
    ----------
    estimate, se, tau2 : ndarray, shape (d,)
        Fitted mean, its standard error as tested, and between-study variance.
    k : int
        Number of studies.
    test : str
        Decides q where ``prediction`` is None: normal for ``"z"``, else t(k - 1).
    level : float
        Coverage intended.
    prediction : str or None
        ``"HTS"``: t(k - 2). ``"V"``: t(k - 1).

    References
    ----------
    HTS: Higgins JPT, Thompson SG, Spiegelhalter DJ. A re-evaluation of random-effects meta-analysis. J R Stat Soc A
    2009;172:137-159, sec. 4.1. V: Veroniki AA, et al. Methods to calculate uncertainty in the estimated overall effect
    size from a random-effects meta-analysis. Res Synth Methods 2019;10:23-43.
    """
    df = k - 2 if prediction == "HTS" else k - 1
    if df < 1:
        return None
    half_width = critical_value(df, test if prediction is None else "t", level) * np.sqrt(se**2 + tau2)
    return estimate - half_width, estimate + half_width


def bootstrap_prediction_interval(
    y: Array, v: Array, level: float, seed: int | np.random.Generator | None, draws: int = DRAWS
) -> tuple[Array, Array]:
    """Return the parametric-bootstrap prediction interval, which also carries the uncertainty of tau2.

    Parameters
    ----------
    y, v : ndarray, shape (k, d)
        Effect sizes and sampling variances, k > 1.
    level : float
        Coverage intended.
    seed : int, Generator or None
        Source of randomness; the same seed gives the same digits.
    draws : int
        Bootstrap samples.

    Returns
    -------
    lower, upper : ndarray, shape (d,)

    Notes
    -----
    Each sample draws tau2 from its exact confidence distribution given Cochran's Q, the mean from its Hartung-Knapp
    distribution under that tau2, and the new study's effect about it. Q is distributed as ``sum (1 + tau2 a_j) N_j^2``
    with ``a_j`` the positive eigenvalues of P at tau2 = 0 (P V P = P there), so a draw of the N_j fixes tau2 in closed
    form, and no distribution function of a quadratic form has to be inverted.

    References
    ----------
    Nagashima K, Noma H, Furukawa TA. Prediction intervals for random-effects meta-analysis: a confidence distribution
    approach. Stat Methods Med Res 2019;28:1689-1702, algorithm 1.
    """
    k, d = y.shape
    generator = np.random.default_rng(seed)
    squares = generator.chisquare(1.0, (k - 1, draws))
    new_study, mean_error = generator.standard_normal(draws), generator.standard_t(k - 1, draws)
    q, _ = generalized_q(y, v, intercept(k), 0.0)
    tails = [0.5 * (1.0 - level), 0.5 * (1.0 + level)]
    limits = np.empty((2, d))
    for column in range(d):
        effects, variances = y[:, column, None], v[:, column, None]
        eigenvalues = np.linalg.eigvalsh(_residual_projection(v[:, column]))[1:]
        tau2 = np.maximum(0.0, (q[column] - squares.sum(axis=0)) / (eigenvalues @ squares))
        w = 1.0 / (variances + tau2)
        w /= w.sum(axis=0)
        mean = (w * effects).sum(axis=0)
        se = np.sqrt((w * (effects - mean) ** 2).sum(axis=0) / (k - 1))
        limits[:, column] = np.quantile(mean + np.sqrt(tau2) * new_study - se * mean_error, tails)
    return limits[0], limits[1]


def _residual_projection(v: Array) -> Array:
    w = 1.0 / v
    return np.diag(w) - np.outer(w, w) / w.sum()
