"""The figures of an answer as SVG, drawn by the functions that draw the notebooks' figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from pasimeta.app.answer import APPROXIMATE, CURVE, DOSE, POOLED, SEX, Answer, Refusal, only
from pasimeta.app.basis import Basis
from pasimeta.app.state import State
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.thresholds import ThresholdCurve

if TYPE_CHECKING:
    from pasimeta.figures.output import Plot

_KEPT = 64
_DRAWN: dict[str, tuple[str, ...]] = {
    "forest": (*POOLED, *APPROXIMATE),
    "curve": CURVE,
    "dose": DOSE,
    "sex": SEX,
}


def pictures(
    basis: Basis, answer: Answer, others: Mapping[str, ThresholdCurve], *, narrow: bool = False
) -> dict[str, str | Refusal]:
    """Return the SVG of each panel; empty where there is nothing to draw. What hasn't changed isn't drawn again.

    A figure that can't be drawn (an interval of raw proportions may leave 0 to 100 %) is refused; the others stand.

    Parameters
    ----------
    basis : Basis
    answer : Answer
    others : mapping of str to ThresholdCurve
        Other treatments, by name, at the answer's level; none is drawn without.
    narrow : bool
        Drawn for one column, to be read on a phone.
    """
    return {
        name: _drawn(_Filed(basis, only(answer.state, names), bool(others), narrow, answer, others), name)
        for name, names in _DRAWN.items()
    }


@dataclass(frozen=True, slots=True)
class _Filed:
    """An answer under the part of the state that its figure depends on."""

    basis: Basis
    key: State
    with_others: bool
    narrow: bool
    answer: Answer = field(compare=False)
    others: Mapping[str, ThresholdCurve] = field(compare=False)


@lru_cache(maxsize=_KEPT)
def _drawn(filed: _Filed, name: str) -> str | Refusal:
    from pasimeta.figures.output import svg_text

    try:
        plot = {"forest": _forest, "curve": _curve, "dose": _dose, "sex": _sex}[name](filed)
        return "" if plot is None else svg_text(plot)
    except PasimetaError as error:
        return Refusal(str(error))


def _forest(filed: _Filed) -> Plot | None:
    from pasimeta.report.plots.response import response_forest

    answer, state, figures = filed.answer, filed.answer.state, filed.basis.benchmarks
    at_threshold = figures[(figures["quantity"] == f"PASI{state.threshold}") & (figures["unit"] == "percent")]
    return response_forest(
        [answer.pool],
        answer.rates,
        level=state.level,
        model=state.model,
        name="forest",
        title=f"PASI{state.threshold} response",
        benchmarks=at_threshold,
        narrow=filed.narrow,
    )


def _curve(filed: _Filed) -> Plot | None:
    from pasimeta.report.plots.thresholds import curve_plot

    answer = filed.answer
    if isinstance(answer.curve, Refusal):
        return None
    return curve_plot(answer.curve, answer.curve_rates, filed.others, name="curve", narrow=filed.narrow)


def _dose(filed: _Filed) -> Plot | None:
    from pasimeta.report.plots.dose_response import dose_plot

    scale = filed.basis.parameters.dose_response.scale
    answer = filed.answer
    return dose_plot(answer.dose, answer.state.threshold, scale, answer.state.level, narrow=filed.narrow)


def _sex(filed: _Filed) -> Plot | None:
    from pasimeta.report.plots.sex_subgroup import subgroup_plot

    answer = filed.answer
    if not answer.sex.by_study:
        return None
    label, comparison = next(iter(answer.sex.by_study.items()))
    names, counts = ("Women", "Men"), answer.sex_counts
    return subgroup_plot(comparison, names, answer.sex_threshold, label, "sex", counts, narrow=filed.narrow)
