"""Trim and fill: metafor's counts and estimates, symmetry, and a funnel with a known hole."""

import numpy as np
import pytest

from pasimeta.effects import escalc
from pasimeta.errors import PasimetaError
from pasimeta.robustness import trim_and_fill
from pasimeta.synthesis import pool

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

#: R's metafor 3.8.1, trimfill of the BCG log odds ratios: number filled, estimate, se, tau2.
METAFOR = {
    ("EE", "L0"): (4, -0.2841068284, 0.0397939410, 0.0),
    ("EE", "R0"): (4, -0.2841068284, 0.0397939410, 0.0),
    ("DL", "L0"): (0, -0.7473923497, 0.1922628490, 0.3663434067),
    ("REML", "R0"): (0, -0.7451777708, 0.1860279128, 0.3377720331),
}


@pytest.mark.parametrize(("method", "estimator"), METAFOR)
def test_the_bcg_trials_agree_with_metafor(bcg_counts: dict, method: str, estimator: str) -> None:
    result = trim_and_fill(*escalc("OR", **bcg_counts), method, estimator=estimator)
    k0, *numbers = METAFOR[method, estimator]
    assert (result.k0, result.side) == (k0, "right")
    np.testing.assert_allclose((result.estimate, result.se, result.tau2), numbers, rtol=1e-8, atol=1e-12)


def test_the_last_fit_stops_where_metafors_does_unless_the_optimum_is_asked_for(bcg: tuple) -> None:
    # R's metafor 3.8.1, log risk ratios, REML, threshold 1e-12: trimfill(fit), and with the threshold passed on.
    assert trim_and_fill(*bcg).tau2 == pytest.approx(0.331288037336580, rel=1e-10)
    optimum = trim_and_fill(*bcg, convergence="optimum")
    assert optimum.tau2 == pytest.approx(0.331287633439506, rel=1e-10)
    yi, vi = np.append(bcg[0], optimum.filled_yi), np.append(bcg[1], optimum.filled_vi)
    assert optimum.tau2 == pytest.approx(pool(yi, vi).tau2, rel=1e-12)


def test_with_nothing_to_fill_in_the_result_is_the_plain_one() -> None:
    yi, vi = [0.3, 0.1, 0.5, 0.22, 0.37, 0.6], [0.01, 0.1, 0.11, 0.05, 0.06, 0.2]
    result, plain = trim_and_fill(yi, vi, side="right"), pool(yi, vi, test="z")
    assert result.k0 == 0
    assert (result.estimate, result.tau2) == (pytest.approx(plain.estimate), pytest.approx(plain.tau2, abs=1e-12))
    assert result.warnings == ()


def test_mirroring_the_effects_mirrors_the_result(bcg: tuple) -> None:
    yi, vi = bcg
    here, there = trim_and_fill(yi, vi, "EE"), trim_and_fill(-yi, vi, "EE")
    assert (here.k0, here.side, there.side) == (there.k0, "right", "left")
    assert here.estimate == pytest.approx(-there.estimate)
    np.testing.assert_allclose(here.filled_yi, np.negative(there.filled_yi))


@pytest.mark.parametrize("estimator", ["L0", "R0"])
def test_studies_cut_from_a_symmetric_funnel_are_found_and_restored(estimator: str) -> None:
    distance = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.2])
    yi = np.concatenate([0.4 + distance, 0.4 - distance])
    vi = np.tile(distance**2 / 2 + 0.001, 2)
    kept = yi > -0.2
    result = trim_and_fill(yi[kept], vi[kept], "EE", estimator=estimator)
    assert result.side == "left"
    assert result.k0 == pytest.approx((~kept).sum(), abs=1)
    assert abs(result.estimate - 0.4) < abs(pool(yi[kept], vi[kept], "EE").estimate - 0.4)
    assert any("sensitivity analysis" in text for text in result.warnings)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": "Q0"}, "estimator: 'Q0' is unknown"),
        ({"side": "up"}, "side: 'up' is unknown"),
        ({"convergence": "fast"}, "convergence: 'fast' is unknown"),
    ],
)
def test_unknown_options_are_refused(options: dict, message: str) -> None:
    with pytest.raises(PasimetaError, match=message):
        trim_and_fill([0.1, 0.2, 0.5], [0.1, 0.2, 0.3], **options)


def test_equal_variances_dont_tell_the_side() -> None:
    with pytest.raises(PasimetaError, match="give side"):
        trim_and_fill([0.1, 0.2, 0.5], [0.1, 0.1, 0.1])
