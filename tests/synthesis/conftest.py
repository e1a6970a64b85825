"""Published data sets that the synthesis tests share."""

import pytest


@pytest.fixture(scope="session")
def vasospasm() -> dict[str, list[int]]:
    """Patients improved under hyperdynamic therapy in 14 studies (Pritz MB. Neurosurg Q 1997;7:273-285)."""
    return {
        "events": [16, 10, 4, 43, 10, 25, 13, 12, 22, 4, 5, 18, 58, 6],
        "n": [17, 12, 8, 58, 10, 42, 14, 12, 41, 5, 6, 23, 68, 10],
    }
