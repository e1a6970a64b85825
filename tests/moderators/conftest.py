"""Published data sets that the moderator tests share."""

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def bcg_trials() -> pd.DataFrame:
    """Latitude, year and allocation of the 13 BCG vaccine trials."""
    return pd.DataFrame(
        {
            "ablat": [44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33],
            "year": [1948, 1949, 1960, 1977, 1973, 1953, 1973, 1980, 1968, 1961, 1974, 1969, 1976],
            "alloc": ["random"] * 4 + ["alternate"] * 2 + ["random"] * 3 + ["systematic"] * 4,
        }
    )
