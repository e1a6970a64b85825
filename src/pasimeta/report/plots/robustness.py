"""From robustness results to figures: which rows, which labels, and how little they mean at this size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from pasimeta.report.rests_on import pooled_link
from pasimeta.report.words import NUMBER_WORDS
from pasimeta.robustness.multiverse import MultiverseResult
from pasimeta.robustness.multiverse_analyses import NOT_APPLICABLE
from pasimeta.synthesis.response import SCALES

if TYPE_CHECKING:
    from pasimeta.figures.estimates import Estimate
    from pasimeta.figures.output import Plot
    from pasimeta.figures.panel_types import ReferenceLine

HEADINGS = {
    "inclusion": "Studies",
    "imputation": "Denominator",
    "timepoint": "Week",
    "unreported": "Study silent on the threshold",
    "filled": "Count known as an interval",
    "model": "Model",
    "measure": "Scale",
    "method": "tau² estimator",
    "test": "Interval",
    "prediction": "Prediction interval",
    "tau_prior": "Prior of tau",
    "mu_prior": "Prior of the log-odds",
}
OPTIONS = {
    "nonresponder": "everyone enrolled",
    "completers": "completers",
    "one_year_completers": "one-year completers",
    "omit": "left out",
    "bound": "bounded",
    "inverse_variance": "inverse variance",
    "binomial_normal": "binomial-normal",
    "beta_binomial": "beta-binomial",
    "common": "common rate",
    "bayes": "Bayes, binomial-normal",
    "z": "normal",
    "t": "t",
    "knha": "Knapp-Hartung",
    "adhoc": "Knapp-Hartung, floored",
    **SCALES,
}
_FEW = 5


def specification_plot(result: MultiverseResult, threshold: int) -> Plot:
    """Draw the specification curve of one threshold, the choice that moves most on top."""
    from pasimeta.figures.specification_curve import ChoiceRow, specification_curve

    rows = with_filling(result.at(threshold))
    order = ["filled" if choice == "counts" else choice for choice in result.moves(threshold)["choice"]]
    choices = []
    for column in order:
        options = [o for o in rows[column].cat.categories if o != NOT_APPLICABLE and (rows[column] == o).any()]
        if column in HEADINGS and len(options) > 1:
            choices.append(ChoiceRow(column, HEADINGS[column], {o: OPTIONS.get(o, o) for o in options}))
    return specification_curve(
        rows,
        choices,
        name=f"specification_curve_{threshold}",
        y_label=f"Pooled share of patients who reached PASI{threshold}",
        reference_lines=limit_lines(result, threshold),
        title=f"PASI{threshold} under every defensible choice",
        footnote=(
            "A share of specifications is no probability. Choices stand in the order in which they move the estimate, "
            "all else held."
        ),
    )


def with_filling(rows: pd.DataFrame) -> pd.DataFrame:
    """Add ``filled``: how interval counts were filled in, the ways between the two ends as one."""
    filled = rows["counts"].astype(str).where(rows["counts"].isin(["exact", "fewest", "most"]), "in between")
    names = {"exact": "none is", "fewest": "fewest responders", "in between": "in between", "most": "most responders"}
    return rows.assign(filled=pd.Categorical(filled.map(names), categories=list(names.values())))


def limit_lines(result: MultiverseResult, threshold: int) -> tuple[ReferenceLine, ...]:
    """Reference lines of the limits that concern a threshold."""
    from pasimeta.figures.panel_types import ReferenceLine

    return tuple(
        ReferenceLine(limit.rate, f"{limit.name}, {100 * limit.rate:g} %")
        for limit in result.limits
        if limit.threshold in (None, threshold)
    )


def leave_one_out_plot(
    table: pd.DataFrame, whole: pd.Series, counts: pd.DataFrame, threshold: int, level: float
) -> Plot:
    """Draw the pooled rate without each study, and with all; ``counts`` are the studies' own."""
    rows = [
        (f"Without {row.omitted}", row, pooled_link(counts[counts["label"] != row.omitted]))
        for row in table.itertuples()
    ]
    title = f"PASI{threshold} with each study left out"
    return _refit_forest([*rows, ("All studies", whole, pooled_link(counts))], "leave_one_out", title, threshold, level)


def cumulative_plot(table: pd.DataFrame, counts: pd.DataFrame, threshold: int, level: float) -> Plot:
    """Draw the pooled rate as each study was added, by year; ``counts`` are the studies' own."""
    rows = [
        (f"{'+ ' if i else ''}{row.added}", row, pooled_link(counts[counts["label"].isin(table["added"][: i + 1])]))
        for i, row in enumerate(table.itertuples())
    ]
    return _refit_forest(rows, "cumulative", f"PASI{threshold} as the studies appeared", threshold, level)


def subsets_plot(table: pd.DataFrame, threshold: int) -> Plot:
    """Draw the pooled rate of every subset of the studies."""
    from pasimeta.figures.scatter import Point, ScatterAxis, scatter

    k = int(table["k"].max())
    return scatter(
        [Point(str(row.studies), float(row.estimate), float(row.k)) for row in table.itertuples()],
        ScatterAxis(f"Pooled share of patients who reached PASI{threshold}", "Rate", "percent"),
        ScatterAxis("Studies in the subset", "Studies", "plain", counts=True),
        name="gosh",
        title=f"PASI{threshold} in every subset of the studies",
        footnote=f"{_so_few(k)} {len(table)} subsets show no clusters, and none should be looked for.",
    )


def baujat_plot(table: pd.DataFrame, threshold: int) -> Plot:
    """Draw each study's share in the heterogeneity against its pull on the mean."""
    from pasimeta.figures.scatter import Point, ScatterAxis, scatter

    return scatter(
        [Point(str(row.study), float(row.contribution), float(row.pull)) for row in table.itertuples()],
        ScatterAxis("Contribution to heterogeneity (squared Pearson residual)", "Contribution"),
        ScatterAxis("Pull on the pooled log-odds (squared standardized shift)", "Pull"),
        name="baujat",
        title=f"Which study makes the heterogeneity of PASI{threshold}, and which moves the mean",
        footnote=f"Inverse variance on the logit scale. {_so_few(len(table))}",
    )


def prior_plot(table: pd.DataFrame, threshold: int, level: float) -> Plot:
    """Draw the posterior rate over the scale of the prior of tau, one curve a prior of the mean log-odds."""
    from pasimeta.figures.bands import Band, bands

    series = []
    for prior, rows in table.groupby("mu_prior", sort=False):
        columns = ("scale", "response_estimate", "response_ci_lower", "response_ci_upper")
        x, y, lower, upper = (tuple(float(v) for v in rows[column]) for column in columns)
        note = f"posterior median, {100 * level:g} % interval as a band"
        series.append(Band(f"Prior of the mean log-odds: {prior}", x, y, lower, upper, note))
    return bands(
        series,
        name="prior_sensitivity",
        x_label="Scale of the half-normal prior of tau, log-odds",
        y_label=f"Share of patients who reach PASI{threshold} in the median study",
        x_scale="log",
        title="How far the answer leans on its priors",
        footnote="Where a curve isn't level, or two part, the prior speaks and not the studies.",
    )


def _refit_forest(rows: list[tuple[str, Any, str]], name: str, title: str, threshold: int, level: float) -> Plot:
    """Draw pools by label, numbers and link; the last is of all studies."""
    from pasimeta.figures.forest import PooledRow, StudyRow, forest

    *parts, (label, whole, link) = rows
    drawn = [StudyRow(part, _estimate(row), link=own) for part, row, own in parts]
    return forest(
        [*drawn, PooledRow(label, _estimate(whole), link=link)],
        name=name,
        axis_label=f"Pooled share of patients who reached PASI{threshold}",
        title=title,
        level=level,
        footnote=f"{_so_few(int(whole.k))} Each row is a pool, refitted on the binomial likelihood.",
    )


def _estimate(row: Any) -> Estimate:
    from pasimeta.figures.estimates import Estimate

    return Estimate(
        value=float(row.estimate),
        ci_lower=float(row.ci_lower),
        ci_upper=float(row.ci_upper),
        count=f"{int(row.events)}/{int(row.n)}",
    )


def _so_few(k: int) -> str:
    if k >= _FEW:
        return f"{k} studies."
    word = NUMBER_WORDS[k].capitalize()
    return f"{word} {'study' if k == 1 else 'studies'}: this shows what each contributes, not which of them is wrong."
