"""Writing files and folders so that a reader never sees half of one."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_REMOVALS = 20  # times, a twentieth of a second apart
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of linux/fcntl.h and linux/fs.h


def write_text(path: Path, text: str) -> None:
    """Write a text file under a temporary name, then rename it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def locked(folder: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold a folder for this process alone; ``on_wait`` is called if another holds it.

    Where the system has no such lock (Windows), nothing is held.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def staged_folders(*targets: Path) -> Iterator[list[Path]]:
    """Offer scratch folders that take the targets' places, all at once, if the block succeeds, and else vanish.

    Parameters
    ----------
    *targets : path
        The folders to be replaced.
    """
    with ExitStack() as stack:
        scratches = []
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-new-"))
            stack.callback(_remove, scratch)
            scratch.chmod(0o755)
            scratches.append(scratch)
        yield scratches
        with _uninterrupted():  # or some would be of this run, some of the one before
            for target, scratch in zip(targets, scratches, strict=True):
                _replace_folder(target, scratch)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block is through; it is of concern to the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    late: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: late.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if late:
            signal.raise_signal(late[0])


@contextmanager
def work_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Offer a folder that is gone after the block."""
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder whole, though Ctrl-C come meanwhile; it is passed on when all is gone."""
    try:
        _remove_until_gone(folder)
    except KeyboardInterrupt:
        _remove_until_gone(folder)
        raise


def _remove_until_gone(folder: Path) -> None:
    # a thread that hasn't been told to stop yet may still write a file between the last look and the end
    for _ in range(_REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)


def recover(target: Path) -> None:
    """Clear away what a killed process left beside a folder, and put the folder back if it was being replaced.

    Only for a process that holds the parent folder (see :func:`locked`).
    """
    for retired in sorted(target.parent.glob(f".{target.name}-old-*")):
        if not target.exists() and (retired / target.name).is_dir():
            (retired / target.name).rename(target)
        shutil.rmtree(retired, ignore_errors=True)
    for scratch in target.parent.glob(f".{target.name}-new-*"):
        shutil.rmtree(scratch, ignore_errors=True)


def _replace_folder(target: Path, scratch: Path) -> None:
    if not target.exists():
        scratch.rename(target)
        return
    if _exchanged(target, scratch):  # the old folder is the scratch now
        return
    retired = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-old-"))
    target.rename(retired / target.name)
    try:
        scratch.rename(target)
    except BaseException:
        (retired / target.name).rename(target)
        raise
    finally:
        shutil.rmtree(retired, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two folders in one step, so that there is no moment without either; False where the system can't."""
    if sys.platform != "linux":
        return False
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    return swap(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0
