"""Published data sets that the synthesis tests share."""

import numpy as np
import pytest

from pasimeta.effects import escalc


@pytest.fixture(scope="session")
def bcg() -> tuple[np.ndarray, np.ndarray]:
    """Log risk ratios of 13 BCG vaccine trials (Colditz GA, et al. JAMA 1994;271:698-702)."""
    return escalc(
        "RR",
        events1=[4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
        n1=[123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913],
        events2=[11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
        n2=[139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854],
    )


@pytest.fixture(scope="session")
def vasospasm() -> dict[str, list[int]]:
    """Patients improved under hyperdynamic therapy in 14 studies (Pritz MB. Neurosurg Q 1997;7:273-285)."""
    return {
        "events": [16, 10, 4, 43, 10, 25, 13, 12, 22, 4, 5, 18, 58, 6],
        "n": [17, 12, 8, 58, 10, 42, 14, 12, 41, 5, 6, 23, 68, 10],
    }
