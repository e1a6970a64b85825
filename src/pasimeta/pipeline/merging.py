"""Drafts of one trial from several documents, and drafts merged into a study that was reviewed before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pasimeta.errors import EvidenceError, PasimetaError
from pasimeta.evidence.context import Source
from pasimeta.evidence.merge import merged_yaml
from pasimeta.evidence.readers import Extraction, study_yaml
from pasimeta.evidence.readers.draft import study_id
from pasimeta.evidence.store import read_evidence
from pasimeta.pipeline.drafts import write_draft
from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.project import find_project

_DRAFT_SOURCE = "-stored"


def write_drafts(extractions: Iterable[Extraction], folder: Path) -> Iterator[Path]:
    """Write a draft for each trial, and yield its path; documents of one trial are merged into one draft.

    Raises
    ------
    EvidenceError
        If a draft would replace a file that was there before.
    """
    written: set[str] = set()
    for extraction in extractions:
        name = study_id(extraction)
        if name in written:
            yield merge_into(folder / f"{name}.yaml", [extraction])
        else:
            yield write_draft(extraction, folder)
            written.add(name)


def merge_into(study: Path, extractions: Iterable[Extraction], sources: dict[str, Source] | None = None) -> Path:
    """Merge what documents tell of a trial into its study file, and return the file's path.

    The file's comments and values stay. Nothing is written unless every document could be merged.

    Parameters
    ----------
    study : path
        A study file or a draft.
    extractions : iterable of Extraction
    sources : dict of str to Source, optional
        Known documents: one with the same sha256 lends its id.

    Raises
    ------
    EvidenceError
        If the file can't be read, or a document tells of another trial.
    """
    try:
        text = study.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{study}: can't be read as text ({type(error).__name__}); give a study file") from None
    for extraction in extractions:
        draft = _with_source_id(study_yaml(extraction), extraction, text, sources or {})
        text = merged_yaml(text, draft, (str(study), extraction.document.name))
    write_text(study, text)
    return study


def known_sources() -> dict[str, Source]:
    """Return the sources of the project around, or none outside a project."""
    try:
        evidence, _ = read_evidence(find_project().data)
    except PasimetaError:
        return {}
    return evidence.sources if evidence is not None else {}


def _with_source_id(draft: str, extraction: Extraction, text: str, sources: dict[str, Source]) -> str:
    """Return the draft with an id for its document that no other document has."""
    drafted = f"{study_id(extraction)}{_DRAFT_SOURCE}"
    digest = extraction.document.sha256
    known = next((name for name, source in sources.items() if source.sha256 == digest), None)
    name = known or drafted
    number = 2
    while known is None and digest not in text and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text):
        name, number = f"{drafted}-{number}", number + 1
    return re.sub(rf"(?<![\w-]){re.escape(drafted)}(?![\w-])", name, draft)
