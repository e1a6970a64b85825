"""One group measured before and after: mean change, standardized mean change, log ratio of means."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from pasimeta.effects.counts import EffectSizes
from pasimeta.effects.validation import Array, as_numbers, check_choice, same_shape
from pasimeta.errors import PasimetaError

PRE_POST_MEASURES = ("MC", "SMCC", "SMCR", "ROMC")


def pre_post(
    measure: str,
    *,
    n: ArrayLike,
    mean_pre: ArrayLike,
    mean_post: ArrayLike,
    sd_pre: ArrayLike,
    sd_post: ArrayLike,
    correlation: ArrayLike | None = None,
    sd_change: ArrayLike | None = None,
) -> EffectSizes:
    """Return the change from before to after, and its sampling variance, from each study's summary.

    Parameters
    ----------
    measure : str
        ``"MC"``: mean change, in the units of the scale. ``"SMCC"``: standardized by the standard deviation of the
        change. ``"SMCR"``: standardized by the standard deviation before. ``"ROMC"``: log ratio of the means (log
        response ratio). Each is after against before: an improving PASI is negative.
    n : array_like
        Patients measured at both times, at least 2.
    mean_pre, mean_post, sd_pre, sd_post : array_like
        Means and standard deviations, same units; means must be positive for ROMC.
    correlation : array_like, optional
        Correlation of the two measurements, in (-1, 1). Give this or ``sd_change``.
    sd_change : array_like, optional
        Standard deviation of the patients' changes, from which the correlation follows.

    Returns
    -------
    EffectSizes
        Named tuple ``(yi, vi)``. SMCC and SMCR are corrected for small-sample bias by the exact factor.

    Raises
    ------
    PasimetaError
        For values that can't be: the message names the row.

    References
    ----------
    Morris SB. Estimating effect sizes from pretest-posttest-control group designs. Organ Res Methods 2008;11:364-386.
    Becker BJ. Synthesizing standardized mean-change measures. Br J Math Stat Psychol 1988;41:257-278.
    Lajeunesse MJ. On the meta-analysis of response ratios for studies with correlated and multi-group designs.
    Ecology 2011;92:2049-2055.
    """
    check_choice("measure", measure, PRE_POST_MEASURES)
    size, first, second = as_numbers("n", n), as_numbers("mean_pre", mean_pre), as_numbers("mean_post", mean_post)
    sd1, sd2 = as_numbers("sd_pre", sd_pre), as_numbers("sd_post", sd_post)
    for name, values in (("mean_pre", first), ("mean_post", second), ("sd_pre", sd1), ("sd_post", sd2)):
        same_shape(size, values, ("n", name))
    _refuse("n", size, size < 2, "is too few; a change needs at least 2 patients measured twice")
    for name, values in (("sd_pre", sd1), ("sd_post", sd2)):
        _refuse(name, values, values <= 0, "is not positive; give the standard deviation, not its standard error")
    covariance = _covariance(sd1, sd2, correlation, sd_change)
    return EffectSizes(*_change(measure, size, first, second, sd1, sd2, covariance))


def pre_post_values(measure: str, *, study: ArrayLike, pre: ArrayLike, post: ArrayLike) -> EffectSizes:
    """Return each study's change and its sampling variance from individual patients' values.

    Parameters
    ----------
    measure : str
        As in :func:`pre_post`.
    study : array_like, shape (m,)
        Each patient's study; studies are returned in order of first appearance.
    pre, post : array_like, shape (m,)
        Each patient's value before and after.

    Returns
    -------
    EffectSizes
        Named tuple ``(yi, vi)``, one element a study.

    Raises
    ------
    PasimetaError
        For unequal lengths, values that aren't numbers, or a study of one patient or without spread.
    """
    before, after = as_numbers("pre", pre), as_numbers("post", post)
    same_shape(before, after, ("pre", "post"))
    labels = np.asarray(study, dtype=object)
    if labels.shape != before.shape:
        raise PasimetaError(f"study and pre have unequal lengths ({labels.size} and {before.size}); label each patient")
    summaries = []
    for label in dict.fromkeys(labels.tolist()):
        mine = labels == label
        if mine.sum() < 2:
            raise PasimetaError(f"study {label!r} has one patient; a change's variance needs at least 2")
        x, y = before[mine], after[mine]
        summaries.append((mine.sum(), x.mean(), y.mean(), x.std(ddof=1), y.std(ddof=1), (y - x).std(ddof=1)))
    n, mean_pre, mean_post, sd_pre, sd_post, sd_change = np.array(summaries, dtype=float).T
    return pre_post(
        measure, n=n, mean_pre=mean_pre, mean_post=mean_post, sd_pre=sd_pre, sd_post=sd_post, sd_change=sd_change
    )


def hedges_correction(degrees: ArrayLike) -> Array:
    """Return the exact small-sample factor ``c(m) = gamma(m/2) / (sqrt(m/2) gamma((m-1)/2))``.

    References
    ----------
    Hedges LV. Distribution theory for Glass's estimator of effect size. J Educ Stat 1981;6:107-128, eq. 6e.
    """
    m = np.asarray(degrees, dtype=float)
    with np.errstate(divide="ignore"):
        return np.exp(gammaln(0.5 * m) - 0.5 * np.log(0.5 * m) - gammaln(0.5 * (m - 1.0)))


def _change(
    measure: str, n: Array, first: Array, second: Array, sd1: Array, sd2: Array, covariance: Array
) -> tuple[Array, Array]:
    change_variance = sd1**2 + sd2**2 - 2.0 * covariance
    if measure == "MC":
        _refuse("sd_change", change_variance, change_variance <= 0, "leaves the change without spread; drop the study")
        return second - first, change_variance / n
    if measure == "ROMC":
        for name, values in (("mean_pre", first), ("mean_post", second)):
            _refuse(name, values, values <= 0, "is not positive; a log ratio needs positive means, so use MC")
        relative1, relative2 = sd1 / first, sd2 / second
        variance = (relative1**2 + relative2**2 - 2.0 * covariance / (first * second)) / n
        return np.log(second / first), variance
    _refuse("n", n, n < 3, "is too few to standardize; the correction needs 3 patients, so use MC")
    if measure == "SMCC":
        _refuse("sd_change", change_variance, change_variance <= 0, "leaves the change without spread; use SMCR")
        effect = hedges_correction(n - 1.0) * (second - first) / np.sqrt(change_variance)
        return effect, 1.0 / n + effect**2 / (2.0 * n)
    effect = hedges_correction(n - 1.0) * (second - first) / sd1
    return effect, 2.0 * (1.0 - covariance / (sd1 * sd2)) / n + effect**2 / (2.0 * n)


def _covariance(sd1: Array, sd2: Array, correlation: ArrayLike | None, sd_change: ArrayLike | None) -> Array:
    if (correlation is None) == (sd_change is None):
        raise PasimetaError("give either correlation or sd_change, the one the study reports")
    if correlation is not None:
        r = np.broadcast_to(as_numbers("correlation", correlation), sd1.shape)
        _refuse("correlation", r, np.abs(r) >= 1, "is not strictly between -1 and 1; give Pearson's r")
        return r * sd1 * sd2
    spread = as_numbers("sd_change", sd_change)  # type: ignore[arg-type]
    same_shape(sd1, spread, ("sd_pre", "sd_change"))
    covariance = 0.5 * (sd1**2 + sd2**2 - spread**2)
    # A rounded published sd may overshoot |r| = 1 in the last digit; more than that is a contradiction.
    impossible = np.abs(covariance) > sd1 * sd2 * (1.0 + 1e-6)
    _refuse("sd_change", spread, impossible, "contradicts sd_pre and sd_post; no correlation gives it")
    return np.clip(covariance, -sd1 * sd2, sd1 * sd2)


def _refuse(name: str, values: Array, wrong: np.ndarray, remedy: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise PasimetaError(f"{name}, row {row + 1}: {values[row]:g} {remedy}")
