"""Kernels forked from one warm process that has already imported what every notebook imports.

A Jupyter kernel provisioner (the extension point of jupyter_client) asks the warm parent to fork instead of starting a
new interpreter; whoever executes the notebook, papermill here, notices nothing.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from pasimeta.errors import NotebookError
from pasimeta.pipeline.warm import ONE_THREAD, WarmParent, warm_parent

PROVISIONER = "pasimeta-fork"
_LAUNCHER = ["-m", "ipykernel_launcher"]
_LISTENS_WITHIN = 5.0  # seconds; then it is tried all the same
_DIES_WITHIN = 0.5  # seconds; then jupyter_client goes on waiting
_POLL = 0.005  # seconds

_warm_parent: WarmParent | None = None
_own_processes: set[Any] = set()
_run_has_ended = False


class ForkProvisioner(LocalProvisioner):
    """Start a kernel as a fork of the warm parent; any other command, or without a warm parent, as an own process."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Launch the kernel and return its connection.

        Raises
        ------
        NotebookError
            If its run has ended: a thread of an interrupted one may come too late, and nobody would end the kernel.
        """
        parent = _warm_parent  # looked at first: a run that ends says so before it lets go of the parent
        if _run_has_ended:
            raise NotebookError("its run has ended; start another")
        if parent is None or cmd[0] != sys.executable or cmd[1:3] != _LAUNCHER:
            connection = await super().launch_kernel(cmd, **kwargs)
            _own_processes.add(self.process)
            return connection
        kept = LocalProvisioner._scrub_kwargs(kwargs)
        process: Any = parent.fork(cmd[2:], kept.get("cwd") or str(Path.cwd()), dict(kept.get("env") or os.environ))
        self.process, self.pid, self.pgid = process, process.pid, process.pid
        # whoever connects before the ports are held is refused, and tries again only after a tenth of a second or two
        end = time.monotonic() + _LISTENS_WITHIN
        while not process.is_listening() and time.monotonic() < end and process.poll() is None:
            await asyncio.sleep(_POLL)
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel, and see it gone: jupyter_client looks only every tenth of a second."""
        await super().kill(restart)
        end = time.monotonic() + _DIES_WITHIN
        while self.process is not None and self.process.poll() is None and time.monotonic() < end:
            await asyncio.sleep(_POLL)


@contextmanager
def run_kernels(parent: WarmParent | None = None) -> Iterator[None]:
    """Provide kernels for this block: forked from one warm process where that is possible, and none outlives it.

    Parameters
    ----------
    parent : WarmParent, optional
        One that has been started already, and that its owner ends; without it one is started and ended here.
    """
    global _warm_parent, _run_has_ended
    factory = KernelProvisionerFactory.instance()
    before = factory.default_provisioner_name
    factory.default_provisioner_name = PROVISIONER
    threads = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    with ExitStack() as stack:
        _warm_parent, _run_has_ended = parent or stack.enter_context(warm_parent()), False
        try:
            yield
        finally:
            _run_has_ended = True
            _warm_parent = None
            factory.default_provisioner_name = before
            for name, value in threads.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
            while _own_processes:
                process = _own_processes.pop()
                if process.poll() is None:
                    process.kill()
