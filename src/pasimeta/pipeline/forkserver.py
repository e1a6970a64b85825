"""The warm parent: a small process that has imported the stack, and forks a Jupyter kernel on request.

It speaks JSON lines over an inherited socket and knows nothing of Jupyter but the command line of ipykernel. It must
stay single-threaded and hold no event loop and no zmq context, for none of them survives a fork. When the socket
closes, because its owner has finished or was killed, it takes every kernel with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

PRELOADED = (
    "numpy",
    "pandas",
    "scipy.stats",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "pandera.pandas",
    "ruamel.yaml",
    "IPython.display",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "pymare.estimators",
    "pasimeta.synthesis",
    "pasimeta.moderators.sex",
    "pasimeta.moderators.dose",
    "pasimeta.robustness",
    "pasimeta.figures.forest",
    "pasimeta.figures.dose",
    "pasimeta.figures.flow",
    "pasimeta.figures.subgroup",
    "pasimeta.figures.threshold",
    "pasimeta.pipeline.notebook",
    "pasimeta.report.plots.response",
    "pasimeta.report.prose.response",
    "pasimeta.report.readable",
)
_REAP_EVERY = 0.05  # seconds between looks at the children
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h


class Server:
    """Forks kernels and remembers how each ended.

    Parameters
    ----------
    channel : socket
        Where requests come from; its end of file ends the server and its kernels.
    """

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.running: set[int] = set()
        self.ended: dict[int, int] = {}

    def serve(self) -> None:
        """Answer requests until the channel closes, then kill what still runs."""
        pending = b""
        try:
            while True:
                ready, _, _ = select.select([self.channel], [], [], _REAP_EVERY if self.running else None)
                self._reap()
                if not ready:
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

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "fork":
            return {"pid": self._fork(request)}
        self._reap()
        return {"returncode": self.ended.get(request["pid"])}

    def _fork(self, request: dict[str, Any]) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                self.channel.close()
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
    _die_with_parent()
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

    IPKernelApp.launch_instance(argv[1:])
    sys.stdout.flush()
    os._exit(0)


def _die_with_parent() -> None:
    # the server can be killed without a word; then only the kernel of the operating system is left to tidy up
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _reseed() -> None:
    # every fork inherits the same state of the global generators
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


def _use_once() -> None:
    """Do once what loads more on first use: schema validation, text measuring, glyphs."""
    import pandas as pd
    import pandera.pandas as pa

    from pasimeta.figures.measure import text_width

    pa.DataFrameSchema({"a": pa.Column(float, pa.Check.ge(0), coerce=True)}).validate(pd.DataFrame({"a": [1]}))
    text_width("0123456789 abcdefghijklmnopqrstuvwxyz", 8)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def main() -> None:
    """Import the stack, say so, and serve the socket whose number is the first argument."""
    sys.path[:] = [entry for entry in sys.path if entry not in ("", str(Path.cwd()))]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the owner, who closes the channel
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # read as ipykernel is imported; kernels end when this process does
    channel = socket.socket(fileno=int(sys.argv[1]))
    for name in PRELOADED:
        importlib.import_module(name)
    _use_once()
    channel.sendall(b'{"ready": true}\n')
    Server(channel).serve()


if __name__ == "__main__":
    main()
