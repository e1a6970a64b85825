"""The flow loses no record and claims no more than was done."""

from dataclasses import replace

import pytest

from pasimeta.certainty import prisma_flow
from pasimeta.certainty.prisma import PrismaStage, check_sums
from pasimeta.errors import PasimetaError
from pasimeta.evidence.inclusion import InclusionRule, decide_all


@pytest.mark.parametrize(
    "rule",
    [
        InclusionRule(),
        InclusionRule(designs=("single_arm", "randomized", "case_series", "case_report")),
        InclusionRule(product_classes=("exosome", "secretome")),
        InclusionRule(min_analysed=10),
    ],
)
def test_sums_close_under_every_rule(evidence, rule):
    flow = prisma_flow(evidence, decide_all(evidence, rule))
    table = flow.to_frame()
    stages = table[table["kind"] == "stage"]["count"].tolist()
    lost = table[table["kind"] == "excluded"].groupby("stage", sort=False)["count"].sum()
    assert stages[0] == len(evidence.studies) + len(evidence.search.reviews) + len(evidence.search.set_aside)
    assert stages[0] - lost.sum() == stages[-1]
    assert stages[-1] == sum(d.included for d in decide_all(evidence, rule))


def test_default_flow(evidence):
    flow = prisma_flow(evidence, decide_all(evidence, InclusionRule()))
    assert [stage.count for stage in flow.stages] == [36, 25, 14, 2]
    assert flow.stages[-1].details == ("24 patients",)


def test_the_search_is_told_as_it_was(evidence):
    flow = prisma_flow(evidence, decide_all(evidence, InclusionRule()))
    assert "Searched on 2026-11-22" in flow.stages[0].details
    assert any("Not a systematic search" in detail for detail in flow.stages[0].details)
    assert flow.caveats == tuple(evidence.search.limits)


def test_decisions_of_other_studies_are_refused(evidence):
    with pytest.raises(PasimetaError, match="one for every study"):
        prisma_flow(evidence, decide_all(evidence, InclusionRule())[1:])


def test_a_lost_record_is_refused():
    first = PrismaStage(phase="identification", label="found", count=3, excluded=(("no", 1),))
    with pytest.raises(PasimetaError, match="'found' leaves 2, but 'kept' has 1"):
        check_sums([first, PrismaStage(phase="included", label="kept", count=1)])
    with pytest.raises(PasimetaError, match="sum to 2, not to its 3"):
        check_sums([replace(first, sources=(("web", 2),))])
