"""Data sets of the threshold tests, typed in from their publications."""

from __future__ import annotations

import pandas as pd

# NICE DSU Technical Support Document 2 (Dias et al. 2011), psoriasis example: study, treatment, n, and patients with
# 50-74, 75-89 and 90-100 % improvement, exclusive where more than one is given.
TSD2 = """
Elewski,Supportive care,193,12,5,1
Elewski,Etanercept 25 mg,196,59,46,21
Elewski,Etanercept 50 mg,194,54,56,40
Gottlieb 2003,Supportive care,55,5,1,0
Gottlieb 2003,Etanercept 25 mg,57,23,11,6
Lebwohl,Supportive care,122,13,5,1
Lebwohl,Efalizumab,232,68,42,10
Leonardi,Supportive care,166,18,5,1
Leonardi,Etanercept 25 mg,162,39,36,19
Leonardi,Etanercept 50 mg,164,40,45,36
Gordon,Supportive care,187,18,8,
Gordon,Efalizumab,369,118,98,
ACD2058g,Supportive care,170,25,,
ACD2058g,Efalizumab,162,99,,
ACD2600g,Supportive care,263,33,,
ACD2600g,Efalizumab,450,234,,
Guenther,Supportive care,11,1,,
Guenther,Ciclosporin,12,12,,
IMP24011,Supportive care,264,38,,
IMP24011,Efalizumab,529,284,,
Altmeyer,Supportive care,51,,1,
Altmeyer,Fumaderm,49,,12,
Chaudari,Supportive care,11,,2,
Chaudari,Infliximab,11,,9,
Ellis,Supportive care,25,,0,
Ellis,Ciclosporin,25,,9,
Ellis,Ciclosporin,20,,13,
Gottlieb 2004,Supportive care,51,,3,
Gottlieb 2004,Infliximab,99,,71,
Gottlieb 2004,Infliximab,99,,87,
Heydendael,Ciclosporin,42,,30,
Heydendael,Methotrexate,43,,26,
Meffert,Supportive care,43,,2,
Meffert,Ciclosporin,41,,4,
Van Joost,Supportive care,10,,0,
Van Joost,Ciclosporin,10,,7,
"""


def psoriasis_network() -> pd.DataFrame:
    """The network with cumulative counts, one row an arm and threshold."""
    rows = []
    for index, line in enumerate(TSD2.strip().splitlines()):
        trial, treatment, n, *exclusive = line.split(",")
        total = 0
        for threshold, cell in zip((90, 75, 50), exclusive[::-1], strict=True):
            if cell:
                total += int(cell)
                rows.append((trial, f"arm {index}", treatment, threshold, total, int(n)))
    return pd.DataFrame(rows, columns=["trial", "study", "treatment", "threshold", "events", "n"])


def small_review() -> pd.DataFrame:
    """Cheng 2022 and Yao 2021 as their abstracts count them."""
    rows = [
        ("Cheng", 40, 8, 8, 17),
        ("Cheng", 50, 6, 8, 17),
        ("Cheng", 75, 6, 6, 17),
        ("Cheng", 90, 3, 3, 17),
        ("Yao", 50, 2, 2, 7),
    ]
    return pd.DataFrame(rows, columns=["study", "threshold", "events_lower", "events_upper", "n"])


def spaced_arms() -> pd.DataFrame:
    """Comparator arms with three thresholds or more: the psoriasis network's, and three with PASI100.

    ERASURE, FIXTURE and CLEAR arms: Langley RG et al. N Engl J Med 2014;371:326-338 and Thaci D et al. J Am Acad
    Dermatol 2015;73:400-409, as in multinma 0.8.0, plaque_psoriasis_agd.
    """
    network = psoriasis_network()
    three = network[network.groupby("study")["threshold"].transform("size") == 3]
    rows = [
        ("ERASURE", "erasure", 75, 200, 245),
        ("ERASURE", "erasure", 90, 145, 245),
        ("ERASURE", "erasure", 100, 70, 245),
        ("FIXTURE", "fixture", 75, 142, 323),
        ("FIXTURE", "fixture", 90, 67, 323),
        ("FIXTURE", "fixture", 100, 14, 323),
        ("CLEAR", "clear", 75, 265, 335),
        ("CLEAR", "clear", 90, 179, 335),
        ("CLEAR", "clear", 100, 86, 335),
    ]
    more = pd.DataFrame(rows, columns=["trial", "study", "threshold", "events", "n"])
    return pd.concat([three.drop(columns="treatment"), more], ignore_index=True)
