"""A cluster gives the digits of one machine, and its absence is said."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from multiverse_evidence import INCLUSION, RESPONSES

from pasimeta.errors import PasimetaError
from pasimeta.robustness import analyses, multiverse

OPTIONS = analyses(measures=("PLO", "PFT"), methods=("DL", "REML", "PM"), tests=("z", "adhoc"), tau_priors=(0.5,))


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_of_two_processes_gives_the_same_digits() -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: the cluster is not tested")
    here = multiverse(RESPONSES, INCLUSION, thresholds=(50,), options=OPTIONS)
    seen: list[tuple[int, int]] = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, scheduler_port=0
    ) as cluster:
        there = multiverse(
            RESPONSES,
            INCLUSION,
            thresholds=(50,),
            options=OPTIONS,
            scheduler=cluster.scheduler_address,
            progress=lambda done, total: seen.append((done, total)),
        )
    for column in ("estimate", "ci_lower", "ci_upper", "pi_lower", "pi_upper"):
        np.testing.assert_array_equal(here.frame[column], there.frame[column])
    assert seen[-1] == (here.distinct, here.distinct)


def test_without_dask_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(PasimetaError, match=r"dask\[distributed\]"):
        multiverse(RESPONSES, INCLUSION, thresholds=(50,), options=OPTIONS, scheduler="tcp://127.0.0.1:1")


def test_an_address_that_is_none_is_refused() -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: the cluster is not tested")
    with pytest.raises(PasimetaError, match="doesn't answer"):
        multiverse(RESPONSES, INCLUSION, thresholds=(50,), options=OPTIONS, scheduler="nowhere")
