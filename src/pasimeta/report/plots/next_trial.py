"""From forecasts to figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pasimeta.forecast.power_grid import PowerGrid
from pasimeta.forecast.predictive import PredictedTrial
from pasimeta.forecast.sample_size import SampleSizeResult
from pasimeta.forecast.two_stage import StagedDesign, operating_characteristics
from pasimeta.report.words import percent

if TYPE_CHECKING:
    from pasimeta.figures.output import Plot


def responders_plot(predicted: PredictedTrial) -> Plot:
    """Draw how likely each number of responders is; arms with the same belief and size are one line."""
    from pasimeta.figures.curves import Curve, curves

    table = predicted.to_frame()
    lines: dict[tuple[int, int], list[int]] = {}
    arms = (*predicted.design.arms, predicted.design.control)
    for index, arm in enumerate(arms):
        lines.setdefault((id(arm.belief), arm.n), []).append(index)
    series = [
        Curve(
            _either([arms[i].label for i in indices]),
            list(range(arms[indices[0]].n + 1)),
            predicted.probabilities[indices[0]].tolist(),
            (
                str(arms[indices[0]].n),
                str(table["responders_median"].iloc[indices[0]]),
                f"{table['responders_lower'].iloc[indices[0]]} to {table['responders_upper'].iloc[indices[0]]}",
            ),
        )
        for indices in lines.values()
    ]
    return curves(
        series,
        name="predicted_responders",
        x_label="Responders in the arm",
        y_label="Predictive probability",
        headings=("Arm", "Patients", "Median", f"{percent(predicted.level)} interval"),
        full_scale=False,
        title=f"What {predicted.design.label} may find",
        footnote="Predictive distributions from the pooled evidence, heterogeneity between trials included.",
    )


def assurance_plot(results: Mapping[str, SampleSizeResult], targets: Sequence[float]) -> Plot:
    """Draw assurance over patients per arm, one line a comparison, with its ceiling and the sizes for each target."""
    from pasimeta.figures.curves import Curve, curves

    series = []
    for label, result in results.items():
        by_target = {size.target: size.n_per_arm for size in result.sizes}
        sizes = tuple("none" if by_target[t] is None else str(by_target[t]) for t in targets)
        curve = result.curve
        series.append(
            Curve(label, curve["n_per_arm"].tolist(), curve["assurance"].tolist(), (percent(result.ceiling), *sizes))
        )
    return curves(
        series,
        name="assurance",
        x_label="Patients per arm",
        y_label="Assurance: probability of a significant result in favour of the cells",
        headings=("Against", "Ceiling", *(f"For {percent(target)}" for target in targets)),
        reference=targets,
        log=True,
        title="Assurance and size of a two-arm trial",
        footnote="Ceiling: the probability that the cells are better at all, which no size exceeds. None: not within "
        "the sizes searched, or not at all.",
    )


def power_plot(grid: PowerGrid, against: str, target: float) -> Plot:
    """Draw power over the assumed true rate of the cells, one line a size, with the rate that reaches the target."""
    from pasimeta.figures.curves import Curve, curves

    needed = ["none" if rate is None else percent(rate) for rate in grid.rate_needed(target)]
    series = [
        Curve(f"{size} and {control}", (100 * grid.rates).tolist(), grid.power[i].tolist(), (needed[i],))
        for i, (size, control) in enumerate(zip(grid.sizes, grid.control_sizes, strict=True))
    ]
    return curves(
        series,
        name=f"power_{against}",
        x_label="Assumed true response rate of the cells, %",
        y_label="Power: probability of a significant result in favour of the cells",
        headings=("Patients, cells and control", f"Rate for {percent(target)} power"),
        reference=(target,),
        title=f"What a two-arm trial against {against} could tell",
        footnote=f"Exact test; the rate on {against} is averaged over what is believed of it "
        f"(mean {percent(grid.control.mean)}).",
    )


def staged_plot(designs: Sequence[StagedDesign], p0: float, p1: float) -> Plot:
    """Draw the chance of each single-arm design to claim success over the true response rate."""
    from pasimeta.figures.curves import Curve, curves

    rates = np.linspace(0, min(1.0, 2 * p1), 41)
    series = []
    for design in designs:
        found = operating_characteristics(design, rates)
        at = operating_characteristics(design, [p0, p1])
        looks = " + ".join(str(n) for n in np.diff((0, *design.looks)))
        series.append(
            Curve(
                design.label,
                (100 * rates).tolist(),
                found.success.tolist(),
                (looks, percent(at.success[0], 1), percent(at.success[1], 1), f"{at.expected_n[0]:.1f}"),
            )
        )
    low, high = percent(p0), percent(p1)
    return curves(
        series,
        name="staged_designs",
        x_label="True response rate, %",
        y_label="Probability of claiming success",
        headings=("Design", "Patients", f"Claims at {low}", f"Claims at {high}", f"Expected patients at {low}"),
        title="Single-arm trials that may stop early",
    )


def _either(labels: Sequence[str]) -> str:
    """Names of arms joined by "or"; after the first, a word that only began a label is written small."""
    return " or ".join([labels[0], *(x[0].lower() + x[1:] if x[1:2].islower() else x for x in labels[1:])])
