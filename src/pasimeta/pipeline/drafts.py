"""Drafts of study files, written so that nothing reviewed is ever lost."""

from __future__ import annotations

from pathlib import Path

from pasimeta.errors import EvidenceError
from pasimeta.evidence.readers.draft import study_id, study_yaml
from pasimeta.evidence.readers.result import Extraction
from pasimeta.pipeline.files import write_text


def write_draft(extraction: Extraction, folder: Path) -> Path:
    """Write the draft of a study as ``<id>.yaml`` and return its path.

    Raises
    ------
    EvidenceError
        The file exists already: it may have been reviewed.
    """
    path = folder / f"{study_id(extraction)}.yaml"
    if path.exists():
        raise EvidenceError(f"{path}: exists already and may be reviewed; give another folder with --out, or remove it")
    write_text(path, study_yaml(extraction))
    return path
