"""Read parameters from a file and from the command line, and write the default configuration.

``config/analysis.yaml`` is written from the models of :mod:`pasimeta.pipeline.sections` and read back through them, so
neither can drift.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pasimeta.errors import ParameterError
from pasimeta.pipeline.sections import Parameters, Section, WhatIfTrial


def load_parameters(path: Path | str | None = None, overrides: list[str] | None = None) -> Parameters:
    """Read a configuration file and apply ``section.key=value`` overrides.

    Parameters
    ----------
    path : path, optional
        A YAML file shaped like ``config/analysis.yaml``; what it leaves out keeps its default.
    overrides : list of str, optional
        Values are read as YAML, so ``evidence.designs=[single_arm,case_series]`` is a list.

    Returns
    -------
    parameters : Parameters
        Valid, and complete: every parameter has a value.

    Raises
    ------
    ParameterError
        Naming the file or override, the key, and what is allowed.
    """
    tree = {} if path is None else _read_file(Path(path))
    origin: dict[str, str] = {}
    for override in overrides or []:
        key, value = _parse_override(override)
        section, name = key
        if not isinstance(tree.setdefault(section, {}), dict):
            raise ParameterError(f"{path}: {section}: is not a section; give keys and values below it")
        tree[section][name] = value
        origin[f"{section}.{name}"] = origin[section] = f"-p {override}"
    return valid_parameters(tree, str(path) if path is not None else "parameters", origin)


def valid_parameters(tree: dict[str, Any], where: str, origin: Mapping[str, str] | None = None) -> Parameters:
    """Hold sections and keys against the models.

    Parameters
    ----------
    tree : dict
        Values by section and key; what it leaves out keeps its default.
    where : str
        Where they come from, for the message.
    origin : mapping, optional
        Where single keys (``section.key``) come from, if from elsewhere.

    Raises
    ------
    ParameterError
        Naming the place, the key, and what is allowed.
    """
    try:
        return Parameters.model_validate(tree)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise ParameterError("\n".join(_explain(detail, where, origin or {}) for detail in details)) from None


def configuration(parameters: Parameters) -> str:
    """Return a configuration file: every parameter with its meaning, its allowed values and its value."""
    lines = [
        "# Every parameter of the analysis: common to all, then a section for each notebook.",
        "# Change one here, or for one run: pasimeta run -p pooling.threshold=75",
        "# Written from src/pasimeta/pipeline/sections.py by `make config`.",
    ]
    for name, section in parameters:
        values = section.model_dump()
        lines += ["", f"# {type(section).__doc__}", f"{name}:"]
        for key, field in type(section).model_fields.items():
            lines += [f"  # {field.description}", f"  # Allowed: {_allowed(field)}."]
            lines.append(f"  {key}: {_yaml(values[key])}")
    return "\n".join(lines) + "\n"


def default_configuration() -> str:
    """Return the text of ``config/analysis.yaml``."""
    return configuration(Parameters())


def _read_file(path: Path) -> dict[str, Any]:
    try:
        tree = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise ParameterError(f"{path}: can't be read: {' '.join(str(error).split())}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ParameterError(f"{path}: holds no sections; see config/analysis.yaml for its shape")
    return {name: ({} if section is None else section) for name, section in tree.items()}


def _parse_override(override: str) -> tuple[tuple[str, str], Any]:
    key, equals, text = override.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (equals and dot and section and name):
        raise ParameterError(f"-p {override}: is not section.key=value, such as pooling.threshold=75")
    try:
        return (section, name), YAML(typ="safe").load(text)
    except YAMLError:
        raise ParameterError(f"-p {override}: the value is not valid YAML; quote it") from None


def _explain(detail: Any, where: str, origin: Mapping[str, str]) -> str:
    key = ".".join(str(part) for part in detail["loc"][:2])
    place = origin.get(key, where)
    key = ".".join([key, *(str(part) for part in detail["loc"][2:] if isinstance(part, str))])
    if detail["type"] == "extra_forbidden":
        return f"{place}: {key}: is unknown; choose one of {', '.join(_siblings(detail['loc']))}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{place}: {key}: {message[:1].lower()}{message[1:]}, got {detail['input']!r}"


def _siblings(location: tuple[Any, ...]) -> list[str]:
    if len(location) == 1:
        return list(Parameters.model_fields)
    if len(location) > 2:
        return list(WhatIfTrial.model_fields)
    return list(type(getattr(Parameters(), str(location[0]))).model_fields)


def _allowed(field: FieldInfo) -> str:
    annotation = field.annotation
    if getattr(annotation, "__origin__", None) is list:
        return f"a list of {_allowed_values(get_args(annotation)[0], [])}"
    return _allowed_values(annotation, field.metadata)


def _allowed_values(annotation: Any, metadata: list[Any]) -> str:
    arguments = get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        fields = (f"{name} ({_allowed(field)})" for name, field in annotation.model_fields.items())
        return "{" + ", ".join(fields) + "}"
    if type(None) in arguments:
        return f"{_allowed_values(arguments[0], metadata)}, or null"
    if arguments and all(isinstance(a, str) for a in arguments):
        return ", ".join(arguments)
    if arguments:  # Annotated
        return _allowed_values(arguments[0], list(getattr(arguments[1], "metadata", arguments[1:])))
    kind = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[annotation]
    bounds = {name: getattr(m, name) for m in metadata for name in ("ge", "gt", "le", "lt") if hasattr(m, name)}
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    limits = " and ".join(f"{words[name]} {value:g}" for name, value in bounds.items())
    return f"{kind} {limits}".strip()


def _yaml(value: Any) -> str:
    stream = io.StringIO()
    writer = YAML()
    writer.default_flow_style = True
    writer.width = 10_000  # one line a value
    writer.dump([value], stream)
    return stream.getvalue().strip()[1:-1]


if __name__ == "__main__":
    print(default_configuration(), end="")
