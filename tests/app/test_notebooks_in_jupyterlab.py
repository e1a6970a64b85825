"""The notebooks that move, in a real JupyterLab and a browser: run all cells, turn a control, see the number follow."""

import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

PATIENCE = 120_000  # milliseconds; a busy machine is slow, not broken
TOKEN = "for-this-test-alone"


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab, on this machine alone."""

    address: str

    def url(self, notebook: str) -> str:
        return f"http://{self.address}/doc/tree/notebooks/{notebook}.ipynb?token={TOKEN}"


@pytest.fixture(scope="module")
def lab(project, default_run, tmp_path_factory):
    """JupyterLab over a copy of the project with a run's results; its own settings stay out of this machine's."""
    root, home = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("home")
    for folder in ("config", "data", "notebooks"):
        shutil.copytree(project.root / folder, root / folder)
    shutil.copytree(default_run / "results" / "tables", root / "results" / "tables")
    folders = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    address = f"127.0.0.1:{free_port()}"
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={address.partition(':')[2]}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={root}",
        f"--IdentityProvider.token={TOKEN}",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", *options],
            env=os.environ | dict.fromkeys(folders, str(home)),
            stdout=log,
            stderr=log,
        )
        try:
            wait_until_listening(address, process, home / "log")
            yield Lab(address)
        finally:
            process.terminate()
            process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_listening(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    host, _, port = address.partition(":")
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"JupyterLab didn't start: {log.read_text()}")


@pytest.fixture
def opened(chromium, lab):
    """Return a function that opens a notebook and runs all its cells."""
    outside, contexts = [], []

    def open_(notebook):
        contexts.append(chromium.new_context(viewport={"width": 1400, "height": 1000}))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: outside.append(request.url) if is_outside(request.url) else None)
        page.goto(lab.url(notebook))
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.get_by_text("| Idle").wait_for()  # cells that are run before there is a kernel are not run after all
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        return page

    def is_outside(url):
        return url.startswith("http") and urlsplit(url).netloc != lab.address

    yield open_
    for context in contexts:
        context.close()
    assert outside == []


def test_the_dashboards_widgets_follow_a_control(opened):
    page = opened("dashboard")
    page.locator("td[data-now]", has_text="8 to 10 of 24").wait_for()
    page.locator(".widget-dropdown select").first.select_option(label="PASI75")
    page.locator("td[data-now]", has_text="6 of 17").wait_for()
    page.locator(".widget-html svg[aria-label*='PASI75']").first.wait_for()
    report = page.locator(".widget-html p a", has_text="Cheng 2022").first
    assert report.get_attribute("href").startswith("https://doi.org/")  # no site is served here
    assert page.locator(".jp-OutputArea-output[data-mime-type*=error]").count() == 0


def test_the_next_trials_sliders_move_its_answer(opened):
    page = opened("13_next_trial")
    slider = page.get_by_role("slider").first
    slider.wait_for()
    said = page.locator(".jupyter-widgets.widget-output, .jupyter-widgets .jp-OutputArea").last
    said.get_by_text("patients").first.wait_for()
    before, value = said.inner_text(), slider.get_attribute("aria-valuenow")
    slider.focus()
    slider.press("PageUp")
    page.wait_for_function(
        "([text]) => { const all = [...document.querySelectorAll('.widget-output, .jupyter-widgets .jp-OutputArea')];"
        " const last = all.at(-1); return last && last.innerText && last.innerText !== text; }",
        arg=[before],
    )
    assert slider.get_attribute("aria-valuenow") != value
    assert said.inner_text() != before
