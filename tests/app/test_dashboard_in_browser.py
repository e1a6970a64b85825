"""The dashboard in a real browser: every control answers with the right number, and nothing leaves the machine."""

import re
import time
from urllib.parse import urlsplit

import pytest
from hostile_names import HOSTILE, LONG

from pasimeta.app.answer import answer
from pasimeta.app.state import State
from pasimeta.app.words import pool_row
from pasimeta.pipeline.parameters import load_parameters

PATIENCE = 120_000  # milliseconds; a busy machine is slow, not broken


class Visit:
    """A reader's page, with what it should not do noted."""

    def __init__(self, browser, served, query="", **options):
        self.served, self.wrong = served, []
        self.page = browser.new_context(accept_downloads=True, **options).new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", self._note_outside)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.wrong.append("a dialog opened"), dialog.dismiss()))
        self.page.goto(served.url + (f"?{query}" if query else ""))
        self.page.locator("[data-region=compared] table").wait_for()

    def _note_outside(self, request):
        host = urlsplit(request.url).netloc
        if request.url.startswith("http") and host != urlsplit(self.served.url).netloc:
            self.wrong.append(request.url)

    @property
    def state(self):
        return State.from_query(urlsplit(self.page.url).query)

    def text(self, region):
        return self.page.locator(f"[data-region={region}]").inner_text()

    def numbers(self):
        return [text.replace("\n", " ") for text in self.page.locator("td[data-now]").all_inner_texts()]

    def settle(self, part):
        """Wait until the address holds (or, as a function, satisfies) a part, and the answer to it stands there."""
        self.page.wait_for_function(f"() => {part}")
        self.page.locator(".reader:not([aria-busy])").wait_for()

    def choose(self, name, value):
        control = self.page.locator(f"#{name}")
        if control.evaluate("element => element.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)
            control.press("Tab")
        self.settle(f"location.search.includes('{name}={value}')")

    def shows(self, numbers):
        """Wait until these are the numbers shown."""
        until = time.monotonic() + PATIENCE / 1000
        while self.numbers() != numbers and time.monotonic() < until:
            self.page.wait_for_timeout(50)
        return self.numbers() == numbers

    def expected(self):
        found = answer(self.served.basis, self.state)
        return list(pool_row(found.pool, found.state.level).values())


@pytest.fixture
def visit(chromium, served):
    visits = []

    def open_(query="", **options):
        visits.append(Visit(chromium, served, query, **options))
        return visits[-1]

    yield open_
    for each in visits:
        each.page.context.close()
        assert each.wrong == []


CHANGES = [
    ("threshold", "75"),
    ("unreported", "bound"),
    ("level", "0.9"),
    ("imputation", "completers"),
    ("timepoint", "earliest"),
    ("min_analysed", "5"),
    ("model", "beta_binomial"),
    ("model", "inverse_variance"),
    ("measure", "PAS"),
    ("method", "DL"),
    ("test", "z"),
]


def test_every_control_of_the_pool_answers_with_the_command_lines_number(visit):
    seen = visit()
    assert seen.numbers() == seen.expected()
    for name, value in CHANGES:
        seen.choose(name, value)
        assert getattr(seen.state, name) == type(getattr(seen.state, name))(value)
        assert seen.numbers() == seen.expected(), (name, value)
    for name, value in (("designs", "case_series"), ("product_classes", "svf")):
        seen.page.locator(f"input[name={name}][value={value}]").check()
        seen.settle(f"location.search.includes('{value}')")
        assert seen.numbers() == seen.expected(), value


def test_prior_dose_and_level_change_their_figures(visit):
    seen = visit()
    for name, value, region in (
        ("tau_prior_scale", "2.0", "curve"),
        ("metric", "cumulative", "dose"),
        ("level", "0.8", "sex"),
    ):
        before = seen.page.locator(f"[data-region={region}] svg").evaluate("svg => svg.getAttribute('aria-label')")
        seen.choose(name, value)
        seen.page.wait_for_function(
            "([region, before]) => {"
            " const roots = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean);"
            " const svg = roots.map(r => r.querySelector(`[data-region=${region}] svg`)).find(Boolean);"
            " return svg && svg.getAttribute('aria-label') !== before; }",
            arg=[region, before],
        )
    at_75 = answer(seen.served.basis, seen.state).curve.curve.set_index("threshold").loc[75]
    told = f"{100 * at_75['response']:.1f} ({100 * at_75['ci_lower']:.1f}–{100 * at_75['ci_upper']:.1f})"
    assert told in seen.text("curve")


def test_what_is_supposed_counts_is_marked_and_can_be_taken_back(visit):
    seen = visit()
    usual = seen.numbers()
    for study, n, events in (("new", "30", "12"), ("nct03392311", "8", "1")):
        seen.page.locator("#supposed-study").select_option(study)
        seen.page.locator("#supposed-n").fill(n)
        seen.page.locator("#supposed-events").fill(events)
        seen.page.get_by_role("button", name="Suppose it").click()
        seen.settle(f"location.search.includes('what_if={study}:50:{events}:{n}')")
        assert seen.numbers() == seen.expected()
        assert "Not evidence" in seen.text("sentence")
    for _ in range(2):
        seen.page.get_by_role("button", name="Remove").first.click()
        left = len(seen.state.what_if) - 1
        seen.settle(f"location.search.split('what_if=').length - 1 === {left}")
    assert seen.numbers() == usual
    assert "Not evidence" not in seen.text("sentence")


def test_reload_back_and_download_reproduce_the_state(visit, tmp_path):
    seen = visit("threshold=75&unreported=bound&level=0.9&what_if=new:75:3:20")
    state, numbers = seen.state, seen.numbers()
    assert numbers == seen.expected()
    assert seen.page.locator("#level").input_value() == "0.9"
    seen.page.reload()
    seen.page.locator("[data-region=compared] table").wait_for()
    assert (seen.state, seen.numbers()) == (state, numbers)
    with seen.page.expect_download() as download:
        seen.page.get_by_role("link", name="Download parameters").click()
    path = tmp_path / "parameters.yaml"
    download.value.save_as(path)
    assert State.of(load_parameters(path)) == state
    seen.choose("model", "common")
    assert seen.numbers() == seen.expected() != numbers
    seen.page.go_back()
    assert seen.shows(numbers)
    assert seen.state == state


def test_bad_links_and_choices_are_refused_in_one_line_and_the_last_answer_stays(visit):
    seen = visit("threshold=%3Cscript%3Ealert(1)%3C/script%3E")
    assert seen.text("alert") == "the link: threshold: '<script>alert(1)</script>' is no whole number"
    seen.page.get_by_role("button", name="Start anew").click()
    seen.page.locator(".alert").wait_for(state="detached")
    numbers = seen.numbers()
    seen.page.locator("#min_analysed").fill("500")
    seen.page.locator("#min_analysed").press("Tab")
    seen.page.locator(".alert").wait_for()
    assert "no study meets the rule" in seen.text("alert")
    assert "Traceback" not in seen.text("alert")
    assert seen.numbers() == numbers


def test_hostile_names_show_as_text(visit):
    seen = visit()
    assert HOSTILE in seen.text("forest")
    assert HOSTILE in re.sub(r"\s+", " ", seen.text("curve"))
    options = seen.page.locator("#supposed-study option").all_inner_texts()
    assert any(LONG in option for option in options)
    assert seen.page.locator(".reader script").count() == 0


def test_the_place_in_the_multiverse_comes_by_itself(visit):
    seen = visit()
    seen.page.get_by_text("Place in the multiverse").wait_for(timeout=4 * PATIENCE)
    assert re.search(r"of [\d,]{5,} specifications that pool PASI50", seen.text("place"))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_readable_by_everyone(visit, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    seen = visit("what_if=new:50:12:30", viewport={"width": width, "height": 800}, color_scheme=scheme)
    seen.page.locator("[data-region=curve] svg").wait_for()
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    if width < 900:
        assert not seen.page.locator("#threshold").is_visible()
        seen.page.get_by_text("Controls", exact=True).click()
        assert seen.page.locator("#threshold").is_visible()
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(seen.page).response["violations"]
    serious = [v["id"] for v in found if v["impact"] in ("serious", "critical")]
    assert serious == []


def test_a_study_of_the_forest_plot_opens_its_page_and_the_one_without_a_page_its_document(visit):
    seen = visit()
    links = seen.page.locator("[data-region=forest] svg a[tabindex='-1']")
    links.first.wait_for()
    with seen.page.context.expect_page() as opened:
        links.first.click()
    assert opened.value.url.endswith("/site/study-cheng2022.html#outcomes-1-events")
    assert opened.value.locator("#outcomes-1-events").inner_text() == "6 to 8"
    others = seen.page.locator("[data-region=forest] svg a").evaluate_all("all => all.map(a => a.href.baseVal)")
    assert any(address.startswith("http") for address in others)  # not opened: it is outside


def test_figures_fit_a_phone_without_scrolling(visit):
    seen = visit(viewport={"width": 375, "height": 800})
    narrow = "svg[viewBox^='0 0 240']"  # 85 mm in points
    for region in ("forest", "curve", "dose", "sex"):
        seen.page.locator(f"[data-region={region}] {narrow}").wait_for()
    for wide, shown in seen.page.locator(".drawn").evaluate_all("all => all.map(d => [d.scrollWidth, d.clientWidth])"):
        assert wide <= shown
    assert seen.page.locator(f".drawn {narrow}").first.bounding_box()["width"] >= 300  # as large as in print
