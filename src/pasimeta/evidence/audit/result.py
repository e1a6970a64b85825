"""What an audit found: broken rules, and which figures stand where their locators say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import pandas as pd

from pasimeta.evidence.readers.result import Span

Status = Literal["proven", "not_checkable", "failed"]


class Complaint(NamedTuple):
    """A broken rule inside one record, before it is known where the record's file has it."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """A rule that the data break.

    Attributes
    ----------
    file : str
    line : int or None
        Line of the field in the file; None where the whole file is meant.
    field : str
        Dotted path of the field, list positions counted from 0.
    code : str
        Kind of finding, for scripts.
    message : str
        What is wrong, and the remedy.
    """

    file: str
    line: int | None
    field: str
    code: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.field}: {self.message} [{self.code}]"


@dataclass(frozen=True, slots=True)
class LocatorCheck:
    """Whether one figure stands at one place of one document.

    Attributes
    ----------
    file, line, field
        As in :class:`AuditFinding`.
    source, locator : str
        The place that was looked up.
    status : {"proven", "not_checkable", "failed"}
    reason : str or None
        Why it couldn't be checked, what is missing, or which part is derived.
    spans : tuple of Span
        Where the parts of the figure stand in the document.
    """

    file: str
    line: int | None
    field: str
    source: str
    locator: str
    status: Status
    reason: str | None = None
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Everything an audit says of a data folder.

    Attributes
    ----------
    findings : tuple of AuditFinding
        Broken rules, by file and line; empty for clean data.
    locators : tuple of LocatorCheck
        One a figure and place; empty where no documents were given.
    figures : int
        Cited figures in the data.
    """

    findings: tuple[AuditFinding, ...]
    locators: tuple[LocatorCheck, ...]
    figures: int

    @property
    def is_clean(self) -> bool:
        """Whether no rule is broken."""
        return not self.findings

    def counts(self) -> dict[Status, int]:
        """Return how many places were proven, couldn't be checked, and failed."""
        seen = Counter(check.status for check in self.locators)
        statuses: tuple[Status, ...] = ("proven", "not_checkable", "failed")
        return {status: seen[status] for status in statuses}

    def reasons(self) -> dict[str, int]:
        """Return why places couldn't be checked, with how many, the most frequent first."""
        why = Counter(check.reason or "" for check in self.locators if check.status == "not_checkable")
        return dict(why.most_common())

    def to_frame(self) -> pd.DataFrame:
        """One row a finding: ``file``, ``line``, ``field``, ``code``, ``message``."""
        columns = ["file", "line", "field", "code", "message"]
        table = pd.DataFrame([asdict(finding) for finding in self.findings], columns=columns)
        return table.astype({"line": "Int64"})

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain dictionaries and lists."""
        return {
            "clean": self.is_clean,
            "figures": self.figures,
            "findings": [asdict(finding) for finding in self.findings],
            "locators": {**self.counts(), "reasons": self.reasons(), "checks": [asdict(c) for c in self.locators]},
        }

    def to_text(self) -> str:
        """Return the report as lines: each finding, then what was proven and why the rest wasn't."""
        lines = [str(finding) for finding in self.findings]
        found = "1 finding" if len(self.findings) == 1 else f"{len(self.findings) or 'no'} findings"
        lines.append(f"{self.figures} cited figures: {found}")
        if self.locators:
            seen = self.counts()
            lines.append(
                f"{len(self.locators)} places: {seen['proven']} proven, {seen['failed']} failed, "
                f"{seen['not_checkable']} not checkable"
            )
            lines += [f"  {number} {reason}" for reason, number in self.reasons().items()]
        return "\n".join(lines)

    def with_findings(self, more: Iterable[AuditFinding]) -> AuditReport:
        """Return the report with further findings, in order of file and line."""
        findings = sorted({*self.findings, *more}, key=lambda f: (f.file, f.line or 0, f.field, f.code, f.message))
        return AuditReport(tuple(findings), self.locators, self.figures)
