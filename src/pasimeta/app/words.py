"""What an answer says, in words: Markdown, with every text of the data escaped."""

from __future__ import annotations

from dataclasses import asdict

from pasimeta.app.answer import Answer, Refusal
from pasimeta.app.controls import CONTROLS, shown
from pasimeta.app.place import Place
from pasimeta.app.state import State, WhatIf
from pasimeta.evidence.what_if import hypothetical_sentence
from pasimeta.report.prose import response as prose
from pasimeta.report.prose.dose_response import dose_sentences
from pasimeta.report.prose.sex_subgroup import sex_sentences
from pasimeta.report.words import count_range, markdown_text, number, percent, percent_range
from pasimeta.synthesis.response import ThresholdPool


def main_sentences(answer: Answer) -> list[str]:
    """State the pooled response, what is supposed in it, and the median study's by the model of all thresholds."""
    supposed = hypothetical_sentence([asdict(each) for each in answer.state.what_if])
    found = [
        supposed,
        prose.pooled_sentence(answer.pool, answer.state.level),
        prose.unknown_counts_sentence(answer.pool),
    ]
    return [sentence for sentence in [*found, curve_sentence(answer)] if sentence]


def curve_sentence(answer: Answer) -> str:
    """State the response at this threshold by the model of all thresholds."""
    if isinstance(answer.curve, Refusal):
        return ""
    row = answer.curve.curve[answer.curve.curve["threshold"] == answer.state.threshold]
    if row.empty:
        return ""
    at = row.iloc[0]
    return (
        f"All thresholds in one model ({number(answer.curve.k, 'study', 'studies')}): the median study's "
        f"PASI{answer.state.threshold} response is {percent(at['response'])} "
        f"({percent(answer.curve.level)} interval {percent_range(at['ci_lower'], at['ci_upper'])})."
    )


def place_sentence(answer: Answer, place: Place | None) -> str:
    """Say where the estimate stands in the multiverse."""
    result = answer.pool.result
    if result is None:
        return ""
    name = f"PASI{answer.state.threshold}"
    if place is None:
        return f"Every other way to pool {name} from the same documents is being computed …"
    if not place.specifications:
        return f"No specification of the multiverse counts {name}."
    estimate = percent_range(result.estimate_lower, result.estimate_upper)
    lower = percent_range(place.share_lower, place.share_upper)
    aside = " (they know nothing of what is supposed here)" if answer.state.what_if else ""
    return (
        f"Place in the multiverse: of {place.specifications:,} specifications that pool {name} from the same "
        f"documents{aside}, {lower} give less than this estimate of {estimate}. A share of specifications is no "
        "probability."
    )


def dose_words(answer: Answer) -> list[str]:
    """State what can be learned of dose."""
    if answer.dose.studies.empty:
        return [f"No included study reports both PASI{answer.state.threshold} and a dose by body weight."]
    return dose_sentences(answer.dose)


def sex_words(answer: Answer) -> list[str]:
    """State the comparison of women and men."""
    return sex_sentences(answer.sex, answer.sex_threshold)


def changes(state: State, start: State) -> list[str]:
    """List the controls that differ from the start, each with both values."""
    found = []
    for control in CONTROLS:
        before, now = getattr(start, control.name), getattr(state, control.name)
        if before != now:
            found.append(f"{control.label}: {shown(control, before)} → {shown(control, now)}")
    if state.what_if != start.what_if:
        found.append(f"What if: {number(len(state.what_if), 'hypothetical result')}")
    return found


def what_if_words(each: WhatIf, labels: dict[str, str]) -> str:
    """Name a hypothetical result."""
    who = f"{labels.get(each.study, each.study)} reports" if each.study else "A new trial:"
    return f"{who} {each.events} of {each.n} patients reaching PASI{each.threshold}"


def pool_row(pool: ThresholdPool, level: float) -> dict[str, str]:
    """Return a pool as text by heading; ``level`` is that of its intervals."""
    result = pool.result
    if result is None:
        return {"Studies": "0", "Responders": "–", "Rate": "–", "Interval": "–", "A new study": "–"}
    new = None if result.pi_lower is None or result.pi_upper is None else (result.pi_lower, result.pi_upper)
    return {
        "Studies": str(pool.k),
        "Responders": f"{count_range(result.events_lower, result.events_upper)} of {result.n}",
        "Rate": percent_range(result.estimate_lower, result.estimate_upper, 1),
        "Interval": f"{percent_range(result.ci_lower, result.ci_upper, 1)} (level {percent(level)})",
        "A new study": "–" if new is None else percent_range(*new, 1),
    }


def refusal_text(message: str) -> str:
    """A refusal as Markdown, on one line."""
    return markdown_text(" ".join(message.split()))
