"""The side of a kernel that talks to it: as Jupyter's own, without the fixed waits.

Jupyter's client takes a kernel for ready once it has been silent for a fifth of a second. Here its last word about a
request is waited for instead, after which nothing older can follow.
"""

from __future__ import annotations

import time
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from traitlets import DottedObjectName, Type


class PromptClient(AsyncKernelClient):
    """An ``AsyncKernelClient`` that is ready as soon as its kernel is."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel has answered a first request.

        Raises
        ------
        RuntimeError
            If it has died, or hasn't answered within ``timeout`` seconds.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not await self._has_answered():
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if end is not None and time.monotonic() > end:
                raise RuntimeError(f"Kernel didn't respond in {timeout:g} seconds")

    async def _has_answered(self) -> bool:
        asked = self.kernel_info()
        reply = await self._reply(asked)
        if reply is None:
            return False
        try:
            # published separately, by a connection that may be up later: then it is missed, and asked for again
            while not _is_last_word(await self.get_iopub_msg(timeout=0.2), asked):
                pass
        except Empty:
            return False
        self._handle_kernel_info_reply(reply)
        return True

    async def _reply(self, asked: str) -> dict[str, Any] | None:
        """Return the reply; None if it isn't there within a second, or the kernel is dead."""
        for _ in range(5):
            try:
                while True:
                    message: dict[str, Any] = await self.get_shell_msg(timeout=0.2)
                    if message["parent_header"].get("msg_id") == asked:
                        return message
            except Empty:
                if not await self._async_is_alive():
                    return None
        return None


class PromptKernelManager(AsyncKernelManager):
    """An ``AsyncKernelManager`` whose clients are prompt."""

    client_class: DottedObjectName = DottedObjectName(f"{__name__}.PromptClient", config=True)
    client_factory: Type = Type(klass=PromptClient, config=True)


def _is_last_word(message: dict[str, Any], asked: str) -> bool:
    is_idle = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
    return is_idle and message["parent_header"].get("msg_id") == asked
