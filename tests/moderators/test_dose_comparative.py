"""Trends from published relative risks against what dosresmeta 2.1.1/2.2.0 prints for its example data."""

import numpy as np
import pytest

from pasimeta.errors import PasimetaError
from pasimeta.moderators.dose_comparative import (
    ComparativeStudy,
    comparative_trend,
    covariance,
    pooled_trend,
    pseudo_counts,
    study_from_counts,
)

#: Alcohol and cardiovascular disease: Liu, Cook, Bergstrom & Hsieh 2009, Comput Stat Data Anal 53:4157, as the data set
#: alcohol_cvd of the R package dosresmeta. label, design, doses (g/day), cases, n, log relative risks, standard errors
ALCOHOL = (
    (
        "Bianchi",
        "cc",
        [0, 9.06, 27, 45, 64.8],
        [126, 61, 69, 22, 19],
        [414, 261, 228, 44, 34],
        [-0.22314350, -0.0001, 0.53062832, 0.87546867],
        [0.22333798, 0.23375192, 0.37651366, 0.44400463],
    ),
    (
        "Bobak",
        "cc",
        [0, 16.05, 46.425, 77.16],
        [77, 88, 24, 13],
        [258, 413, 202, 64],
        [-0.43078291, -1.07880998, -0.61618608],
        [0.22130524, 0.29756540, 0.38707921],
    ),
    (
        "Malarcher, wine",
        "cc",
        [0, 1.176, 8.916, 18.72],
        [83, 46, 17, 4],
        [208, 175, 58, 11],
        [-0.57981849, -0.56211889, 0.61518562],
        [0.31714702, 0.41861397, 0.90910059],
    ),
    (
        "Malarcher, beer",
        "cc",
        [0, 0.955, 7.43, 15.6],
        [83, 29, 32, 18],
        [208, 117, 81, 39],
        [-0.28768209, 0.51282358, -0.31471071],
        [0.33323359, 0.33837259, 0.47134539],
    ),
    (
        "Vliegenthart, wine",
        "ci",
        [0, 6, 18, 28.8],
        [159, 229, 38, 39],
        [480, 975, 207, 133],
        [-0.41551551, -0.63487828, -0.08338160],
        [0.14421535, 0.23834856, 0.27388537],
    ),
    (
        "Vliegenthart, beer",
        "ci",
        [0, 6.25, 18.75, 30],
        [302, 129, 19, 15],
        [1269, 436, 49, 41],
        [-0.22314350, -0.01005030, -0.26136479],
        [0.15658718, 0.35108912, 0.41651142],
    ),
)
STUDIES = [ComparativeStudy(*row) for row in ALCOHOL]

#: dosresmeta 2.1.1, reference pages of grl, hamling and covar.logrr (six or more digits printed)
GL_CASES = (
    (125.045754, 67.121348, 68.861059, 18.649722, 17.321957),
    (76.326336, 88.590929, 25.247951, 11.834726),
    (81.774216, 46.587219, 15.641699, 5.996615),
    (75.746492, 35.156220, 39.598921, 11.498375),
    (153.244004, 230.458403, 41.209336, 40.088318),
    (343.064318, 99.685219, 13.149854, 9.100567),
)
HAMLING_CASES = (
    (77.224016, 42.863757, 39.595879, 14.048644, 11.379162),
    (52.936594, 57.793169, 18.561968, 9.998022),
    (41.767484, 22.346167, 10.101682, 2.800649),
    (41.049928, 19.560563, 25.512473, 7.685215),
    (83.911375, 112.603350, 22.275337, 15.848900),
    (194.789854, 51.584127, 8.465262, 5.940076),
)
FIRST_ROWS = (
    (0.04987985, 0.01875906, 0.01678737, 0.01780975),
    (0.04897601, 0.02669775, 0.02510026),
    (0.10058223, 0.03667789, 0.04203026),
    (0.11104463, 0.03566026, 0.03466437),
    (0.02079807, 0.01122058, 0.01347285),
    (0.024519546, 0.004898219, 0.004718234),
)


@pytest.mark.parametrize(
    ("study", "published"), list(zip(STUDIES, GL_CASES, strict=True)), ids=lambda s: getattr(s, "label", "")
)
def test_greenland_longnecker_counts_agree_with_dosresmeta(study, published):
    cases, n = pseudo_counts(study, "gl", "dosresmeta")
    assert cases == pytest.approx(published, rel=1e-5)  # dosresmeta stops at 1e-5
    assert n == pytest.approx(study.n)


@pytest.mark.parametrize(
    ("study", "published"), list(zip(STUDIES, HAMLING_CASES, strict=True)), ids=lambda s: getattr(s, "label", "")
)
def test_hamling_counts_agree_with_dosresmeta(study, published):
    assert pseudo_counts(study, "hamling", "dosresmeta")[0] == pytest.approx(published, rel=1e-4)


@pytest.mark.parametrize(
    ("study", "published"), list(zip(STUDIES, FIRST_ROWS, strict=True)), ids=lambda s: getattr(s, "label", "")
)
def test_covariances_agree_with_dosresmeta(study, published):
    matrix = covariance(study, "gl", "dosresmeta")
    assert matrix[0] == pytest.approx(published, abs=1e-7)
    assert np.allclose(matrix, matrix.T)
    assert (np.linalg.eigvalsh(matrix) > 0).all()


@pytest.mark.parametrize(
    ("method", "slope", "se", "tau2"),
    [
        ("REML", -0.0043654118, 0.0058892301, 1.0057092e-4),
        ("ML", -0.0043360174, 0.0053331542, 7.3971686e-5),
        ("EE", -0.0043738033, 0.0029085584, 0.0),
    ],
)
def test_two_stage_trends_agree_with_dosresmeta(method, slope, se, tau2):
    # dosresmeta 2.2.0, linear model, covariance "gl", two stages; asked for to 1e-4, held to 1e-7
    pooled = pooled_trend(STUDIES, "gl", method, "z", convention="dosresmeta")
    assert (pooled.estimate, pooled.se, pooled.tau2) == pytest.approx((slope, se, tau2), abs=1e-7)


def test_single_case_control_study_of_greenland_and_longnecker():
    # Rohan & McMichael 1988, the example of Greenland & Longnecker 1992; dosresmeta prints exp(slope) and its interval
    ratios, lower, upper = np.log([[0.80, 1.16, 1.57], [0.51, 0.73, 0.99], [1.27, 1.85, 2.51]])
    study = ComparativeStudy(
        "Rohan",
        "cc",
        [0, 2, 6, 11],
        [165, 74, 90, 122],
        [337, 167, 186, 212],
        ratios,
        (upper - lower) / 2 / 1.959963984540054,
    )
    trend = comparative_trend(study)
    limits = np.exp(trend.slope + 1.959963984540054 * trend.se * np.array([0, -1, 1]))
    assert limits == pytest.approx([1.046477, 1.004941, 1.089729], abs=1e-6)


@pytest.mark.parametrize("method", ["gl", "hamling"])
@pytest.mark.parametrize("design", ["cc", "ci", "ir"])
def test_crude_ratios_give_back_their_own_counts(design, method):
    # where nothing was adjusted, the pseudo-counts are the counts, by the papers' own definitions
    study = study_from_counts("A", design, [0, 1, 2, 4], [30, 25, 40, 22], [100, 90, 95, 60])
    cases, n = pseudo_counts(study, method)
    assert cases == pytest.approx([30, 25, 40, 22], rel=1e-6)
    assert n == pytest.approx([100, 90, 95, 60], rel=1e-6)


@pytest.mark.parametrize("study", STUDIES[4:], ids=lambda s: s.label)
def test_paper_convention_reproduces_printed_risk_ratios(study):
    # the R package's counts don't, for cumulative incidence
    for convention, reproduced in (("paper", True), ("dosresmeta", False)):
        cases, n = pseudo_counts(study, "gl", convention)
        ratios = np.log((cases / n)[1:] / (cases / n)[0])
        assert np.allclose(ratios, study.log_ratios, atol=1e-8) == reproduced


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cases": [30, 25]}, "for the reference and at least one more"),
        ({"se": [0.2, -0.1]}, "row 3: standard error"),
        ({"cases": [30, 100, 20]}, "row 2: 100 cases of 90"),
        ({"log_ratios": [0.1]}, "every group but the reference"),
        ({"design": "rct"}, "choose one of cc, ci, ir"),
    ],
)
def test_tables_that_cant_be_are_refused(change, words):
    given = {
        "label": "A",
        "design": "cc",
        "doses": [0, 1, 2],
        "cases": [30, 25, 40],
        "n": [100, 90, 95],
        "log_ratios": [0.1, 0.2],
        "se": [0.2, 0.2],
    }
    with pytest.raises(PasimetaError, match=words):
        ComparativeStudy(**{**given, **change})
