"""The arms of a study: the page's list of groups, joined with the regimens that its prose tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice

from pasimeta.evidence.readers.drugs import co_treatments
from pasimeta.evidence.readers.layout import BULLETS, Page, Section
from pasimeta.evidence.readers.quantities import amounts
from pasimeta.evidence.readers.regimens import (
    MOST_REGIMENS,
    Regimen,
    counted_patients,
    regimens,
    scheduled,
    shared_course,
)
from pasimeta.evidence.readers.result import ArmDraft, Bounds, DoseDraft
from pasimeta.evidence.readers.sentences import sentences
from pasimeta.evidence.readers.source import Source, Text
from pasimeta.evidence.readers.tokens import Token, tokens

_HEADER = re.compile(
    r"(?:participant\s*)?(?:group|arm)s?\W*(?:/\W*arm\W*)?interventions?\W*(?:/\W*treatment\W*)?(?:description)?",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"(?:experimental|active comparator|placebo comparator|sham comparator|no intervention|other|"
    r"(?:study |treatment )?arm\s+\w{1,3}|(?:dose )?(?:group|cohort)\s+\w{1,3}|"
    r"(?:intervention|control|treatment|test)\s+group(?:\s+\d)?)\s*[:：.–-]\s*",
    re.IGNORECASE,
)
_COMPARISON = re.compile(r"experimental|active|placebo|sham|no intervention|other", re.IGNORECASE)
_TYPE = re.compile(
    r"(?:biological|drug|procedure|device|other|combination product|dietary supplement|genetic|behavioral|"
    r"radiation)\s*:\s*",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z)\]])(?=[A-Z0-9])")
_NOT_DOSING = ("inclusion", "exclusion", "eligibility", "primary", "secondary", "other_outcomes", "time_frame")
_LONGEST_LABEL = 110


@dataclass(slots=True)
class Group:
    """A group as a list of arms gives it."""

    label: Text | None
    interventions: list[str] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)


def arms(content: Page, source: Source) -> tuple[ArmDraft, ...]:
    """Return the arms of a page or report."""
    groups = listed_groups(content)
    told = islice((regimen for line in content.lines(*_NOT_DOSING) for regimen in regimens(line)), MOST_REGIMENS)
    return joined_arms(groups[:MOST_REGIMENS], list(told), list(content.lines(*_NOT_DOSING)), source)


def joined_arms(
    groups: list[Group], told: list[Regimen], prose: Iterable[Text], source: Source
) -> tuple[ArmDraft, ...]:
    """Return one arm a group, its dose from its own description or from the regimens in prose."""
    if groups:
        drafts = [_group_arm(group, told, source) for group in groups]
        drafts = _with_lone_dose(drafts, told, source)
    else:
        drafts = _with_drug_beside(_told_arms(told, source), told)
    return tuple(_with_shared_course(drafts, prose, source))


def listed_groups(content: Page) -> list[Group]:
    """Return the groups that the page lists, in any of the layouts of registries and their mirrors."""
    groups: list[Group] = []
    names = [
        _TYPE.sub("", line.chars)
        for part in content.all("interventions")
        for line in part.lines
        if _TYPE.match(line.chars)
    ]
    grouped = _interventions_with_arms(content)
    if grouped:
        return grouped
    for part in content.all("arms"):
        _add_groups(groups, part, names)
    if not groups:
        for part in content.all("interventions", "body"):
            marked = [position for position, line in enumerate(part.lines) if _ROLE.match(line.chars)]
            if len(marked) > 1 or (marked and part.field == "interventions"):
                _add_groups(groups, Section(part.field, part.label, part.lines[marked[0] :]), names)
    return _merged(groups)


def _interventions_with_arms(content: Page) -> list[Group]:
    """Read intervention, description, then ``Arms:`` and the arms it belongs to, over and over."""
    run: list[Section] = []
    for part in content.sections:
        if part.field == "interventions" or (run and part.field in ("arms", "boundary")):
            run.append(part)
        elif run and any(one.field == "arms" for one in run):
            break
        else:
            run = []
    if not run or sum(1 for part in run if part.field == "arms" and part.value is not None) < 1:
        return []
    groups: dict[str, Group] = {}
    block = [line for line in run[0].lines if len(line)]
    for part in run[1:]:
        lines = [line for line in part.lines if len(line)]
        if part.field != "arms" or not lines or not block:
            continue
        label, rest = lines[0], lines[1:]
        group = groups.setdefault(label.chars.casefold(), Group(label))
        group.interventions.append(block[0].chars)
        group.texts += block
        block = rest
    return list(groups.values())


def _add_groups(groups: list[Group], part: Section, names: list[str]) -> None:
    fused = (
        part.label is not None
        and _HEADER.fullmatch(part.label.chars) is not None
        and "description" in part.label.chars.casefold()
    )
    # where arms are marked by their role, a line without one tells more of the arm above
    roled = any(_ROLE.match(line.chars) for line in part.lines)
    for line in part.lines:
        chars = line.chars
        if not chars or set(chars) <= set("|-: –"):
            continue
        if _HEADER.fullmatch(chars.strip(BULLETS)):
            fused = "description" in chars.casefold() and "|" not in chars
        elif chars.count("|") >= 1:
            _add_cells(groups, line)
        elif fused:
            groups.append(_fused_row(line, names))
        else:
            _add_line(groups, line, roled)


def _add_cells(groups: list[Group], line: Text) -> None:
    cells, start = [], 0
    for cut in [*(i for i, char in enumerate(line.chars) if char == "|"), len(line)]:
        cell = line[start:cut].strip(BULLETS)
        start = cut + 1
        if len(cell):
            cells.append(cell)
    if not cells or (
        re.fullmatch(r"(?:participant )?(?:arms?|groups?)\b.{0,20}", cells[0].chars, re.IGNORECASE)
        and len(cells) > 1
        and not any(char.isdigit() for char in line.chars)
    ):
        return
    if cells:
        groups.append(Group(cells[0], [_TYPE.sub("", cells[1].chars)] if len(cells) > 2 else [], cells[1:] or cells))


def _add_line(groups: list[Group], line: Text, roled: bool) -> None:
    role, kind = _ROLE.match(line.chars), _TYPE.match(line.chars)
    if role is not None and not (kind and groups):
        rest = line[role.end() :]
        named = line[: role.end()].strip(BULLETS + ":. ")
        own = _COMPARISON.match(role[0])
        if own and 0 < len(rest) <= _LONGEST_LABEL:
            groups.append(Group(rest))
        else:
            groups.append(Group(named, [], [rest] if len(rest) else []))
    elif kind is not None:
        if groups:
            groups[-1].interventions.append(line.chars[kind.end() :])
            groups[-1].texts.append(line)
    elif groups and (roled or len(line) > 60 or amounts(tokens(line)) or not groups[-1].texts):
        groups[-1].texts.append(line)
    elif len(line) <= _LONGEST_LABEL and not amounts(tokens(line)):
        groups.append(Group(line))
    elif groups:
        groups[-1].texts.append(line)
    else:
        head, colon, _ = line.chars.partition(":")
        groups.append(Group(line[: len(head)] if colon and len(head) <= 60 else None, [], [line]))


def _fused_row(line: Text, names: list[str]) -> Group:
    """Cut a row whose cells lost their borders: group, intervention, description."""
    chars = line.chars
    folded = chars.casefold()
    for name in sorted(names, key=len, reverse=True):
        at = folded.find(name.casefold(), 1)
        if at > 0 and at <= _LONGEST_LABEL:
            return Group(line[:at].strip(), [chars[at : at + len(name)]], [line[at:]])
    for size in range(min(len(chars) // 2, _LONGEST_LABEL), 2, -1):
        if folded[:size] == folded[size : 2 * size]:
            return Group(line[:size], [chars[size : 2 * size]], [line[size:]])
    cuts = [match.start() for match in _CAMEL.finditer(chars)]
    label = line[: cuts[0]] if cuts else line
    return Group(
        label.strip(), [chars[cuts[0] : cuts[1]]] if len(cuts) > 1 else [], [line[len(label) :]] if cuts else [line]
    )


def _merged(groups: list[Group]) -> list[Group]:
    merged: dict[str, Group] = {}
    for position, group in enumerate(groups):
        key = group.label.chars.casefold() if group.label is not None else f"#{position}"
        if key in merged:
            merged[key].interventions += group.interventions
            merged[key].texts += group.texts
        else:
            merged[key] = group
    return list(merged.values())


def _group_arm(group: Group, told: list[Regimen], source: Source) -> ArmDraft:
    texts = [*([group.label] if group.label is not None else []), *group.texts]
    own = [regimen for text in texts for regimen in regimens(text)]
    cells = [regimen for regimen in own if regimen.is_cells]
    drug = next((regimen for regimen in own if regimen.unit == "mg"), None)
    dose = _fullest(cells).dose(source) if cells else None
    if cells and cells[0].course is None:
        shared = shared_course((sentence, tokens(sentence)) for text in texts for sentence in sentences(text))
        if shared is not None and dose is not None:
            dose = scheduled(dose, shared, source)
    if dose is not None and dose.weeks is None:
        dose = _completed(dose, told, source)
    named = " + ".join(dict.fromkeys(name for name in group.interventions if name))
    described = named or next((text.chars for text in group.texts if len(text)), None)
    span = source.span_of(group.label if group.label is not None else group.texts[0])
    return ArmDraft(
        group.label.chars if group.label is not None else None,
        described,
        dose,
        drug.bounds if drug else None,
        counted_patients([word for text in texts for word in tokens(text)]),
        co_treatments(texts),
        span,
    )


def _fullest(found: list[Regimen]) -> Regimen:
    low = [one.bounds[0] for one in found if one.unit == found[0].unit and one.bounds[0] is not None]
    high = [one.bounds[1] for one in found if one.unit == found[0].unit and one.bounds[1] is not None]
    first = next((one for one in found if one.course is not None), found[0])
    bounds: Bounds = (min(low) if low else None, max(high) if high else None)
    return replace(found[0], bounds=bounds, course=first.course)


def _completed(dose: DoseDraft, told: list[Regimen], source: Source) -> DoseDraft:
    """Add the course that prose tells of the same amount."""
    same = [
        one.course for one in told if one.is_cells and one.course is not None and getattr(dose, one.unit) == one.bounds
    ]
    best = next((one for one in same if one.weeks is not None), same[0] if same else None)
    return dose if best is None else scheduled(dose, best, source)


def _with_lone_dose(drafts: list[ArmDraft], told: list[Regimen], source: Source) -> list[ArmDraft]:
    """Give the dose told in prose to arms of cells that name none, when it is the only one; likewise a drug's."""
    cells = {(one.unit, one.bounds) for one in told if one.is_cells and one.unit != "total_cells"}
    if len(cells) != 1 or any(arm.dose for arm in drafts):
        return drafts
    lone = next(one for one in told if (one.unit, one.bounds) in cells)
    full = next((one for one in told if (one.unit, one.bounds) in cells and one.course), lone)
    with_cells = [arm for arm in drafts if _names_cells(arm)] or (drafts if len(drafts) == 1 else [])
    return [replace(arm, dose=full.dose(source)) if arm in with_cells else arm for arm in drafts]


def _names_cells(arm: ArmDraft) -> bool:
    words = f"{arm.label or ''} {arm.intervention or ''}".casefold()
    return any(word in words for word in ("cell", "msc", "stem", "stromal"))


def _told_arms(told: list[Regimen], source: Source) -> list[ArmDraft]:
    """Return an arm for each regimen told in prose when the page lists no arms."""
    drafts: list[ArmDraft] = []
    seen: dict[tuple[str, Bounds, str | None], int] = {}
    for one in told:
        if one.unit == "total_cells" and any(other.unit != "total_cells" and other.is_cells for other in told):
            drafts = _with_total(drafts, one)
            continue
        if not one.is_cells and not one.group:
            continue
        key = (one.unit, one.bounds, one.group)
        anonymous = next((k for k in seen if k[:2] == key[:2] and (k[2] is None or one.group is None)), None)
        if key in seen or (anonymous is not None and (one.course is None or drafts[seen[anonymous]].dose is None)):
            continue
        words = tokens(one.text)
        seen[key] = len(drafts)
        drafts.append(
            ArmDraft(
                one.group or _phase_label(one.text),
                one.text.chars,
                one.dose(source) if one.is_cells else None,
                None if one.is_cells else one.bounds,
                counted_patients(words) if sum(1 for other in told if other.text == one.text) == 1 else None,
                co_treatments([one.text]),
                source.span_of(one.text),
            )
        )
    return drafts


def _with_drug_beside(drafts: list[ArmDraft], told: list[Regimen]) -> list[ArmDraft]:
    """Give a lone arm the drug that prose tells beside the cells."""
    beside = [one for one in told if not one.is_cells and not one.group]
    if len(drafts) != 1 or not beside or drafts[0].drug_dose_mg is not None:
        return drafts
    drugs = {drug.drug: drug for drug in (*drafts[0].co_treatments, *co_treatments(one.text for one in beside))}
    return [replace(drafts[0], drug_dose_mg=beside[0].bounds, co_treatments=tuple(drugs.values()))]


def _phase_label(text: Text) -> str | None:
    head, colon, _ = text.chars.partition(":")
    return head.strip() if colon and len(head) <= 60 else None


def _with_total(drafts: list[ArmDraft], total: Regimen) -> list[ArmDraft]:
    """Note a number of cells with the arm whose dose per kg the same sentence names."""
    named = {one.bounds for one in regimens(total.text) if one.unit == "cells_per_kg"}
    matching = [arm for arm in drafts if arm.dose is not None and arm.dose.cells_per_kg in named]
    return [
        replace(arm, dose=replace(arm.dose, total_cells=total.bounds)) if arm in matching and arm.dose else arm
        for arm in drafts
    ]


def _with_shared_course(drafts: list[ArmDraft], prose: Iterable[Text], source: Source) -> list[ArmDraft]:
    """Give the one course told of the cells to all arms whose own descriptions tell none."""
    # only when every arm of cells lacks weeks is one course told for all of them
    lacking = [arm for arm in drafts if arm.dose is not None and arm.dose.weeks is None]
    if not lacking or len(lacking) != len([arm for arm in drafts if arm.dose is not None]):
        return drafts
    parts = [
        (sentence, words)
        for line in prose
        for sentence in sentences(line)
        if _tells_of_cells(words := tokens(sentence))
    ]
    shared = shared_course(parts)
    if shared is None:
        return drafts
    return [
        replace(arm, dose=scheduled(arm.dose, shared, source))
        if arm.dose is not None and (arm.dose.infusions is None or arm.dose.infusions == shared.infusions)
        else arm
        for arm in drafts
    ]


def _tells_of_cells(words: list[Token]) -> bool:
    texts = {word.text for word in words}
    cells = texts & {
        "cell",
        "cells",
        "msc",
        "mscs",
        "umscs",
        "ucmscs",
        "infusion",
        "infusions",
        "injection",
        "injections",
    }
    return bool(cells) and bool(
        texts
        & {
            "infusion",
            "infusions",
            "infused",
            "injection",
            "injections",
            "injected",
            "administered",
            "receive",
            "received",
            "transplantation",
            "treated",
            "given",
        }
    )
