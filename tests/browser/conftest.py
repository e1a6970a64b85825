"""A real browser, Debian's Chromium, driven by Playwright; without one these tests are skipped and say so."""

import shutil
from pathlib import Path

import pytest

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium():
    """Return a browser for the whole session."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """A page in a browser that notes what it shouldn't do: errors in the console, and requests to anywhere outside."""

    def __init__(self, browser, **options):
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.errors, self.outside, self.dialogs = [], [], []
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._note_request)
        self.page.on("dialog", self._note_dialog)

    def to(self, path: Path, anchor: str = ""):
        """Open a file."""
        self.page.goto(path.as_uri() + anchor)
        return self.page

    def _note_request(self, request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.outside.append(request.url)

    def _note_dialog(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def visit(chromium):
    """Return a function that opens a visit: ``visit(width=375, color_scheme="dark")``."""
    visits = []

    def opened(width=1280, height=900, **options):
        visits.append(Visit(chromium, viewport={"width": width, "height": height}, **options))
        return visits[-1]

    yield opened
    for each in visits:
        each.context.close()
