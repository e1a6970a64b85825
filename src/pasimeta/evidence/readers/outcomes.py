"""The outcomes that a page announces: what, from which threshold on, in which weeks, in which role."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pasimeta.evidence.readers.layout import OUTCOME_FIELDS, Page, Section
from pasimeta.evidence.readers.measures import Measure, measures
from pasimeta.evidence.readers.result import OutcomeDraft
from pasimeta.evidence.readers.schedules import assessment_weeks
from pasimeta.evidence.readers.sentences import sentences
from pasimeta.evidence.readers.source import Source, Text
from pasimeta.evidence.readers.tokens import Token, tokens

Role = Literal["primary", "secondary"]
Weeks = tuple[float, ...] | None
_ROLES: dict[str, Role | None] = {"primary": "primary", "secondary": "secondary", "other_outcomes": None}
_NUMBERED = re.compile(r"(?:(?<=\s)|^)\(?\d{1,2}[.)、]\s+(?=[A-Za-z(])")
_INLINE_FRAME = re.compile(r"\[?\s*time\s*(?:frame|points?)\s*:", re.IGNORECASE)
_FUSED_HEADER = re.compile(r"name\W*time\W*method|measure\W*(?:time\W*frame|description)", re.IGNORECASE)
_INLINE_ROLE = re.compile(r"\W*(primary|secondary)(?:\s+(?:outcome|end\s?point)s?)?\s*:", re.IGNORECASE)
_LONGEST_FRAME = 300
_MOST_FRAMES = 8
_MOST_ANNOUNCED = 100
_GLUED_TIME = re.compile(
    r"(?<=\S)(?=(?:Weeks?|Days?|Months?|Years?|Baseline|Up to|From|Through|Within|At|During|After|Before|"
    r"\d{1,3}[ -]?(?:weeks?|months?|days?|years?))\b)"
)
_ANNOUNCED = re.compile(
    r"\b(primary|secondary|main)\s+(?:efficacy\s+|safety\s+)?(?:outcome|end\s?-?point)s?\b", re.IGNORECASE
)
_ASSESSED = re.compile(r"\b(?:assess|evaluat|measur|monitor|outcome|end\s?point|determin|comput|observ)", re.IGNORECASE)


@dataclass(slots=True)
class Row:
    """One announced outcome while its lines are being gathered."""

    found: list[Measure]
    weeks: Weeks
    text: Text
    role: Role | None = None


def outcomes(content: Page, source: Source) -> tuple[OutcomeDraft, ...]:
    """Return the outcomes of a registry page, from labelled sections, untitled triples, or its prose."""
    drafts: list[OutcomeDraft] = []
    for role, parts in _outcome_parts(content):
        rows = _framed_rows(parts) if any(part.field == "time_frame" for part in parts) else None
        drafts += drafted(rows or _listed_rows(parts), role, source)
    if not drafts:
        drafts = _untitled(content, source)
    announced = announced_outcomes(content, source)[:_MOST_ANNOUNCED]
    if drafts:
        drafts = [with_role(draft, announced) for draft in drafts]
        known = {draft.measure for draft in drafts}
        drafts += [draft for draft in announced if draft.measure not in known and draft.role]
    else:
        drafts = announced
    told = {draft.measure for draft in drafts}
    prose = [draft for draft in _monitored(content, source) if draft.measure not in told]
    return distinct_outcomes(drafts + prose)


def _outcome_parts(content: Page) -> Iterator[tuple[Role | None, list[Section]]]:
    parts: list[Section] = []
    role: Role | None = None
    for section in content.sections:
        if section.field in OUTCOME_FIELDS:
            if parts:
                yield role, parts
            role, parts = _ROLES[section.field], [section]
        elif parts and section.field in ("time_frame", "measure_name", "measure_text"):
            parts.append(section)
        elif parts:
            yield role, parts
            parts = []
    if parts:
        yield role, parts


def _framed_rows(parts: list[Section]) -> list[Row]:
    """Read blocks of lines, each ended by a labelled time frame."""
    rows: list[Row] = []
    block: list[Text] = []
    for position, part in enumerate(parts):
        if part.field == "time_frame" and position and parts[position - 1].field.startswith("measure_"):
            # a header of its own above the rows, the cells of each below one another
            rows += _stacked_rows(part.lines)
        elif part.field == "time_frame":
            value = part.value
            rows += block_rows(block, assessment_weeks(tokens(value)) if value is not None else None)
            block = [line for line in part.lines if len(line) and line is not value]
        else:
            block += [line for line in part.lines if len(line)]
    return rows + block_rows(block, None)


def _stacked_rows(lines: list[Text]) -> list[Row]:
    rows: list[Row] = []
    block: list[Text] = []
    for line in lines:
        words = tokens(line)
        if block and not measures(words) and len(line) < _LONGEST_FRAME and (weeks := assessment_weeks(words)):
            rows += block_rows(block, weeks)
            block = []
        elif len(line):
            block.append(line)
    return rows + block_rows(block, None)


def block_rows(block: list[Text], weeks: Weeks) -> list[Row]:
    """Read title and description before a time frame: the first line that names a measure decides."""
    for line in block:
        found = measures(tokens(line))
        if found:
            if found == [("pasi_change", None)]:
                found = _more_precise(found, block)
            return [Row(found, weeks or assessment_weeks(tokens(line)), line)]
    return []


def _more_precise(found: list[Measure], block: list[Text]) -> list[Measure]:
    # a bare "PASI" as title leaves it to the description what of it is counted
    if len(block) < 2:
        return found
    described = [
        measure
        for line in block[1:]
        for sentence in list(sentences(line))[:1]
        for measure in measures(tokens(sentence))
    ]
    responses = [measure for measure in described if measure[0] in ("pasi_response", "pasi_improvement_rate")]
    return list(dict.fromkeys(responses)) or found


def _listed_rows(parts: list[Section]) -> list[Row]:
    """Read one outcome a line, its description below it, its time frame in, at the end of, or under the line."""
    rows: list[Row] = []
    is_table = False
    for part in parts:
        for line in part.lines:
            if not len(line):
                continue
            if _FUSED_HEADER.fullmatch(line.chars.strip()):
                is_table = True
                continue
            if is_table:
                _add_table_row(rows, line)
            else:
                first = len(rows)
                role: Role | None = None
                for piece in _pieces(line):
                    before = len(rows)
                    role = _role_of(piece) or role
                    _add_row(rows, piece)
                    for row in rows[before:]:
                        row.role = role
                _share_weeks(rows[first:])
    return rows


def _role_of(piece: Text) -> Role | None:
    """Return the role in ``Primary: PASI75; Secondary: DLQI``."""
    match = _INLINE_ROLE.match(piece.chars)
    if match is None:
        return None
    return "primary" if match[1].casefold() == "primary" else "secondary"


def _share_weeks(rows: list[Row]) -> None:
    """Let ``PASI50; PASI75; PASI90 at week 12`` give its weeks to all three."""
    following: Row | None = None
    for row in reversed(rows):
        if following is not None and row.weeks is None and row.found[0][0] == following.found[0][0]:
            row.weeks = following.weeks
        following = row


def _pieces(line: Text) -> list[Text]:
    cuts = [match.start() for match in _NUMBERED.finditer(line.chars)]
    cuts += [match.start() for match in re.finditer(r";", line.chars)]
    bounds = sorted({0, *cuts, len(line)})
    starts = [start for start, end in itertools.pairwise(bounds) if measures(tokens(line[start:end]))]
    bounds = sorted({0, *starts, len(line)})  # "week 12; week 24" stays with its measure
    return [piece for start, end in itertools.pairwise(bounds) if len(piece := line[start:end].strip(";"))]


def _add_table_row(rows: list[Row], line: Text) -> None:
    """Read a row whose cells lost their borders: a title row ends with a time glued to it, a description doesn't."""
    starts = [match.start() for match in _GLUED_TIME.finditer(line.chars, max(0, len(line) - _LONGEST_FRAME))]
    frames = [
        (start, weeks)
        for start in starts[:_MOST_FRAMES]
        if (weeks := assessment_weeks(tokens(line[start:]))) is not None
    ]
    title = line[: frames[0][0]] if frames else line
    found = measures(tokens(title))
    if found and (frames or not rows):
        rows.append(Row(found, frames[0][1] if frames else assessment_weeks(tokens(title)), line))
    elif found and not frames and rows and rows[-1].found == [("pasi_change", None)]:
        rows[-1].found = _more_precise(rows[-1].found, [rows[-1].text, line])


def _add_row(rows: list[Row], line: Text) -> None:
    cut = _INLINE_FRAME.search(line.chars)
    words = tokens(line[: cut.start()] if cut else line)
    weeks = assessment_weeks(tokens(line[cut.end() :])) if cut else assessment_weeks(words)
    found = measures(words)
    last = rows[-1] if rows else None
    if not found:
        if last is not None and last.weeks is None and weeks is not None:
            last.weeks = weeks
    elif last is not None and _describes(found, last) and (weeks is None or last.weeks in (None, weeks)):
        last.weeks = last.weeks or weeks
    else:
        rows.append(Row(found, weeks, line))


def _describes(found: list[Measure], last: Row) -> bool:
    """Whether a line tells more of the outcome above it instead of naming another."""
    return found == last.found or (
        last.found[0][0] in ("pasi_response", "pasi_improvement_rate") and found == [("pasi_change", None)]
    )


def drafted(rows: list[Row], role: Role | None, source: Source) -> list[OutcomeDraft]:
    return [
        OutcomeDraft(measure, threshold, row.weeks, row.role or role, source.span_of(row.text))
        for row in rows
        for measure, threshold in row.found
    ]


def _untitled(content: Page, source: Source) -> list[OutcomeDraft]:
    """Read title, description, ``Time frame: ...`` without a heading above: up to two lines before each time frame."""
    rows: list[Row] = []
    before: list[Text] = []
    for section in content.sections:
        lines = [line for line in section.lines if len(line)]
        if section.field == "time_frame":
            value = section.value
            rows += block_rows(before[-2:], assessment_weeks(tokens(value)) if value is not None else None)
            before = [line for line in lines if line is not value]
        elif section.field not in ("inclusion", "exclusion", "eligibility"):
            before += lines
    return drafted(rows, None, source)


def announced_outcomes(content: Page, source: Source) -> list[OutcomeDraft]:
    """Read ``The primary outcome is ...`` in prose."""
    drafts = []
    for line in content.lines("inclusion", "exclusion", "eligibility", "primary", "secondary", "results"):
        if not _ANNOUNCED.search(line.chars):
            continue
        for sentence in sentences(line):
            marks = list(_ANNOUNCED.finditer(sentence.chars))
            stops = [*(mark.start() for mark in marks[1:]), len(sentence)]
            for mark, stop in zip(marks, stops, strict=False):
                clause = tokens(sentence[mark.end() : stop])
                role: Role = "secondary" if mark[1].casefold() == "secondary" else "primary"
                weeks = assessment_weeks(clause)
                found = [("pasi_improvement_rate", None)] if _is_rate(clause) else measures(clause)
                drafts += [OutcomeDraft(m, t, weeks, role, source.span_of(sentence)) for m, t in found]
    return drafts


def _is_rate(words: list[Token]) -> bool:
    found = measures(words)
    return any(measure == "pasi_improvement_rate" for measure, _ in found)


def _monitored(content: Page, source: Source) -> list[OutcomeDraft]:
    """Read what prose says will be assessed, such as ``Any adverse events will be monitored``."""
    drafts = []
    for line in content.lines(
        "inclusion", "exclusion", "eligibility", "primary", "secondary", "other_outcomes", "time_frame", "results"
    ):
        if not _ASSESSED.search(line.chars):
            continue
        for sentence in sentences(line):
            if not _ASSESSED.search(sentence.chars):
                continue
            for clause in re.finditer(r"[^,]+(?:,(?=\s*\d)[^,]*)*", sentence.chars):
                words = tokens(sentence[clause.start() : clause.end()])
                for measure, threshold in measures(words):
                    if measure != "pasi_change" or any(w.text in ("change", "changes", "score") for w in words):
                        drafts.append(OutcomeDraft(measure, threshold, None, None, source.span_of(sentence)))
    return drafts


def with_role(draft: OutcomeDraft, announced: list[OutcomeDraft]) -> OutcomeDraft:
    if draft.role is not None:
        return draft
    for other in announced:
        if (other.measure, other.threshold) == (draft.measure, draft.threshold):
            return OutcomeDraft(draft.measure, draft.threshold, draft.weeks, other.role, draft.span)
    return draft


def distinct_outcomes(drafts: list[OutcomeDraft]) -> tuple[OutcomeDraft, ...]:
    kept: dict[tuple[str, int | None, Weeks, str | None], OutcomeDraft] = {}
    for draft in drafts:
        kept.setdefault((draft.measure, draft.threshold, draft.weeks, draft.role), draft)
    return tuple(kept.values())
