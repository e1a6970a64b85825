"""A study file to fill in, made from the evidence models: every field, its unit and the values it may take."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pasimeta.errors import EvidenceError
from pasimeta.evidence.study import Study
from pasimeta.pipeline.files import write_text

WIDTH = 104  # leaves room for the indentation
_CITATION = ("source", "locator", "confidence")
_TOLD_ABOVE = ("derived", "also", "note")
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_-]*")
_HEAD = """\
# {id}: a study to fill in. What a field takes stands beside it; `pasimeta check` names what is still to be filled.
#
# A field left empty must be filled. `null` may stay.
# A single value says where it stands, or is null with the reason:
#   enrolled: {{value: 17, source: {id}-abstract, locator: abstract, confidence: seen}}
#   enrolled: {{value: null, reason: Not given in any document seen}}
# Whatever has a source may also have
#   derived: how the value follows from what is printed, if it isn't printed itself
#   also: [{{source: {id}-registry, locator: line 12}}]  # further documents that agree
#   note: anything a reader should know
#
# source: id of the document in data/sources.yaml, where it is entered like this:
#   {id}-abstract: {{kind: abstract, title: Title, url: "https://doi.org/10.0000/example", accessed: 2026-01-31}}
# locator: where in it (line, page section, table or abstract)
# confidence: seen, if read in a document by the trial's authors or registry; restated, if in another work
#
# What is commented out is for studies that have it: take the first "# " from each line of it.
"""


def write_new_study(study_id: str, folder: Path) -> Path:
    """Write ``<study_id>.yaml``, to be filled in, and return its path.

    Raises
    ------
    EvidenceError
        If the id can't be one, or the file is there already.
    """
    if not _IDENTIFIER.fullmatch(study_id):
        raise EvidenceError(
            f"{study_id!r}: can't be a study's id; use small letters, digits, - and _, as in smith2026 or nct01234567"
        )
    path = folder / f"{study_id}.yaml"
    if path.exists():
        raise EvidenceError(f"{path}: exists already; give another id, or edit that file")
    write_text(path, new_study_yaml(study_id))
    return path


def new_study_yaml(study_id: str) -> str:
    """Return the text of a study file to fill in: all required fields empty, all others as comments."""
    schema = TypeAdapter(Study).json_schema()
    lines = _Fields(schema["$defs"]).of(schema)
    return "\n".join([_HEAD.format(id=study_id), f"id: {study_id}", *lines]) + "\n"


class _Fields:
    """Writes the fields of a model, given by its JSON schema, as YAML with comments."""

    def __init__(self, models: dict[str, Any]) -> None:
        self.models = models

    def of(self, model: dict[str, Any]) -> list[str]:
        lines: list[str] = []
        for name, details in _in_reading_order(model).items():
            needed = name in model.get("required", []) or name in _CITATION
            block = list(self.field(name, details, needed))
            lines += block if needed else _commented(block)
        return lines

    def field(self, name: str, details: dict[str, Any], needed: bool) -> Iterator[str]:
        kind, nullable = _kind(details)
        nullable = nullable and needed and name not in _CITATION
        model = self._model(kind)
        told = details.get("description")
        if name in _CITATION:
            yield f"{name}:"
        elif model is None:
            empty = " []" if kind.get("type") == "array" and not kind.get("minItems") else " null" if nullable else ""
            yield from _with_comment(f"{name}:{empty}", self._words(kind) + (" or null" if nullable else ""), told)
        elif model["title"].startswith("Fact["):
            value, _ = _kind(model["properties"]["value"])
            yield from _with_comment(f"{name}: {{value: null, reason: }}", self._words(value), told)
        elif kind.get("type") == "array":
            yield from self._entries(name, model, bool(kind.get("minItems")), needed)
        elif nullable:
            yield from _with_comment(f"{name}: null", _first_line(model), told)
            yield from _commented([f"{name}:", *_indented(self.of(model))])
        else:
            yield from _with_comment(f"{name}:", _first_line(model), told)
            yield from _indented(self.of(model))

    def _entries(self, name: str, model: dict[str, Any], at_least_one: bool, needed: bool) -> Iterator[str]:
        lines = _indented(self.of(model), 4)
        first = next(i for i, line in enumerate(lines) if not line.lstrip().startswith("#"))
        lines[first] = f"  - {lines[first].removeprefix('    ')}"
        if at_least_one or not needed:
            yield from [*_with_comment(f"{name}:", _first_line(model), None), *lines]
        else:
            yield from _with_comment(f"{name}: []", _first_line(model), None)
            yield from _commented([f"{name}:", *lines])

    def _model(self, kind: dict[str, Any]) -> dict[str, Any] | None:
        """Return the model a field holds, or a list of; None for plain values and for what is written like one."""
        target = kind.get("items", kind)
        model = self.models.get(target.get("$ref", "").removeprefix("#/$defs/"))
        return model if model is not None and "properties" in model and not _is_distribution(model) else None

    def _words(self, kind: dict[str, Any]) -> str:
        reference = self.models.get(kind.get("$ref", "").removeprefix("#/$defs/"))
        if reference is not None:
            return _words_of_model(reference)
        if "enum" in kind:
            return " | ".join(f'"{value}"' if value.isdigit() else value for value in kind["enum"])
        if kind.get("type") == "array":
            return f"list of {self._words(kind['items'])}"
        words = {"integer": "whole number", "number": "number", "string": "text"}[kind["type"]]
        if "minimum" in kind and "maximum" in kind:
            return f"{words} from {kind['minimum']:g} to {kind['maximum']:g}"
        return f"{words}, at most {kind['maximum']:g}" if "maximum" in kind else words


def _words_of_model(model: dict[str, Any]) -> str:
    if "anyOf" not in model:
        return f"as far as given, {{{', '.join(f'{name}: 0' for name in model['properties'])}}}"
    whole = model["anyOf"][0]["type"] == "integer"
    low, high = model["anyOf"][-1]["properties"]
    return f"{'whole number' if whole else 'number'}, or {{{low}: 0, {high}: 1}} where only bounded"


def _kind(details: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return what a field holds where it isn't null, and whether it may be null."""
    options = details.get("anyOf", [details])
    kinds = [option for option in options if option.get("type") != "null"]
    return kinds[0], len(kinds) < len(options)


def _is_distribution(model: dict[str, Any]) -> bool:
    return model.get("title") == "Summary"


def _in_reading_order(model: dict[str, Any]) -> dict[str, Any]:
    # in a schema the base class has its fields first; a reader wants the figure before its source
    fields = model["properties"]
    names = [name for name in fields if name not in (*_CITATION, *_TOLD_ABOVE)]
    if model["title"] == "Study":
        names.remove("id")
    return {name: fields[name] for name in (*names, *_CITATION) if name in fields}


def _first_line(model: dict[str, Any]) -> str:
    return str(model.get("description", "")).split("\n")[0].rstrip(".")


def _with_comment(entry: str, words: str, told: str | None) -> list[str]:
    comment = f"{words}; {_uncapitalized(told)}" if told else words
    if len(entry) + len(comment) <= WIDTH:
        return [f"{entry}  # {comment}"]
    return [*(f"# {line}" for line in textwrap.wrap(comment, WIDTH, break_on_hyphens=False)), entry]


def _uncapitalized(text: str) -> str:
    return text if text[1:2].isupper() else f"{text[:1].lower()}{text[1:]}"


def _commented(lines: list[str]) -> list[str]:
    return [f"# {line}" for line in lines]


def _indented(lines: list[str], by: int = 2) -> list[str]:
    return [" " * by + line for line in lines]
