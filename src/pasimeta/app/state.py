"""What the controls of the dashboard are set to: a URL, a parameters file, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Self
from urllib.parse import parse_qsl, quote

from pasimeta.errors import ParameterError
from pasimeta.pipeline.parameters import configuration, valid_parameters
from pasimeta.pipeline.sections import Parameters

#: Where each control stands in the parameters; the first place is read, all are written.
PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "threshold": (("pooling", "threshold"), ("dose_response", "threshold")),
    "product_classes": (("evidence", "product_classes"),),
    "designs": (("evidence", "designs"),),
    "min_analysed": (("evidence", "min_analysed"),),
    "imputation": (("common", "imputation"),),
    "timepoint": (("common", "timepoint"),),
    "unreported": (("pooling", "unreported"),),
    "model": (("pooling", "model"),),
    "measure": (("pooling", "measure"),),
    "method": (("pooling", "method"),),
    "test": (("pooling", "test"),),
    "tau_prior_scale": (("thresholds", "tau_prior_scale"),),
    "level": (("common", "level"),),
    "metric": (("dose_response", "metric"),),
    "what_if": (("evidence", "what_if"),),
}
LINK = "the link"
_MOST_FIELDS = 60
_INVENTED = "new"
_WHAT_IF = re.compile(r"([a-z0-9_-]{1,60}):(\d{1,3}):(\d{1,5}):(\d{1,5})", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,9}", re.ASCII)
_NUMBER = re.compile(r"\d{0,9}(\.\d{0,30})?(e-?\d{1,3})?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class WhatIf:
    """A hypothetical result: of a silent trial, or (``study`` is None) of an invented one.

    Attributes
    ----------
    study : str or None
    threshold : int
        PASI threshold its responders reached.
    events, n : int
        Responders and patients.
    """

    study: str | None
    threshold: int
    events: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One value a control, each checked by the model of the parameter it stands for.

    Made by :meth:`of` or :meth:`from_query`, never by hand: ``State`` itself checks nothing.
    """

    threshold: int
    product_classes: tuple[str, ...]
    designs: tuple[str, ...]
    min_analysed: int
    imputation: str
    timepoint: str
    unreported: str
    model: str
    measure: str
    method: str
    test: str
    tau_prior_scale: float
    level: float
    metric: str
    what_if: tuple[WhatIf, ...] = ()

    @classmethod
    def of(cls, parameters: Parameters) -> Self:
        """Return the state that parameters describe."""
        tree = parameters.model_dump()
        values = {name: _frozen(tree[places[0][0]][places[0][1]]) for name, places in PLACES.items()}
        return cls(**values)

    @classmethod
    def from_query(cls, query: str) -> Self:
        """Read a URL query string; what it leaves out has the package's default.

        Raises
        ------
        ParameterError
            For a name that is no control, a value that can't be read or isn't allowed, in one line.
        """
        try:
            given = parse_qsl(
                query.removeprefix("?"), keep_blank_values=True, strict_parsing=bool(query.strip("?")),
                max_num_fields=_MOST_FIELDS, errors="strict",
            )  # fmt: skip
        except (ValueError, UnicodeDecodeError):
            raise ParameterError(f"{LINK}: is not a query like threshold=75&level=0.9; mend it or start anew") from None
        values: dict[str, Any] = {}
        for name, text in given:
            if name not in PLACES:
                raise ParameterError(f"{LINK}: {name[:40]!r} is no control; choose from {', '.join(PLACES)}")
            if name == "what_if":
                values.setdefault(name, []).append(_what_if(text))
            elif name in values:
                raise ParameterError(f"{LINK}: {name} is given twice; give it once")
            else:
                values[name] = _read(name, text)
        return cls.of(valid_parameters(_tree(values), LINK))

    def to_query(self, *, complete: bool = False) -> str:
        """Return the query string: what differs from the package's defaults, and the threshold in any case.

        Parameters
        ----------
        complete : bool
            Every control, default or not.
        """
        default = default_state()
        pairs = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "what_if":
                pairs += [f"what_if={quote(what_if_text(each), safe=':')}" for each in value]
            elif complete or field.name == "threshold" or value != getattr(default, field.name):
                pairs.append(f"{field.name}={quote(_text(value), safe=',')}")
        return "&".join(pairs)

    def applied_to(self, base: Parameters) -> Parameters:
        """Return parameters that describe this state, and are those of ``base`` in everything no control sets.

        Raises
        ------
        ParameterError
            If a value isn't allowed.
        """
        tree = base.model_dump()
        for section, values in _tree({f.name: _thawed(getattr(self, f.name)) for f in fields(self)}).items():
            tree[section] |= values
        return valid_parameters(tree, "the dashboard")

    def to_yaml(self, base: Parameters) -> str:
        """Return the text of a parameters file that gives this state to ``pasimeta run --config``."""
        return configuration(self.applied_to(base))

    def at_threshold(self, threshold: int) -> Self:
        """The same choices at another threshold."""
        return replace(self, threshold=threshold)


@cache
def default_state() -> State:
    """The state of the package's default parameters."""
    return State.of(Parameters())


def _tree(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    tree: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        for section, key in PLACES[name]:
            tree.setdefault(section, {})[key] = value
    return tree


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(WhatIf(**each) if isinstance(each, dict) else each for each in value)
    return value


def _thawed(value: Any) -> Any:
    if isinstance(value, tuple):
        return [
            {"study": each.study, "threshold": each.threshold, "events": each.events, "n": each.n}
            if isinstance(each, WhatIf)
            else each
            for each in value
        ]
    return value


def _read(name: str, text: str) -> Any:
    """Read a value as the type its default has; a value is data, and is never evaluated."""
    default = getattr(default_state(), name)
    if isinstance(default, tuple):
        return text.split(",") if text else []
    if isinstance(default, str):
        return text
    pattern, kind, words = (_WHOLE, int, "whole number") if isinstance(default, int) else (_NUMBER, float, "number")
    if not pattern.fullmatch(text) or not any(character.isdigit() for character in text):
        raise ParameterError(f"{LINK}: {name}: {text[:40]!r} is no {words}")
    try:
        return kind(text)
    except ValueError:
        raise ParameterError(f"{LINK}: {name}: {text[:40]!r} is no {words}") from None


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return repr(value) if isinstance(value, float) else str(value)


def _what_if(text: str) -> dict[str, Any]:
    match = _WHAT_IF.fullmatch(text)
    if match is None:
        raise ParameterError(
            f"{LINK}: what_if: {text[:60]!r} is not STUDY:THRESHOLD:RESPONDERS:PATIENTS, such as new:50:12:30"
        )
    study, threshold, events, n = match.groups()
    return {
        "study": None if study == _INVENTED else study,
        "threshold": int(threshold),
        "events": int(events),
        "n": int(n),
    }


def what_if_text(each: WhatIf) -> str:
    """A hypothetical result as it stands in a link, STUDY:THRESHOLD:RESPONDERS:PATIENTS."""
    return f"{each.study or _INVENTED}:{each.threshold}:{each.events}:{each.n}"
