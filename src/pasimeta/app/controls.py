"""The controls: name, label, help and options, the same for the browser and for JupyterLab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from pasimeta.app.state import PLACES
from pasimeta.pipeline.sections import Parameters
from pasimeta.report.words import SPACE

Kind = Literal["choice", "several", "whole"]


@dataclass(frozen=True, slots=True)
class Control:
    """One control.

    Attributes
    ----------
    name : str
        Field of :class:`.state.State`.
    group : str
        Heading it stands under.
    label : str
        Its accessible name.
    kind : str
        One of a list, several of a list, or a whole number from 1.
    options : tuple of (value, words)
        Of a list; a value beyond it that a link brings is added.
    """

    name: str
    group: str
    label: str
    kind: Kind
    options: tuple[tuple[Any, str], ...] = ()

    @property
    def help(self) -> str:
        """The parameter's own description."""
        section, key = PLACES[self.name][0]
        return str(type(getattr(Parameters(), section)).model_fields[key].description)


_WORDS = {
    "expanded_msc": "Culture-expanded MSC",
    "svf": "Stromal vascular fraction",
    "uncultured": "Uncultured cells",
    "secretome": "Secretome",
    "exosome": "Exosomes",
    "single_arm": "Single-arm trials",
    "randomized": "Randomized trials",
    "case_series": "Case series",
    "case_report": "Case reports",
    "nonresponder": "Everyone enrolled",
    "completers": "Completers alone",
    "one_year_completers": "One-year completers",
    "latest": "Latest week",
    "earliest": "Earliest week",
    "omit": "Left out",
    "bound": "Bounded by its other thresholds",
    "binomial_normal": "Binomial-normal (exact)",
    "beta_binomial": "Beta-binomial (exact)",
    "common": "One common rate (exact)",
    "inverse_variance": "Inverse variance",
    "PLO": "Logit (PLO)",
    "PAS": "Arcsine (PAS)",
    "PFT": "Freeman-Tukey (PFT)",
    "PLN": "Log (PLN)",
    "PR": "Raw proportion (PR)",
    "EE": "None: equal effects (EE)",
    "z": "Normal (z)",
    "t": "Student's t",
    "knha": "Knapp-Hartung",
    "adhoc": "Knapp-Hartung, floored",
    "per_infusion": "Per infusion",
    "cumulative": "Over the course",
}


def _allowed(name: str) -> tuple[tuple[Any, str], ...]:
    """Every value that the parameter's model allows."""
    section, key = PLACES[name][0]
    annotation = type(getattr(Parameters(), section)).model_fields[key].annotation
    arguments = get_args(annotation)
    values = get_args(arguments[0]) if not isinstance(arguments[0], str) else arguments
    return tuple((value, _WORDS.get(value, value)) for value in values)


def _percents(values: tuple[float, ...]) -> tuple[tuple[Any, str], ...]:
    return tuple((value, f"{100 * value:g}{SPACE}%") for value in values)


CONTROLS = (
    Control("threshold", "Question", "PASI threshold", "choice", tuple((t, f"PASI{t}") for t in (40, 50, 75, 90, 100))),
    Control("level", "Question", "Level of intervals", "choice", _percents((0.8, 0.9, 0.95, 0.99))),
    Control("metric", "Question", "Dose", "choice", _allowed("metric")),
    Control("product_classes", "Which studies", "Products", "several", _allowed("product_classes")),
    Control("designs", "Which studies", "Designs", "several", _allowed("designs")),
    Control("min_analysed", "Which studies", "Fewest patients analysed", "whole"),
    Control("imputation", "Which counts", "Denominator", "choice", _allowed("imputation")),
    Control("timepoint", "Which counts", "Week", "choice", _allowed("timepoint")),
    Control("unreported", "Which counts", "A study silent on the threshold", "choice", _allowed("unreported")),
    Control("model", "How to pool", "Model", "choice", _allowed("model")),
    Control("measure", "Inverse variance only", "Scale", "choice", _allowed("measure")),
    Control("method", "Inverse variance only", "tau² estimator", "choice", _allowed("method")),
    Control("test", "Inverse variance only", "Interval", "choice", _allowed("test")),
    Control(
        "tau_prior_scale",
        "Response curve",
        "Prior of tau, half-normal scale",
        "choice",
        tuple((scale, f"{scale:g}") for scale in (0.1, 0.25, 0.5, 1.0, 2.0)),
    ),
)
GROUPS = tuple(dict.fromkeys(control.group for control in CONTROLS))


def options(control: Control, value: Any) -> tuple[tuple[Any, str], ...]:
    """A choice's options, the present value among them."""
    if control.kind != "choice" or value in dict(control.options):
        return control.options
    return (*control.options, (value, _words(control, value)))


def shown(control: Control, value: Any) -> str:
    """Return a value in words."""
    named = dict(control.options)
    values = value if isinstance(value, tuple) else (value,)
    return ", ".join(named.get(each) or _words(control, each) for each in values)


def _words(control: Control, value: Any) -> str:
    if control.name == "level":
        return f"{100 * value:g}{SPACE}%"
    return f"PASI{value}" if control.name == "threshold" else f"{value:g}" if isinstance(value, float) else str(value)
