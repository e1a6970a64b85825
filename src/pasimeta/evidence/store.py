"""Load the data folder: one file a study, every broken rule reported with file, line and field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pasimeta.errors import EvidenceError
from pasimeta.evidence.context import Benchmark, Comparator, Search, Source
from pasimeta.evidence.facts import Cited
from pasimeta.evidence.judgement import RiskOfBias
from pasimeta.evidence.study import Study

T = TypeVar("T")

BENCHMARKS = "benchmarks.yaml"


@dataclass(frozen=True, slots=True)
class Problem:
    """A broken rule, as ``file:line: field: what is wrong``."""

    file: Path
    message: str
    line: int | None = None
    field: str | None = None
    code: Literal["unreadable", "schema", "source_undefined"] = "schema"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything in the data folder, by id, in order of id."""

    studies: dict[str, Study]
    comparators: dict[str, Comparator]
    benchmarks: dict[str, Benchmark]
    sources: dict[str, Source]
    search: Search
    risk_of_bias: dict[str, RiskOfBias] = field(default_factory=dict)


def load_evidence(directory: Path | str) -> Evidence:
    """Read and check the whole data folder.

    Parameters
    ----------
    directory : path
        Folder that holds ``studies/``, ``comparators/``, ``sources.yaml``, ``search.yaml`` and, where studies have been
        judged, ``certainty/``.

    Returns
    -------
    Evidence

    Raises
    ------
    EvidenceError
        One line per broken rule: file, line, field, what is wrong.
    """
    evidence, problems = read_evidence(directory)
    if problems or evidence is None:
        raise EvidenceError("\n".join(map(str, problems)))
    return evidence


def read_evidence(directory: Path | str) -> tuple[Evidence | None, list[Problem]]:
    """Read the data folder as far as it can be read.

    Returns
    -------
    evidence : Evidence or None
        Every record that keeps the rules; None if sources, search or benchmarks break them.
    problems : list of Problem
        Every broken rule.

    Raises
    ------
    EvidenceError
        If the folder holds no studies at all.
    """
    root = Path(directory)
    if not (root / "studies").is_dir():
        raise EvidenceError(f"{root}: holds no folder 'studies'; give the data folder of a pasimeta project")
    problems: list[Problem] = []
    sources = _read(root / "sources.yaml", TypeAdapter(dict[str, Source]), problems)
    search = _read(root / "search.yaml", TypeAdapter(Search), problems)
    benchmarks = _read(root / "comparators" / BENCHMARKS, TypeAdapter(list[Benchmark]), problems)
    studies = _read_folder(root / "studies", Study, problems)
    comparators = _read_folder(root / "comparators", Comparator, problems, skip=BENCHMARKS)
    judged = _read_folder(root / "certainty", RiskOfBias, problems)
    problems += _judged_strangers(root / "certainty", judged, root / "studies")
    if sources is not None:
        for folder, models in (("studies", studies), ("comparators", comparators), ("certainty", judged)):
            for name, model in models.items():
                problems += _unknown_sources(root / folder / f"{name}.yaml", model, sources)
        for benchmark in benchmarks or []:
            problems += _unknown_sources(root / "comparators" / BENCHMARKS, benchmark, sources)
        if search is not None:
            problems += _unknown_sources(root / "search.yaml", search, sources)
    if sources is None or search is None or benchmarks is None:
        return None, problems
    return Evidence(studies, comparators, {b.id: b for b in benchmarks}, sources, search, judged), problems


def load_study(path: Path | str) -> Study:
    """Read and check a single study file.

    Raises
    ------
    EvidenceError
        One line per broken rule: file, line, field, what is wrong.
    """
    problems: list[Problem] = []
    study = _read(Path(path), TypeAdapter(Study), problems)
    if study is None:
        raise EvidenceError("\n".join(map(str, problems)))
    return study


def _read_folder(folder: Path, model: type[Any], problems: list[Problem], skip: str | None = None) -> dict[str, Any]:
    records = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name == skip:
            continue
        record = _read(path, TypeAdapter(model), problems)
        if record is None:
            continue
        if record.id != path.stem:
            message = f"is '{record.id}', but the file is named '{path.stem}'; rename one of them"
            problems.append(Problem(path, message, field="id"))
        records[record.id] = record
    return records


def _judged_strangers(folder: Path, judged: dict[str, RiskOfBias], studies: Path) -> list[Problem]:
    message = "no study has this id; mend it or add the study"
    return [
        Problem(folder / f"{name}.yaml", message, field="id")
        for name in judged
        if not (studies / f"{name}.yaml").exists()
    ]


def _read(path: Path, adapter: TypeAdapter[T], problems: list[Problem]) -> T | None:
    try:
        content = _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(Problem(path, "is missing; restore it", code="unreadable"))
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start}); save it as UTF-8"
        problems.append(Problem(path, problem, code="unreadable"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problems.append(Problem(path, f"is not valid YAML: {error.problem}; mend the line", line, code="unreadable"))
    except (YAMLError, OSError) as error:
        problems.append(Problem(path, f"can't be read: {' '.join(str(error).split())}", code="unreadable"))
    else:
        try:
            return adapter.validate_python(content)
        except ValidationError as error:
            problems += [_explain(path, detail) for detail in error.errors(include_url=False)]
    return None


@lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    # parsing is nearly all of the time that reading takes, and a notebook's kernel is forked from where it was done
    return YAML(typ="safe").load(text)


def _explain(path: Path, detail: Any) -> Problem:
    keys = [key for key in detail["loc"] if not _names_a_type(key)]
    field = ".".join(str(key) for key in keys) or "the file"
    message = detail["msg"].removeprefix("Value error, ")
    message = f"{'is empty; ' if detail['input'] is None else ''}{message[:1].lower()}{message[1:]}"
    return Problem(path, message, line_of(yaml_tree(path), keys), field)


def _names_a_type(key: Any) -> bool:
    # pydantic puts the branch of a union into the location; the editor knows only the file's own keys
    return isinstance(key, str) and (key in {"int", "float", "str"} or "[" in key)


def yaml_tree(path: Path) -> Any:
    """Return a file as a YAML tree that remembers lines and comments."""
    return YAML(typ="rt").load(path.read_text(encoding="utf-8"))


def line_of(tree: Any, keys: Sequence[Any]) -> int:
    """Return the line, counted from 1, of the deepest of nested keys that exists in a round-trip YAML tree."""
    node, line = tree, 1
    for key in keys:
        try:
            line = (node.lc.key(key) if isinstance(key, str) else node.lc.item(key))[0] + 1
            node = node[key]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def _unknown_sources(path: Path, model: BaseModel, sources: dict[str, Source]) -> list[Problem]:
    named = {
        (where, name) for where, record in _records(model) if (name := getattr(record, "source", None)) is not None
    }
    named |= {("sources", name) for name in getattr(model, "sources", [])}
    return [
        Problem(
            path,
            f"source '{name}' is not in sources.yaml; add it there or mend the id",
            field=where or "the file",
            code="source_undefined",
        )
        for where, name in sorted(named)
        if name not in sources
    ]


def cited_figures(model: BaseModel) -> list[tuple[str, Cited]]:
    """Return every cited figure inside a record with its dotted field path, in file order."""
    return [(where, record) for where, record in _records(model) if isinstance(record, Cited)]


def _records(model: BaseModel, prefix: str = "") -> list[tuple[str, BaseModel]]:
    found = [(prefix, model)]
    for name in type(model).model_fields:
        value = getattr(model, name)
        path = f"{prefix}.{name}" if prefix else name
        for position, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(item, BaseModel):
                found += _records(item, path if position is None else f"{path}.{position}")
    return found
