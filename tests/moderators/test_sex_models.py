"""One odds ratio for all studies' patients, with and without priors, against brute force."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import binom, norm

from pasimeta.errors import PasimetaError
from pasimeta.evidence import tables
from pasimeta.evidence.inclusion import InclusionRule, decide_all
from pasimeta.moderators.one_stage import across_studies, by_allocation, one_stage, profile_log_likelihood
from pasimeta.moderators.sex_prior import EffectPrior, external_prior, posterior, registry_rates, three_priors
from pasimeta.moderators.strata import Stratum, known_stratum, sex_strata, unknown_stratum
from pasimeta.moderators.two_by_two import profile_interval

CHENG = known_stratum("Cheng 2022", 6, 9, 2, 8, 40)
YAO = unknown_stratum("Yao 2021", 1, 6, (2, 2), 50)


@pytest.fixture(scope="module")
def published(evidence):
    decisions = decide_all(evidence, InclusionRule())
    return [build(evidence, decisions) for build in (tables.responses, tables.characteristics, tables.benchmarks)]


def test_unknown_allocation_is_the_sum_over_its_tables():
    a, d = -0.7, 1.1
    p1, p2 = expit(a + d), expit(a)
    expected = sum(binom.pmf(y, 1, p1) * binom.pmf(2 - y, 6, p2) for y in (0, 1))
    assert np.exp(float(YAO.log_likelihood(a, d))) == pytest.approx(expected, rel=1e-12)


def test_the_sum_agrees_with_monte_carlo():
    rng = np.random.default_rng(2)
    women, men = rng.binomial(1, expit(0.4), 400_000), rng.binomial(6, expit(-0.7), 400_000)
    assert (women + men == 2).mean() == pytest.approx(np.exp(float(YAO.log_likelihood(-0.7, 1.1))), abs=0.003)


def test_one_known_study_gives_its_own_odds_ratio():
    fit = one_stage([CHENG])
    assert np.exp(fit.estimate) == pytest.approx(6.0, rel=1e-5)  # 6 x 6 / (3 x 2)
    limits = profile_interval("OR", 6, 9, 2, 8)
    assert np.exp([fit.ci_lower, fit.ci_upper]) == pytest.approx(limits, rel=1e-5)


def test_both_studies_agree_with_a_general_optimiser():
    fit = one_stage([CHENG, YAO])

    def loss(theta):
        d, a1, a2 = theta
        return -float(CHENG.log_likelihood(a1, d)) - float(YAO.log_likelihood(a2, d))

    found = minimize(
        loss, [1.0, -1.0, -1.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 9000}
    )
    assert fit.estimate == pytest.approx(found.x[0], abs=1e-4)
    ends = profile_log_likelihood([CHENG, YAO], np.array([fit.estimate, fit.ci_lower, fit.ci_upper]))
    assert ends[0] - ends[1:] == pytest.approx([1.920729, 1.920729], abs=1e-4)


def test_common_intercept_mixes_in_what_differs_between_studies():
    # two studies of one sex each: silent within, but loud across
    women, men = known_stratum("A", 9, 10, 0, 0), known_stratum("B", 0, 0, 1, 10)
    mixed = one_stage([women, men], "common")
    assert mixed.ci_lower > 0
    with pytest.raises(PasimetaError, match="nothing compares them within"):
        one_stage([women, men], "study")


def test_a_study_of_one_sex_leaves_the_within_study_odds_ratio_alone():
    lwin = Stratum("Lwin 2025", 3, 0, 1, 3, 1, 3, 40)
    assert one_stage([CHENG, lwin]).estimate == pytest.approx(one_stage([CHENG]).estimate, abs=1e-6)
    assert lwin.knowledge == "one group only"


def test_allocations_bracket_the_sum_over_them():
    table = by_allocation([CHENG, YAO])
    assert len(table) == 2
    total = np.exp(one_stage([CHENG, YAO]).estimate)
    assert table["odds_ratio"].min() < total < table["odds_ratio"].max()
    # one woman's outcome, unknown, moves the exact p value this far
    assert table["exact_p_value"].tolist() == pytest.approx([0.3838, 0.0797], abs=1e-4)


def test_separated_counts_have_no_upper_end():
    fit = one_stage([known_stratum("A", 5, 5, 0, 5)])
    assert fit.estimate == np.inf
    assert fit.ci_upper == np.inf
    assert fit.ci_lower > 0


def test_across_studies_needs_shares_that_differ():
    assert across_studies([CHENG, known_stratum("B", 9, 18, 3, 16)]) is None
    assert across_studies([CHENG, YAO])["k"].tolist() == [2]


def test_published_counts_become_two_strata(published):
    responses, characteristics, _ = published
    strata = sex_strata(responses, characteristics, 40, imputation="nonresponder", timepoint="latest")
    assert strata == [CHENG, YAO]  # six men and one woman, two responders at PASI50, as the dossier says


def legendre(low, high, count=240):
    """Nodes and weights of Gauss and Legendre: another rule, other nodes, other ranges than the code's."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return low + (high - low) * (nodes + 1) / 2, weights * (high - low) / 2


@pytest.mark.parametrize("prior", [EffectPrior("weak", 0.0, 1.0), EffectPrior("external", 0.3, 0.5)])
@pytest.mark.parametrize("strata", [[CHENG], [CHENG, YAO]], ids=["one study", "two"])
def test_posterior_agrees_with_another_quadrature(prior, strata):
    a, wa = legendre(-13, 13)
    below, above = legendre(-7, 0), legendre(0, 7)
    d, wd = (np.concatenate(pair) for pair in zip(below, above, strict=True))

    def likelihood(stratum):
        return np.exp(stratum.log_likelihood(a[:, None], d[None, :])) * norm.pdf(a, 0, 2)[:, None]

    others = np.prod([wa @ likelihood(s) for s in strata[1:]], axis=0) * norm.pdf(d, prior.mean, prior.sd)
    joint = likelihood(strata[0]) * others * np.outer(wa, wd)
    joint /= joint.sum()
    difference = expit(a[:, None] + d) - expit(a)[:, None]
    found = posterior(strata, prior)
    assert found.probability_first_better == pytest.approx(joint[:, d > 0].sum(), abs=2e-5)
    assert found.log_odds_ratio_mean == pytest.approx((joint * d).sum(), abs=1e-8)
    assert found.difference_mean == pytest.approx((joint * difference).sum(), abs=2e-6)
    assert found.probability(0.0) == pytest.approx(found.probability_first_better, abs=1e-5)
    # the share of the joint below each end of the interval, to the grid's resolution
    for end, share in ((found.difference_lower, 0.025), (found.difference_upper, 0.975)):
        assert joint[difference <= end].sum() == pytest.approx(share, abs=2e-3)


def test_a_firm_prior_is_its_own_posterior():
    prior = external_prior(0.548, 0.472, 5346)
    found = posterior([CHENG], prior)
    assert prior.mean == pytest.approx(float(logit(0.548) - logit(0.472)))
    assert found.log_odds_ratio_mean == pytest.approx(prior.mean, abs=0.01)
    assert found.log_odds_ratio_sd < prior.sd


def test_discounting_divides_the_priors_patients():
    full, tenth = external_prior(0.548, 0.472, 5346), external_prior(0.548, 0.472, 5346, 0.1)
    assert tenth.sd == pytest.approx(full.sd * np.sqrt(10))
    assert external_prior(0.548, 0.472, 535, 1.0).sd == pytest.approx(tenth.sd, rel=1e-3)


def test_external_prior_is_read_from_the_benchmarks(published):
    benchmarks = published[2]
    assert registry_rates(benchmarks, "Maul 2021", 13.0) == pytest.approx((0.548, 0.472))
    flat, weak, external = three_priors(benchmarks, "Maul 2021", 13.0, 5346, 0.01)
    assert flat.sd > weak.sd > external.sd
    assert "54.8 % of women" in external.source
    with pytest.raises(PasimetaError, match="0 figures for female"):
        registry_rates(benchmarks, "Maul 2021", 14.0)


def test_more_responders_in_the_first_group_raise_its_odds():
    prior = EffectPrior("weak", 0.0, 1.0)
    found = [posterior([known_stratum("A", x, 9, 2, 8)], prior).probability_first_better for x in range(0, 10, 3)]
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Stratum("A", 0, 0, 0, 0, 0, 0), "at least one patient"),
        (lambda: known_stratum("A", 5, 4, 1, 3), "don't fit"),
        (lambda: unknown_stratum("A", 1, 2, (2, 5)), "can't be"),
        (lambda: one_stage([]), "no study"),
        (lambda: one_stage([CHENG], "none"), "choose study, common, random"),
        (lambda: external_prior(54.8, 0.472, 5346), "proportions"),
        (lambda: external_prior(0.5, 0.4, 100, 0.0), "weight"),
        (lambda: EffectPrior("x", 0.0, 0.0), "positive SD"),
        (lambda: posterior([CHENG], EffectPrior("x", 0, 1), reference=1), "index of a study"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(PasimetaError, match=words):
        call()


def test_studies_whose_sexes_arent_printed_are_left_out(published):
    responses, characteristics, _ = published
    unknown = characteristics.assign(female=characteristics["female"].where(characteristics["study"] != "yao2021"))
    chosen = sex_strata(responses, pd.DataFrame(unknown), 40)
    assert [s.label for s in chosen] == ["Cheng 2022"]
