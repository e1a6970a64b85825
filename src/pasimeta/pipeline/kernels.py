"""Kernels forked from one warm process that has already imported what every notebook imports.

A Jupyter kernel provisioner (the extension point of jupyter_client) asks the warm parent to fork instead of starting a
new interpreter; whoever executes the notebook, papermill here, notices nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from pasimeta.pipeline.warm import ONE_THREAD, WarmParent, warm_parent

PROVISIONER = "pasimeta-fork"
_LAUNCHER = ["-m", "ipykernel_launcher"]

_warm_parent: WarmParent | None = None
_own_processes: set[Any] = set()


class ForkProvisioner(LocalProvisioner):
    """Start a kernel as a fork of the warm parent; any other command, or without a warm parent, as an own process."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Launch the kernel and return its connection."""
        if _warm_parent is None or cmd[0] != sys.executable or cmd[1:3] != _LAUNCHER:
            connection = await super().launch_kernel(cmd, **kwargs)
            _own_processes.add(self.process)
            return connection
        kept = LocalProvisioner._scrub_kwargs(kwargs)
        process: Any = _warm_parent.fork(
            cmd[2:], kept.get("cwd") or str(Path.cwd()), dict(kept.get("env") or os.environ)
        )
        self.process, self.pid, self.pgid = process, process.pid, process.pid
        return self.connection_info


@contextmanager
def run_kernels(parent: WarmParent | None = None) -> Iterator[None]:
    """Provide kernels for this block: forked from one warm process where that is possible, and none outlives it.

    Parameters
    ----------
    parent : WarmParent, optional
        One that has been started already, and that its owner ends; without it one is started and ended here.
    """
    global _warm_parent
    factory = KernelProvisionerFactory.instance()
    before = factory.default_provisioner_name
    factory.default_provisioner_name = PROVISIONER
    threads = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    with ExitStack() as stack:
        _warm_parent = parent or stack.enter_context(warm_parent())
        try:
            yield
        finally:
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
