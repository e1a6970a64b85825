"""One reader's dashboard, whatever shows it: a query in, regions out; a refusal is a line and changes nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pasimeta.app import page
from pasimeta.app.answer import Answer, answer
from pasimeta.app.background import Background, specification_estimates, treatment_curves
from pasimeta.app.basis import Basis
from pasimeta.app.destinations import Destinations
from pasimeta.app.place import Place, place
from pasimeta.app.state import State
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.response import MODELS
from pasimeta.synthesis.thresholds import ThresholdCurve


@dataclass(slots=True)
class Session:
    """What one reader has asked last.

    Attributes
    ----------
    basis : Basis
    background : Background
    on_ready : callable
        Called, from another thread, when something that was missing can be had: see :meth:`late_regions`.
    destinations : Destinations
        Where names and counts lead; to the documents themselves by default.
    narrow : bool
        Whether figures are drawn for one column, to be read on a phone.
    answer : Answer
        To the last state that had one.
    """

    basis: Basis
    background: Background
    on_ready: Callable[[], None]
    destinations: Destinations | None = None
    narrow: bool = False
    answer: Answer = field(init=False)

    def __post_init__(self) -> None:
        """Answer what the parameters say."""
        self.answer = answer(self.basis, self.start)

    @property
    def start(self) -> State:
        """The state that the dashboard starts from."""
        return State.of(self.basis.parameters)

    def ask(self, query: str) -> dict[str, str]:
        """Answer a query in words and numbers; an empty one asks for the start.

        Returns
        -------
        dict of str to str
            HTML by region; of a query that is refused, the alert alone.
        """
        try:
            self.answer = answer(self.basis, State.from_query(query) if query.strip("?") else self.start)
        except PasimetaError as error:
            return {"alert": page.alert(str(error))}
        return self._led(page.told_regions(self.basis, self.answer, self.place()))

    def drawn(self) -> dict[str, str]:
        """Draw the last answer: HTML by region."""
        drawn = page.drawn_regions(self.basis, self.answer, self.other_treatments(), narrow=self.narrow)
        return self._led(drawn)

    def late_regions(self) -> dict[str, str]:
        """What may have been missing when the last answer was given: HTML by region."""
        return {"place": page.place_region(self.answer, self.place()), **self.drawn()}

    def place(self) -> Place | None:
        """Where the last answer stands in the multiverse, or None while that is being computed."""
        result = self.answer.pool.result
        if result is None:
            return None
        given = self.basis.data, self.answer.state.threshold, self.basis.parameters.robustness
        estimates = self.background.result(specification_estimates, *given, on_ready=self.on_ready)
        return None if estimates is None else place(estimates, result.estimate_lower, result.estimate_upper)

    def other_treatments(self) -> Mapping[str, ThresholdCurve]:
        """Other treatments' curves at the level of the last answer; none while they are being computed."""
        given = self.basis.data, self.answer.state.level, self.basis.parameters.thresholds
        return self.background.result(treatment_curves, *given, on_ready=self.on_ready) or {}

    def _led(self, regions: dict[str, str]) -> dict[str, str]:
        self.destinations = self.destinations or Destinations(self.basis.evidence)
        return {name: self.destinations.led(text) for name, text in regions.items()}

    def preheat(self) -> None:
        """Compute and draw the first page, so that no reader waits for it; leave the multiverse to be computed."""
        self.other_treatments()  # first in the queue: every page shows them
        for model in MODELS:  # each imports what it needs
            with contextlib.suppress(PasimetaError):
                answer(self.basis, replace(self.start, model=model))
        given = self.basis.data, self.start.level, self.basis.parameters.thresholds
        self.background.wait_for(treatment_curves, *given)
        self.ask("")
        self.drawn()
