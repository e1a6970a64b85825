"""Commands about runs: make one, hold its results against their hashes, compare two, hand the graph to a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pasimeta.cli.printing import FINDINGS, Format, csv_text, print_refusal


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
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and run again after each change that is saved; Ctrl-C ends it.")
    ] = False,
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
    made = f"results: {results}" + ("" if no_site else f"\nsite:    {pages / 'index.html'}")
    reporter = Live if on_a_terminal() else Lines
    if watch:
        from pasimeta.pipeline.watch import Watch

        typer.echo(made)
        Watch(project, asked, settings, lambda: reporter(brief=True), typer.echo, print_refusal).forever()
    with reporter() as told:
        run_notebooks(project, asked, settings, told)
    typer.echo(made)


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
            Format.csv: lambda: csv_text(frame),
        }[form]()
    )
    if differences:
        raise typer.Exit(FINDINGS)


def snakemake(
    out: Annotated[
        Path | None, typer.Option(help="Folder of the Snakefile; workflow/ of the project by default.")
    ] = None,
) -> None:
    """Write a Snakefile of the same graph, one rule a notebook, for clusters."""
    from pasimeta.pipeline.project import find_project
    from pasimeta.pipeline.snakefile import write_snakefile

    typer.echo(f"workflow: {write_snakefile(out or find_project().root / 'workflow')}")
