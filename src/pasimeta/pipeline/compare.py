"""Say which conclusions, numbers, parameters and inputs differ between two runs."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from pathlib import Path

import pandas as pd

from pasimeta.errors import PasimetaError
from pasimeta.pipeline.record import FILE, RunRecord, read_record

KINDS = ("notebook", "parameter", "input", "code", "version", "conclusion", "number")
_SHOWN = 8  # files and modules said in words
_IDENTIFYING = (
    "study",
    "label",
    "threshold",
    "model",
    "arm",
    "key",
    "stage",
    "id",
    "trial",
    "measure",
    "group",
    "week",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: its kind (of ``KINDS``), where it stands, and how it read before and after."""

    kind: str
    where: str
    before: str
    after: str


def compare_runs(before: Path, after: Path) -> list[Difference]:
    """Compare two folders of results.

    Parameters
    ----------
    before, after : path
        Folders that ``pasimeta run`` has written.

    Returns
    -------
    list of Difference
        Notebooks that one run lacks first, then parameters, inputs, code, versions of Python and packages, conclusions
        (the sentences of the summary) and numbers (cells of tables).

    Raises
    ------
    PasimetaError
        If a folder has no record of a run.
    """
    records = [_record(folder) for folder in (before, after)]
    found = [*_notebooks(*records), *_parameters(*records)]
    for kind, part in (("input", "inputs"), ("code", "code")):
        found += _hashes(kind, *(_gathered(record, part) for record in records))
    found += _versions(*records)
    for name in sorted({path.name for folder in (before, after) for path in (folder / "tables").glob("*.csv")}):
        tables = [_table(folder / "tables" / name) for folder in (before, after)]
        found += _cells("conclusion" if name == "summary.csv" else "number", name, *tables)
    return found


def to_frame(differences: list[Difference]) -> pd.DataFrame:
    """One row a difference."""
    return pd.DataFrame([astuple(d) for d in differences], columns=[f.name for f in fields(Difference)])


def in_words(differences: list[Difference]) -> str:
    """Say what differs, a line each; long texts get lines of their own."""
    if not differences:
        return "the two runs agree in every parameter, input, version, conclusion and number"
    lines = []
    for kind in KINDS:
        of_kind = [d for d in differences if d.kind == kind]
        if of_kind:
            lines.append(f"{len(of_kind)} {kind}{'s' if len(of_kind) > 1 and kind != 'code' else ''}:")
            shown = of_kind[:_SHOWN] if kind in ("input", "code") else of_kind
            lines += [_sentence(d) for d in shown]
            if len(shown) < len(of_kind):
                lines.append(f"  ... and {len(of_kind) - len(shown)} more; --format csv lists them")
    return "\n".join(lines)


def what_follows(differences: list[Difference]) -> str:
    """Say what a change did: parameters and inputs, every conclusion in full, and how many numbers, by table."""
    told = [d for d in differences if d.kind in ("parameter", "input", "conclusion")]
    lines = [in_words(told)] if told else []
    if not any(d.kind == "conclusion" for d in told):
        lines.append("no conclusion has changed")
    tables = [d.where.split(" ")[0] for d in differences if d.kind == "number"]
    counts = ", ".join(f"{name} ({tables.count(name)})" for name in dict.fromkeys(tables))
    lines.append(f"numbers that have changed, by table: {counts}" if tables else "no number has changed")
    return "\n".join(lines)


def _sentence(difference: Difference) -> str:
    d = difference
    if d.kind in ("input", "code"):
        return f"  {d.where}: {d.after}"
    if max(len(d.before), len(d.after)) > 60:
        return f"  {d.where}\n    before: {_one_line(d.before)}\n    after:  {_one_line(d.after)}"
    return f"  {d.where}: {d.before} -> {d.after}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _record(folder: Path) -> RunRecord:
    record = read_record(folder)
    if not record.notebooks:
        raise PasimetaError(f"{folder}: has no {FILE}; give a folder that `pasimeta run` has written")
    return record


def _notebooks(before: RunRecord, after: RunRecord) -> list[Difference]:
    old, new = before.notebooks, after.notebooks
    return [
        Difference("notebook", name, "run" if name in old else "absent", "run" if name in new else "absent")
        for name in sorted(old.keys() ^ new.keys())
    ]


def _parameters(before: RunRecord, after: RunRecord) -> list[Difference]:
    old, new = (
        {f"{section}.{key}": value for section, keys in record.parameters.items() for key, value in keys.items()}
        for record in (before, after)
    )
    return [
        Difference("parameter", key, str(old.get(key, "absent")), str(new.get(key, "absent")))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def _versions(before: RunRecord, after: RunRecord) -> list[Difference]:
    old, new = before.environment, after.environment
    return [
        Difference("version", name, old.get(name, "absent"), new.get(name, "absent"))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _gathered(record: RunRecord, part: str) -> dict[str, str]:
    gathered: dict[str, str] = {}
    for notebook in record.notebooks.values():
        gathered |= {
            name: h for name, h in notebook.fingerprint.get(part, {}).items() if not name.startswith("tables/")
        }
    return gathered


def _hashes(kind: str, old: dict[str, str], new: dict[str, str]) -> list[Difference]:
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    words = {(True, False): "removed", (False, True): "added", (True, True): "changed"}
    return [
        Difference(kind, name, old.get(name, "")[:12], words[name in old, name in new] + f" ({new.get(name, '')[:12]})")
        for name in changed
    ]


def _table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else pd.DataFrame()


def _cells(kind: str, name: str, old: pd.DataFrame, new: pd.DataFrame) -> list[Difference]:
    old_rows, new_rows = _by_identity(old), _by_identity(new)
    found = []
    for identity in [*old_rows, *(row for row in new_rows if row not in old_rows)]:
        before, after = old_rows.get(identity), new_rows.get(identity)
        where = f"{name.removesuffix('.csv')} [{identity}]" if identity else name.removesuffix(".csv")
        if before is None or after is None:
            found.append(
                Difference(kind, where, "absent" if before is None else "row", "absent" if after is None else "row")
            )
            continue
        for column in [*before, *(c for c in after if c not in before)]:
            values = before.get(column, "absent"), after.get(column, "absent")
            if values[0] != values[1]:
                found.append(Difference(kind, f"{where} {column}", *values))
    return found


def _by_identity(table: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Rows by what identifies them; the same identity twice is told apart by a running number."""
    names = [column for column in table.columns if column in _IDENTIFYING]
    rows: dict[str, dict[str, str]] = {}
    for position, row in enumerate(table.to_dict("records")):
        identity = " ".join(str(row[name]) for name in names if row[name]) if names else str(position + 1)
        while identity in rows:
            identity += "'"
        rows[identity] = {str(column): value for column, value in row.items() if column not in names}
    return rows
