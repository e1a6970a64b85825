"""What the dashboard answers is what ``pasimeta run --config`` gives for the parameters file it offers."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pasimeta.app.answer import Refusal, answer
from pasimeta.app.page import drawn_regions
from pasimeta.app.place import place
from pasimeta.app.state import State
from pasimeta.app.words import main_sentences, pool_row
from pasimeta.cli import app
from pasimeta.errors import PasimetaError
from pasimeta.evidence import selection, tables
from pasimeta.moderators.sex import compare_studies
from pasimeta.pipeline.project import PROJECT_VARIABLE
from pasimeta.synthesis.thresholds import pool_thresholds

DIGITS = 1e-11  # tables are written with twelve
PLAIN = ("evidence", "pooling")
WITH_DOSE = (*PLAIN, "dose_response")
APPROXIMATE = "threshold=75&unreported=bound&model=inverse_variance&measure=PAS&method=PM&test=knha&level=0.9"
SUPPOSED = (
    "threshold=50&designs=single_arm,randomized,case_series&imputation=completers&tau_prior_scale=1.0&metric=cumulative"
    "&what_if=new:50:12:30&what_if=nct03392311:50:3:8"
)


@pytest.fixture
def tables_of_run(project, basis, tmp_path, monkeypatch):
    """Run notebooks by the command line, with the file the dashboard offers for a query; read their tables."""
    monkeypatch.setenv(PROJECT_VARIABLE, str(project.root))

    def run(query, notebooks):
        config = tmp_path / "parameters.yaml"
        config.write_text(State.from_query(query).to_yaml(basis.parameters), encoding="utf-8")
        only = [word for name in notebooks for word in ("--only", name)]
        done = CliRunner().invoke(app, ["run", "--config", str(config), *only, "--out", str(tmp_path / "results")])
        assert done.exit_code == 0, done.output
        return lambda name: pd.read_csv(tmp_path / "results" / "tables" / f"{name}.csv")

    return run


def assert_same_numbers(found, written):
    numbers = [name for name in found if pd.api.types.is_numeric_dtype(found[name])]
    assert numbers
    np.testing.assert_allclose(
        found[numbers].to_numpy(float), written[numbers].to_numpy(float), rtol=DIGITS, atol=DIGITS
    )


def pooled(table, threshold):
    return table("pooled").query("threshold == @threshold").reset_index(drop=True)


@pytest.mark.parametrize("query", [APPROXIMATE, "threshold=90&model=beta_binomial&timepoint=earliest&min_analysed=10"])
def test_the_pool_is_the_command_lines(query, basis, tables_of_run):
    found = answer(basis, State.from_query(query))
    written = pooled(tables_of_run(query, PLAIN), found.state.threshold)
    assert_same_numbers(found.pool.to_frame(), written)
    assert found.pool.to_frame()["studies"].tolist() == written["studies"].tolist()


def test_every_panel_is_the_command_lines_what_if_included(basis, tables_of_run):
    state = State.from_query(SUPPOSED)
    found = answer(basis, state)
    table = tables_of_run(SUPPOSED, WITH_DOSE)
    assert_same_numbers(found.pool.to_frame(), pooled(table, 50))
    assert "what-if-1" in pooled(table, 50)["studies"].iloc[0]
    assert "Not evidence" in table("statements_missing")["text"].iloc[0]
    assert_same_numbers(found.dose.to_frame(), table("dose_response"))
    responses = tables.RESPONSES.validate(table("responses"))
    counts = selection.every_threshold(responses, imputation=state.imputation, timepoint=state.timepoint)
    prior = ("half_normal", state.tau_prior_scale)
    fit = pool_thresholds(counts, comparators=basis.arms, method="bayes", tau_prior=prior)  # as in notebook 05
    assert_same_numbers(found.curve.curve, fit.curve)
    by_sex = selection.subgroup_counts(responses, "sex", found.sex_threshold)  # as in notebook 08
    assert_same_numbers(found.sex.to_frame(), compare_studies(by_sex, ("female", "male")).to_frame())


def test_a_level_moves_the_curves_limits_and_not_its_middle(basis):
    wide, narrow = (answer(basis, State.from_query(f"level={level}")).curve.curve for level in (0.95, 0.8))
    assert (wide["response"] == narrow["response"]).all()
    assert (wide["ci_upper"] > narrow["ci_upper"]).all()


def test_choices_that_leave_nothing_are_refused_as_the_command_line_refuses_them(basis):
    with pytest.raises(PasimetaError, match="no study meets the rule"):
        answer(basis, State.from_query("min_analysed=500"))
    with pytest.raises(PasimetaError, match="has reported"):
        answer(basis, State.from_query("what_if=cheng2022:50:3:8"))


def test_a_threshold_nobody_counts_is_said_to_be_so(basis):
    found = answer(basis, State.from_query("threshold=60"))
    assert found.pool.result is None
    assert "no included study reports it" in main_sentences(found)[0]
    assert pool_row(found.pool, 0.95)["Studies"] == "0"


def test_a_panel_that_is_refused_leaves_the_others(basis, monkeypatch):
    def refuse(*_, **__):
        raise PasimetaError("counts: no curve today")

    monkeypatch.setattr("pasimeta.app.answer.curve_posterior", refuse)
    found = answer(basis, State.from_query("tau_prior_scale=0.123"))
    assert found.curve == Refusal("counts: no curve today")
    assert found.pool.k == 2
    assert "no curve today" in drawn_regions(basis, found, {})["curve"]


def test_an_interval_beyond_the_scale_is_drawn(basis):
    found = answer(basis, State.from_query("model=inverse_variance&measure=PR&test=knha"))
    assert found.pool.result.ci_lower < 0  # raw proportions know no limits
    assert "<svg" in drawn_regions(basis, found, {})["forest"]


def test_a_figure_that_cannot_be_drawn_is_refused_in_its_own_panel(basis, monkeypatch):
    def refuse(*_, **__):
        raise PasimetaError("figure forest: no room today")

    monkeypatch.setattr("pasimeta.report.plots.response.response_forest", refuse)
    drawn = drawn_regions(basis, answer(basis, State.from_query("threshold=75&level=0.9")), {})
    assert "no room today" in drawn["forest"]
    assert "<svg" in drawn["curve"]


def test_what_is_supposed_is_never_told_as_evidence(basis):
    sentences = " ".join(main_sentences(answer(basis, State.from_query("what_if=new:50:12:30"))))
    assert "Not evidence" in sentences
    assert "supposed, not seen" in sentences
    assert "Not evidence" not in " ".join(main_sentences(answer(basis, State.from_query("threshold=50"))))


def test_a_place_counts_equal_estimates_half():
    estimates = np.array([0.1, 0.2, 0.2, 0.4])
    found = place(estimates, 0.2, 0.3)
    assert (found.specifications, found.share_lower, found.share_upper) == (4, 0.5, 0.75)
