"""From judgements and records to figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pasimeta.certainty.prisma import PrismaFlow

if TYPE_CHECKING:
    from pasimeta.figures.output import Plot


def domain_lights(risks: pd.DataFrame, overall: pd.Series) -> Plot:
    """Draw ROBINS-I, one row a study; ``risks`` and ``overall`` from :mod:`pasimeta.certainty.risk_of_bias`."""
    from pasimeta.figures.traffic_light import LightRow, traffic_lights

    rows = [
        LightRow(str(table["label"].iloc[0]), tuple(table["judgement"]), str(overall[study]))
        for study, table in risks.groupby("study", sort=False)
    ]
    return traffic_lights(
        rows,
        list(dict.fromkeys(risks["question"])),
        name="risk_of_bias",
        title="Risk of bias by domain (ROBINS-I)",
        footnote="Judged from the documents seen, which are mostly abstracts. All: the worst of the domains.",
    )


def item_lights(answers: pd.DataFrame) -> Plot:
    """Draw JBI's checklist for case series, one row a study."""
    from pasimeta.figures.lights import JBI_SIGNALS
    from pasimeta.figures.traffic_light import LightRow, traffic_lights

    rows = [
        LightRow(str(table["label"].iloc[0]), tuple(table["judgement"]))
        for _, table in answers.groupby("study", sort=False)
    ]
    return traffic_lights(
        rows,
        list(dict.fromkeys(answers["question"])),
        name="case_series_items",
        signals=JBI_SIGNALS,
        prefix="Q",
        title="Conduct and reporting (JBI, case series)",
        footnote="Judged from the documents seen, which are mostly abstracts.",
    )


def prisma_diagram(flow: PrismaFlow) -> Plot:
    """Draw the flow of records in PRISMA 2020's stages."""
    from pasimeta.figures.flow import Stage, flow_of_records

    stages = [Stage(s.label, s.count, excluded=s.excluded, sources=s.sources, details=s.details) for s in flow.stages]
    return flow_of_records(
        stages,
        name="prisma_flow",
        title="Flow of records, in the stages of PRISMA 2020",
        footnote=" ".join(flow.caveats),
    )
