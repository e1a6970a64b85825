"""Commands that pool: anyone's table of studies, its subsets, and the project's evidence in every way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pasimeta.cli.printing import Format, csv_text, doubts_on_the_result


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

    with doubts_on_the_result():
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

    with doubts_on_the_result():
        yi, vi = table_effects(read_study_table(table), measure)
        fits = every_subset(yi, vi, method, subsets=subsets, seed=seed)
    typer.echo(gosh_text(fits, form.value))


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
    with doubts_on_the_result():
        result = every_specification(
            responses,
            studies_by_rule(evidence),
            thresholds=tuple(threshold or (50, 75)),
            cap=cap,
            seed=seed,
            scheduler=scheduler,
        )
    if form is Format.csv:
        typer.echo(csv_text(result.to_frame()))
    else:
        shares = result.shares()
        typer.echo(shares.to_json(orient="records", indent=2) if form is Format.json else shares.to_string(index=False))
