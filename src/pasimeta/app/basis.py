"""What every answer of the dashboard rests on, read once: evidence and its tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pasimeta.evidence import tables
from pasimeta.evidence.comparator_arms import comparator_arms
from pasimeta.evidence.inclusion import InclusionRule, decide_all
from pasimeta.evidence.store import Evidence, load_evidence
from pasimeta.pipeline.parameters import load_parameters
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.sections import Parameters


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Basis:
    """Everything that no control changes.

    Attributes
    ----------
    data : path
        The folder it is read from.
    evidence : Evidence
    parameters : Parameters
        What the dashboard starts from, and keeps where no control sets it.
    responses, characteristics, doses : DataFrame
        Tables of every study; who is included is decided for each state.
    benchmarks : DataFrame
        Figures of other treatments pooled by others.
    arms : DataFrame
        Comparator arms, for the spacing of thresholds.
    """

    data: Path
    evidence: Evidence
    parameters: Parameters
    responses: pd.DataFrame
    characteristics: pd.DataFrame
    doses: pd.DataFrame
    benchmarks: pd.DataFrame
    arms: pd.DataFrame


def load_basis(project: Project, config: Path | None = None) -> Basis:
    """Read data and parameters; ``config`` is the project's own unless given.

    Parameters
    ----------
    project : Project
    config : path, optional

    Raises
    ------
    EvidenceError, ParameterError
        For data or parameters that can't be used.
    """
    parameters = load_parameters(config or project.config)
    evidence = load_evidence(project.data)
    everyone = decide_all(evidence, InclusionRule())
    return Basis(
        data=project.data,
        evidence=evidence,
        parameters=parameters,
        responses=tables.responses(evidence, everyone),
        characteristics=tables.characteristics(evidence, everyone),
        doses=tables.doses(evidence, everyone),
        benchmarks=tables.benchmarks(evidence, everyone),
        arms=comparator_arms(tables.comparators(evidence, everyone)),
    )
