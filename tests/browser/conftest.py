"""A real browser, Debian's Chromium, driven by Playwright; without one these tests are skipped and say so."""

from pathlib import Path

import pytest


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
