"""The owner's side of the warm parent: starts it, asks it for kernels, and ends it with all of them.

This module imports next to nothing, so that the warm parent can be started first thing and import the stack while its
owner still reads parameters and data.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pasimeta.errors import NotebookError
from pasimeta.pipeline.project import Project

MODE_VARIABLE = "PASIMETA_KERNEL"
# one thread a kernel: kernels run side by side, and sums don't depend on how many cores a machine has
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
LISTENING = ".listening"  # appears in a kernel's temporary folder once it can be talked to
_START_TIMEOUT = 120  # seconds for the imports, on the slowest machine


class ForkedProcess:
    """A forked kernel, as far as jupyter_client needs it to look like a ``subprocess.Popen``.

    Parameters
    ----------
    parent : WarmParent
        Who forked it, and knows how it ended.
    pid : int
        Its process and process group.
    folder : str
        Its own temporary folder.
    """

    stdin = stdout = stderr = None

    def __init__(self, parent: WarmParent, pid: int, folder: str) -> None:
        self.parent, self.pid, self.folder = parent, pid, folder
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        if self.returncode is None:
            self.returncode = self.parent.returncode(self.pid)
            if self.returncode is not None:
                shutil.rmtree(self.folder, ignore_errors=True)
        return self.returncode

    def is_listening(self) -> bool:
        """Whether the kernel holds its ports."""
        return (Path(self.folder) / LISTENING).exists()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit status."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("kernel", timeout or 0)
            time.sleep(0.01)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Signal the kernel's process group."""
        if self.poll() is None:
            os.killpg(self.pid, signum)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and all it has started."""
        self.send_signal(signal.SIGKILL)


class WarmParent:
    """The fork server's owner.

    Parameters
    ----------
    project : Project or None
        Whose notebooks will run: what they import and the data they read is at hand before they are forked.
    """

    def __init__(self, project: Project | None = None) -> None:
        mine, theirs = socket.socketpair()
        environment = {**os.environ, **ONE_THREAD, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
        command = [sys.executable, "-m", "pasimeta.pipeline.forkserver", str(theirs.fileno())]
        with theirs:
            self._server = subprocess.Popen(
                command + ([str(project.root)] if project else []),
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._channel, self._lock, self._pending = mine, threading.Lock(), b""
        self._ready = False
        self._folder = tempfile.mkdtemp(prefix="pasimeta-kernels-")

    def fork(self, argv: list[str], cwd: str, env: dict[str, str]) -> ForkedProcess:
        """Fork a kernel that runs ``argv`` of ipykernel_launcher."""
        folder = tempfile.mkdtemp(dir=self._folder)
        request = {"do": "fork", "argv": argv, "cwd": cwd, "env": {**env, "TMPDIR": folder}}
        return ForkedProcess(self, self._ask(request)["pid"], folder)

    def returncode(self, pid: int) -> int | None:
        """Return how a kernel ended, or None while it runs."""
        try:
            return self._ask({"do": "poll", "pid": pid})["returncode"]
        except NotebookError:
            return -signal.SIGKILL  # the server takes its kernels with it

    def is_alive(self) -> bool:
        """Whether it can still be asked."""
        return self._channel.fileno() >= 0 and self._server.poll() is None

    def close(self) -> None:
        """End the server and every kernel."""
        self._channel.close()
        self._server.terminate()
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            try:
                if not self._ready:
                    self._channel.settimeout(_START_TIMEOUT)
                    self._answer()
                    self._ready = True
                self._channel.sendall(json.dumps(request).encode() + b"\n")
                return self._answer()
            except OSError as error:
                raise NotebookError(
                    f"the process that forks kernels is gone ({error}); run again with {MODE_VARIABLE}=spawn"
                ) from None

    def _answer(self) -> dict[str, Any]:
        while b"\n" not in self._pending:
            received = self._channel.recv(65536)
            if not received:
                raise OSError("it closed the connection")
            self._pending += received
        line, self._pending = self._pending.split(b"\n", 1)
        return json.loads(line)


def forking_is_possible() -> bool:
    """Whether kernels can and may be forked here."""
    return hasattr(os, "fork") and sys.platform == "linux" and os.environ.get(MODE_VARIABLE, "fork") != "spawn"


@contextmanager
def warm_parent(project: Project | None = None) -> Iterator[WarmParent | None]:
    """Start a warm parent, which imports while this block goes on and ends with it; None where forking isn't possible.

    Parameters
    ----------
    project : Project, optional
        Whose notebooks will run.
    """
    if not forking_is_possible():
        yield None
        return
    parent = WarmParent(project)
    try:
        yield parent
    finally:
        parent.close()
