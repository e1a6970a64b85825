"""The names that registries and their mirrors give to the parts of a page."""

from __future__ import annotations

import re

_NAMES = {
    "title": "title|brief title|official title|scientific title|public title|study title|trial title|full title",
    "registry_id": (
        "registration number|nct number|nct id|nct|nctid|clinicaltrials.gov identifier|clinicaltrials.gov id|"
        "clinicaltrials gov id|clinical study identifier|trial id|study id|identifier|trial registration|"
        "irct registration number|irct id|registry id|registration no|registration id|trial number|"
        "trial registration number|study identifier|isrctn|eudract number|main id|registry number|"
        "clinicaltrials.gov number|trial identifier|registry identifier"
    ),
    "other_id": (
        "name|org study id|organization study id|other study id|other study id numbers|secondary id|secondary ids|"
        "protocol number|unique protocol id|sponsor study id|protocol id|sponsor protocol number"
    ),
    "summary": (
        "brief summary|description|study description|brief description of study|summary|study overview|overview|"
        "brief description|about this study|about the study|study summary|objective|objectives|background|lay summary|"
        "study hypothesis|methods|general information|abstract"
    ),
    "detail": "detailed description|detailed study description|full description|study details|details",
    "status": (
        "status|recruitment status|overall status|trial status|study status|overall recruitment status|"
        "recruiting status|current status|overall trial status"
    ),
    "phase": "phase|phases|study phase|trial phase|development phase|clinical phase|study phases",
    "allocation": "allocation|randomization|randomisation|random allocation",
    "design": (
        "study design|intervention model|interventional model|design|study model|assignment|intervention assignment|"
        "interventional study model|design intervention model|intervention design|primary study design|model"
    ),
    "target": (
        "target recruitment|target sample size|estimated enrollment|anticipated enrollment|target enrollment|"
        "planned enrollment|planned sample size|target number of participants|estimated enrolment|target enrolment|"
        "planned enrolment|enrollment estimated|enrollment anticipated|enrolment estimated|anticipated enrolment|"
        "estimated number of participants|planned number of participants|planned number of subjects|target size"
    ),
    "actual": (
        "actual enrollment|actual enrolment|actual sample size reached|final enrolment number|enrollment actual|"
        "actual recruitment|enrolment actual|actual sample size|final enrollment|number of patients enrolled"
    ),
    "enrollment": (
        "enrollment|enrolment|size|sample size|participants|number of participants|enrollment count|"
        "number of subjects|number of patients|total enrollment|enrolled|estimated participants|trial size|study size"
    ),
    "inclusion": (
        "inclusion criteria|key inclusion criteria|inclusion|main inclusion criteria|participant inclusion criteria"
    ),
    "exclusion": (
        "exclusion criteria|key exclusion criteria|exclusion|main exclusion criteria|participant exclusion criteria"
    ),
    "eligibility": "eligibility criteria|eligibility|recruitment and eligibility|who can take part|criteria",
    "arms": (
        "arm and interventions|arms and interventions|arms and intervention|arms|trial arms|study arms|groups|"
        "intervention groups|treatment groups|arm groups|groups and interventions|groups and cohorts|treatment arms|"
        "groupinterventiondescription|participant groups|arms groups and interventions|"
        "dose groups|cohorts|treatment group|participant group arm"
    ),
    "interventions": (
        "interventions|intervention|intervention treatment|interventions treatments|treatment|treatments|"
        "intervention s|intervention description|intervention details|drug|drugs|study treatment|what is given"
    ),
    "primary": (
        "primary outcome measures|primary outcome measure|primary outcome|primary outcomes|primary endpoint|"
        "primary endpoints|primary end point|primary end points|primary outcome s|primary end point s|"
        "main outcome|main outcomes|primary objective|primary outcome measures and time points|primary measures"
    ),
    "secondary": (
        "secondary outcome measures|secondary outcome measure|secondary outcome|secondary outcomes|"
        "secondary endpoint|secondary endpoints|secondary end point|secondary end points|secondary outcome s|"
        "secondary end point s|key secondary outcomes|secondary objective|secondary objectives|secondary measures|"
        "key secondary outcome measures"
    ),
    "other_outcomes": (
        "other outcome measures|other outcomes|other pre specified outcome measures|exploratory outcomes|"
        "outcome measures|outcomes|endpoints|measured outcomes|what is measured|study outcomes"
    ),
    "results": "results|study results|research results|conclusion|conclusions|findings|outcome results|result",
    "boundary": (
        "conditions|condition|condition or disease|lead sponsor|sponsor|sponsors|collaborators|sex|gender|age|ages|"
        "minimum age|maximum age|locations|trial locations|study locations|contacts|contacts and locations|trial start|"
        "start date|study start|end date|trial end|estimated pcd|completion date|primary completion date|"
        "study completion|last updated|last update|updated at|first posted|keywords|other names|indication|indications|"
        "protocol|study type|purpose|primary purpose|masking|blinding|masking open label|investigators|funding|"
        "study and design|study design and type|healthy volunteers|accepts healthy volunteers|references|reference|"
        "related news|organization|organizations|products|find a site near you|start over|publications|ethics|"
        "countries|country|medical condition|disease|disorder|accepts healthy|countries of recruitment|location|"
        "enrollment period|study dates|dates|dates of study|responsible party|more information|source|history|"
        "ages eligible for study|sexes eligible for study|volunteers|principal investigator|contact|study contact|"
        "similar trials|related trials|you may also like|disclaimer|copyright|study record dates|results posted|"
        "inclusion and exclusion|collaborators and investigators|study plan|design details|participation criteria|"
        "how is the study designed|what is the study measuring|study start actual|study completion actual|"
        "time points|quick facts|key facts|at a glance|date of registration|registered on"
    ),
    "time_frame": "time frame|timeframe|time frames|time point|timepoints|timepoint|time points of measurement|when",
    "measure_name": "measure|outcome measure|outcome name|outcome",
    "measure_text": (
        "measure description|outcome description|description of measure|method|measurement method|method of measurement"
    ),
}
FIELD_OF = {name: field for field, names in _NAMES.items() for name in names.split("|")}
LONGEST_LABEL = max(map(len, FIELD_OF))
# fields whose value is a word or number, and may follow their label on the same line without a colon
SHORT_FIELDS = frozenset({"status", "phase", "allocation", "target", "actual", "enrollment", "design", "registry_id"})
# a cheap look at how a line begins spares most lines the search for a label
FIRST_WORDS = tuple({name.split()[0] for name in FIELD_OF})
FIRST_SHORT_WORDS = tuple({name.split()[0] for name, field in FIELD_OF.items() if field in SHORT_FIELDS})
_JUNK = re.compile(r"[^\w.]+")


def label_field(text: str) -> str | None:
    """Return the field a label names, however it is written; None when it is no label."""
    if not 2 <= len(text) <= LONGEST_LABEL + 12:
        return None
    folded = text.casefold()
    if not folded.startswith(FIRST_WORDS):
        return None
    spelled = folded.replace("&&", " and ").replace("&", " and ")
    return FIELD_OF.get(_JUNK.sub(" ", spelled).strip(" .")) or FIELD_OF.get(
        _JUNK.sub(" ", spelled.partition("(")[0]).strip(" .")
    )
