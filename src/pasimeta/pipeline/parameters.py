"""Every parameter of the analysis: its meaning, unit, default and allowed values, in one place.

``config/analysis.yaml`` is written from these models and read back through them, so neither can drift.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pasimeta.errors import ParameterError

Threshold = Annotated[int, Field(ge=1, le=100)]
Percent = Annotated[float, Field(ge=0, le=100)]


class Section(BaseModel):
    """Parameters of one notebook."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Common(Section):
    """What every notebook shares."""

    level: Annotated[float, Field(gt=0, lt=1, description="Level of every interval, a proportion.")] = 0.95
    imputation: Annotated[
        Literal["nonresponder", "completers", "one_year_completers"],
        Field(description="Denominator where a study offers several: everyone enrolled counts, or completers alone."),
    ] = "nonresponder"
    timepoint: Annotated[
        Literal["latest", "earliest"], Field(description="Which week, where a study reports several.")
    ] = "latest"


class EvidenceParameters(Section):
    """Notebook 01_evidence: which studies are analysed."""

    product_classes: Annotated[
        list[Literal["expanded_msc", "svf", "uncultured", "secretome", "exosome"]],
        Field(min_length=1, description="Eligible products. Only expanded_msc are cultured stromal cells."),
    ] = ["expanded_msc"]
    conditions: Annotated[
        list[Literal["plaque_psoriasis", "scalp_psoriasis", "healthy_volunteers"]],
        Field(min_length=1, description="Eligible conditions of the people treated."),
    ] = ["plaque_psoriasis"]
    designs: Annotated[
        list[Literal["single_arm", "randomized", "case_series", "case_report"]],
        Field(min_length=1, description="Eligible designs. Case reports are written because they succeeded."),
    ] = ["single_arm", "randomized"]
    min_analysed: Annotated[int, Field(ge=1, description="Smallest study, in patients analysed.")] = 1


class EffectSizesParameters(Section):
    """Notebook 02_effect_sizes: one study at a time."""

    interval: Annotated[
        Literal["clopper_pearson", "wilson", "agresti_coull", "jeffreys", "mid_p"],
        Field(description="Interval of a single study's response rate. Clopper-Pearson never covers too little."),
    ] = "clopper_pearson"
    measures: Annotated[
        list[Literal["PR", "PLN", "PLO", "PAS", "PFT"]],
        Field(min_length=1, description="Transformations of the rate shown beside the exact interval."),
    ] = ["PLO", "PAS", "PFT", "PR"]


class PoolingParameters(Section):
    """Notebook 03_pooling: PASI response across studies."""

    threshold: Annotated[Threshold, Field(description="PASI threshold of the main forest plot, in percent.")] = 50
    thresholds: Annotated[
        list[Threshold], Field(min_length=1, description="PASI thresholds of the table, in percent.")
    ] = [40, 50, 75, 90]
    unreported: Annotated[
        Literal["omit", "bound"],
        Field(description="A study silent on a threshold is left out, or bounded by the thresholds it reports."),
    ] = "omit"
    model: Annotated[
        Literal["binomial_normal", "beta_binomial", "common", "inverse_variance"],
        Field(description="The reference model. All but inverse_variance use the exact binomial likelihood."),
    ] = "binomial_normal"
    measure: Annotated[
        Literal["PR", "PLN", "PLO", "PAS", "PFT"], Field(description="Scale of the inverse-variance model.")
    ] = "PLO"
    method: Annotated[
        Literal["EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM"],
        Field(description="tau2 estimator of the inverse-variance model."),
    ] = "REML"
    test: Annotated[
        Literal["z", "t", "knha", "adhoc"],
        Field(description="Interval of the inverse-variance model; adhoc is Knapp-Hartung, floored."),
    ] = "adhoc"


class DoseResponseParameters(Section):
    """Notebook 04_dose_response: does more help more."""

    threshold: Annotated[Threshold, Field(description="PASI threshold, in percent.")] = 50
    metric: Annotated[
        Literal["per_infusion", "cumulative"], Field(description="Dose axis, million cells per kg body weight.")
    ] = "per_infusion"
    scale: Annotated[Literal["linear", "log"], Field(description="Dose axis.")] = "linear"


class SexSubgroupParameters(Section):
    """Notebook 05_sex_subgroup: women against men."""

    threshold: Annotated[Threshold, Field(description="PASI threshold, in percent.")] = 40


class SummaryParameters(Section):
    """Notebook 06_summary: the page for a reader in a hurry."""

    placebo_benchmark: Annotated[
        str, Field(pattern=r"^[a-z0-9_-]+$", description="Benchmark id of the placebo response, PASI75.")
    ] = "ambikaibalan2021-placebo-pasi75"
    methotrexate_benchmark: Annotated[
        str, Field(pattern=r"^[a-z0-9_-]+$", description="Benchmark id of the methotrexate response, PASI75.")
    ] = "west2016-methotrexate-pasi75"


class Parameters(Section):
    """The whole configuration: what all share, then one section a notebook."""

    common: Common = Common()
    evidence: EvidenceParameters = EvidenceParameters()
    effect_sizes: EffectSizesParameters = EffectSizesParameters()
    pooling: PoolingParameters = PoolingParameters()
    dose_response: DoseResponseParameters = DoseResponseParameters()
    sex_subgroup: SexSubgroupParameters = SexSubgroupParameters()
    summary: SummaryParameters = SummaryParameters()

    def of_notebook(self, section: str, common: Iterable[str]) -> dict[str, Any]:
        """Return what a notebook gets: the common parameters it names and its section's own, JSON-able."""
        shared = self.common.model_dump()
        return {**{name: shared[name] for name in common}, **getattr(self, section).model_dump()}


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
    try:
        return Parameters.model_validate(tree)
    except ValidationError as error:
        where = str(path) if path is not None else "parameters"
        details = error.errors(include_url=False)
        raise ParameterError("\n".join(_explain(detail, where, origin) for detail in details)) from None


def default_configuration() -> str:
    """Return the text of ``config/analysis.yaml``: every parameter with its meaning and allowed values."""
    lines = [
        "# Every parameter of the analysis: common to all, then a section for each notebook.",
        "# Change one here, or for one run: pasimeta run -p pooling.threshold=75",
        "# Written from src/pasimeta/pipeline/parameters.py by `make config`.",
    ]
    for name, section in Parameters():
        lines += ["", f"# {type(section).__doc__}", f"{name}:"]
        for key, field in type(section).model_fields.items():
            lines += [f"  # {field.description}", f"  # Allowed: {_allowed(field)}."]
            lines.append(f"  {key}: {_yaml(getattr(section, key))}")
    return "\n".join(lines) + "\n"


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


def _explain(detail: Any, where: str, origin: dict[str, str]) -> str:
    key = ".".join(str(part) for part in detail["loc"][:2])
    place = origin.get(key, where)
    if detail["type"] == "extra_forbidden":
        return f"{place}: {key}: is unknown; choose one of {', '.join(_siblings(detail['loc']))}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{place}: {key}: {message[:1].lower()}{message[1:]}, got {detail['input']!r}"


def _siblings(location: tuple[Any, ...]) -> list[str]:
    if len(location) == 1:
        return list(Parameters.model_fields)
    return list(type(getattr(Parameters(), str(location[0]))).model_fields)


def _allowed(field: FieldInfo) -> str:
    annotation = field.annotation
    if getattr(annotation, "__origin__", None) is list:
        return f"a list of {_allowed_values(get_args(annotation)[0], [])}"
    return _allowed_values(annotation, field.metadata)


def _allowed_values(annotation: Any, metadata: list[Any]) -> str:
    arguments = get_args(annotation)
    if arguments and all(isinstance(a, str) for a in arguments):
        return ", ".join(arguments)
    if arguments:  # Annotated
        return _allowed_values(arguments[0], list(getattr(arguments[1], "metadata", arguments[1:])))
    kind = {int: "a whole number", float: "a number", str: "text"}[annotation]
    bounds = {name: getattr(m, name) for m in metadata for name in ("ge", "gt", "le", "lt") if hasattr(m, name)}
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    limits = " and ".join(f"{words[name]} {value:g}" for name, value in bounds.items())
    return f"{kind} {limits}".strip()


def _yaml(value: Any) -> str:
    stream = io.StringIO()
    writer = YAML()
    writer.default_flow_style = True
    writer.dump([value], stream)
    return stream.getvalue().strip()[1:-1]


if __name__ == "__main__":
    print(default_configuration(), end="")
