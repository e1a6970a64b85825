"""A slider runs over what its parameter allows, starts where that stands, and moves in an open notebook only."""

import json

import pandas as pd
import pytest
from pydantic import ValidationError

from pasimeta.errors import ParameterError, PasimetaError
from pasimeta.pipeline import sliders
from pasimeta.pipeline.project import WORKSPACE_FILE
from pasimeta.pipeline.sections import NextTrialParameters

EVERY = sliders.sliders(NextTrialParameters)


@pytest.mark.parametrize("slider", EVERY, ids=lambda slider: slider.name)
def test_both_ends_and_the_default_are_allowed_and_what_lies_beyond_is_not(slider):
    for value in (slider.lowest, slider.value, slider.highest):
        assert getattr(NextTrialParameters(**{slider.name: value}), slider.name) == value
    for value in (slider.lowest - slider.step, slider.highest + slider.step):
        with pytest.raises(ValidationError):
            NextTrialParameters(**{slider.name: value})


def test_sliders_stand_where_the_run_has_them():
    (slider,) = sliders.sliders(NextTrialParameters, {"n_per_arm": 90})
    assert (slider.value, slider.lowest, slider.highest, slider.is_whole) == (90, 2, 400, True)
    with pytest.raises(ParameterError, match="test: is no slider; choose of alpha"):
        sliders.sliders(NextTrialParameters, {"test": 1})


def test_a_page_shows_where_they_stand_and_no_widget(tmp_path, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("pasimeta.pipeline.notebook.show_table", lambda table, *rest: shown.append(table))
    monkeypatch.chdir(tmp_path)
    sliders.panel(EVERY, pytest.fail, pytest.fail)
    monkeypatch.setenv(sliders.SESSION_VARIABLE, "13_next_trial.ipynb")
    (tmp_path / WORKSPACE_FILE).write_text(json.dumps({}))
    sliders.panel(EVERY, pytest.fail, pytest.fail)
    table, again = shown
    pd.testing.assert_frame_equal(table, again)
    pd.testing.assert_frame_equal(table, sliders.sliders_table(EVERY))
    assert table.set_index("name").loc["n_per_arm", ["value", "lowest", "highest"]].tolist() == ["40", "2", "400"]


def test_in_an_open_notebook_the_answer_follows_the_sliders(tmp_path, monkeypatch):
    import ipywidgets

    displayed, said, asked = [], [], []
    monkeypatch.setenv(sliders.SESSION_VARIABLE, "13_next_trial.ipynb")
    monkeypatch.setattr("pasimeta.pipeline.notebook.show_table", lambda *_: None)
    monkeypatch.setattr("IPython.display.display", lambda *objects, **_: displayed.extend(objects))
    monkeypatch.setattr("pasimeta.pipeline.notebook.say", lambda *texts: said.extend(texts))
    monkeypatch.chdir(tmp_path)

    def compute(**values):
        asked.append(values)
        if values["n_per_arm"] == 7:
            raise PasimetaError("seven is refused")
        return values["n_per_arm"]

    sliders.panel(
        sliders.sliders(NextTrialParameters, {"n_per_arm": 40, "alpha": 0.05}), compute, lambda n: [f"{n} an arm"]
    )
    (box,) = displayed
    size, alpha = box.children[:2]
    assert isinstance(size, ipywidgets.IntSlider)
    assert (alpha.min, alpha.max, alpha.step, alpha.continuous_update) == (0.005, 0.995, 0.005, False)
    size.value = 90
    size.value = 7
    assert asked[-1] == {"n_per_arm": 7, "alpha": 0.05}
    assert said == ["40 an arm", "90 an arm", "seven is refused"]
