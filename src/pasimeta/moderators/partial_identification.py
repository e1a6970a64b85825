"""What margins alone say of a dose-response slope: the whole range of slopes that some filling of them has.

Nothing is assumed of the missing table. A reported "no significant correlation" enters as a constraint: only tables
that the named test doesn't find significant are kept. Which test was meant is rarely printed, so each is tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import betainc, chdtrc, erfc, expit

from pasimeta.effects.validation import Array, check_level
from pasimeta.errors import PasimetaError
from pasimeta.moderators.allocations import Allocations, Margins, enumerate_allocations
from pasimeta.moderators.trend import cochran_armitage, conditional_p_values, log_choose

Test = Literal["cochran_armitage", "exact_trend", "spearman", "pearson", "chi_square"]
TESTS: tuple[Test, ...] = ("cochran_armitage", "exact_trend", "spearman", "pearson", "chi_square")
_ROUNDS = 80


@dataclass(frozen=True, slots=True)
class PartialIdentification:
    """Every table that fits a study's margins, and what each would say.

    Attributes
    ----------
    margins : Margins
        What was printed.
    tables : DataFrame
        One row a table that fits: ``sizes`` and ``events`` (as text, by ascending dose), ``rate_slope`` (change of the
        response rate per unit of dose), ``slope`` (Firth log odds ratio per unit), ``separated`` (whether ordinary
        maximum likelihood would be infinite), ``difference`` (rate at the highest minus rate at the lowest dose; None
        where a group is empty), ``chance`` (of the table, were response unrelated to dose and every vector of sizes
        and total as likely), and ``p_`` with each test's name.
    alpha : float
        Level below which a test counts as significant.
    """

    margins: Margins
    tables: pd.DataFrame
    alpha: float

    def ranges(self) -> pd.DataFrame:
        """One row a constraint: any table, then those each test calls not significant, then those that all do.

        Columns: ``constraint``, ``tables``, ``share`` (of all that fit), ``chance`` (that a table is kept if response
        is unrelated to dose), and ``_lower`` and ``_upper`` of ``slope``, ``rate_slope`` and ``difference``.
        """
        quiet = {test: self.tables[f"p_{test}"] > self.alpha for test in TESTS}
        everything = pd.Series(True, index=self.tables.index)
        all_quiet = pd.concat(quiet.values(), axis=1).all(axis=1)
        rows = [("any", everything), *quiet.items(), ("all_tests", all_quiet)]
        return pd.DataFrame([self._range(name, kept) for name, kept in rows])

    def to_frame(self) -> pd.DataFrame:
        """The ranges."""
        return self.ranges()

    def _range(self, name: str, kept: pd.Series) -> dict[str, object]:
        tables = self.tables[kept]
        row: dict[str, object] = {
            "constraint": name,
            "tables": len(tables),
            "share": len(tables) / len(self.tables),
            "chance": float(tables["chance"].sum() / self.tables["chance"].sum()),
        }
        for column in ("slope", "rate_slope", "difference"):
            row[f"{column}_lower"] = float(tables[column].min()) if len(tables) else None
            row[f"{column}_upper"] = float(tables[column].max()) if len(tables) else None
        return row


def partial_identification(margins: Margins, alpha: float = 0.05) -> PartialIdentification:
    """Enumerate every table that fits a study's margins, with its slopes and the p values of each test.

    Parameters
    ----------
    margins : Margins
        From :func:`pasimeta.moderators.allocations.group_margins`.
    alpha : float
        Two-sided level of a reported "not significant".

    Returns
    -------
    PartialIdentification

    Raises
    ------
    PasimetaError
        For fewer than two doses, too many tables, or an alpha outside (0, 1).

    References
    ----------
    Manski 2003, *Partial identification of probability distributions*; the tests: Cochran 1954, Armitage 1955,
    Spearman 1904 with its t approximation.
    """
    check_level(1 - alpha)
    if len(margins.doses) < 2:
        raise PasimetaError(f"{margins.label}: one dose only; a slope needs at least two")
    found = enumerate_allocations(margins)
    doses = np.array(margins.doses)
    log_weights = log_choose(found.sizes, found.events).sum(axis=1)
    columns = {
        "rate_slope": rate_slopes(found.events, found.sizes, doses),
        "slope": firth_slopes(found.events, found.sizes, doses),
        "separated": _separated(found, doses),
        "difference": _top_minus_bottom(found),
        "chance": _null_chance(found, log_weights),
        **{f"p_{name}": p for name, p in _p_values(found, doses, log_weights).items()},
    }
    kept = found.compatible
    texts = {"sizes": _texts(found.sizes[kept]), "events": _texts(found.events[kept])}
    tables = pd.DataFrame({**texts, **{name: np.asarray(values)[kept] for name, values in columns.items()}})
    if tables.empty:
        raise PasimetaError(f"{margins.label}: the responders by group don't add up to the total; check the counts")
    return PartialIdentification(margins, tables, alpha)


def rate_slopes(events: ArrayLike, sizes: ArrayLike, doses: ArrayLike) -> Array:
    """Return the least-squares change of the response rate per unit of dose, each row a table."""
    x, n, at = (np.asarray(values, float) for values in (events, sizes, doses))
    centred = at - (n @ at / n.sum(axis=1))[:, None]
    return (x * centred).sum(axis=1) / (n * centred**2).sum(axis=1)


def firth_slopes(events: ArrayLike, sizes: ArrayLike, doses: ArrayLike) -> Array:
    """Return Firth's log odds ratio per unit of dose, each row a table; finite under separation.

    Parameters
    ----------
    events, sizes : ndarray, shape (tables, groups)
    doses : ndarray, shape (groups,)

    References
    ----------
    Firth 1993, *Biometrika* 80:27.
    """
    x, n, at = (np.asarray(values, float) for values in (events, sizes, doses))
    centre = n @ at / n.sum(axis=1)
    d = at - centre[:, None]
    scale = np.sqrt((n * d**2).sum(axis=1) / n.sum(axis=1))
    d = d / scale[:, None]
    a, b = np.zeros(len(x)), np.zeros(len(x))
    active = np.arange(len(x))
    for _ in range(_ROUNDS):
        step_a, step_b = _firth_step(x[active], n[active], d[active], a[active], b[active])
        a[active] += np.clip(step_a, -1, 1)
        b[active] += np.clip(step_b, -1, 1)
        active = active[np.maximum(np.abs(step_a), np.abs(step_b)) > 1e-9]
        if not active.size:
            break
    return b / scale


def _firth_step(x: Array, n: Array, d: Array, a: Array, b: Array) -> tuple[Array, Array]:
    p = expit(a[:, None] + b[:, None] * d)
    w = n * p * (1 - p)
    s0, s1, s2 = w.sum(1), (w * d).sum(1), (w * d**2).sum(1)
    determinant = s0 * s2 - s1**2
    hat = w * (s2[:, None] - 2 * s1[:, None] * d + s0[:, None] * d**2) / determinant[:, None]
    residual = x - n * p + hat * (0.5 - p)
    u, v = residual.sum(1), (residual * d).sum(1)
    return (s2 * u - s1 * v) / determinant, (s0 * v - s1 * u) / determinant


def _p_values(found: Allocations, doses: Array, log_weights: Array) -> dict[str, Array]:
    z = cochran_armitage(found.events.astype(float), found.sizes.astype(float), doses)
    n = found.sizes.sum(axis=1).astype(float)
    ranks = np.cumsum(found.sizes, axis=1) - (found.sizes - 1) / 2
    return {
        "cochran_armitage": erfc(np.abs(z) / np.sqrt(2)),
        "exact_trend": conditional_p_values(found.events @ doses, log_weights, found.classes),
        "spearman": _correlation_p(_correlation(found, ranks), n),
        "pearson": _correlation_p(z / np.sqrt(n), n),
        "chi_square": _chi_square_p(found),
    }


def _correlation(found: Allocations, scores: Array) -> Array:
    """Correlation of response (0, 1) with a score that may differ between tables."""
    n = found.sizes.sum(axis=1)
    rate = found.events.sum(axis=1) / n
    centred = scores - ((found.sizes * scores).sum(axis=1) / n)[:, None]
    covariance = (found.events * centred).sum(axis=1) / n
    spread = np.sqrt((found.sizes * centred**2).sum(axis=1) / n * rate * (1 - rate))
    return np.divide(covariance, spread, out=np.zeros_like(covariance), where=spread > 1e-12)


def _correlation_p(r: Array, n: Array) -> Array:
    """Two-sided p value of a correlation by its t distribution on n - 2 degrees of freedom."""
    df = n - 2
    # P(|T| > t) is the regularised incomplete beta function at df / (df + t^2) = 1 - r^2
    return np.asarray(betainc(df / 2, 0.5, np.clip(1 - r**2, 0.0, 1.0)))


def _chi_square_p(found: Allocations) -> Array:
    n = found.sizes.sum(axis=1, keepdims=True)
    rate = found.events.sum(axis=1, keepdims=True) / n
    expected = found.sizes * rate
    spread = expected * (1 - rate)
    terms = np.divide((found.events - expected) ** 2, spread, out=np.zeros(expected.shape), where=spread > 1e-12)
    df = np.maximum((found.sizes > 0).sum(axis=1) - 1, 1)
    return np.asarray(chdtrc(df, terms.sum(axis=1)))


def _null_chance(found: Allocations, log_weights: Array) -> Array:
    weights = np.exp(log_weights - log_weights.max())
    count = found.classes.max() + 1
    total = np.bincount(found.classes, weights, minlength=count)
    return weights / total[found.classes] / (total > 0).sum()


def _top_minus_bottom(found: Allocations) -> Array:
    first, last = found.sizes[:, 0], found.sizes[:, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return found.events[:, -1] / last - found.events[:, 0] / first


def _separated(found: Allocations, doses: Array) -> np.ndarray:
    """Whether a dose parts responders from the rest, so that the likelihood has no finite maximum in the slope."""
    failures = found.sizes - found.events
    lowest, highest = (_extreme(found.events, doses, end) for end in (min, max))
    failing_lowest, failing_highest = (_extreme(failures, doses, end) for end in (min, max))
    return (lowest >= failing_highest) | (failing_lowest >= highest)


def _extreme(counts: np.ndarray, doses: Array, end: object) -> Array:
    empty = np.inf if end is min else -np.inf
    held = np.where(counts > 0, doses, empty)
    return held.min(axis=1) if end is min else held.max(axis=1)


def _texts(rows: np.ndarray) -> list[str]:
    return [" ".join(map(str, row)) for row in rows.tolist()]
