"""Certainty: risk of bias of each study, GRADE certainty of each pooled answer, and the flow of records behind it."""

from pasimeta.certainty.downgrades import GradeRules, OutcomeEvidence
from pasimeta.certainty.grade import SummaryOfFindings, summary_of_findings
from pasimeta.certainty.outcomes import (
    benchmark_rates,
    decisions_of,
    eligible,
    pooled_outcomes,
    safety_outcome,
    unreported_patients,
)
from pasimeta.certainty.prisma import PrismaFlow, prisma_flow
from pasimeta.certainty.risk_of_bias import domain_risks, item_answers, overall_risks

__all__ = [
    "GradeRules",
    "OutcomeEvidence",
    "PrismaFlow",
    "SummaryOfFindings",
    "benchmark_rates",
    "decisions_of",
    "domain_risks",
    "eligible",
    "item_answers",
    "overall_risks",
    "pooled_outcomes",
    "prisma_flow",
    "safety_outcome",
    "summary_of_findings",
    "unreported_patients",
]
