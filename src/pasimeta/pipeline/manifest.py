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
    """

    name: str
    section: str
    title: str
    common: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    reads_evidence: bool = False


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
    ),
    Notebook(
        "02_effect_sizes",
        "effect_sizes",
        "One study at a time",
        common=("level", "imputation", "timepoint"),
        reads=("responses", "benchmarks"),
        writes=("effect_sizes", "effect_scales"),
    ),
    Notebook(
        "03_pooling",
        "pooling",
        "PASI response across studies",
        common=("level", "imputation", "timepoint"),
        reads=("responses", "benchmarks"),
        writes=("pooled", "pooled_models", "statements_response"),
    ),
    Notebook(
        "04_dose_response",
        "dose_response",
        "Does more help more?",
        common=("level", "imputation", "timepoint"),
        reads=("responses", "doses"),
        writes=("dose_response", "statements_dose"),
    ),
    Notebook(
        "05_sex_subgroup",
        "sex_subgroup",
        "Do women respond better?",
        common=("level",),
        reads=("responses",),
        writes=("sex_subgroup", "statements_sex"),
    ),
    Notebook(
        "06_summary",
        "summary",
        "What we know, and what we don't",
        common=("level",),
        reads=(
            "characteristics",
            "responses",
            "pooled",
            "benchmarks",
            "statements_missing",
            "statements_response",
            "statements_dose",
            "statements_sex",
        ),
        writes=("summary",),
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
