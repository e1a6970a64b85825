"""The server listens to this machine alone, and hands out files and refusals as plain text."""

import http.client
import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from pasimeta.app.server import is_loopback, serve
from pasimeta.app.session import Session
from pasimeta.app.state import State
from pasimeta.cli import app
from pasimeta.errors import PasimetaError
from pasimeta.pipeline.parameters import load_parameters


class Nothing:
    """A background in which nothing is ever ready."""

    def result(self, job, *given, on_ready=None):
        return None

    def close(self):
        pass


def test_a_parameters_file_can_be_had_for_any_link(served, tmp_path):
    with urllib.request.urlopen(f"{served.url}parameters.yaml?threshold=90&level=0.8") as answer:
        assert "attachment" in answer.headers["Content-Disposition"]
        (tmp_path / "parameters.yaml").write_bytes(answer.read())
    state = State.of(load_parameters(tmp_path / "parameters.yaml"))
    assert state == State.from_query("threshold=90&level=0.8")


def test_a_bad_link_has_no_file_but_one_line(served):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"{served.url}parameters.yaml?threshold=%3Cb%3E")
    assert refusal.value.code == 400
    assert refusal.value.headers["Content-Type"].startswith("text/plain")
    assert refusal.value.read().decode().count("\n") == 1


def requested(served, path, method="GET"):
    connection = http.client.HTTPConnection(urlsplit(served.url).netloc)
    connection.request(method, path)  # as it stands: urllib would tidy the dots away
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_the_site_beside_the_dashboard_can_be_read(served):
    assert requested(served, "/site/") == (200, b"<h1>The whole report</h1>")
    assert requested(served, "/site/study-cheng2022.html")[0] == 200
    assert requested(served, "/site/study-yao2021.html")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/site/../config/analysis.yaml",
        "/site/%2e%2e/config/analysis.yaml",
        "/site/..%2fdata%2fsources.yaml",
        "/site//etc/passwd",
        "/site/way-out.yaml",
    ],
)
def test_nothing_outside_the_site_can_be_read(served, path):
    status, body = requested(served, path)
    assert status in (403, 404)
    assert b"pooling" not in body
    assert b"root:" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_of_the_site_can_be_changed(served, method):
    assert requested(served, "/site/index.html", method)[0] == 405


def test_only_this_machine_is_listened_to_unless_asked():
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    refused = CliRunner().invoke(app, ["dashboard", "--address", "nowhere", "--no-open"])
    assert isinstance(refused.exception, PasimetaError)
    assert "is no IP address" in str(refused.exception)


def test_a_taken_port_is_refused_in_one_line(basis):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PasimetaError, match="can't be listened on"):
            serve(basis, Nothing(), port=taken.getsockname()[1])


def test_a_refused_query_changes_nothing_but_the_alert(basis):
    session = Session(basis, Nothing(), lambda: None)
    before = session.answer
    assert set(session.ask("threshold=zero")) == {"alert"}
    assert session.answer is before


def test_the_notebooks_dashboard_shows_the_same_regions(basis, project, tmp_path):
    from pasimeta.app.widgets import Dashboard

    dashboard = Dashboard(project, background=Nothing())
    dashboard.controls["threshold"].value = 75
    dashboard.controls["designs"].value = ("single_arm", "case_series")
    dashboard.suppose(3, 20)
    expected = "threshold=75&designs=single_arm,case_series&what_if=new:75:3:20"
    assert dashboard.state == State.from_query(expected)
    told = Session(basis, Nothing(), lambda: None).ask(expected)
    assert dashboard.regions["sentence"].value == told["sentence"]
    dashboard.save(tmp_path / "parameters.yaml")
    assert State.of(load_parameters(tmp_path / "parameters.yaml")) == dashboard.state
    dashboard.ask("level=2")
    assert "less than 1" in dashboard.regions["alert"].value
    assert dashboard.state == State.from_query(expected)
