"""Each cell of a grid is the single calculation, and changing one assumption is forecasting anew with it."""

import numpy as np
import pandas as pd
import pytest

from pasimeta.errors import PasimetaError
from pasimeta.forecast import (
    Arm,
    Design,
    assurance,
    belief_from_studies,
    belief_variants,
    beta_belief,
    evidence_variants,
    forecast_sensitivity,
    imagined_trial,
    point_belief,
    power,
    power_grid,
    power_table,
)

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")
ONE = pd.DataFrame({"events_lower": [6], "events_upper": [6], "n": [17]})
TWO = pd.DataFrame({"events_lower": [6, 0], "events_upper": [6, 2], "n": [17, 7]})
NONE = pd.DataFrame({"events_lower": [0], "events_upper": [0], "n": [9]})
PRIORS = {"tau_scales": [0.5, 1.0], "mu_priors": [(0.0, 1.7), (0.0, 1.0), None]}


@pytest.mark.parametrize("test", ["fisher", "boschloo"])
def test_the_grid_against_a_known_rate_is_power_point_by_point(test):
    grid = power_grid(point_belief(0.4), [12, 25], [0.2, 0.5, 0.9], test=test, alternative="greater")
    for i, n in enumerate((12, 25)):
        for j, rate in enumerate((0.2, 0.5, 0.9)):
            alone = power(rate, 0.4, n, n, test=test, alternative="greater")[0, 0]
            assert grid.power[i, j] == pytest.approx(alone, abs=1e-12)


def test_the_grid_averages_over_what_is_believed_of_control():
    control = beta_belief(40, 60)
    grid = power_grid(control, [20], [0.7], allocation=0.5)
    rates = np.random.default_rng(4).beta(40, 60, 20_000)
    assert grid.control_sizes == (10,)
    assert grid.power[0, 0] == pytest.approx(power([0.7], rates, 20, 10).mean(), abs=5e-3)
    weighted = assurance(Design(arms=(Arm("cells", 20, point_belief(0.7)),), control=Arm("drug", 10, control)))
    assert grid.power[0, 0] == pytest.approx(weighted.contrasts[0].assurance, abs=1e-12)


def test_the_rate_needed_is_the_lowest_from_which_power_stays():
    grid = power_grid(point_belief(0.1), [8, 30])
    for row, rate in zip(grid.power, grid.rate_needed(0.8), strict=True):
        at = list(grid.rates).index(rate)
        assert (row[at:] >= 0.8).all()
        assert row[at - 1] < 0.8
    assert power_grid(point_belief(0.9), [8]).rate_needed(0.8) == [None]


def test_a_table_has_one_row_a_comparison_size_and_rate():
    grids = {name: power_grid(point_belief(rate), [10, 20], [0.3, 0.6]) for name, rate in (("a", 0.1), ("b", 0.2))}
    table = power_table(grids).set_index(["against", "n_per_arm", "rate"])["power"]
    assert len(table) == 8
    assert table["b", 20, 0.6] == grids["b"].power[1, 1]


def test_one_assumption_is_changed_at_a_time():
    beliefs = belief_variants({"as analysed": ONE, "bounded": TWO, "again": ONE}, **PRIORS)
    assert list(beliefs) == [
        "as assumed",
        "prior of tau: half-normal(1)",
        "prior of the mean log-odds: normal(0, 1)",
        "prior of the mean log-odds: flat",
        "evidence: bounded",
    ]
    wide = belief_from_studies([6], [17], tau_prior=("half_normal", 1.0))
    assert beliefs["prior of tau: half-normal(1)"].mean == pytest.approx(wide.mean, abs=1e-12)
    flat = belief_from_studies([6], [17], mu_prior=None)
    assert beliefs["prior of the mean log-odds: flat"].mean == pytest.approx(flat.mean, abs=1e-12)
    assert beliefs["as assumed"].mean == pytest.approx(belief_from_studies([6], [17]).mean, abs=1e-12)
    assert beliefs["evidence: bounded"].mean < beliefs["as assumed"].mean


def test_a_flat_prior_is_left_out_where_it_leaves_no_posterior():
    assert "prior of the mean log-odds: flat" not in belief_variants({"none responded": NONE}, **PRIORS)


def test_each_row_is_the_assurance_of_the_design_with_that_belief():
    control, first, second = beta_belief(20, 30), beta_belief(7, 12), beta_belief(14, 6)
    design = Design(arms=(Arm("low", 15, first), Arm("high", 15, first)), control=Arm("drug", 15, control))
    table = forecast_sensitivity(design, {"as assumed": first, "hopeful": second}, 0.9).to_frame()
    for row, belief in zip(table.itertuples(), (first, second), strict=True):
        arms = (Arm("low", 15, belief), Arm("high", 15, belief))
        alone = assurance(Design(arms=arms, control=Arm("drug", 15, control)))
        assert row.assurance == pytest.approx(alone.contrasts[0].assurance, abs=1e-12)
        assert row.any_contrast == pytest.approx(alone.any_contrast, abs=1e-12)
        assert row.ceiling == pytest.approx(belief.exceeds(control), abs=1e-12)
        assert row.rate_lower == pytest.approx(float(belief.quantile(0.05)), abs=1e-12)


def test_evidence_variants_are_the_selections_they_name(evidence):
    from pasimeta.evidence import tables
    from pasimeta.evidence.inclusion import InclusionRule, decide_all
    from pasimeta.evidence.selection import response_counts
    from pasimeta.robustness import studies_by_rule

    responses = tables.responses(evidence, decide_all(evidence, InclusionRule()))
    variants = evidence_variants(responses, studies_by_rule(evidence), 75)
    pd.testing.assert_frame_equal(variants["as analysed"], response_counts(responses, 75))
    bounded = variants["studies silent on the threshold bounded"].set_index("study")
    assert bounded.loc["yao2021", "basis"] == "bounded"
    assert "dejesus2016" in set(variants["trials and case series"]["study"])


def test_a_trial_of_ones_own_is_its_grid_and_its_assurance():
    arms = pd.DataFrame({"events": [39, 37], "n": [110, 91]})
    row = imagined_trial(ONE, {"drug": arms}, n_per_arm=30, assumed_rate=0.7, tau_scale=1.0).iloc[0]
    cells = belief_from_studies([6], [17], tau_prior=("half_normal", 1.0))
    control = belief_from_studies(arms["events"], arms["n"], tau_prior=("half_normal", 1.0))
    design = Design(arms=(Arm("cells", 30, cells),), control=Arm("drug", 30, control))
    assert row["assurance"] == pytest.approx(assurance(design).contrasts[0].assurance, abs=1e-12)
    assert row["power"] == pytest.approx(power_grid(control, [30], [0.7]).power[0, 0], abs=1e-12)
    assert row["ceiling"] == pytest.approx(cells.exceeds(control), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: power_grid(point_belief(0.4), [10], [30]), "45 % is 0.45"),
        (lambda: power_grid(point_belief(0.4), [10], [0.6, 0.2]), "must ascend"),
        (lambda: power_grid(point_belief(0.4), []), "sizes: none"),
        (lambda: power_grid(point_belief(0.4), [0]), "sizes: 0"),
        (lambda: power_grid(point_belief(0.4), [10], allocation=0), "allocation"),
        (lambda: power_grid(point_belief(0.4), [10], test="wald"), "wald"),
        (lambda: belief_variants({}, **PRIORS), "at least one of evidence"),
        (lambda: imagined_trial(ONE, {}, n_per_arm=10, assumed_rate=0.5), "controls: none"),
        (lambda: imagined_trial(ONE, {"drug": ONE}, n_per_arm=0, assumed_rate=0.5), "n_per_arm: 0"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(call, words):
    with pytest.raises(PasimetaError) as refusal:
        call()
    assert words in str(refusal.value)
