"""Names and counts lead to the site where there is one, to the document where there is none, and never to nothing."""

import re

import pytest

from pasimeta.app.background import Background
from pasimeta.app.destinations import Destinations, built_site
from pasimeta.app.session import Session

COUNT = '<a href="study-cheng2022.html#outcomes-1-events">6 to 8 of 17</a>'
HREF = re.compile(r'href="([^"]+)"')


class Nothing(Background):
    """A background in which nothing is ever ready."""

    def __init__(self):
        pass

    def result(self, job, *given, on_ready=None):
        return None


@pytest.fixture
def site(tmp_path):
    (tmp_path / "index.html").write_text("")
    (tmp_path / "study-cheng2022.html").write_text("")
    return tmp_path


def test_a_folder_without_pages_is_no_site(site, tmp_path_factory):
    assert built_site(site) == site
    assert built_site(tmp_path_factory.mktemp("empty")) is None
    assert built_site(site / "missing") is None


def test_a_count_leads_to_the_page_beside_it(evidence, site):
    led = Destinations(evidence, site).led(COUNT)
    assert HREF.findall(led) == ["site/study-cheng2022.html#outcomes-1-events"]
    assert 'target="_blank" rel="noopener"' in led


def test_without_a_site_it_leads_to_the_document(evidence):
    (address,) = HREF.findall(Destinations(evidence).led(COUNT.replace("outcomes-1", "outcomes-0")))
    assert address == evidence.sources[evidence.studies["cheng2022"].outcomes[0].source].url
    assert address.startswith("https://")


def test_a_stored_document_has_no_address_so_the_study_has_to_do(evidence):
    assert evidence.sources[evidence.studies["cheng2022"].outcomes[1].source].url is None
    destinations = Destinations(evidence)
    (study,) = HREF.findall(destinations.led('<a href="study-cheng2022.html">Cheng 2022</a>'))
    assert HREF.findall(destinations.led(COUNT)) == [study]


def test_a_page_the_site_lacks_gives_way_to_the_document(evidence, site):
    (address,) = HREF.findall(Destinations(evidence, site).led('<a href="study-yao2021.html">Yao 2021</a>'))
    assert address == f"https://doi.org/{evidence.studies['yao2021'].citation.doi}"


def test_what_stands_in_no_document_is_text(evidence):
    assert Destinations(evidence).led('<a href="study-supposed.html#outcomes-0">3 of 20</a>') == "3 of 20"


def test_every_link_of_a_drawing_leads_somewhere_and_the_keyboard_stops_once_a_row(basis, site):
    session = Session(basis, Nothing(), lambda: None, Destinations(basis.evidence, site))
    told, drawn = session.ask("threshold=50"), session.drawn()
    assert "site/study-cheng2022.html#outcomes-1-events" in HREF.findall(told["sentence"])
    links = HREF.findall(drawn["forest"])
    assert all(link.startswith(("site/", "http://", "https://", "#")) for link in links)
    rows = re.findall(r'<a xlink:href="site/[^"]+" target="_blank" rel="noopener">', drawn["forest"])
    assert len(rows) == 1  # the other cells of Cheng's row are for the mouse


def test_what_a_figure_rests_on_stands_below_it_and_its_pooled_rows_are_text(basis, site):
    session = Session(basis, Nothing(), lambda: None, Destinations(basis.evidence, site))
    session.ask("threshold=50")
    drawing, _, below = session.drawn()["forest"].partition("</svg>")
    linked = re.findall(r"<a [^>]*>(.*?)</a>", drawing, re.DOTALL)
    assert "Pooled, fewest responders" in drawing
    assert not any("Pooled" in text or "Heterogeneity" in text for text in linked)
    assert any("Cheng 2022" in text for text in linked)
    assert "PASI50 2/7" in below
    assert "site/study-cheng2022.html#outcomes-1-events" in HREF.findall(below)


def test_what_is_supposed_leads_nowhere(basis, site):
    session = Session(basis, Nothing(), lambda: None, Destinations(basis.evidence, site))
    told = session.ask("threshold=75&what_if=new:75:3:20")
    assert "3 of 20" not in re.findall(r">([^<]+)</a>", told["sentence"])
    assert "6 of 17" in "".join(re.findall(r">([^<]+)</a>", session.ask("threshold=75")["sentence"]))


def test_figures_for_a_phone_are_one_column_wide(basis):
    session = Session(basis, Nothing(), lambda: None)

    def widths():
        return {name: float(re.search(r'viewBox="0 0 ([\d.]+)', text)[1]) for name, text in session.drawn().items()}

    wide = widths()
    session.narrow = True
    narrow = widths()
    assert set(narrow) == {"forest", "curve", "dose", "sex"}
    assert all(width == pytest.approx(85 / 25.4 * 72, rel=1e-3) for width in narrow.values())
    assert all(width == pytest.approx(176 / 25.4 * 72, rel=1e-3) for width in wide.values())
