"""Subgroup plot: each group's rate with its interval and, on an axis of its own, the difference between groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from pasimeta.errors import PasimetaError
from pasimeta.figures.columns import Column
from pasimeta.figures.estimates import Estimate, Rate
from pasimeta.figures.forest import RANGE_NOTE
from pasimeta.figures.formats import Scale, estimate_text, interval_heading, p_value
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.panel_types import PLOT, Axis, Line, Mark, Panel
from pasimeta.figures.panels import drawn_panels
from pasimeta.figures.scales import axis_limits
from pasimeta.figures.theme import PAGE_MM, theme
from pasimeta.figures.words import sentence


@dataclass(frozen=True, slots=True)
class Group:
    """One group and its rate; ``link`` as of a :class:`pasimeta.figures.forest.StudyRow`."""

    label: str
    rate: Rate
    link: str = ""


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """The difference of two groups' rates.

    Attributes
    ----------
    label : str
        Which from which, ``Women minus men``.
    estimate : Estimate
        Difference of proportions, -1 to 1, with its interval.
    p_value : float or None
        Of ``test``.
    test : str
        Its name, ``Fisher's exact test``.
    link : str
        As of a :class:`pasimeta.figures.forest.StudyRow`.
    """

    label: str
    estimate: Estimate
    p_value: float | None = None
    test: str = ""
    link: str = ""


def subgroup_rates(
    groups: Sequence[Group],
    differences: GroupDifference | Sequence[GroupDifference] = (),
    *,
    name: str,
    rate_label: str,
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
    difference_label: str = "Difference, percentage points",
    level: float = 0.95,
) -> Plot:
    """Draw groups' rates above their differences.

    Parameters
    ----------
    groups : sequence of Group
        Top to bottom.
    differences : GroupDifference or sequence of them
        Drawn below, on one axis; may be empty.
    name : str
        File stem and prefix of SVG ids.
    rate_label, difference_label : str
        What the two axes count.
    title, footnote : str or None
        Above and below.
    width_mm : float
        85 (one journal column) or 176 (a page).
    level : float
        Level of the intervals, for the headings.

    Returns
    -------
    Plot
        ``data`` has one row a group, then one a difference.

    Raises
    ------
    PasimetaError
        For no groups, a difference beyond -1 to 1 or a p value beyond 0 to 1.
    """
    check_name(name)
    compared = (differences,) if isinstance(differences, GroupDifference) else tuple(differences)
    _refuse(name, groups, compared)
    panels = [_rates_panel(groups, rate_label)]
    if compared:
        panels.append(_differences_panel(compared, difference_label, level))
    columns = (
        Column("label", "Group"),
        Column("count", "n/N", "right"),
        Column(PLOT),
        Column("estimate", interval_heading("Rate", level)),
    )
    ranges = any(group.rate.low < group.rate.high for group in groups)
    notes = [*([RANGE_NOTE] if ranges else []), *([footnote] if footnote else [])]
    with theme():
        figure = drawn_panels(panels, columns, title=title, notes=notes, width_mm=width_mm)
    alt = _alt_text(groups, compared, rate_label, difference_label, title)
    return Plot(figure=figure, name=name, alt=alt, data=_frame(groups, compared), title=title or rate_label)


def _refuse(name: str, groups: Sequence[Group], differences: Sequence[GroupDifference]) -> None:
    if not groups:
        raise PasimetaError(f"figure {name}: no groups; give at least one")
    for difference in differences:
        estimate, p = difference.estimate, difference.p_value
        if estimate.ci_lower < -1 - 1e-9 or estimate.ci_upper > 1 + 1e-9:
            raise PasimetaError(f"figure {name}: {difference.label!r} leaves -1 to 1; give a difference of proportions")
        if p is not None and not 0 <= p <= 1:
            raise PasimetaError(f"figure {name}: p value {p} of {difference.label!r} is not between 0 and 1")


def _rates_panel(groups: Sequence[Group], label: str) -> Panel:
    lines = [_line(group.label, group.rate, "percent", group.link) for group in groups]
    return Panel(tuple(lines), Axis("percent", (0.0, 1.0), label))


def _differences_panel(differences: Sequence[GroupDifference], label: str, level: float) -> Panel:
    ends = [end for each in differences for end in (each.estimate.ci_lower, each.estimate.ci_upper)]
    lines: list[Line] = []
    for each in differences:
        lines.append(_line(each.label, each.estimate, "difference", each.link))
        if _test_text(each):
            lines.append(Line("note", _test_text(each), link=each.link))
    axis = Axis("difference", axis_limits(ends, (), "difference"), label)
    headers = {"label": "Comparison", "count": "", "estimate": interval_heading("Points", level)}
    return Panel(tuple(lines), axis, headers)


def _line(label: str, estimate: Rate | Estimate, scale: Scale, link: str) -> Line:
    mark = Mark("study", estimate.low, estimate.high, estimate.ci_lower, estimate.ci_upper)
    cells = {"label": label, "count": estimate.count, "estimate": estimate_text(estimate, scale)}
    return Line("study", "", cells, mark, link)


def _test_text(difference: GroupDifference) -> str:
    if difference.p_value is None:
        return ""
    return f"{difference.test}: {p_value(difference.p_value)}" if difference.test else p_value(difference.p_value)


def _frame(groups: Sequence[Group], differences: Sequence[GroupDifference]) -> pd.DataFrame:
    pairs: list[tuple[str, str, Rate | Estimate, float | None]] = [("group", g.label, g.rate, None) for g in groups]
    pairs += [("difference", each.label, each.estimate, each.p_value) for each in differences]
    numbers = ("count", "low", "high", "ci_lower", "ci_upper")
    return pd.DataFrame(
        [
            {"kind": kind, "label": label, **{key: getattr(estimate, key) for key in numbers}, "p_value": p}
            for kind, label, estimate, p in pairs
        ]
    )


def _alt_text(
    groups: Sequence[Group],
    differences: Sequence[GroupDifference],
    rate_label: str,
    difference_label: str,
    title: str | None,
) -> str:
    text = f"Subgroup plot. {sentence(title)}{rate_label}: "
    text += sentence("; ".join(f"{g.label} {g.rate.count}, {estimate_text(g.rate, 'percent')}" for g in groups))
    for each in differences:
        test = _test_text(each)
        words = f"{each.label}: {estimate_text(each.estimate, 'difference')} ({difference_label})"
        text += sentence(f"{words}; {test}" if test else words)
    return text.strip()
