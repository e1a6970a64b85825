"""A state is its link and its parameters file: both give it back, and neither is ever evaluated."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasimeta.app.controls import CONTROLS
from pasimeta.app.state import PLACES, State, WhatIf, default_state
from pasimeta.errors import ParameterError
from pasimeta.pipeline.parameters import load_parameters, valid_parameters
from pasimeta.pipeline.sections import Parameters

IDS = st.from_regex(r"[a-z][a-z0-9_-]{0,30}", fullmatch=True).filter(lambda text: text != "new")


@st.composite
def what_ifs(draw):
    n = draw(st.integers(1, 2000))
    return WhatIf(draw(st.none() | IDS), draw(st.integers(1, 100)), draw(st.integers(0, n)), n)


OPTIONS = {control.name: st.sampled_from([v for v, _ in control.options]) for control in CONTROLS if control.options}
VALUES = OPTIONS | {
    "threshold": st.integers(1, 100),
    "level": st.floats(0.01, 0.999),
    "tau_prior_scale": st.floats(1e-6, 50),
    "min_analysed": st.integers(1, 10**6),
    "product_classes": st.lists(OPTIONS["product_classes"], min_size=1, unique=True).map(tuple),
    "designs": st.lists(OPTIONS["designs"], min_size=1, unique=True).map(tuple),
    "what_if": st.lists(what_ifs(), max_size=5).map(tuple),
}


STATES = st.builds(State, **{name: VALUES[name] for name in PLACES})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("states")


@given(STATES)
@settings(max_examples=60)
def test_a_link_gives_its_state_back(state):
    assert State.from_query(state.to_query()) == state
    assert State.from_query("?" + state.to_query(complete=True)) == state


@given(state=STATES)
@settings(max_examples=20)
def test_a_parameters_file_gives_its_state_back_and_keeps_everything_else(folder, state):
    base = valid_parameters({"robustness": {"seed": 7}, "thresholds": {"link": "logit"}}, "a test")
    path = folder / "parameters.yaml"
    path.write_text(state.to_yaml(base), encoding="utf-8")
    parameters = load_parameters(path)
    assert State.of(parameters) == state
    assert (parameters.robustness.seed, parameters.thresholds.link) == (7, "logit")


def test_the_default_state_is_that_of_the_default_parameters():
    assert default_state().applied_to(Parameters()) == Parameters()
    assert default_state().to_query() == "threshold=50"


def test_every_control_offers_only_what_its_parameter_allows():
    for control in CONTROLS:
        for value, _ in control.options:
            given_value = (value,) if control.kind == "several" else value
            changed = State(**{name: getattr(default_state(), name) for name in PLACES} | {control.name: given_value})
            assert getattr(State.of(changed.applied_to(Parameters())), control.name) == given_value


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("threshold=7.5", "whole number"),
        ("level=2", "less than 1"),
        ("threshold=__import__('os')", "whole number"),
        ("threshold=%D9%A3", "whole number"),
        ("threshold=50&threshold=75", "twice"),
        ("level=nan", "no number"),
        ("level=1e999", "finite number"),
        ("model=lambda", "binomial_normal"),
        ("designs=", "at least 1 item"),
        ("designs=single_arm,nonsense", "single_arm"),
        ("colour=red", "no control"),
        ("what_if=new:50:9", "STUDY:THRESHOLD:RESPONDERS:PATIENTS"),
        ("what_if=new:50:9:3", "9 responders exceed the 3 patients"),
        ("what_if=../x:50:1:3", "STUDY:THRESHOLD:RESPONDERS:PATIENTS"),
        ("threshold", "not a query"),
        ("threshold=%ff", "not a query"),
        ("&".join(f"what_if=new:50:1:{n}" for n in range(1, 99)), "not a query"),
    ],
)
def test_a_bad_link_is_refused_in_one_line(query, word):
    with pytest.raises(ParameterError, match="the link") as refusal:
        State.from_query(query)
    assert word in str(refusal.value)
    assert "\n" not in str(refusal.value)
