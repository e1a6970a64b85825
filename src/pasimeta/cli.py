"""The command line: one clear line for whatever goes wrong, and an exit status a script can trust."""

from __future__ import annotations

import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pasimeta import __version__
from pasimeta.errors import PasimetaError, PasimetaWarning

FINDINGS, BAD_INPUT, INTERRUPTED = 1, 2, 130


class Format(StrEnum):
    """How a result is printed."""

    table = "table"
    json = "json"
    csv = "csv"


app = typer.Typer(
    name="pasimeta",
    help="A living meta-analysis of mesenchymal stromal cell therapy for plaque psoriasis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its import would take longer than everything else of --help
)


export = typer.Typer(help="Write the analysis in another tool's form.", no_args_is_help=True)
app.add_typer(export, name="export")


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"pasimeta {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass


@app.command()
def run(
    config: Annotated[
        Path | None, typer.Option(help="Parameters; the project's config/analysis.yaml by default.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="SECTION.KEY=VALUE", help="Override one parameter.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Run this notebook alone; may be repeated.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of results; results/ of the project by default.")] = None,
    site: Annotated[Path | None, typer.Option(help="Folder of the site; site/ beside the results by default.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks at once.")] = 2,
    force: Annotated[bool, typer.Option("--force", help="Run what hasn't changed, too.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds a cell may take.")] = 600,
    earlier: Annotated[
        list[Path] | None,
        typer.Option("--from", help="Folder of results to take what hasn't changed from; may be repeated."),
    ] = None,
    no_site: Annotated[bool, typer.Option("--no-site", help="Leave the site as it is.")] = False,
    scheduler: Annotated[
        str | None, typer.Option(help="Compute the heavy grids on this Dask scheduler, tcp://host:port.")
    ] = None,
) -> None:
    """Execute the notebooks that need it, and render the site."""
    from pasimeta.pipeline.configuration import Configuration
    from pasimeta.pipeline.progress import Lines, Live, on_a_terminal
    from pasimeta.pipeline.project import find_project
    from pasimeta.pipeline.runner import Settings
    from pasimeta.pipeline.runner import run as run_notebooks

    project = find_project()
    asked = Configuration(config or project.config, tuple(parameter or ()))
    results = (out or project.results).resolve()
    pages = (site or (results.parent / "site" if out else project.site)).resolve()
    sources = tuple(folder.resolve() for folder in earlier or ())
    settings = Settings(tuple(only or ()), results, pages, jobs, force, timeout, sources, not no_site, scheduler)
    with Live() if on_a_terminal() else Lines() as told:
        run_notebooks(project, asked, settings, told)
    typer.echo(f"results: {results}" + ("" if no_site else f"\nsite:    {pages / 'index.html'}"))


@app.command()
def verify(
    results: Annotated[
        Path | None, typer.Argument(help="Folder of results; results/ of the project by default.")
    ] = None,
) -> None:
    """Recompute the hashes of a run's results; exit status 1 if any differs."""
    from pasimeta.pipeline.project import find_project
    from pasimeta.pipeline.record import changed_results

    findings = changed_results(results or find_project().results)
    for finding in findings:
        typer.echo(finding)
    if findings:
        raise typer.Exit(FINDINGS)
    typer.echo("every result is what the run made")


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="Folder of results of the first run.")],
    after: Annotated[Path, typer.Argument(help="Folder of results of the second run.")],
    form: Annotated[Format, typer.Option("--format", help="Words (table), json or csv.")] = Format.table,
) -> None:
    """Say which conclusions, numbers, parameters and inputs differ between two runs; exit status 1 if any does."""
    from pasimeta.pipeline.compare import compare_runs, in_words, to_frame

    differences = compare_runs(before, after)
    frame = to_frame(differences)
    typer.echo(
        {
            Format.table: lambda: in_words(differences),
            Format.json: lambda: frame.to_json(orient="records", indent=2),
            Format.csv: lambda: frame.to_csv(index=False, lineterminator="\n").rstrip("\n"),
        }[form]()
    )
    if differences:
        raise typer.Exit(FINDINGS)


@app.command()
def pool(
    table: Annotated[
        Path,
        typer.Argument(help="CSV with events, n; or events1, n1, events2, n2; or yi, vi; and, if you like, study."),
    ],
    measure: Annotated[
        str | None, typer.Option(help="PR PLN PLO PAS PFT for rates; OR RR RD for two arms. Asks for inverse variance.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="inverse_variance, binomial_normal, beta_binomial, common, mantel_haenszel, peto."),
    ] = None,
    method: Annotated[str, typer.Option(help="tau2 estimator: EE DL HE HS SJ ML REML EB PM.")] = "REML",
    test: Annotated[str, typer.Option(help="z, t, knha, or adhoc (floored Knapp-Hartung).")] = "adhoc",
    level: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.95,
    prediction: Annotated[str | None, typer.Option(help="Prediction interval: HTS, V or bootstrap.")] = None,
    form: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.table,
    forest: Annotated[
        Path | None, typer.Option(help="Draw a forest plot too: NAME.svg, with NAME.png beside it.")
    ] = None,
    preset: Annotated[str, typer.Option(help="Its look: house, revman, bmj, jama or lancet.")] = "house",
    width: Annotated[float, typer.Option(help="Its width in mm: a page has 176, a column 85.")] = 176,
) -> None:
    """Pool anyone's table of studies."""
    from pasimeta.pipeline.anyones_table import pool_table, read_study_table, result_text

    with _doubts_on_the_result():
        studies = read_study_table(table)
        result = pool_table(
            studies,
            measure=measure,
            model=model,
            method=method,
            test=test,
            level=level,
            prediction=prediction,
        )
    typer.echo(result_text(result, form.value))
    if forest is not None:
        from pasimeta.figures.output import save
        from pasimeta.pipeline.anyones_forest import study_forest

        save(study_forest(studies, result, preset, width, forest.stem), forest.parent)


@app.command()
def gosh(
    table: Annotated[Path, typer.Argument(help="CSV with events, n; or events1, n1, events2, n2; or yi, vi.")],
    measure: Annotated[str | None, typer.Option(help="PR PLN PLO PAS PFT for rates; OR RR RD for two arms.")] = None,
    method: Annotated[str, typer.Option(help="tau2 estimator: EE DL HE HS SJ ML REML EB PM.")] = "REML",
    subsets: Annotated[int | None, typer.Option(help="Draw this many subsets instead of taking all.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    form: Annotated[
        Format, typer.Option("--format", help="Spread of the estimates (table, json), or every subset (csv).")
    ] = Format.table,
) -> None:
    """Pool every subset of anyone's table of studies."""
    from pasimeta.pipeline.anyones_table import gosh_text, read_study_table, table_effects
    from pasimeta.robustness import gosh as every_subset

    with _doubts_on_the_result():
        yi, vi = table_effects(read_study_table(table), measure)
        fits = every_subset(yi, vi, method, subsets=subsets, seed=seed)
    typer.echo(gosh_text(fits, form.value))


@app.command()
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


@app.command()
def multiverse(
    threshold: Annotated[
        list[int] | None, typer.Option(help="PASI threshold; may be repeated. 50 and 75 by default.")
    ] = None,
    cap: Annotated[int | None, typer.Option(min=1, help="Most specifications to fit; more are drawn from.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of that draw.")] = 0,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, tcp://host:port.")] = None,
    form: Annotated[
        Format, typer.Option("--format", help="Shares beyond the limits (table, json), or every specification (csv).")
    ] = Format.table,
) -> None:
    """Pool the project's evidence in every defensible way."""
    from pasimeta.evidence import tables
    from pasimeta.evidence.inclusion import InclusionRule, decide_all
    from pasimeta.evidence.store import load_evidence
    from pasimeta.pipeline.project import find_project
    from pasimeta.robustness import multiverse as every_specification
    from pasimeta.robustness import studies_by_rule

    evidence = load_evidence(find_project().data)
    responses = tables.responses(evidence, decide_all(evidence, InclusionRule()))
    with _doubts_on_the_result():
        result = every_specification(
            responses,
            studies_by_rule(evidence),
            thresholds=tuple(threshold or (50, 75)),
            cap=cap,
            seed=seed,
            scheduler=scheduler,
        )
    if form is Format.csv:
        typer.echo(result.to_frame().to_csv(index=False, lineterminator="\n").rstrip("\n"))
    else:
        shares = result.shares()
        typer.echo(shares.to_json(orient="records", indent=2) if form is Format.json else shares.to_string(index=False))


@app.command()
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


@app.command()
def dashboard(
    config: Annotated[
        Path | None, typer.Option(help="Parameters to start from; the project's config/analysis.yaml by default.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Where to listen; this machine alone (127.0.0.1) unless you say otherwise.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 5006,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Show the page in your browser.")] = True,
) -> None:
    """Change any choice in the browser, and see what it does to the answer."""
    from pasimeta.app.background import Background
    from pasimeta.app.basis import load_basis
    from pasimeta.app.server import LOOPBACK, is_loopback, serve
    from pasimeta.pipeline.project import find_project

    if address is not None and not is_loopback(address):
        typer.echo(f"pasimeta: warning: whoever reaches {address} can use the dashboard; it asks no password", err=True)
    project = find_project()
    typer.echo("reading the evidence ...")
    basis = load_basis(project, config)
    serve(
        basis,
        Background(),
        address=address or LOOPBACK,
        port=port,
        open_browser=open_browser,
        announce=lambda url: typer.echo(f"dashboard: {url}  (Ctrl-C ends it)"),
    )


@app.command()
def check() -> None:
    """Read every data file and say what breaks the evidence model."""
    from pasimeta.evidence.store import load_evidence
    from pasimeta.pipeline.project import find_project

    evidence = load_evidence(find_project().data)
    typer.echo(
        f"{len(evidence.studies)} studies, {len(evidence.comparators)} comparator trials, "
        f"{len(evidence.benchmarks)} benchmarks, {len(evidence.sources)} sources: all in order"
    )


@app.command()
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


@export.command()
def snakemake(
    out: Annotated[
        Path | None, typer.Option(help="Folder of the Snakefile; workflow/ of the project by default.")
    ] = None,
) -> None:
    """Write a Snakefile of the same graph, one rule a notebook, for clusters."""
    from pasimeta.pipeline.project import find_project
    from pasimeta.pipeline.snakefile import write_snakefile

    typer.echo(f"workflow: {write_snakefile(out or find_project().root / 'workflow')}")


@contextmanager
def _doubts_on_the_result() -> Iterator[None]:
    # they are printed with the result, where the reader looks
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasimetaWarning)
        yield


def main() -> None:
    """Run the command line; a refusal is one message and exit status 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what cancels a job on a cluster ends it tidily, too
    try:
        app()
    except PasimetaError as error:
        for line in str(error).splitlines():
            typer.echo(f"pasimeta: {line}", err=True)
        sys.exit(BAD_INPUT)
    except (KeyboardInterrupt, SystemExit) as end:  # typer turns the former into the latter, without a word
        if isinstance(end, SystemExit) and end.code != INTERRUPTED:
            raise
        sys.stdout.flush()  # of a line it may have come in the middle of
        typer.echo("pasimeta: interrupted; nothing is half-written", err=True)
        sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done: a late Ctrl-C must not print a traceback


if __name__ == "__main__":
    main()
