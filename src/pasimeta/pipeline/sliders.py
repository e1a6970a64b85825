"""Parameters as sliders: where each may be moved, and a panel that moves them in a notebook that is open."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from pasimeta.errors import ParameterError, PasimetaError
from pasimeta.pipeline import notebook
from pasimeta.pipeline.project import WORKSPACE_FILE
from pasimeta.pipeline.sections import Section

SESSION_VARIABLE = "JPY_SESSION_NAME"  # Jupyter's server sets it for the kernel of a notebook that is open


@dataclass(frozen=True, slots=True)
class Slider:
    """One number among a notebook's parameters, and where it may be moved.

    Attributes
    ----------
    name, meaning : str
    value, lowest, highest, step : float
        The default, the ends, and the distance of two neighbouring positions.
    """

    name: str
    meaning: str
    value: float
    lowest: float
    highest: float
    step: float

    @property
    def is_whole(self) -> bool:
        """Whether it counts something."""
        return isinstance(self.value, int)


def sliders(section: type[Section], values: Mapping[str, float] | None = None) -> tuple[Slider, ...]:
    """Return the numbers of a section that have two ends and a step.

    Parameters
    ----------
    section : type of Section
        Such as :class:`pasimeta.pipeline.sections.NextTrialParameters`.
    values : mapping of str to float, optional
        The sliders wanted and where they stand; by default all of them, where the section has them.

    Raises
    ------
    ParameterError
        For a name that is no slider of the section.
    """
    found = {slider.name: slider for name in section.model_fields if (slider := _slider(section, name)) is not None}
    if values is None:
        return tuple(found.values())
    for name in values:
        if name not in found:
            raise ParameterError(f"{name}: is no slider; choose of {', '.join(found)}")
    return tuple(replace(found[name], value=value) for name, value in values.items())


def sliders_table(given: Sequence[Slider]) -> pd.DataFrame:
    """One row a slider, its numbers as text."""
    numbers = ("value", "lowest", "highest", "step")
    return pd.DataFrame(
        [{"name": s.name, **{key: f"{getattr(s, key):g}" for key in numbers}, "meaning": s.meaning} for s in given]
    )


def panel(given: Sequence[Slider], compute: Callable[..., Any], words: Callable[[Any], Sequence[str]]) -> None:
    """Show where the sliders stand; where the notebook is open they move too, and the answer with them.

    A notebook that is being executed for a page or a test has nobody to move them, and a widget's random identity would
    end that the same input gives the same bytes.

    Parameters
    ----------
    given : sequence of Slider
    compute : callable
        Takes the sliders' values by name.
    words : callable
        Turns what ``compute`` returns into sentences.
    """
    notebook.show_table(
        sliders_table(given),
        "Assumptions that are sliders when this notebook is open in JupyterLab (make lab)",
        {
            "name": "Parameter",
            "value": "Now",
            "lowest": "Lowest",
            "highest": "Highest",
            "step": "Step",
            "meaning": "Meaning",
        },
    )
    if SESSION_VARIABLE in os.environ and not Path(WORKSPACE_FILE).is_file():
        _show_live(given, compute, words)


def _show_live(given: Sequence[Slider], compute: Callable[..., Any], words: Callable[[Any], Sequence[str]]) -> None:
    import ipywidgets
    from IPython.display import display

    def answer(**values: float) -> None:
        try:
            notebook.say(*words(compute(**values)))
        except PasimetaError as error:
            notebook.say(str(error))

    moving = {slider.name: _widget(ipywidgets, slider) for slider in given}
    output = ipywidgets.interactive_output(answer, moving)
    display(ipywidgets.VBox([*moving.values(), output]))


def _widget(ipywidgets: Any, slider: Slider) -> Any:
    kind = ipywidgets.IntSlider if slider.is_whole else ipywidgets.FloatSlider
    # an answer takes a moment: asked for when the slider is let go, not on its way
    return kind(
        value=slider.value,
        min=slider.lowest,
        max=slider.highest,
        step=slider.step,
        description=slider.name,
        tooltip=slider.meaning,
        continuous_update=False,
        style={"description_width": "9em"},
        layout={"width": "36em"},
    )


def _slider(section: type[Section], name: str) -> Slider | None:
    field = section.model_fields[name]
    extra = field.json_schema_extra
    if not isinstance(extra, dict) or "step" not in extra:
        return None
    step: Any = extra["step"]
    ends = {
        side: getattr(item, side) for item in field.metadata for side in ("ge", "gt", "le", "lt") if hasattr(item, side)
    }
    lowest = ends["ge"] if "ge" in ends else ends["gt"] + step
    highest = ends["le"] if "le" in ends else ends["lt"] - step
    return Slider(name, field.description or name, field.get_default(), lowest, highest, step)
