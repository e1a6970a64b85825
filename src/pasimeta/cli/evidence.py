"""Commands about the evidence: read documents, start a study file, check the data and audit its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pasimeta.cli.printing import FINDINGS, Format
from pasimeta.errors import PasimetaError


def extract(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Registry pages, ClinicalTrials.gov JSON, reports.")
    ],
    form: Annotated[Format, typer.Option("--format", help="json, or a table of what was found.")] = Format.json,
    draft: Annotated[bool, typer.Option("--draft", help="Write a study YAML to review for each trial.")] = False,
    out: Annotated[Path, typer.Option(help="Folder of the drafts.")] = Path(),
    into: Annotated[
        Path | None, typer.Option("--merge-into", help="Merge all documents into this study file, keeping both values.")
    ] = None,
) -> None:
    """Read documents: print what they say with the lines it stands on, or write drafts to review."""
    from pasimeta.evidence.readers.printing import extractions, printed_json, printed_table
    from pasimeta.pipeline.merging import known_sources, merge_into, write_drafts

    if form is Format.csv:
        raise typer.BadParameter("an extraction prints json or table", param_hint="--format")
    refused: list[PasimetaError] = []
    found = extractions(files, refused.append)
    if into is not None:
        drafts = list(found)
        if not refused:
            typer.echo(f"merged: {merge_into(into, drafts, known_sources())}")
    elif draft:
        for path in write_drafts(found, out):
            typer.echo(f"draft: {path}")
    else:
        pieces = printed_json(found, as_list=len(files) > 1) if form is Format.json else printed_table(found)
        for piece in pieces:
            typer.echo(piece, nl=False)
    if refused:
        raise PasimetaError("\n".join(map(str, refused)))


def new_study(
    study_id: Annotated[
        str, typer.Argument(metavar="ID", help="Name of the file: small letters, digits, - and _, as in smith2026.")
    ],
) -> None:
    """Write a study file to fill in: every field with its unit and the values it may take."""
    from pasimeta.pipeline.new_study import write_new_study
    from pasimeta.pipeline.project import find_project

    path = write_new_study(study_id, find_project().data / "studies")
    typer.echo(f"study: {path}\nfill it in, enter its documents in data/sources.yaml, then run: pasimeta check")


def check() -> None:
    """Read every data file and say what breaks the evidence model."""
    from pasimeta.evidence.store import load_evidence
    from pasimeta.pipeline.project import find_project

    evidence = load_evidence(find_project().data)
    typer.echo(
        f"{len(evidence.studies)} studies, {len(evidence.comparators)} comparator trials, "
        f"{len(evidence.benchmarks)} benchmarks, {len(evidence.sources)} sources: all in order"
    )


def audit(
    documents: Annotated[
        Path | None, typer.Option(help="Folder of stored documents: prove each figure at its locator.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="table (lines) or json.")] = Format.table,
) -> None:
    """Hold every figure of the data against its rules and its documents; exit status 1 if something is found."""
    import json

    from pasimeta.effects.patients import patient_findings
    from pasimeta.evidence.audit import audit_folder
    from pasimeta.pipeline.project import find_project

    if form is Format.csv:
        raise typer.BadParameter("an audit prints table or json", param_hint="--format")
    data = find_project().data
    report = audit_folder(data, documents)
    report = report.with_findings(patient_findings(data))
    typer.echo(json.dumps(report.to_dict(), indent=2, ensure_ascii=False) if form is Format.json else report.to_text())
    if not report.is_clean:
        raise typer.Exit(FINDINGS)
