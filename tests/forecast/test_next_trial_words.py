"""What is said and drawn of the next trial is what was computed."""

import pandas as pd
import pytest

from pasimeta.forecast import Arm, Design, beta_belief, point_belief, power_grid, predicted_trial
from pasimeta.report.plots import next_trial as plots
from pasimeta.report.prose import next_trial as prose

GRID = power_grid(point_belief(0.4), [5, 20, 60], alternative="greater")


def plain(text):
    return text.replace("\u00a0", " ")


def test_the_sentence_names_the_rate_each_size_needs_or_that_none_does():
    needed = GRID.rate_needed(0.9)
    assert needed[0] is None
    said = plain(prose.power_sentence(GRID, "the drug", 0.9))
    assert f"{100 * needed[1]:.0f} % with 20 and {100 * needed[2]:.0f} % with 60 patients an arm" in said
    assert said.endswith("; no rate is high enough with 5.")
    never = power_grid(point_belief(0.9), [5, 20])
    assert plain(prose.power_sentence(never, "it", 0.9)).endswith(
        ") no rate is high enough with 5 and 20 patients an arm."
    )


def test_the_figure_holds_every_size_and_rate():
    plot = plots.power_plot(GRID, "methotrexate", 0.8)
    assert plot.name == "power_methotrexate"
    assert len(plot.data) == GRID.power.size
    for size in (5, 20, 60):
        assert f"{size} and {size}" in plot.alt


@pytest.fixture
def sensitivity():
    rows = [
        ("as assumed", 0.38, 0.07, 0.45),
        ("prior of tau: half-normal(1)", 0.4, 0.12, 0.47),
        ("flat", 0.3, 0.03, 0.28),
    ]
    table = pd.DataFrame(rows, columns=["assumption", "rate_mean", "assurance", "ceiling"])
    return table.assign(rate_lower=0.1, rate_upper=0.75, any_contrast=0.1, harm=0.05)


def test_the_least_and_the_most_assurance_are_named_with_their_assumption(sensitivity):
    said = plain(prose.sensitivity_sentence(sensitivity))
    assert "from 7 % to between 3 % (flat) and 12 % (prior of tau: half-normal(1))" in said
    assert "to between 28 % and 47 %" in said
    assert plain(prose.sensitivity_table(sensitivity)["rate"][2]) == "30 % (10 to 75 %)"


def test_a_trial_of_ones_own_is_told_with_its_ceiling():
    row = {
        "against": "placebo",
        "n_per_arm": 40,
        "assumed_rate": 0.6,
        "power": 0.42,
        "assurance": 0.12,
        "ceiling": 0.45,
    }
    (said,) = prose.imagined_sentences(pd.DataFrame([row]))
    assert "40 patients an arm" in said
    for number in ("were 60 %", "probability of 42 %", "believed of it: 12 %", "more than 45 %"):
        assert number in plain(said)


def test_arms_of_one_belief_are_one_line_with_both_names():
    cells = beta_belief(7, 12)
    arms = (Arm("Low dose", 9, cells), Arm("High dose", 9, cells), Arm("MSC", 9, cells))
    plot = plots.responders_plot(predicted_trial(Design(arms=arms, control=Arm("Drug", 9, beta_belief(4, 6)))))
    assert "Low dose or high dose or MSC" in plot.alt
