"""The warm parent: a small process that has imported the stack, and forks a Jupyter kernel on request.

It speaks JSON lines over an inherited socket and knows nothing of Jupyter but the command line of ipykernel. It must
stay single-threaded and hold no event loop and no zmq context, for none of them survives a fork. When the socket
closes, because its owner has finished or was killed, it takes every kernel with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pasimeta.pipeline.fingerprint import notebook_source, reachable_modules
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.warm import LISTENING

BASE = (
    "numpy",
    "pandas",
    "scipy.special",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.style",
    "pandera.pandas",
    "IPython.display",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "tornado.platform.asyncio",
    "pasimeta.pipeline.notebook",
)
# nobody debugs these kernels or has pandera invent data for them, and these imports are long
WITHOUT = ("debugpy", "hypothesis")
# what few notebooks need, and late: imported while the first ones run already
LATER = (
    "scipy.optimize",
    "sympy",
    "scipy.stats",
    "pymare.estimators",
    "pasimeta.synthesis.estimators",
)
_REAP_EVERY = 0.05  # seconds between looks at the children
_LULL = 0.02  # seconds without a request after which there is time for an import
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h


class Server:
    """Forks kernels and remembers how each ended.

    Parameters
    ----------
    channel : socket
        Where requests come from; its end of file ends the server and its kernels.
    later : sequence of str
        Modules to import while nothing is asked for.
    """

    def __init__(self, channel: socket.socket, later: Sequence[str] = ()) -> None:
        self.channel = channel
        self.later = list(later)
        self.running: set[int] = set()
        self.ended: dict[int, int] = {}

    def serve(self) -> None:
        """Answer requests until the channel closes, or until told to end, then kill what still runs."""
        pending = b""
        signal.signal(signal.SIGTERM, self._end)
        try:
            while True:
                ready, _, _ = select.select([self.channel], [], [], self._patience())
                self._reap()
                if not ready:
                    if self.later:
                        importlib.import_module(self.later.pop(0))
                    continue
                received = self.channel.recv(65536)
                if not received:
                    return
                *lines, pending = (pending + received).split(b"\n")
                for line in lines:
                    self.channel.sendall(json.dumps(self._answer(json.loads(line))).encode() + b"\n")
        finally:
            for pid in self.running:
                _kill_group(pid)

    def _end(self, *_: object) -> None:
        """End at once, kernels and all: amid an import, an exception could be swallowed."""
        for pid in list(self.running):
            _kill_group(pid)
        os._exit(0)

    def _patience(self) -> float | None:
        if self.later:
            return _LULL
        return _REAP_EVERY if self.running else None

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "fork":
            return {"pid": self._fork(request)}
        self._reap()
        return {"returncode": self.ended.get(request["pid"])}

    def _fork(self, request: dict[str, Any]) -> int:
        gc.freeze()  # or a child's first collection would copy every page of what they share
        server, pid = os.getpid(), os.fork()
        if pid == 0:
            try:
                gc.enable()
                self.channel.close()
                _be_told_of_parents_death(signal.SIGKILL)
                if os.getppid() != server or not Path(request["cwd"]).is_dir():
                    os._exit(0)  # the run has ended meanwhile
                _become_kernel(request["argv"], request["cwd"], request["env"])
            except BaseException as error:  # nothing may return into the server's loop
                print(f"pasimeta kernel: {error!r}", file=sys.__stderr__, flush=True)
            finally:
                os._exit(1)
        self.running.add(pid)
        return pid

    def _reap(self) -> None:
        for pid in list(self.running):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self.running.discard(pid)
                self.ended[pid] = os.waitstatus_to_exitcode(status)
                _kill_group(pid)


def _become_kernel(argv: list[str], cwd: str, env: dict[str, str]) -> None:
    """Turn a forked child into an ordinary ipykernel process of its own session."""
    os.setsid()
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    tempfile.tempdir = None
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    _reseed()
    sys.argv = argv
    from ipykernel.kernelapp import IPKernelApp

    kernel = IPKernelApp.instance()
    kernel.initialize(argv[1:])
    Path(tempfile.gettempdir(), LISTENING).touch()
    kernel.start()
    sys.stdout.flush()
    os._exit(0)


def _be_told_of_parents_death(number: signal.Signals) -> None:
    # a process can be killed without a word; then only the kernel of the operating system is left to tidy up
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, number)


def _reseed() -> None:
    # every fork inherits the same state of the global generators
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


def _import_what_notebooks_use(project: Project) -> None:
    paths = [project.notebooks / f"{notebook.name}.ipynb" for notebook in NOTEBOOKS]
    sources = [notebook_source(path) for path in paths if path.is_file()]
    for name in reachable_modules("\n".join(sources)):
        if name not in LATER:
            importlib.import_module(name)


def _use_once(project: Project) -> None:
    """Do once what loads or computes more on first use: addresses, schema validation, drawing, the data folder."""
    import pandas as pd
    import pandera.pandas as pa
    from jupyter_client.localinterfaces import localhost
    from matplotlib.figure import Figure

    from pasimeta.errors import PasimetaError
    from pasimeta.evidence.store import load_evidence
    from pasimeta.figures.output import Plot, png_bytes, svg_text

    localhost()
    pa.DataFrameSchema({"a": pa.Column(float, pa.Check.ge(0), coerce=True)}).validate(pd.DataFrame({"a": [1]}))
    figure = Figure()
    figure.subplots().set_title("0123456789 abcdefghijklmnopqrstuvwxyz")
    plot = Plot(figure=figure, name="first", alt="The first figure of a process.", data=pd.DataFrame())
    svg_text(plot), png_bytes(plot)
    with contextlib.suppress(PasimetaError):  # whoever runs the notebooks reports it
        load_evidence(project.data)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def main() -> None:
    """Import the stack, say so, and serve the socket whose number is the first argument.

    The second argument, if there is one, names the project whose notebooks will be run.
    """
    _be_told_of_parents_death(signal.SIGTERM)
    gc.disable()  # imports make no garbage worth a search
    sys.path[:] = [entry for entry in sys.path if entry not in ("", str(Path.cwd()))]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the owner, who closes the channel
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # read as ipykernel is imported; kernels end when this process does
    sys.modules.update(dict.fromkeys(WITHOUT))  # type: ignore[arg-type]
    channel = socket.socket(fileno=int(sys.argv[1]))
    for name in BASE:
        importlib.import_module(name)
    for root in sys.argv[2:]:
        project = Project(Path(root))
        _import_what_notebooks_use(project)
        _use_once(project)
    try:
        channel.sendall(b'{"ready": true}\n')
        Server(channel, LATER).serve()
    finally:
        # tidying up two thousand modules would keep the owner waiting; and if the owner is gone, nobody need be told
        os._exit(0)


if __name__ == "__main__":
    main()
