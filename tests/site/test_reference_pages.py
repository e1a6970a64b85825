"""The reference pages say what the project is: its methods, parameters, figures, references, and its words."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pasimeta.evidence.store import load_evidence
from pasimeta.figures.theme import NARROW
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.pipeline.parameters import load_parameters
from pasimeta.pipeline.sections import Parameters
from pasimeta.pipeline.worked_examples import TRIALS, committed_examples
from pasimeta.site.citation import bibtex, citation_pages, citation_text
from pasimeta.site.coverage import coverage_pages, coverage_rows
from pasimeta.site.formulas import markdown_with_formulas, mathml
from pasimeta.site.gallery import gallery_pages, pictures
from pasimeta.site.glossary import glossary_pages
from pasimeta.site.methods import CONTENT, methods, methods_pages
from pasimeta.site.own_review import write_examples
from pasimeta.site.page import Context, Page
from pasimeta.site.pdf import typeset, write_report
from pasimeta.site.report import IN_BRIEF, parsed, report_content
from pasimeta.site.reproducibility import parameters, reproducibility_pages, write_parameters
from pasimeta.site.search import sections, write_search_index


@pytest.fixture(scope="module")
def context(project, default_run):
    return Context(project, default_run / "results")


def words(markup):
    return " ".join(re.sub(r"<[^>]*>", " ", str(markup)).split())


# Methods


def test_every_method_has_formula_or_rule_reference_notebook_and_evidence(context):
    for method in methods(context):
        assert "<math" in method.text, method.id
        assert method.references, method.id
        assert words(method.evidence), method.id
        assert all(href.endswith(".html") for href, _ in method.notebooks), method.id
        assert (context.project.root / "src" / "pasimeta" / method.module).is_file(), method.id


def test_every_numbered_notebook_that_computes_is_named_by_a_method(context):
    named = {href for method in methods(context) for href, _ in method.notebooks}
    without_methods = {"01_evidence", "02_extraction", "14_summary"}
    assert {f"{n.name}.html" for n in NOTEBOOKS if n.name not in without_methods} <= named


def test_every_reference_is_cited_and_every_citation_has_its_reference():
    yaml = YAML(typ="safe")
    cited = {key for entry in yaml.load((CONTENT / "methods.yaml").read_text()) for key in entry["references"]}
    assert cited == set(yaml.load((CONTENT / "references.yaml").read_text()))


def test_every_reference_has_its_doi_or_says_what_could_not_be_confirmed(context):
    references = {reference for method in methods(context) for reference in method.references}
    assert len(references) > 40
    for reference in references:
        assert bool(reference.doi) != bool(reference.unsure), reference.text
        assert re.fullmatch(r"|10\.\d{4,5}/\S+", reference.doi), reference.text
        assert re.search(r"(19|20)\d\d[;.]", reference.text), reference.text
    addresses = {reference.address for reference in references if reference.doi}
    assert len(addresses) == sum(bool(reference.doi) for reference in references)
    assert not any(sign in address for address in addresses for sign in '<>" ')


def test_coverage_named_by_a_method_is_a_row_of_the_coverage_page(project):
    intervals, predictions = coverage_rows(project)
    for entry in YAML(typ="safe").load((CONTENT / "methods.yaml").read_text()):
        assert set(entry["coverage"]) <= set(intervals), entry["id"]
        assert set(entry.get("predictions", ())) <= set(predictions), entry["id"]


def test_coverage_is_told_as_the_page_has_it(project):
    line = next(
        line
        for line in (project.root / "docs" / "coverage.md").read_text().splitlines()
        if "binomial-normal, prof" in line
    )
    mean, least = [cell.strip() for cell in line.split("|")][3:5]
    assert coverage_rows(project)[0]["binomial-normal, profile"] == (
        f"covers {mean} of the time on average, {least} in the worst scenario"
    )


def test_every_report_of_the_benchmarks_is_a_page(context, project):
    pages = coverage_pages(context)
    assert len(pages) == len(list((project.root / "docs").glob("*.md")))
    for page in pages:
        assert page.body.count("<h1") == 1, page.href
        assert page.body.count("<table>") == page.body.count('role="region"') >= 1, page.href


def test_formulas_become_mathml_in_their_places():
    html = str(markdown_with_formulas("Of $n$ patients\n\n$$ p = y/n $$\n\nrespond: 5 dollars"))
    assert html.index("<mi>𝑛</mi>") < html.index('<math display="block">') < html.index("respond")
    assert "<mfrac>" in html
    assert "$" not in html


def test_a_hat_stands_above_its_letter_in_any_font():
    (formula,) = mathml(("$hat(mu)$",))
    assert '<mover accent="true"><mi>𝜇</mi><mo>ˆ</mo></mover>' in formula
    assert "\u0302" not in formula


def test_formula_that_is_none_is_refused():
    with pytest.raises(Exception, match="unknown variable"):
        mathml(("$ nosuchname + 1 $",))


def test_methods_page_is_taken_over_from_an_earlier_site_until_it_changes(context, project, default_run):
    (fresh,) = methods_pages(context)
    (kept,) = methods_pages(Context(project, default_run / "results", default_run / "site"))
    assert kept.body == fresh.body
    assert kept.source == fresh.source


# Reproducibility


def test_parameters_are_listed_with_meaning_and_what_was_changed(project):
    given = load_parameters(project.config, ["pooling.threshold=75"]).model_dump()
    listed = [row for _, rows in parameters(given) for row in rows]
    assert len(listed) == sum(len(section) for section in Parameters().model_dump().values())
    assert all(row.meaning for row in listed)
    assert [row.name for row in listed if not row.is_default] == ["threshold"]


def test_hashes_of_the_page_are_those_of_the_files(context, default_run):
    (page,) = reproducibility_pages(context)
    rows = re.findall(r'<a href="([^"]+)">[^<]*</a></th><td><code>([0-9a-f]{64})', page.body)
    assert len(rows) > 100
    for path, digest in rows:
        assert hashlib.sha256((default_run / "results" / path).read_bytes()).hexdigest() == digest, path


def test_commands_of_the_page_do_what_it_says(project, context, default_run, tmp_path):
    write_parameters(context, [], tmp_path)
    assert load_parameters(tmp_path / "parameters.json", []) == Parameters()
    done = subprocess.run(
        [sys.executable, "-m", "pasimeta.cli", "verify", str(default_run / "results")],
        cwd=project.root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


# Glossary, citation, gallery


def test_glossary_explains_the_words_of_the_headline(context):
    (page,) = glossary_pages(context)
    for term in ("pasi75", "confidence-interval", "prediction-interval", "certainty", "single-arm-trial"):
        assert f'<dt id="{term}">' in page.body
    ids = re.findall(r'<dt id="([^"]+)"', page.body)
    assert len(ids) == len(set(ids))
    assert [i for i in ids if i != i.casefold()] == []


def test_citation_is_that_of_the_citation_file(project, context, evidence):
    record = YAML(typ="safe").load((project.root / "CITATION.cff").read_text(encoding="utf-8"))
    entry = bibtex(record)
    assert entry.startswith("@software{pasimeta2026,")
    assert entry.count("{") == entry.count("}")
    assert record["version"] in entry
    assert record["title"] in citation_text(record)
    (page,) = citation_pages(context)
    for study in evidence.studies.values():
        if study.citation and study.citation.doi:
            assert f"https://doi.org/{study.citation.doi}" in page.body


def test_people_and_groups_are_named_as_bibtex_wants_them():
    record = {"title": "A & B", "version": "1", "date-released": "2026-01-02"}
    people = {**record, "authors": [{"family-names": "Smith", "given-names": "Ann"}, {"family-names": "Lee"}]}
    assert "author = {Smith, Ann and Lee}" in bibtex(people)
    assert r"A \& B" in bibtex(people)
    assert "author = {{The group}}" in bibtex({**record, "authors": [{"name": "The group"}]})


def test_gallery_shows_every_figure_with_words_and_both_files(context, default_run):
    (page,) = gallery_pages(context)
    drawn = {path.stem for path in (default_run / "results" / "figures").glob("*.png")}
    assert {picture.name for _, _, group in pictures(context) for picture in group} == drawn
    for name in drawn:
        assert f'href="figures/{name}.svg" download' in page.body
        assert f'href="figures/{name}.png" download' in page.body
    for narrow in (default_run / "results" / "figures").glob(f"*{NARROW}.svg"):
        assert f'href="figures/{narrow.name}" download' in page.body
        assert f'<source media="screen and (max-width: 40rem)" srcset="figures/{narrow.name}">' in page.body
    assert all(re.search(r"\d", picture.words) for _, _, group in pictures(context) for picture in group)


def test_size_in_print_is_that_of_the_png(context, default_run):
    from PIL import Image

    for _, _, group in pictures(context):
        for picture in group:
            with Image.open(default_run / "results" / "figures" / f"{picture.name}.png") as image:
                assert image.size == (picture.width, picture.height)
                assert round(image.info["dpi"][0]) == 300


# One's own review


def test_outputs_of_the_own_review_page_are_what_the_command_prints(context, project, tmp_path):
    write_examples(context, [], tmp_path)
    for example in committed_examples().values():
        program, *arguments = example.command.split()
        assert program == "pasimeta"
        done = subprocess.run(
            [sys.executable, "-m", "pasimeta.cli", *arguments],
            cwd=tmp_path / "examples",
            capture_output=True,
            text=True,
        )
        assert done.stdout.rstrip("\n") == example.output


def test_bcg_trials_give_the_published_result():
    # metafor 3.8.1: rma(measure="RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg, test="knha")
    printed = dict(line.split(maxsplit=1) for line in committed_examples()["pooled"].output.splitlines())
    for name, value in (("estimate", -0.7145), ("se", 0.1808), ("tau2", 0.3132), ("i2", 92.22), ("q", 152.233)):
        assert float(printed[name]) == pytest.approx(value, rel=1e-3), name
    assert len(TRIALS.read_text().splitlines()) == 14


# Search


def page_of(body, href="page.html", title="A page"):
    return Page(href=href, title=title, group="About", body=body)


def test_sections_are_found_with_their_anchors_and_words():
    body = (
        '<h1>Title</h1><p>Lead &amp; more</p><h2 id="one">One <em>thing</em></h2><p>body</p><svg><text>no</text></svg>'
    )
    found = [(s.href, s.heading, s.text) for s in sections(page_of(body))]
    assert found == [("page.html", "", "Title Lead & more"), ("page.html#one", "One thing", "body")]


def test_index_is_a_script_that_no_text_can_leave(tmp_path):
    hostile = "</script><script>alert(1)</script> \u2028 \u2029"
    write_search_index(None, [page_of("<h1>x</h1>", title=hostile)], tmp_path)
    text = (tmp_path / "assets" / "search-index.js").read_text(encoding="utf-8")
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text.removeprefix("window.pasimetaSearch = ").rstrip(";\n"))[0][1] == hostile


def test_every_page_can_be_found(default_run):
    text = (default_run / "site" / "assets" / "search-index.js").read_text(encoding="utf-8")
    rows = json.loads(text.removeprefix("window.pasimetaSearch = ").rstrip(";\n"))
    pages = {row[0].partition("#")[0] for row in rows}
    assert pages == {path.name for path in (default_run / "site").glob("*.html")}


# The report for print


def test_report_is_the_same_bytes_again_and_the_site_has_it(context, default_run, tmp_path):
    write_report(context, tmp_path)
    made = (tmp_path / "report.pdf").read_bytes()
    assert made.startswith(b"%PDF-1.7")
    assert made == (default_run / "site" / "report.pdf").read_bytes()
    assert str(Path.home()).encode() not in made


def test_report_says_the_answer_the_numbers_the_methods_and_what_it_was_made_from(context, default_run):
    content = report_content(context)
    told = json.dumps(content, ensure_ascii=False)
    assert "6 of 17" in told
    headings = [part["heading"] for part in content["parts"]]
    for heading in ("The numbers", "How many respond", "What is missing", "Methods in brief", "Parameters and hashes"):
        assert heading in headings
    assert sum(part["level"] == 2 for part in content["parts"]) == len(IN_BRIEF)
    shown = [picture["path"] for part in content["parts"] for picture in part.get("pictures", ())]
    assert "/figures/response_forest.svg" in shown
    assert len(shown) >= 8
    digest = hashlib.sha256((default_run / "results" / "tables" / "pooled.csv").read_bytes()).hexdigest()
    assert digest in told


def test_report_shows_text_as_text_whatever_it_holds(context):
    content = report_content(context)
    hostile = '#panic("x") $ unclosed [ * _ ` <script>alert(1)</script> \\'
    content["parts"] = [{"level": 1, "heading": hostile, "text": parsed(hostile)}]
    made = typeset(content, context.results, load_evidence(context.project.data).search.date)
    assert made.startswith(b"%PDF")


def test_dollars_in_statements_are_no_formulas():
    kinds = {token["type"] for block in parsed("costs $5 or $6") for token in block["children"]}
    assert kinds == {"text"}
    kinds = {token["type"] for block in parsed("of $n$ patients", formulas=True) for token in block["children"]}
    assert "inline_math" in kinds
