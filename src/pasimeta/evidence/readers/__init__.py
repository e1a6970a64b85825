"""Readers of documents: registry pages, ClinicalTrials.gov JSON and reports become drafts with spans."""

from __future__ import annotations

from pasimeta.evidence.readers.document import extract_bytes, extract_file, extract_text, iter_extractions
from pasimeta.evidence.readers.draft import study_yaml
from pasimeta.evidence.readers.result import (
    ArmDraft,
    Claim,
    CoTreatment,
    Document,
    DoseDraft,
    Eligibility,
    Enrollment,
    Extraction,
    OutcomeDraft,
    Problem,
    ProductDraft,
    RelapseDefinition,
    Span,
    StudyDraft,
)

__all__ = [
    "ArmDraft",
    "Claim",
    "CoTreatment",
    "Document",
    "DoseDraft",
    "Eligibility",
    "Enrollment",
    "Extraction",
    "OutcomeDraft",
    "Problem",
    "ProductDraft",
    "RelapseDefinition",
    "Span",
    "StudyDraft",
    "extract_bytes",
    "extract_file",
    "extract_text",
    "iter_extractions",
    "study_yaml",
]
