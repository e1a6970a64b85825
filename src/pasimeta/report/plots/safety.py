"""From rare-event counts to their forest."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pasimeta.report.plots.response import link_of_row
from pasimeta.report.plots.widths import drawn_wide_or_narrow
from pasimeta.report.rests_on import pooled_link
from pasimeta.report.words import percent
from pasimeta.synthesis.safety import SERIOUS, RareEvents

if TYPE_CHECKING:
    from pasimeta.figures.forest import Row
    from pasimeta.figures.output import Plot


def safety_forest(pool: RareEvents) -> Plot:
    """Draw each study's rate of serious related events with its exact interval, and the bounds of all together."""
    from pasimeta.figures.estimates import Estimate, Rate
    from pasimeta.figures.forest import HeadingRow, NoteRow, PooledRow, PredictionRow, StudyRow, forest

    rows: list[Row] = [HeadingRow("Patients with a serious event related to treatment")]
    for row in pool.studies.itertuples():
        rate = Rate(
            events_lower=int(row.events),
            events_upper=int(row.events),
            n=int(row.n),
            ci_lower=float(row.ci_lower),
            ci_upper=float(row.ci_upper),
        )
        rows.append(StudyRow(str(row.label), rate, link=link_of_row(row)))
    together = Estimate(
        value=pool.rate, ci_lower=pool.ci_lower, ci_upper=pool.ci_upper, count=f"{pool.events}/{pool.n}"
    )
    link = pooled_link(pool.studies)
    rows.append(PooledRow("All, one rate for all", together, link=link))
    if pool.new_study_upper is not None:
        rows.append(PredictionRow("A new study, below", 0.0, pool.new_study_upper, link=link))
    share = percent(pool.level)
    bounds = [f"exact {percent(pool.upper, 1)}", f"Bayesian {percent(pool.bayes_upper, 1)}"]
    if pool.varying_upper is not None:
        bounds.append(f"median study where rates differ {percent(pool.varying_upper, 1)}")
    rows.append(NoteRow(f"One-sided {share} upper bounds: {', '.join(bounds)}", link))
    drawn = partial(
        forest,
        rows,
        axis_label="Patients with such an event",
        title="Serious related events: what so few patients can't rule out",
        level=pool.level,
        footnote=(
            f"Intervals: two-sided, exact (Clopper-Pearson), {share}. The last bar is one-sided: the {share} upper "
            "bound of a new study's rate where rates differ between studies."
            + ("" if _all_counted(pool) else " Not every study counts such events in these words; see the table.")
        ),
    )
    return drawn_wide_or_narrow(drawn, "safety_forest", narrow=False)


def _all_counted(pool: RareEvents) -> bool:
    return "basis" not in pool.studies or bool((pool.studies["basis"] == SERIOUS["serious_related"]).all())
