"""The audit of a data folder: every rule over every record, and every locator against its document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pasimeta.errors import EvidenceError
from pasimeta.evidence.audit.counts import comparator_complaints, count_complaints
from pasimeta.evidence.audit.course import course_complaints, derived_improvement_complaints
from pasimeta.evidence.audit.documents import changed_documents, stored_documents
from pasimeta.evidence.audit.locators import places_of, verdict
from pasimeta.evidence.audit.result import AuditFinding, AuditReport, Complaint, LocatorCheck
from pasimeta.evidence.context import Benchmark, Comparator
from pasimeta.evidence.store import BENCHMARKS, Evidence, cited_figures, line_of, read_evidence, yaml_tree
from pasimeta.evidence.study import Study


def audit_folder(directory: Path | str, documents: Path | str | None = None) -> AuditReport:
    """Audit a data folder.

    Checked are the schema; percentages against counts; subgroups and arms against totals; thresholds, doses,
    schedules, dates and distributions for order; patients against the counts; conflicts against what is analysed;
    and that every source is defined and used.

    Parameters
    ----------
    directory : path
        The data folder.
    documents : path, optional
        Folder that holds stored documents, under whatever names: they are known by their sha256. Each figure whose
        locator names a line is looked up there.

    Returns
    -------
    AuditReport

    Raises
    ------
    EvidenceError
        If a data file is missing or isn't YAML, or there is no such folder.
    """
    root = Path(directory)
    evidence, problems = read_evidence(root)
    unreadable = [str(problem) for problem in problems if problem.code == "unreadable"]
    if unreadable:
        raise EvidenceError("\n".join(unreadable))
    found = [AuditFinding(_shown(p.file), p.line, p.field or "the file", p.code, p.message) for p in problems]
    if evidence is None:
        return AuditReport((), (), 0).with_findings(found)
    files = list(_files(root, evidence))
    for file in files:
        found += [file.finding(complaint) for complaint in file.complaints(evidence)]
    if not problems:
        # a record that can't be read might use them
        found += _unused_sources(root, evidence)
    checks: list[LocatorCheck] = []
    if documents is not None:
        more, checks = _located(root, files, evidence, Path(documents))
        found += more
    figures = sum(len(file.figures()) for file in files)
    return AuditReport((), tuple(checks), figures).with_findings(found)


class DataFile:
    """One data file: its records, and the line of each field.

    Parameters
    ----------
    path : Path
    records : mapping
        Records of the file by the prefix of their fields: one of prefix "" for a study, one each for benchmarks.
    """

    def __init__(self, path: Path, records: Mapping[str, BaseModel]) -> None:
        self.path = path
        self.records = records

    @cached_property
    def _tree(self) -> Any:
        return yaml_tree(self.path)

    def line(self, field: str) -> int:
        """Return the line of a dotted field, or of the nearest one around it."""
        return line_of(self._tree, [int(key) if key.isdigit() else key for key in field.split(".") if key])

    def finding(self, complaint: Complaint) -> AuditFinding:
        """Return a complaint with its file and line."""
        line = self.line(complaint.field)
        return AuditFinding(_shown(self.path), line, complaint.field, complaint.code, complaint.message)

    def complaints(self, evidence: Evidence) -> Iterator[Complaint]:
        """Yield the broken rules of the file's records."""
        for prefix, record in self.records.items():
            if isinstance(record, Study):
                yield from count_complaints(record)
                yield from course_complaints(record, evidence.sources)
                yield from derived_improvement_complaints(record)
            elif isinstance(record, Comparator):
                yield from comparator_complaints(record)
            elif isinstance(record, Benchmark):
                yield from _benchmark_complaints(prefix, record)

    def figures(self) -> list[tuple[str, Any]]:
        """Return the file's cited figures with their fields."""
        return [
            (".".join(key for key in (prefix, field) if key), figure)
            for prefix, record in self.records.items()
            for field, figure in cited_figures(record)
        ]


def _files(root: Path, evidence: Evidence) -> Iterator[DataFile]:
    for study in evidence.studies.values():
        yield DataFile(root / "studies" / f"{study.id}.yaml", {"": study})
    for trial in evidence.comparators.values():
        yield DataFile(root / "comparators" / f"{trial.id}.yaml", {"": trial})
    benchmarks = {str(i): benchmark for i, benchmark in enumerate(evidence.benchmarks.values())}
    yield DataFile(root / "comparators" / BENCHMARKS, benchmarks)
    yield DataFile(root / "search.yaml", {"": evidence.search})


def _benchmark_complaints(prefix: str, benchmark: Benchmark) -> Iterator[Complaint]:
    given = [x for x in (benchmark.lower, benchmark.value, benchmark.upper) if x is not None]
    if given != sorted(given):
        message = f"needs lower <= value <= upper, got {', '.join(f'{x:g}' for x in given)}; mend it"
        yield Complaint(f"{prefix}.value", "distribution_order", message)
    if benchmark.unit == "percent" and not all(0 <= x <= 100 for x in given):
        yield Complaint(f"{prefix}.value", "percent_range", "is no percentage; it must lie between 0 and 100")


def _unused_sources(root: Path, evidence: Evidence) -> Iterator[AuditFinding]:
    used: set[str] = set()
    for file in _files(root, evidence):
        for _, figure in file.figures():
            used |= {figure.source, *(place.source for place in figure.also)}
    for study in evidence.studies.values():
        used |= set(study.sources)
    file = DataFile(root / "sources.yaml", {})
    for name in evidence.sources:
        if name not in used:
            message = "no figure and no study names it; cite it or drop it"
            yield file.finding(Complaint(name, "source_unused", message))


def _located(
    root: Path, files: list[DataFile], evidence: Evidence, folder: Path
) -> tuple[list[AuditFinding], list[LocatorCheck]]:
    documents = stored_documents(folder, evidence.sources)
    sources_file = DataFile(root / "sources.yaml", {})
    findings = [
        sources_file.finding(
            Complaint(
                f"{name}.sha256",
                "document_changed",
                f"{path.name} is not the document that was read: its sha256 differs; restore it, or read it anew",
            )
        )
        for name, path in changed_documents(folder, evidence.sources, documents).items()
    ]
    checks = []
    for file in files:
        for field, figure in file.figures():
            for place in places_of(field, figure):
                status, reason, spans = verdict(figure, place, evidence.sources, documents)
                line = file.line(place.field)
                shown = _shown(file.path)
                checks.append(
                    LocatorCheck(shown, line, place.field, place.source, place.locator, status, reason, spans)
                )
                if status == "failed":
                    message = f"{place.source}, {place.locator}: {reason}; mend the figure or the locator"
                    findings.append(AuditFinding(shown, line, place.field, "not_at_locator", message))
    return findings, checks


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
