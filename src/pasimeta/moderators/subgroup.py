"""Do groups of studies differ?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from pasimeta.effects.validation import Array, check_choice, check_effects, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.heterogeneity import i2_of
from pasimeta.synthesis.model import METHODS, fit_model
from pasimeta.synthesis.projection import intercept
from pasimeta.synthesis.small_sample import TESTS


@dataclass(frozen=True, kw_only=True, slots=True)
class SubgroupResult:
    """Groups pooled apart and compared.

    Attributes
    ----------
    groups : tuple
        Group labels in order of first appearance; the arrays below are in this order.
    k : ndarray of int
        Studies in each group.
    estimate, se, ci_lower, ci_upper : ndarray
        Pooled effect of each group.
    tau2, i2 : ndarray
        Between-study variance and I2 (percent) within each group; NaN for a group of one study with its own tau2.
    q, q_p_value : ndarray
        Cochran's Q within each group.
    q_between, q_between_df, q_between_p_value : float, int, float
        Test of no difference between the groups.
    tau2_common : float or None
        The between-study variance shared by the groups, where that was asked for.
    method, test, level, warnings
        As asked for, and the doubts raised.
    """

    groups: tuple[Any, ...]
    k: np.ndarray
    estimate: Array
    se: Array
    ci_lower: Array
    ci_upper: Array
    tau2: Array
    i2: Array
    q: Array
    q_p_value: Array
    q_between: float
    q_between_df: int
    q_between_p_value: float
    tau2_common: float | None
    method: str
    test: str
    level: float
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a group."""
        columns = ("k", "estimate", "se", "ci_lower", "ci_upper", "tau2", "i2", "q", "q_p_value")
        return pd.DataFrame({"group": list(self.groups), **{name: getattr(self, name) for name in columns}})


def subgroup(
    yi: ArrayLike,
    vi: ArrayLike,
    by: ArrayLike,
    method: str = "REML",
    test: str = "z",
    level: float = 0.95,
    *,
    tau2: str = "separate",
) -> SubgroupResult:
    """Pool groups of studies apart, and test whether their means differ.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effect sizes and sampling variances.
    by : array_like, shape (k,)
        Each study's group.
    method, level
        As in :func:`pasimeta.synthesis.pool`.
    test : str
        As in :func:`pasimeta.synthesis.pool`, but normal by default: the test between groups is a chi-square test.
    tau2 : str
        ``"separate"``: each group has its own between-study variance; ``"common"``: one is estimated from all groups'
        residuals, steadier where groups are small.

    Returns
    -------
    SubgroupResult

    Raises
    ------
    PasimetaError
        For data that can't be, a missing label, or a single group.

    References
    ----------
    Borenstein M, Hedges LV, Higgins JPT, Rothstein HR. Introduction to meta-analysis, 2nd ed. Wiley 2021, ch. 19.
    """
    check_choice("method", method, METHODS)
    check_choice("test", test, TESTS)
    check_choice("tau2", tau2, ("separate", "common"))
    check_level(level)
    effects, variances = check_effects(yi, vi)
    labels, member = _grouped(by, effects)
    pool_groups = _separate if tau2 == "separate" else _common
    columns = pool_groups(effects, variances, member, method, test, level)
    w = 1.0 / columns["se"] ** 2
    q_between = float((w * (columns["estimate"] - (w * columns["estimate"]).sum() / w.sum()) ** 2).sum())
    sizes = np.bincount(member)
    return SubgroupResult(
        groups=labels,
        k=sizes,
        **columns,
        q_between=q_between,
        q_between_df=len(labels) - 1,
        q_between_p_value=float(chdtrc(len(labels) - 1, q_between)),
        tau2_common=float(columns["tau2"][0]) if tau2 == "common" else None,
        method=method,
        test=test,
        level=level,
        warnings=tuple(doubt(text, stacklevel=4) for text in _doubts(labels, sizes, tau2, method)),
    )


def _grouped(by: ArrayLike, effects: Array) -> tuple[tuple[Any, ...], np.ndarray]:
    labels = np.asarray(by, dtype=object)
    if labels.shape != effects.shape:
        raise PasimetaError(f"by and yi have unequal lengths ({labels.size} and {len(effects)}); label every study")
    missing = pd.isna(labels)
    if missing.any():
        raise PasimetaError(f"by, row {int(np.argmax(missing)) + 1}: no group; label the study or drop it")
    member, groups = pd.factorize(labels)
    if len(groups) < 2:
        raise PasimetaError(f"by: every study is {groups[0]!r}; give at least two groups, or use pool")
    return tuple(groups), member


def _separate(
    effects: Array, variances: Array, member: np.ndarray, method: str, test: str, level: float
) -> dict[str, Array]:
    fits = []
    for group in range(member.max() + 1):
        mine = member == group
        y, v = effects[mine, None], variances[mine, None]
        fit = fit_model(y, v, intercept(len(y)), method, test, level)
        alone = len(y) == 1 and method != "EE"
        tau2, i2 = (np.nan, np.nan) if alone else (fit.tau2[0], fit.heterogeneity.i2[0])
        tested = fit.tested
        fits.append(
            (
                *(values[0, 0] for values in (fit.estimate, tested.se, tested.ci_lower, tested.ci_upper)),
                *(tau2, i2, fit.heterogeneity.q[0], fit.heterogeneity.q_p_value[0]),
            )
        )
    names = ("estimate", "se", "ci_lower", "ci_upper", "tau2", "i2", "q", "q_p_value")
    return dict(zip(names, np.array(fits, dtype=float).T, strict=True))


def _common(
    effects: Array, variances: Array, member: np.ndarray, method: str, test: str, level: float
) -> dict[str, Array]:
    indicators = (member[:, None] == np.arange(member.max() + 1)).astype(float)
    if len(effects) <= indicators.shape[1]:
        raise PasimetaError('by: every group has one study, so a common tau2 can\'t be estimated; use tau2="separate"')
    y, v = effects[:, None], variances[:, None]
    fit = fit_model(y, v, indicators, method, test, level)
    apart = _separate(effects, variances, member, "EE", "z", level)
    shared = np.full(indicators.shape[1], fit.tau2[0])
    w = 1.0 / variances
    total, squares = indicators.T @ w, indicators.T @ w**2
    df = indicators.sum(axis=0) - 1.0
    typical = np.divide(df, total - squares / total, out=1.0 / total, where=df > 0)
    tested = fit.tested
    return {
        "estimate": fit.estimate[:, 0],
        "se": tested.se[:, 0],
        "ci_lower": tested.ci_lower[:, 0],
        "ci_upper": tested.ci_upper[:, 0],
        "tau2": shared,
        "i2": apart["i2"] if method == "EE" else i2_of(shared, typical),
        "q": apart["q"],
        "q_p_value": apart["q_p_value"],
    }


def _doubts(labels: tuple[Any, ...], sizes: np.ndarray, tau2: str, method: str) -> list[str]:
    doubts = []
    alone = [str(label) for label, size in zip(labels, sizes, strict=True) if size == 1]
    if alone and tau2 == "separate" and method != "EE":
        doubts.append(f"one study only in {', '.join(alone)}: no tau2 of its own exists; its interval ignores it")
    if sizes.min() < 5 and tau2 == "separate" and method != "EE":
        doubts.append('a group has fewer than 5 studies: its own tau2 is poorly determined; compare tau2="common"')
    return doubts
