"""Two accounts of one trial become one: what agrees is cited twice, what differs is kept twice, as a conflict."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, MutableSequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from pasimeta.errors import EvidenceError

UNDECIDED = "The documents differ; which one to analyse is not decided yet"
NO_PLACE = "the study's file, which names no place for it"

_CITATION = ("source", "locator", "confidence")
_ABOUT = (*_CITATION, "derived", "also", "note")
_NOT_FIGURES = frozenset({*_ABOUT, "reason"})
# Names and words of ours: a draft that calls the trial otherwise doesn't contradict it.
_OURS = frozenset({"id", "label", "description", "status_reason", "reason", "why", "preferred", "week_reason", "text"})
_NOTES = frozenset({"note", "design_note", "derived", "definition", "drug"})
_UNIONS = frozenset({"registry_ids", "sources", "readings"})
_KEYS: dict[str, tuple[str, ...]] = {
    "outcomes": ("endpoint", "threshold", "week", "imputation", "subgroup", "definition"),
    "safety": ("event", "term", "unit", "week", "group"),
    "patients": ("id",),
    "findings": ("what", "week"),
    "planned_outcomes": ("measure", "threshold", "weeks", "role"),
    "conflicts": ("field",),
    "missing": ("item",),
    "also": ("source", "locator"),
}
_NUMBERED = re.compile(r"(?:arm|group)[-_]?\d+")
_DEFAULTS = {"imputation": "none", "intervention": "cells"}


def merged_yaml(first: str, second: str, names: tuple[str, str] = ("the first", "the second")) -> str:
    """Return two study files or drafts of one trial as one YAML text.

    The first keeps its order, comments and values, and takes over the second's comment lines. What only the second has
    is added; where both agree, the second's place is added under ``also``; where they differ, the first's value stays
    and both readings enter ``conflicts``, undecided.

    Parameters
    ----------
    first, second : str
        YAML of a study, drafts with nulls included.
    names : tuple of str
        What messages call them.

    Raises
    ------
    EvidenceError
        If either isn't a YAML mapping, or they don't tell of one trial.
    """
    trees = [_tree(text, name) for text, name in zip((first, second), names, strict=True)]
    _refuse_other_trial(trees[0], trees[1], names)
    merged = merged_study(trees[0], trees[1])
    stream = io.StringIO()
    _yaml().dump(merged, stream)
    return _with_remarks(stream.getvalue(), first, second)


def merged_all(drafts: Iterable[tuple[str, str]]) -> str:
    """Return several drafts of one trial as one, merged from left to right.

    Parameters
    ----------
    drafts : iterable of (name, text)

    Raises
    ------
    EvidenceError
        As :func:`merged_yaml`; or if there is no draft.
    """
    texts = list(drafts)
    if not texts:
        raise EvidenceError("no draft to merge; give at least one document")
    name, text = texts[0]
    for other, more in texts[1:]:
        text = merged_yaml(text, more, (name, other))
    return text


def merged_study(first: CommentedMap, second: CommentedMap) -> CommentedMap:
    """Return two study trees of one trial as one; see :func:`merged_yaml`."""
    result = copy.deepcopy(first)
    merger = _Merger((_default_place(first), _default_place(second)))
    merger.mapping("", result, second)
    if merger.conflicts:
        kept = result.get("conflicts")
        if not isinstance(kept, MutableSequence):
            kept = result["conflicts"] = CommentedSeq()
        elif isinstance(kept, CommentedSeq):
            kept.fa.set_block_style()
        for conflict in merger.conflicts:
            _add_conflict(kept, conflict)
    return result


def _with_remarks(merged: str, first: str, second: str) -> str:
    """Return the text with the second's comment lines added to its head: a draft keeps its problems there."""
    known = {line.strip() for line in first.split("\n")}
    remarks = [line.strip() for line in second.split("\n") if line.lstrip().startswith("#")]
    new = [remark for remark in dict.fromkeys(remarks) if remark not in known]
    lines = merged.split("\n")
    head = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "\n".join([*lines[:head], *new, *lines[head:]])


class _Merger:
    """Walks two trees side by side and keeps the conflicts it meets."""

    def __init__(self, places: tuple[dict[str, str], dict[str, str]]) -> None:
        self.places = places
        self.conflicts: list[CommentedMap] = []

    def mapping(self, path: str, first: MutableMapping[str, Any], second: MutableMapping[str, Any]) -> None:
        """Merge the second mapping into the first."""
        cited = any(key in first or key in second for key in _CITATION)
        filled, agreed = [], False
        for key, value in second.items():
            if value is None or value == [] or (cited and key in _ABOUT):
                continue
            mine = first.get(key)
            if mine is None or mine == []:
                first[key] = copy.deepcopy(value)
                filled.append(key)
            else:
                agreed |= self._both(_join(path, key), key, first, second)
        if cited:
            _cite(first, second, filled, agreed)
        if first.get("value") is not None or _complete_dose(first):
            first.pop("reason", None)

    def _both(self, path: str, key: str, first: MutableMapping[str, Any], second: MutableMapping[str, Any]) -> bool:
        """Merge a key that both have; return whether the two agree on it."""
        mine, theirs = first[key], second[key]
        if key in _OURS or (key == "status" and "unknown" in (mine, theirs)):
            if key == "status" and mine == "unknown":
                first[key] = theirs
            return False
        if isinstance(mine, MutableMapping) and isinstance(theirs, MutableMapping) and _range(mine) is None:
            self.mapping(path, mine, theirs)
            return False
        if key == "arms":
            self._records(path, mine, theirs, _matching_arms(mine, theirs))
            return False
        if key in _KEYS and isinstance(mine, MutableSequence):
            self._records(path, mine, theirs, _matching(mine, theirs, _KEYS[key]))
            return False
        if key in _UNIONS or (key == "problems" and isinstance(mine, MutableSequence)):
            mine.extend(copy.deepcopy(item) for item in theirs if item not in mine)
            return False
        if _same(mine, theirs):
            return True
        if key in _NOTES:
            first[key] = mine if _plain(theirs) in _plain(mine) else f"{mine}; {theirs}"
            return False
        self._conflict(path.removesuffix(".value"), mine, theirs, first, second)
        return False

    def _records(
        self, path: str, first: MutableSequence[Any], second: Iterable[Any], partner: Callable[[int, Any], int | None]
    ) -> None:
        for position, record in enumerate(second):
            match = partner(position, record)
            if match is None:
                first.append(copy.deepcopy(record))
            elif isinstance(record, MutableMapping):
                name = str(first[match].get("id") or _label(first[match]) or match)
                self.mapping(_join(path, name), first[match], record)

    def _conflict(self, path: str, mine: Any, theirs: Any, *around: MutableMapping[str, Any]) -> None:
        readings = CommentedSeq()
        for value, record, default in zip((mine, theirs), around, self.places, strict=True):
            place = record if all(record.get(key) for key in _CITATION) else default
            reading = CommentedMap(value=_reading(value), **{key: place[key] for key in _CITATION})
            reading.fa.set_flow_style()
            readings.append(reading)
        self.conflicts.append(CommentedMap(field=path, readings=readings, preferred=None, why=UNDECIDED))


def _cite(first: MutableMapping[str, Any], second: MutableMapping[str, Any], filled: list[str], agreed: bool) -> None:
    """Say that the second's document gives the figure too, and which part of it if not all."""
    if not all(second.get(key) for key in _CITATION) or not (filled or agreed):
        return
    if not all(first.get(key) for key in _CITATION):
        first.update({key: copy.deepcopy(second[key]) for key in _ABOUT if key in second})
        return
    if second["source"] == first["source"] and not filled:
        return
    told = [key for key in second if key not in _NOT_FIGURES and second[key] is not None]
    shared = [key for key in told if _same(second[key], first.get(key))]
    whole = [key for key in first if key not in _NOT_FIGURES and first[key] is not None]
    place = CommentedMap(source=second["source"], locator=second["locator"])
    if len(shared) < len(whole):
        place["part"] = _named(shared)
    if filled:
        # the first's own place doesn't give these: it must not seem to
        named = "; ".join(f"{key.replace('_', ' ')} {_reading(second[key])}" for key in filled)
        named += f": as in {second['source']}, {second['locator']}"
        first["derived"] = f"{first['derived']}; {named}" if first.get("derived") else named
    places = [(first["source"], first["locator"])]
    places += [(also.get("source"), also.get("locator")) for also in first.get("also") or []]
    for more in [place, *(second.get("also") or [])]:
        if (more["source"], more["locator"]) not in places:
            more = copy.deepcopy(more)
            if isinstance(more, CommentedMap):
                more.fa.set_flow_style()
            first.setdefault("also", CommentedSeq()).append(more)
            places.append((more["source"], more["locator"]))


def _named(keys: list[str]) -> str:
    return ", ".join(key.replace("_", " ") for key in keys)


def _add_conflict(kept: MutableSequence[Any], conflict: CommentedMap) -> None:
    """Add a conflict, or its new readings to the one that is kept of the same field."""
    for known in kept:
        if known.get("field") == conflict["field"]:
            for reading in conflict["readings"]:
                if not any(_same_reading(reading, other) for other in known["readings"]):
                    known["readings"].append(reading)
            return
    kept.append(conflict)


def _same_reading(one: MutableMapping[str, Any], other: MutableMapping[str, Any]) -> bool:
    return _same(one["value"], other["value"]) and all(one[key] == other[key] for key in ("source", "locator"))


def _matching(first: Any, second: Any, keys: tuple[str, ...]) -> Callable[[int, Any], int | None]:
    index = {_identity(record, keys): i for i, record in reversed(list(enumerate(first)))}
    return lambda _, record: index.get(_identity(record, keys))


def _matching_arms(first: list[Any], second: list[Any]) -> Callable[[int, Any], int | None]:
    """Match arms by label, else by a dose that no other arm has, else by id; two lone arms are one."""
    taken: dict[int, int] = {}
    views = (lambda arm: _plain(arm.get("label")), _dose_of, _id_of)
    for view in views:
        mine, theirs = [view(arm) for arm in first], [view(arm) for arm in second]
        for position, key in enumerate(theirs):
            unique = key is not None and mine.count(key) == theirs.count(key) == 1
            if position not in taken and unique and mine.index(key) not in taken.values():
                taken[position] = mine.index(key)
    if len(first) == len(second) == 1:
        taken[0] = 0
    return lambda position, _: taken.get(position)


def _dose_of(arm: MutableMapping[str, Any]) -> object:
    dose = arm.get("dose")
    amount = dose.get("cells_per_kg") if isinstance(dose, MutableMapping) else None
    return None if amount is None else str(_range(amount) or amount)


def _id_of(arm: MutableMapping[str, Any]) -> object:
    # a draft numbers its arms as they come: the same number is not the same arm
    name = arm.get("id")
    return None if name is None or _NUMBERED.fullmatch(name) else name


def _identity(record: Any, keys: tuple[str, ...]) -> str:
    if not isinstance(record, MutableMapping):
        return _plain(record)
    return "|".join(_plain(record.get(key, _DEFAULTS.get(key))) for key in keys)


def _same(mine: Any, theirs: Any) -> bool:
    ranges = _range(mine), _range(theirs)
    if None not in ranges:
        return ranges[0] == ranges[1]
    if isinstance(mine, MutableSequence) and isinstance(theirs, MutableSequence):
        return [_plain(item) for item in mine] == [_plain(item) for item in theirs]
    return _plain(mine) == _plain(theirs)


def _range(value: Any) -> tuple[float, float] | None:
    """Return a number or an interval as its two ends."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value), float(value)
    if isinstance(value, MutableMapping):
        for low, high in (("low", "high"), ("lower", "upper")):
            if set(value) == {low, high} and None not in value.values():
                return float(value[low]), float(value[high])
    return None


def _reading(value: Any) -> str | int | float:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return value
    ends = _range(value)
    if ends is not None:
        return f"{ends[0]:g} to {ends[1]:g}"
    if isinstance(value, MutableSequence):
        return ", ".join(str(_reading(item)) for item in value)
    if isinstance(value, MutableMapping):
        return "; ".join(f"{key} {_reading(item)}" for key, item in value.items() if item is not None)
    return str(value)


def _plain(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:.12g}"
    if isinstance(value, MutableMapping):
        return ",".join(f"{key}={_plain(item)}" for key, item in sorted(value.items()) if item is not None)
    if isinstance(value, MutableSequence):
        return ",".join(_plain(item) for item in value)
    return " ".join(str(value).replace("_", " ").casefold().split()).rstrip(".")


def _label(record: MutableMapping[str, Any]) -> str:
    words = [record.get(key) for key in ("endpoint", "measure", "event", "term", "threshold")]
    group = record.get("subgroup")
    words.append(group.get("level") if isinstance(group, MutableMapping) else None)
    return " ".join(str(word).replace("_", " ") for word in words if word is not None)


def _complete_dose(record: MutableMapping[str, Any]) -> bool:
    amounts = ("cells_per_kg", "cells_per_cm2", "total_cells")
    has_amount = any(record.get(key) is not None for key in amounts)
    return has_amount and record.get("infusions") is not None and record.get("weeks") is not None


def _default_place(study: MutableMapping[str, Any]) -> dict[str, str]:
    """Return where a value stands that has no place of its own."""
    sources = study.get("sources") or []
    return {"source": str(sources[0]) if sources else "draft", "locator": NO_PLACE, "confidence": "seen"}


def _refuse_other_trial(first: Any, second: Any, names: tuple[str, str]) -> None:
    ids = [{_plain(i) for i in tree.get("registry_ids") or []} | set(_names(tree)) for tree in (first, second)]
    if all(ids) and not ids[0] & ids[1]:
        told = [", ".join(tree.get("registry_ids") or _names(tree)) for tree in (first, second)]
        raise EvidenceError(
            f"{names[1]}: tells of {told[1]}, but {names[0]} of {told[0]}; merge documents of one trial only"
        )


def _names(tree: MutableMapping[str, Any]) -> Iterator[str] | list[str]:
    return [_plain(tree["id"])] if tree.get("id") else []


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(type(None), lambda r, _: r.represent_scalar("tag:yaml.org,2002:null", "null"))
    return yaml


def _tree(text: str, name: str) -> CommentedMap:
    try:
        tree = _yaml().load(text)
    except YAMLError as error:
        raise EvidenceError(f"{name}: is not valid YAML: {' '.join(str(error).split())[:200]}; mend it") from None
    if not isinstance(tree, CommentedMap):
        raise EvidenceError(f"{name}: is not a study; give a study file or a draft")
    return tree
