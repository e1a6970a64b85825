"""The moderator-evidence table: for every question asked of the data, how much of an answer they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from pasimeta.effects import escalc
from pasimeta.effects.validation import Array, check_level
from pasimeta.errors import PasimetaError
from pasimeta.moderators.subgroup import SubgroupResult, subgroup
from pasimeta.moderators.verdicts import NOT_IDENTIFIED, verdict

LEAST_STUDIES = 2  # of each level, or the level can't be told from the one study that has it


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeratorRow:
    """What is known of one moderator.

    Attributes
    ----------
    moderator : str
        ``tissue``, ``sex``, ``dose per infusion`` and so on.
    levels : str
        Which levels, with their studies or patients.
    k, n : int
        Studies and patients that inform it.
    information : str
        ``within studies`` or ``between studies``.
    scale : str
        What the estimate is: ``odds ratio``, or ``odds ratio per million cells/kg``.
    estimate, ci_lower, ci_upper, p_value : float or None
        None where there is none.
    detectable : float or None
        Smallest ratio above 1 that this evidence would have found with the power asked for; None where even the
        largest wouldn't be, or there is no comparison.
    verdict : str
        By the rule of :func:`pasimeta.moderators.verdicts.verdict`.
    why : str
        What stands in the way, where something does.
    """

    moderator: str
    levels: str
    k: int
    n: int
    information: str
    scale: str
    estimate: float | None
    ci_lower: float | None
    ci_upper: float | None
    p_value: float | None
    detectable: float | None
    verdict: str
    why: str = ""


def moderator_table(rows: Sequence[ModeratorRow]) -> pd.DataFrame:
    """Return the rows as a table, with Holm's adjustment over every p value in it.

    Returns
    -------
    DataFrame
        The fields of :class:`ModeratorRow`, and ``p_holm``.

    References
    ----------
    Holm 1979, *Scand J Stat* 6:65.
    """
    names = list(ModeratorRow.__slots__)
    table = pd.DataFrame([asdict(row) for row in rows], columns=names)
    numbers = ["estimate", "ci_lower", "ci_upper", "p_value", "detectable"]
    table[numbers] = table[numbers].astype(float)
    table["p_holm"] = holm(table["p_value"].to_numpy(dtype=float))
    return table


def holm(p_values: Array) -> Array:
    """Return Holm-adjusted p values; missing ones stay missing and don't count."""
    p = np.asarray(p_values, float)
    out = np.full(p.shape, np.nan)
    given = np.flatnonzero(~np.isnan(p))
    order = given[np.argsort(p[given], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return out


def study_moderator(
    moderator: str, counts: pd.DataFrame, levels: Mapping[str, str | None], *, level: float = 0.95, power: float = 0.8
) -> ModeratorRow:
    """Compare studies by a characteristic, on log odds of response.

    Parameters
    ----------
    moderator : str
        Its name.
    counts : DataFrame
        One row a study, from :func:`pasimeta.evidence.selection.response_counts`; a count known as a range is fitted
        at both ends and the interval is the hull.
    levels : mapping of str to str or None
        Each study's level by study id; None where it isn't known, which drops the study.
    level, power : float
        Of the interval, and of the detectable ratio.

    Raises
    ------
    PasimetaError
        If ``counts`` has no study, or the level or power is out of range.
    """
    check_level(level)
    check_level(power)
    if counts.empty:
        raise PasimetaError(f"{moderator}: no study has a count; choose a threshold that one reports")
    labels = pd.Series([levels.get(study) for study in counts["study"]], index=counts.index, dtype=object)
    kept = counts[labels.notna()]
    groups = labels[labels.notna()].astype(str)
    texts = [
        f"{name} ({size} {'study' if size == 1 else 'studies'})"
        for name, size in groups.value_counts(sort=False).items()
    ]
    common: dict[str, Any] = {
        "moderator": moderator,
        "levels": ", ".join(texts) or "not reported",
        "k": len(kept),
        "n": int(kept["n"].sum()),
        "information": "between studies",
        "scale": "odds ratio",
    }
    obstacle = _obstacle(groups)
    if groups.nunique() != 2:
        return ModeratorRow(**common, **_nothing(), verdict=NOT_IDENTIFIED, why=obstacle)
    fits = [_fit(kept, end, groups, level) for end in ("events_lower", "events_upper")]
    differences = [_difference(fit, level) for fit in fits]
    lower, upper = min(d[1] for d in differences), max(d[2] for d in differences)
    se = max(d[3] for d in differences)
    detectable = float(np.exp((ndtri((1 + level) / 2) + ndtri(power)) * se))
    estimate = float(np.exp(np.mean([d[0] for d in differences])))
    return ModeratorRow(
        **common,
        estimate=estimate,
        ci_lower=float(np.exp(lower)),
        ci_upper=float(np.exp(upper)),
        p_value=max(fit.q_between_p_value for fit in fits),
        detectable=detectable,
        verdict=verdict(lower, upper, identified=not obstacle),
        why=obstacle,
    )


def _fit(counts: pd.DataFrame, end: str, groups: pd.Series, level: float) -> SubgroupResult:
    effects = escalc("PLO", events=counts[end], n=counts["n"])
    method = "EE" if groups.value_counts().max() == 1 else "REML"
    return subgroup(*effects, groups.to_numpy(), method, level=level)


def _difference(fit: SubgroupResult, level: float) -> tuple[float, float, float, float]:
    """Second group minus first: estimate, interval, standard error."""
    estimate = float(fit.estimate[1] - fit.estimate[0])
    se = float(np.hypot(*fit.se))
    half = float(ndtri((1 + level) / 2)) * se
    return estimate, estimate - half, estimate + half, se


def _obstacle(groups: pd.Series) -> str:
    if groups.empty:
        return "no study reports it"
    sizes = groups.value_counts(sort=False)
    if len(sizes) == 1:
        return f"every study that reports it has {sizes.index[0]}"
    if len(sizes) > 2:
        return f"{len(sizes)} levels among {len(groups)} studies"
    if sizes.min() < LEAST_STUDIES:
        alone = [str(name) for name, size in sizes.items() if size < LEAST_STUDIES]
        return f"one study only with {' and one with '.join(alone)}: whatever else sets it apart explains as much"
    return ""


def _nothing() -> dict[str, Any]:
    return dict.fromkeys(("estimate", "ci_lower", "ci_upper", "p_value", "detectable"))
