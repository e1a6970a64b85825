"""Every entry of the data folder, in the order of its pages."""

from __future__ import annotations

from collections.abc import Iterator

from pasimeta.evidence.entries import Entry, benchmark_entries, comparator_entries, study_entries
from pasimeta.evidence.store import Evidence


def every_entry(evidence: Evidence) -> Iterator[Entry]:
    """Yield the entries of all studies, then of comparator trials and benchmarks."""
    for study in evidence.studies.values():
        yield from study_entries(study)
    for trial in evidence.comparators.values():
        yield from comparator_entries(trial)
    for benchmark in evidence.benchmarks.values():
        yield from benchmark_entries(benchmark)
