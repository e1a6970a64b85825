"""The notebooks in order, with the section of parameters each takes and the tables it reads and writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pasimeta.errors import ParameterError


@dataclass(frozen=True, slots=True)
class Notebook:
    """One notebook of the analysis.

    Attributes
    ----------
    name : str
        File name without ``.ipynb``.
    section : str
        Its section in the configuration.
    title : str
        For menus and headings.
    common : tuple of str
        The common parameters it takes beside its section's.
    reads, writes : tuple of str
        Tables in ``results/tables``, without ``.csv``.
    reads_evidence : bool
        Whether it reads the data folder itself.
    seconds : float
        Roughly what it takes: of those that could run, what the longest chain of others waits for starts first.
    """

    name: str
    section: str
    title: str
    common: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    reads_evidence: bool = False
    seconds: float = 1.0


NOTEBOOKS = (
    Notebook(
        "01_evidence",
        "evidence",
        "What evidence exists",
        common=(),
        reads=(),
        writes=(
            "characteristics",
            "flow",
            "responses",
            "doses",
            "safety",
            "comparators",
            "benchmarks",
            "statements_missing",
        ),
        reads_evidence=True,
        seconds=1,
    ),
    Notebook(
        "02_extraction",
        "extraction",
        "From document to figure",
        common=(),
        reads=(),
        writes=("document_lines", "extraction_examples", "extraction_problems"),
        reads_evidence=True,
        seconds=0.5,
    ),
    Notebook(
        "03_effect_sizes",
        "effect_sizes",
        "One study at a time",
        common=("level", "imputation", "timepoint"),
        reads=("responses", "benchmarks"),
        writes=("effect_sizes", "effect_scales"),
        seconds=0.5,
    ),
    Notebook(
        "04_pooling",
        "pooling",
        "PASI response across studies",
        common=("level", "imputation", "timepoint"),
        reads=("responses", "benchmarks"),
        writes=("pooled", "pooled_models", "statements_response"),
        reads_evidence=True,
        seconds=1.1,
    ),
    Notebook(
        "05_thresholds",
        "thresholds",
        "Every threshold at once",
        common=("level", "imputation", "timepoint"),
        reads=("responses", "comparators", "characteristics"),
        writes=(
            "thresholds",
            "threshold_curve",
            "threshold_predictions",
            "threshold_choices",
            "threshold_held_out",
            "statements_thresholds",
        ),
        reads_evidence=True,
        seconds=3.8,
    ),
    Notebook(
        "06_safety",
        "safety",
        "Is it safe?",
        common=("level",),
        reads=("safety", "responses", "characteristics"),
        writes=("safety_pool", "adverse_patients", "adverse_events", "relapses", "statements_safety"),
        reads_evidence=True,
        seconds=1.1,
    ),
    Notebook(
        "07_dose_response",
        "dose_response",
        "Does more help more?",
        common=("level", "imputation", "timepoint"),
        reads=("responses", "doses"),
        writes=("dose_response", "dose_confounding", "dose_bounds", "statements_dose"),
        seconds=1.3,
    ),
    Notebook(
        "08_sex_subgroup",
        "sex_subgroup",
        "Do women respond better?",
        common=("level", "imputation", "timepoint"),
        reads=("responses", "characteristics", "benchmarks"),
        writes=(
            "sex_subgroup",
            "sex_intervals",
            "sex_power",
            "sex_one_stage",
            "sex_support",
            "sex_allocations",
            "sex_posterior",
            "statements_sex",
        ),
        reads_evidence=True,
        seconds=2.7,
    ),
    Notebook(
        "09_moderators",
        "moderators",
        "What else could decide who responds?",
        common=("level", "imputation", "timepoint"),
        reads=("responses", "doses", "characteristics"),
        writes=("moderators", "statements_moderators"),
        seconds=0.5,
    ),
    Notebook(
        "10_robustness",
        "robustness",
        "How fragile is it?",
        common=("level", "imputation", "timepoint"),
        reads=("responses",),
        writes=("multiverse", "multiverse_shares", "leave_one_out", "prior_sensitivity", "statements_robustness"),
        reads_evidence=True,
        seconds=4.4,
    ),
    Notebook(
        "11_missing_evidence",
        "missing_evidence",
        "What the silent trials could change",
        common=("level", "imputation", "timepoint"),
        reads=("characteristics", "responses", "comparators"),
        writes=("rob_me", "tipping_points", "extreme_cases", "selection", "statements_missing_evidence"),
        reads_evidence=True,
        seconds=1.9,
    ),
    Notebook(
        "12_certainty",
        "certainty",
        "How sure are the answers?",
        common=("level", "imputation", "timepoint"),
        reads=("characteristics", "responses", "pooled", "safety", "benchmarks"),
        writes=(
            "risk_of_bias",
            "case_series_items",
            "grade_findings",
            "grade_judgements",
            "prisma_flow",
            "statements_grade",
        ),
        reads_evidence=True,
        seconds=1.5,
    ),
    Notebook(
        "13_next_trial",
        "next_trial",
        "What could the next trial show?",
        common=("level", "imputation", "timepoint"),
        reads=("responses", "comparators"),
        writes=(
            "next_trial_prediction",
            "next_trial_assurance",
            "next_trial_sizes",
            "next_trial_sensitivity",
            "next_trial_power",
            "next_trial_precision",
            "staged_designs",
            "statements_next_trial",
        ),
        reads_evidence=True,
        seconds=4.4,
    ),
    Notebook(
        "14_summary",
        "summary",
        "What we know, and what we don't",
        common=("level",),
        reads=(
            "characteristics",
            "responses",
            "pooled",
            "benchmarks",
            "grade_findings",
            "grade_judgements",
            "next_trial_assurance",
            "next_trial_sizes",
            "next_trial_precision",
            "statements_response",
            "statements_missing",
            "statements_missing_evidence",
            "statements_safety",
            "statements_sex",
            "statements_dose",
            "statements_robustness",
        ),
        writes=("summary",),
        seconds=0.2,
    ),
)


def select(names: Iterable[str]) -> tuple[Notebook, ...]:
    """Return the notebooks named, in order of the manifest; no name means all.

    Raises
    ------
    ParameterError
        For a name that is neither a notebook's file name nor its section.
    """
    wanted = set(names)
    known = {key for notebook in NOTEBOOKS for key in (notebook.name, notebook.section)}
    for name in sorted(wanted - known):
        choices = ", ".join(notebook.section for notebook in NOTEBOOKS)
        raise ParameterError(f"--only {name}: no such notebook; choose one of {choices}")
    return tuple(n for n in NOTEBOOKS if not wanted or wanted & {n.name, n.section})
