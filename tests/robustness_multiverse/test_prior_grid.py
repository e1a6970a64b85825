"""Every pair of priors is the single posterior, and the words say how far it moves."""

from __future__ import annotations

import pytest

from pasimeta import synthesis
from pasimeta.errors import PasimetaError
from pasimeta.report.plots.robustness import prior_plot
from pasimeta.report.prose.robustness import prior_sentence
from pasimeta.robustness import prior_grid

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")


def test_each_row_is_the_posterior_under_its_priors() -> None:
    table = prior_grid([6, 2], [17, 7], [0.25, 1.0]).set_index(["mu_prior", "scale"])
    assert list(table.index) == [("normal(0, 1.7)", 0.25), ("normal(0, 1.7)", 1.0), ("flat", 0.25), ("flat", 1.0)]
    for (words, scale), prior in zip(table.index, ((0.0, 1.7), (0.0, 1.7), None, None), strict=True):
        alone = synthesis.pool_bayes_binomial([6, 2], [17, 7], ("half_normal", scale), prior)
        for name in ("estimate", "ci_lower", "ci_upper", "pi_lower", "pi_upper"):
            column = f"response_{name}"
            assert table.loc[(words, scale), column] == pytest.approx(getattr(alone, column), abs=3e-5)


def test_without_responders_only_the_proper_prior_is_left() -> None:
    assert set(prior_grid([0, 0], [3, 4], [0.5])["mu_prior"]) == {"normal(0, 1.7)"}
    with pytest.raises(PasimetaError, match="leaves a posterior"):
        prior_grid([0], [3], [0.5], mu_priors=[None])
    with pytest.raises(PasimetaError, match="tau prior: 0 is no scale"):
        prior_grid([1], [3], [0])


def test_words_and_figure_hold_both_priors() -> None:
    table = prior_grid([6, 2], [17, 7], [0.1, 2.0])
    rows = table.set_index(["mu_prior", "scale"])["response_ci_upper"]
    moved = max(
        abs(table[table["mu_prior"] == "flat"][c].to_numpy() - table[table["mu_prior"] != "flat"][c].to_numpy()).max()
        for c in ("response_estimate", "response_ci_lower", "response_ci_upper")
    )
    said = prior_sentence(table, 50)
    assert f"to {100 * rows['normal(0, 1.7)', 0.1]:.0f}\u00a0% to" in said
    assert (
        f"flat prior of the mean log-odds in place of normal(0, 1.7) moves median and interval by {100 * moved:.0f}"
        in said
    )
    drawn = prior_plot(table, 50, 0.95).data
    assert len(drawn) == 4
