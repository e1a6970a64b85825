"""Published data sets that the moderator tests share."""

import numpy as np
import pandas as pd
import pytest

from pasimeta.effects import escalc


@pytest.fixture(scope="session")
def bcg_effects() -> tuple[np.ndarray, np.ndarray]:
    """Log risk ratios of 13 BCG vaccine trials (Colditz GA, et al. JAMA 1994;271:698-702)."""
    return escalc(
        "RR",
        events1=[4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
        n1=[123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913],
        events2=[11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
        n2=[139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854],
    )


@pytest.fixture(scope="session")
def bcg_trials() -> pd.DataFrame:
    """Latitude, year and allocation of the same trials."""
    return pd.DataFrame(
        {
            "ablat": [44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33],
            "year": [1948, 1949, 1960, 1977, 1973, 1953, 1973, 1980, 1968, 1961, 1974, 1969, 1976],
            "alloc": ["random"] * 4 + ["alternate"] * 2 + ["random"] * 3 + ["systematic"] * 4,
        }
    )
