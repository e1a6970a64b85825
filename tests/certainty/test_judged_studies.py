"""Every study of cells in patients is judged, every judgement has its reason, and none outruns what was seen."""

import re
from pathlib import Path

import pytest

from pasimeta.certainty import domain_risks, item_answers, overall_risks
from pasimeta.certainty.risk_of_bias import DOMAINS, ITEMS
from pasimeta.errors import EvidenceError, PasimetaError
from pasimeta.evidence.judgement import DomainJudgement, RobinsI
from pasimeta.evidence.store import load_evidence

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "seeds"


def test_every_report_of_expanded_cells_is_judged(evidence):
    reports = {
        s.id for s in evidence.studies.values() if s.status == "reported" and s.product.product_class == "expanded_msc"
    }
    assert len(reports) == 7
    assert reports <= set(evidence.risk_of_bias)
    assert set(evidence.risk_of_bias) <= set(evidence.studies)


def test_seven_domains_and_ten_items_with_a_reason_each(evidence):
    risks, answers = domain_risks(evidence), item_answers(evidence)
    assert (len(DOMAINS), len(ITEMS)) == (7, 10)
    assert (risks.groupby("study").size() == 7).all()
    assert (answers.groupby("study").size() == 10).all()
    for table in (risks, answers):
        assert table["reason"].str.len().min() > 8
        firm = ~table["judgement"].isin(["unclear", "no_information", "not_applicable"])
        assert table.loc[firm, ["source", "locator"]].notna().all().all()


def test_judgements_rest_on_documents_of_their_study(evidence):
    for table in (domain_risks(evidence), item_answers(evidence)):
        for row in table.dropna(subset=["source"]).itertuples():
            assert row.source in evidence.studies[row.study].sources, f"{row.study} {row.item}"


def test_nobody_is_at_less_than_critical_risk_without_a_control_group(evidence):
    uncontrolled = [name for name in evidence.risk_of_bias if evidence.studies[name].design != "randomized"]
    assert (overall_risks(evidence, uncontrolled) == "critical").all()


def test_no_reason_is_copied_from_a_stored_document(evidence):
    if not DOCUMENTS.is_dir():
        pytest.skip("the stored documents aren't beside this checkout")

    def runs(text):
        words = re.findall(r"[^\W_]+", text.lower())
        return {tuple(words[i : i + 8]) for i in range(len(words) - 7)}

    stored = set().union(*(runs(path.read_text(encoding="utf-8")) for path in DOCUMENTS.glob("*.txt")))
    for table in (domain_risks(evidence), item_answers(evidence)):
        for reason in table["reason"]:
            assert not runs(reason) & stored, reason


@pytest.mark.parametrize(
    ("risks", "overall"),
    [
        (["low"] * 7, "low"),
        (["low"] * 6 + ["moderate"], "moderate"),
        (["no_information"] + ["moderate"] * 6, "no_information"),
        (["no_information", "serious"] + ["low"] * 5, "serious"),
        (["critical", "serious"] + ["no_information"] * 5, "critical"),
    ],
)
def test_overall_risk_is_the_worst_domain(risks, overall):
    judged = {
        name: DomainJudgement(risk=risk, reason="as constructed", source="a", locator="b")
        for name, risk in zip(DOMAINS, risks, strict=True)
    }
    assert RobinsI(**judged).overall == overall


def test_a_study_nobody_judged_has_no_information(evidence):
    risks = domain_risks(evidence, ["nct03424629", "cheng2022"])
    assert list(dict.fromkeys(risks["study"])) == ["nct03424629", "cheng2022"]
    assert set(risks.loc[risks["study"] == "nct03424629", "judgement"]) == {"no_information"}
    with pytest.raises(PasimetaError, match="'nobody' is not in data/studies"):
        domain_risks(evidence, ["nobody"])


# Broken files


def complaint(project, old, new, name="cheng2022"):
    path = project.data / "certainty" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(EvidenceError) as refusal:
        load_evidence(project.data)
    return str(refusal.value)


def test_an_unknown_judgement_is_reported_with_file_line_and_field(copied_project):
    message = complaint(copied_project, "risk: critical", "risk: terrible")
    assert re.search(r"certainty/cheng2022\.yaml:\d+: robins_i\.confounding\.risk: input should be 'low'", message)


def test_a_firm_judgement_needs_its_document(copied_project):
    source = '    source: cheng2022-abstract-doaj\n    locator: "abstract"\n'
    path = copied_project.data / "certainty" / "cheng2022.yaml"
    block = path.read_text(encoding="utf-8").split("robins_i:\n")[1].split("  selection:")[0]
    assert "'critical' needs source and locator" in complaint(copied_project, block, block.replace(source, ""))


def test_an_unlisted_document_and_a_missing_domain_are_reported(copied_project):
    message = complaint(copied_project, "source: cheng2022-news-stored", "source: nowhere")
    assert "source 'nowhere' is not in sources.yaml" in message
    assert "robins_i.selection: field required" in complaint(copied_project, "  selection:", "  selektion:")


def test_a_judgement_of_an_unknown_study_is_reported(copied_project):
    folder = copied_project.data / "certainty"
    text = (folder / "cheng2022.yaml").read_text(encoding="utf-8")
    (folder / "stranger.yaml").write_text(text.replace("id: cheng2022", "id: stranger"), encoding="utf-8")
    with pytest.raises(EvidenceError, match="no study has this id"):
        load_evidence(copied_project.data)
