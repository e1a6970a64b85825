"""Small-study tests, where there are studies enough for them to say anything."""

from __future__ import annotations

from typing import Any

import numpy as np

from pasimeta.effects.validation import check_choice
from pasimeta.errors import PasimetaError
from pasimeta.robustness.small_study import SmallStudyResult, begg, egger, peters

LEAST_STUDIES = 10
_TESTS = {"egger": egger, "begg": begg, "peters": peters}


def small_study_test(test: str, *args: Any, least: int = LEAST_STUDIES, **options: Any) -> SmallStudyResult:
    """Test for small-study effects, unless there are too few studies for the test to mean anything.

    Parameters
    ----------
    test : {"egger", "begg", "peters"}
        Which; the other arguments are those of :func:`pasimeta.robustness.egger` and its siblings.
    least : int
        Fewest studies.

    Returns
    -------
    SmallStudyResult

    Raises
    ------
    PasimetaError
        Below ``least`` studies, with the reason; and as the tests themselves.

    References
    ----------
    Sterne JAC, Sutton AJ, Ioannidis JPA, et al. Recommendations for examining and interpreting funnel plot asymmetry in
    meta-analyses of randomised controlled trials. BMJ 2011;343:d4002.
    """
    check_choice("test", test, tuple(_TESTS))
    first = args[0] if args else next((options[key] for key in ("yi", "events", "events1") if key in options), ())
    k = int(np.size(first))
    if k < least:
        raise PasimetaError(
            f"{test}: {k} {'study is' if k == 1 else 'studies are'} fewer than {least}; the test then has next to no "
            "power, so that neither a small "
            "nor a large p value would say anything about missing studies; model the unreported trials instead "
            "(tipping_points, selection_model)"
        )
    result: SmallStudyResult = _TESTS[test](*args, **options)  # type: ignore[operator]
    return result
