"""Parameters: typed, bounded, and refused in one clear line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.errors import ParameterError
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.pipeline.parameters import load_parameters
from pasimeta.pipeline.sections import Parameters


def test_committed_configuration_holds_the_defaults(project):
    assert load_parameters(project.config) == Parameters()


def test_no_file_means_defaults():
    assert load_parameters() == Parameters()


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("pooling.threshold=75", "pooling", "threshold", 75),
        ("common.level=0.9", "common", "level", 0.9),
        ("evidence.designs=[single_arm, case_series]", "evidence", "designs", ["single_arm", "case_series"]),
        ("pooling.model=common", "pooling", "model", "common"),
        ("pooling.thresholds=[50]", "pooling", "thresholds", [50]),
    ],
)
def test_override_is_read_as_yaml(project, override, section, key, value):
    assert getattr(getattr(load_parameters(project.config, [override]), section), key) == value


def test_last_override_wins(project):
    parameters = load_parameters(project.config, ["pooling.threshold=75", "pooling.threshold=90"])
    assert parameters.pooling.threshold == 90


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("pooling.threshold=high", "-p pooling.threshold=high: pooling.threshold: input should be a valid integer"),
        ("pooling.threshold=0", "greater than or equal to 1, got 0"),
        ("pooling.threshold=75.5", "valid integer"),
        ("pooling.threshold=true", "valid integer"),
        ("pooling.threshold=", "valid integer, got None"),
        ("pooling.treshold=75", "pooling.treshold: is unknown; choose one of threshold, thresholds"),
        ("poling.threshold=75", "-p poling.threshold=75: poling: is unknown; choose one of common, evidence"),
        ("common.level=1", "less than 1, got 1"),
        ("common.level=.nan", "finite number"),
        ("evidence.designs=[]", "at least 1 item"),
        ("evidence.designs=single_arm", "valid list"),
        ("pooling.model=frequentist", "'binomial_normal', 'beta_binomial', 'common' or 'inverse_variance'"),
        ("threshold=75", "is not section.key=value"),
        ("pooling.threshold", "is not section.key=value"),
        ("pooling.threshold=[", "is not valid YAML"),
    ],
)
def test_bad_override_is_refused_in_one_line(project, override, complaint):
    with pytest.raises(ParameterError) as refusal:
        load_parameters(project.config, [override])
    assert complaint in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("pooling: {threshold: x}", "config.yaml: pooling.threshold: input should be a valid integer"),
        ("pooling: 3", "config.yaml: pooling: "),
        ("- pooling", "holds no sections"),
        ("pooling: [", "can't be read"),
    ],
)
def test_bad_file_is_refused(tmp_path, content, complaint):
    path = tmp_path / "config.yaml"
    path.write_text(content)
    with pytest.raises(ParameterError, match=complaint.replace("[", r"\[")):
        load_parameters(path)


def test_override_of_a_section_that_is_no_section_is_refused(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("pooling: 3")
    with pytest.raises(ParameterError, match="is not a section"):
        load_parameters(path, ["pooling.threshold=75"])


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"nowhere\.yaml: can't be read"):
        load_parameters(tmp_path / "nowhere.yaml")


def test_empty_file_and_empty_section_mean_defaults(tmp_path):
    path = tmp_path / "config.yaml"
    for content in ("", "pooling:\n"):
        path.write_text(content)
        assert load_parameters(path) == Parameters()


@given(st.text(max_size=40))
def test_no_override_brings_a_traceback(text):
    try:
        load_parameters(None, [text])
    except ParameterError as refusal:
        assert str(refusal)  # noqa: PT017 - either outcome is right, anything else is not


def test_every_section_belongs_to_a_notebook():
    assert {n.section for n in NOTEBOOKS} | {"common"} == set(Parameters.model_fields)


def test_every_parameter_is_explained():
    for _, section in Parameters():
        for name, field in type(section).model_fields.items():
            assert field.description, name
