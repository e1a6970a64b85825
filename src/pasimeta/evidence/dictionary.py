"""The data dictionary and the JSON schemas for editors, generated from the evidence models."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from pasimeta.evidence.context import Benchmark, Comparator, Search, Source
from pasimeta.evidence.judgement import RiskOfBias
from pasimeta.evidence.study import Study

_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "study": TypeAdapter(Study),
    "comparator": TypeAdapter(Comparator),
    "benchmarks": TypeAdapter(list[Benchmark]),
    "sources": TypeAdapter(dict[str, Source]),
    "search": TypeAdapter(Search),
    "risk_of_bias": TypeAdapter(RiskOfBias),
}
_PREAMBLE = """# The data

Facts and figures in our own words, each with its source and where in it. `pasimeta check` holds every file to the
models below; `schema/` has them as JSON Schema, so that an editor can complete and check while you type.

| file | holds |
|---|---|
| `studies/<id>.yaml` | one study of a cell product in psoriasis, reported or not |
| `comparators/<id>.yaml` | one trial of another treatment, for context; never pooled with the cells |
| `comparators/benchmarks.yaml` | figures pooled by others |
| `sources.yaml` | every document a figure was read in |
| `search.yaml` | how records were found, and what was looked for in vain |
| `examples/` | fictional pages of our own, to try the readers on; no study |
| `certainty/<id>.yaml` | risk of bias of one study, judged from the documents seen |

Rules:

- A figure has a `source` (an id of `sources.yaml`), a `locator` (line, page section, table) and a `confidence`: `seen`
  in a document by the trial's authors or registry, or `restated` in another work.
- What follows from printed figures but isn't printed says how in `derived`.
- What isn't known is `null` with a reason, never a guess.
- A count is a number, or an interval `{lower: 6, upper: 8}` when the report only bounds it.
- A percentage that is printed goes into `printed_percent`, in quotes, digit for digit. `pasimeta audit` holds the count
  against it, sums and orders against each other, and, with `--documents`, each figure against its line.
- Conflicting figures are both kept under `conflicts`; `preferred` names the analysed one, `why` says why.
- A study that isn't analysed stays, with what is known of it. Whether a study is analysed is decided by the rule in
  `config/analysis.yaml`, not by its file.

This page is generated from `src/pasimeta/evidence/` by `make generated`.
"""


def json_schemas() -> dict[str, str]:
    """Return the JSON schema of each kind of data file, by name, as text."""
    return {
        name: json.dumps(adapter.json_schema(), indent=2, ensure_ascii=False) + "\n"
        for name, adapter in _ADAPTERS.items()
    }


def data_dictionary() -> str:
    """Return the text of ``data/README.md``: every model and field with type, need and meaning."""
    schemas: dict[str, Any] = {}
    for adapter in _ADAPTERS.values():
        schema = adapter.json_schema()
        schemas |= schema.get("$defs", {})
        if "title" in schema and schema.get("type") == "object" and "properties" in schema:
            schemas[schema["title"]] = schema
    sections = [_section(name, schema) for name, schema in sorted(schemas.items()) if _fields(schema)]
    return "\n".join([_PREAMBLE, *sections]).rstrip("\n") + "\n"


def _section(name: str, schema: dict[str, Any]) -> str:
    required = _required(schema)
    lines = [f"## {name}", "", _first_line(schema), "", "| field | type | required | meaning |", "|---|---|---|---|"]
    for field, details in _fields(schema).items():
        need = "yes" if field in required else ""
        lines.append(f"| `{field}` | {_type(details)} | {need} | {details.get('description', '')} |")
    return "\n".join([*lines, ""])


def _fields(schema: dict[str, Any]) -> dict[str, Any]:
    return _object(schema).get("properties", {})


def _required(schema: dict[str, Any]) -> list[str]:
    return _object(schema).get("required", [])


def _object(schema: dict[str, Any]) -> dict[str, Any]:
    # a count or range may also be written as one number: its object is the last alternative
    return schema["anyOf"][-1] if "anyOf" in schema else schema


def _first_line(schema: dict[str, Any]) -> str:
    return _object(schema).get("description", "").split("\n")[0]


def _type(details: dict[str, Any]) -> str:
    if "$ref" in details:
        name = details["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower().replace('[', '').replace(']', '')})"
    if "enum" in details:
        return ", ".join(f"`{value}`" for value in details["enum"])
    if "const" in details:
        return f"`{details['const']}`"
    if "anyOf" in details:
        return " or ".join(dict.fromkeys(_type(option) for option in details["anyOf"]))
    if details.get("type") == "array":
        return f"list of {_type(details['items'])}"
    if "additionalProperties" in details and isinstance(details["additionalProperties"], dict):
        return f"mapping to {_type(details['additionalProperties'])}"
    return str(details.get("type", "any"))
