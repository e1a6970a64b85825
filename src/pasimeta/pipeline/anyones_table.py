"""Analyse anyone's table of studies: read it, pool it, print the result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from pasimeta.errors import PasimetaError
from pasimeta.synthesis.results import PooledResult

Format = Literal["table", "json", "csv"]
SHAPES: dict[str, tuple[str, ...]] = {
    "rates": ("events", "n"),
    "two_arm": ("events1", "n1", "events2", "n2"),
    "effects": ("yi", "vi"),
}
EXACT = ("binomial_normal", "beta_binomial", "common")
TWO_ARM = ("mantel_haenszel", "peto")
MODELS = ("inverse_variance", *EXACT, *TWO_ARM)


@dataclass(frozen=True, slots=True)
class StudyTable:
    """Studies of a file: their names, and the columns of one of the ``SHAPES``."""

    path: Path
    shape: str
    studies: list[str]
    columns: dict[str, Any]


def read_study_table(path: Path) -> StudyTable:
    """Read a CSV file with the columns events, n; or events1, n1, events2, n2; or yi, vi; and, if it likes, study.

    Raises
    ------
    PasimetaError
        Naming the file, and the row and column that can't be.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise PasimetaError(f"{path}: can't be read as CSV: {' '.join(str(error).split())}") from None
    shape = _shape(path, [str(column) for column in table.columns])
    if table.empty:
        raise PasimetaError(f"{path}: holds no study; give a row for each")
    columns = {name: _numbers(path, name, table[name]) for name in SHAPES[shape]}
    studies = list(table["study"]) if "study" in table else [str(row) for row in range(1, len(table) + 1)]
    return StudyTable(path, shape, studies, columns)


def pool_table(
    table: StudyTable,
    *,
    measure: str | None = None,
    model: str | None = None,
    method: str = "REML",
    test: str = "adhoc",
    level: float = 0.95,
    prediction: str | None = None,
) -> PooledResult:
    """Pool a table under one model.

    Parameters
    ----------
    table : StudyTable
    measure : str, optional
        Effect measure; logit rates or log odds ratios by default.
    model : str, optional
        One of ``MODELS``. By default rates are pooled by the exact binomial-normal model unless a measure asks for
        inverse variance, and everything else by inverse variance.
    method, test, level, prediction
        As in :func:`pasimeta.synthesis.pool`.

    Raises
    ------
    PasimetaError
        If the table doesn't have what the model needs, or holds impossible numbers.
    """
    from pasimeta import synthesis

    chosen = model or ("binomial_normal" if table.shape == "rates" and measure is None else "inverse_variance")
    _check_model(table, chosen, measure)
    options: dict[str, Any] = {"method": method, "test": test, "level": level, "prediction": prediction}
    try:
        if chosen in EXACT:
            return synthesis.pool_binomial(**table.columns, model=chosen, level=level)
        if chosen == "mantel_haenszel":
            return synthesis.mantel_haenszel(**table.columns, measure=measure or "OR", level=level)
        if chosen == "peto":
            return synthesis.peto(**table.columns, level=level)
        if table.shape == "effects":
            return synthesis.pool(**table.columns, **options)
        default = "PLO" if table.shape == "rates" else "OR"
        return synthesis.pool_counts(measure or default, **table.columns, **options)
    except PasimetaError as error:
        raise PasimetaError(f"{table.path}: {error}") from None


def table_effects(table: StudyTable, measure: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the effect sizes and sampling variances of a table of any shape.

    Raises
    ------
    PasimetaError
        If the measure doesn't fit the table.
    """
    from pasimeta.effects import escalc

    if table.shape == "effects":
        _check_model(table, "inverse_variance", measure)
        return table.columns["yi"], table.columns["vi"]
    try:
        return escalc(measure or ("PLO" if table.shape == "rates" else "OR"), **table.columns)
    except PasimetaError as error:
        raise PasimetaError(f"{table.path}: {error}") from None


def result_text(result: PooledResult, form: Format) -> str:
    """Return a result as a table to read, as JSON, or as CSV."""
    frame = result.to_frame()
    if form == "csv":
        return frame.to_csv(index=False, lineterminator="\n").rstrip("\n")
    record = {name: _plain(value) for name, value in frame.iloc[0].items()}
    record["weights"] = None if result.weights is None else [float(w) for w in result.weights]
    record["warnings"] = list(result.warnings)
    if form == "json":
        # an infinite estimate (no events at all) has no JSON number; text keeps it
        return json.dumps({key: _json(value) for key, value in record.items()}, indent=2, allow_nan=False)
    doubts = record.pop("warnings")
    record["weights"] = None if result.weights is None else " ".join(f"{w:.3g}" for w in result.weights)
    width = max(map(len, record))
    lines = [f"{name:{width}}  {_read(value)}" for name, value in record.items() if value is not None]
    return "\n".join([*lines, *(f"doubt: {doubt}" for doubt in doubts)])


def gosh_text(subsets: pd.DataFrame, form: Format) -> str:
    """Return the subsets as CSV, or how their estimates, tau2 and I2 spread as a table or JSON."""
    if form == "csv":
        return subsets.to_csv(index=False, lineterminator="\n").rstrip("\n")
    spread = subsets[["estimate", "tau2", "i2"]].describe(percentiles=[0.05, 0.25, 0.5, 0.75, 0.95])
    spread = spread.rename(index={"count": "subsets"})
    return spread.to_json(indent=2, double_precision=12) if form == "json" else spread.to_string(float_format="%.6g")


def _shape(path: Path, columns: list[str]) -> str:
    matching = [shape for shape, names in SHAPES.items() if set(names) <= set(columns)]
    if len(matching) == 1:
        return matching[0]
    wanted = "; or ".join(", ".join(names) for names in SHAPES.values())
    if matching:
        raise PasimetaError(f"{path}: has the columns of {' and '.join(matching)}; keep one set: {wanted}")
    nearest = max(SHAPES.values(), key=lambda names: len(set(names) & set(columns)) / len(names))
    lacking = [name for name in nearest if name not in columns]
    raise PasimetaError(f"{path}: column {', '.join(lacking)} is missing; give the columns {wanted}")


def _numbers(path: Path, name: str, values: pd.Series) -> np.ndarray:
    numbers = []
    for row, text in enumerate(values, start=1):
        try:
            number = float(text)
        except ValueError:
            shown = repr(text) if text else "an empty cell"
            raise PasimetaError(
                f"{path}: {name}, row {row}: {shown} is not a number; give one, or drop the study"
            ) from None
        numbers.append(number)
    return np.array(numbers, dtype=float)


def _check_model(table: StudyTable, model: str, measure: str | None) -> None:
    if model not in MODELS:
        raise PasimetaError(f"model: {model!r} is unknown; choose one of {', '.join(MODELS)}")
    if model in EXACT and table.shape != "rates":
        raise PasimetaError(f"{table.path}: {model} needs the columns events, n")
    if model in TWO_ARM and table.shape != "two_arm":
        raise PasimetaError(f"{table.path}: {model} needs the columns events1, n1, events2, n2")
    if measure is not None and model in (*EXACT, "peto"):
        raise PasimetaError(f"measure: {model} has its own scale; leave --measure out, or drop --model {model}")
    if measure is not None and table.shape == "effects":
        raise PasimetaError(f"measure: {table.path} holds effect sizes already; leave --measure out")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str) or (isinstance(value, float) and np.isnan(value)):
        return None if not isinstance(value, str) else value
    return value.item() if isinstance(value, np.generic) else value


def _json(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _read(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
