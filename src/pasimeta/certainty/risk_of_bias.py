"""Risk of bias as tables: what was judged, how, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from pasimeta.errors import PasimetaError
from pasimeta.evidence.judgement import JbiCaseSeries, RobinsI
from pasimeta.evidence.store import Evidence

ITEMS: dict[str, str] = {name: str(field.description) for name, field in JbiCaseSeries.model_fields.items()}
DOMAINS: dict[str, str] = {name: str(field.description) for name, field in RobinsI.model_fields.items()}
JBI = "JBI case series"
ROBINS_I = "ROBINS-I"
COLUMNS = ["study", "label", "tool", "item", "question", "judgement", "reason", "source", "locator"]


def domain_risks(evidence: Evidence, studies: Sequence[str] | None = None) -> pd.DataFrame:
    """ROBINS-I, one row a study and domain.

    Parameters
    ----------
    evidence : Evidence
    studies : sequence of str, optional
        Ids, in the order wanted; all that are judged by default. A study that nobody judged has ``no_information``
        everywhere, and says so.

    Returns
    -------
    DataFrame
        The columns ``COLUMNS``.

    Raises
    ------
    PasimetaError
        For a study that isn't in the data.
    """
    return _table(evidence, studies, ROBINS_I, DOMAINS, "robins_i", "risk", "no_information")


def item_answers(evidence: Evidence, studies: Sequence[str] | None = None) -> pd.DataFrame:
    """JBI's checklist for case series, one row a study and item; parameters and errors as :func:`domain_risks`."""
    return _table(evidence, studies, JBI, ITEMS, "jbi", "answer", "unclear")


def overall_risks(evidence: Evidence, studies: Sequence[str] | None = None) -> pd.Series:
    """ROBINS-I's overall risk by study id: that of the worst domain; ``no_information`` where nobody judged."""
    ids = _ids(evidence, studies)
    judged = evidence.risk_of_bias
    risks = [judged[name].robins_i.overall if name in judged else "no_information" for name in ids]
    return pd.Series(risks, index=ids, name="overall", dtype=object)


def _table(
    evidence: Evidence,
    studies: Sequence[str] | None,
    tool: str,
    questions: dict[str, str],
    section: str,
    verdict: str,
    nothing: str,
) -> pd.DataFrame:
    rows: list[list[object]] = []
    for name in _ids(evidence, studies):
        head = [name, evidence.studies[name].label, tool]
        judged = evidence.risk_of_bias.get(name)
        for item, question in questions.items():
            if judged is None:
                rows.append([*head, item, question, nothing, "nobody has judged this study", None, None])
                continue
            answer = getattr(getattr(judged, section), item)
            rows.append([*head, item, question, getattr(answer, verdict), answer.reason, answer.source, answer.locator])
    return pd.DataFrame(rows, columns=COLUMNS)


def _ids(evidence: Evidence, studies: Iterable[str] | None) -> list[str]:
    ids = list(evidence.risk_of_bias if studies is None else studies)
    for name in ids:
        if name not in evidence.studies:
            raise PasimetaError(f"studies: {name!r} is not in data/studies; mend the id")
    return ids
