"""A two-arm trial of one's own: what it would show at an assumed rate, and what it can be expected to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pasimeta.errors import PasimetaError
from pasimeta.forecast.beliefs import belief_from_counts, belief_from_studies, check_rate, check_whole
from pasimeta.forecast.exact_tests import rejects_for_benefit
from pasimeta.forecast.power_grid import power_grid


def imagined_trial(
    counts: pd.DataFrame,
    controls: Mapping[str, pd.DataFrame],
    *,
    n_per_arm: int,
    assumed_rate: float,
    tau_scale: float = 0.5,
    mu_sd: float = 1.7,
    test: str = "fisher",
    alternative: str = "two_sided",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Forecast one arm of cells against each control, at an assumed rate and over what is believed of it.

    Parameters
    ----------
    counts : DataFrame
        Of the cells, as :func:`~pasimeta.forecast.beliefs.belief_from_counts` takes them.
    controls : mapping of str to DataFrame
        Control arms of other trials by treatment, with ``events`` and ``n``.
    n_per_arm, assumed_rate : int, float
        Patients in either arm, and the true rate of the cells if it were known.
    tau_scale, mu_sd : float
        Priors of what is believed: half-normal scale of tau, sd of the mean log-odds about 0.
    test, alternative, alpha
        As in :class:`~pasimeta.forecast.predictive.Design`.

    Returns
    -------
    DataFrame
        One row a control: ``against``, ``n_per_arm``, ``assumed_rate``, ``power`` (at that rate), ``assurance``,
        ``ceiling`` (probability that the cells are better at all), ``control_mean``.

    Raises
    ------
    PasimetaError
        For no control, an empty arm, or a rate or prior that can't be.
    """
    if not controls:
        raise PasimetaError("controls: none; give the arms of at least one treatment to compare with")
    n, rate = check_whole("n_per_arm", n_per_arm), check_rate("assumed_rate", assumed_rate)
    priors: dict[str, Any] = {"tau_prior": ("half_normal", tau_scale), "mu_prior": (0.0, mu_sd)}
    cells = belief_from_counts(counts, **priors)
    rejected = rejects_for_benefit(n, n, test, alternative, alpha)
    rows = []
    for name, arms in controls.items():
        control = belief_from_studies(arms["events"], arms["n"], **priors)
        grid = power_grid(control, [n], [rate], test=test, alternative=alternative, alpha=alpha)
        rows.append(
            {
                "against": name,
                "n_per_arm": n,
                "assumed_rate": rate,
                "power": float(grid.power[0, 0]),
                "assurance": float(cells.counts(n) @ rejected @ control.counts(n)),
                "ceiling": cells.exceeds(control),
                "control_mean": control.mean,
            }
        )
    return pd.DataFrame(rows)
