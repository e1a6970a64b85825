"""Load the data folder: one file a study, every broken rule reported with file, line and field."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pasimeta.errors import EvidenceError
from pasimeta.evidence.context import Benchmark, Comparator, Search, Source
from pasimeta.evidence.facts import Cited
from pasimeta.evidence.study import Study

T = TypeVar("T")

BENCHMARKS = "benchmarks.yaml"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything in the data folder, by id, in order of id."""

    studies: dict[str, Study]
    comparators: dict[str, Comparator]
    benchmarks: dict[str, Benchmark]
    sources: dict[str, Source]
    search: Search


def load_evidence(directory: Path | str) -> Evidence:
    """Read and check the whole data folder.

    Parameters
    ----------
    directory : path
        Folder that holds ``studies/``, ``comparators/``, ``sources.yaml`` and ``search.yaml``.

    Returns
    -------
    Evidence

    Raises
    ------
    EvidenceError
        One line per broken rule: file, line, field, what is wrong.
    """
    root = Path(directory)
    if not (root / "studies").is_dir():
        raise EvidenceError(f"{root}: holds no folder 'studies'; give the data folder of a pasimeta project")
    problems: list[str] = []
    sources = _read(root / "sources.yaml", TypeAdapter(dict[str, Source]), problems)
    search = _read(root / "search.yaml", TypeAdapter(Search), problems)
    benchmarks = _read(root / "comparators" / BENCHMARKS, TypeAdapter(list[Benchmark]), problems)
    studies = _read_folder(root / "studies", Study, problems)
    comparators = _read_folder(root / "comparators", Comparator, problems, skip=BENCHMARKS)
    if sources is not None:
        for folder, models in (("studies", studies), ("comparators", comparators)):
            for name, model in models.items():
                problems += _unknown_sources(root / folder / f"{name}.yaml", model, sources)
        for benchmark in benchmarks or []:
            problems += _unknown_sources(root / "comparators" / BENCHMARKS, benchmark, sources)
        if search is not None:
            problems += _unknown_sources(root / "search.yaml", search, sources)
    if problems:
        raise EvidenceError("\n".join(problems))
    assert sources is not None
    assert search is not None
    assert benchmarks is not None
    return Evidence(studies, comparators, {b.id: b for b in benchmarks}, sources, search)


def load_study(path: Path | str) -> Study:
    """Read and check a single study file.

    Raises
    ------
    EvidenceError
        One line per broken rule: file, line, field, what is wrong.
    """
    problems: list[str] = []
    study = _read(Path(path), TypeAdapter(Study), problems)
    if study is None:
        raise EvidenceError("\n".join(problems))
    return study


def _read_folder(folder: Path, model: type[Any], problems: list[str], skip: str | None = None) -> dict[str, Any]:
    records = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name == skip:
            continue
        record = _read(path, TypeAdapter(model), problems)
        if record is None:
            continue
        if record.id != path.stem:
            problems.append(f"{path}: id: is '{record.id}', but the file is named '{path.stem}'; rename one of them")
        records[record.id] = record
    return records


def _read(path: Path, adapter: TypeAdapter[T], problems: list[str]) -> T | None:
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(f"{path}: is missing; restore it")
    except UnicodeDecodeError as error:
        problems.append(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8")
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problems.append(f"{path}:{line}: is not valid YAML: {error.problem}; mend the line")
    except (YAMLError, OSError) as error:
        problems.append(f"{path}: can't be read: {' '.join(str(error).split())}")
    else:
        try:
            return adapter.validate_python(content)
        except ValidationError as error:
            problems += [_explain(path, detail) for detail in error.errors(include_url=False)]
    return None


def _explain(path: Path, detail: Any) -> str:
    keys = [key for key in detail["loc"] if not _names_a_type(key)]
    field = ".".join(str(key) for key in keys) or "the file"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{path}:{_line_of(path, keys)}: {field}: {message[:1].lower()}{message[1:]}"


def _names_a_type(key: Any) -> bool:
    # pydantic puts the branch of a union into the location; the editor knows only the file's own keys
    return isinstance(key, str) and (key in {"int", "float", "str"} or "[" in key)


def _line_of(path: Path, keys: list[Any]) -> int:
    """Line of the deepest key that exists, counted from 1."""
    node: Any = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    line = 1
    for key in keys:
        try:
            line = (node.lc.key(key) if isinstance(key, str) else node.lc.item(key))[0] + 1
            node = node[key]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def _unknown_sources(path: Path, model: BaseModel, sources: dict[str, Source]) -> list[str]:
    named = {
        (where, name) for where, record in _records(model) if (name := getattr(record, "source", None)) is not None
    }
    named |= {("sources", name) for name in getattr(model, "sources", [])}
    return [
        f"{path}: {where or 'the file'}: source '{name}' is not in sources.yaml; add it there or mend the id"
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
