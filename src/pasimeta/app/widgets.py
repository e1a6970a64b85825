"""The dashboard inside JupyterLab: ipywidgets over the same state, session and regions as in the browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import ipywidgets as widgets

from pasimeta.app.background import Background
from pasimeta.app.basis import load_basis
from pasimeta.app.controls import CONTROLS, GROUPS, Control, options
from pasimeta.app.session import Session
from pasimeta.app.state import State, what_if_text
from pasimeta.app.words import what_if_words
from pasimeta.evidence.what_if import silent_studies
from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.project import Project, find_project

_REGIONS = ("alert", "sentence", "compared", "place", "forest", "curve", "dose", "sex")
_WIDE = widgets.Layout(width="20rem")
_DESCRIBED = {"description_width": "initial"}


class Dashboard:
    """Controls and their answer.

    Attributes
    ----------
    view : ipywidgets.Widget
        Displayed by itself where the dashboard ends a cell.
    controls : dict of str to ipywidgets.Widget
        By name of the field of :class:`.state.State`.
    regions : dict of str to ipywidgets.HTML
        What the answer fills, by name.
    session : Session
    """

    def __init__(
        self, project: Project | None = None, config: Path | None = None, background: Background | None = None
    ) -> None:
        self.session = Session(
            load_basis(project or find_project(), config), background or Background(), self._show_late
        )
        self.controls = {control.name: _widget(control, self.session.start) for control in CONTROLS}
        self.regions = {name: widgets.HTML() for name in _REGIONS}
        self._entries = widgets.VBox()
        self._told = widgets.HTML()
        self._filling = False
        self.view = widgets.HBox([self._sidebar(), widgets.VBox(list(self.regions.values()))])
        for widget in self.controls.values():
            widget.observe(lambda _: self._ask_controls(), names="value")
        self.ask("")

    @property
    def state(self) -> State:
        """The state that is shown."""
        return self.session.answer.state

    def ask(self, query: str) -> None:
        """Show the answer to a query string, such as a link of the dashboard in the browser ends with."""
        found = self.session.ask(query)
        if "sentence" in found:
            self._fill()
            found |= self.session.drawn()
        self._show(found)

    def suppose(self, events: int, n: int, study: str | None = None) -> None:
        """Count a hypothetical result at the threshold shown, of a silent trial (its id) or of an invented one."""
        added = f"{study or 'new'}:{self.state.threshold}:{events}:{n}"
        self.ask(f"{self.state.to_query()}&what_if={quote(added)}")

    def save(self, path: Path | str) -> None:
        """Write the parameters file that gives this state to ``pasimeta run --config``."""
        write_text(Path(path), self.state.to_yaml(self.session.basis.parameters))

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.view)

    def _sidebar(self) -> widgets.Widget:
        groups = [
            widgets.VBox(
                [widgets.HTML(f"<b>{group}</b>"), *(self.controls[c.name] for c in CONTROLS if c.group == group)]
            )
            for group in GROUPS
        ]
        buttons = [
            _button("Save parameters.yaml", self._save_here),
            _button("Start anew", lambda: self.ask("")),
        ]
        layout = widgets.Layout(min_width="22rem", padding="0 1rem 0 0")
        return widgets.VBox([*groups, self._what_if(), *buttons, self._told], layout=layout)

    def _what_if(self) -> widgets.Widget:
        silent = [
            (f"{label} (silent so far)", id_) for id_, label in silent_studies(self.session.basis.evidence).items()
        ]
        who = widgets.Dropdown(
            options=[("A new trial", None), *silent], description="Who reports", style=_DESCRIBED, layout=_WIDE
        )
        n = widgets.BoundedIntText(20, min=1, max=2000, description="Patients", style=_DESCRIBED, layout=_WIDE)
        events = widgets.BoundedIntText(7, min=0, max=2000, description="Responders", style=_DESCRIBED, layout=_WIDE)
        add = _button("Suppose it", lambda: self.suppose(events.value, n.value, who.value))
        return widgets.VBox([widgets.HTML("<b>What if</b>"), who, n, events, add, self._entries])

    def _ask_controls(self) -> None:
        if self._filling:
            return
        given = [f"{control.name}={quote(_text(self.controls[control.name].value), safe=',')}" for control in CONTROLS]
        given += [f"what_if={quote(what_if_text(each))}" for each in self.state.what_if]
        self.ask("&".join(given))

    def _fill(self) -> None:
        """Set the controls to the state without asking again."""
        self._filling = True
        try:
            for control in CONTROLS:
                value = getattr(self.state, control.name)
                widget = self.controls[control.name]
                if control.kind == "choice":
                    widget.options = [(words, option) for option, words in options(control, value)]
                widget.value = value
        finally:
            self._filling = False
        labels = silent_studies(self.session.basis.evidence)
        self._entries.children = [
            _button(f"Remove: {what_if_words(each, labels)}", partial(self._remove, place))
            for place, each in enumerate(self.state.what_if)
        ]

    def _remove(self, place: int) -> None:
        left = (*self.state.what_if[:place], *self.state.what_if[place + 1 :])
        self.ask(replace(self.state, what_if=left).to_query())

    def _save_here(self) -> None:
        self.save("parameters.yaml")
        self._told.value = "Saved as parameters.yaml beside the notebook."

    def _show_late(self) -> None:
        self._show(self.session.late_regions())

    def _show(self, found: dict[str, str]) -> None:
        for name, text in found.items():
            if name in self.regions:
                self.regions[name].value = text


def _widget(control: Control, start: State) -> Any:
    value = getattr(start, control.name)
    if control.kind == "whole":
        return widgets.BoundedIntText(
            value, min=1, max=10_000, description=control.label, tooltip=control.help, style=_DESCRIBED, layout=_WIDE
        )
    choices = [(words, option) for option, words in options(control, value)]
    kind = widgets.Dropdown if control.kind == "choice" else widgets.SelectMultiple
    return kind(
        options=choices, value=value, description=control.label, tooltip=control.help, style=_DESCRIBED, layout=_WIDE
    )


def _button(label: str, call: Callable[[], None]) -> widgets.Button:
    button = widgets.Button(description=label, layout=widgets.Layout(width="auto"))
    button.on_click(lambda _: call())
    return button


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else repr(value) if isinstance(value, float) else str(value)
