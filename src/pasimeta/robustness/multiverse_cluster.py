"""Where blocks are fitted: here, or by the workers of a Dask cluster. The digits are the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.robustness.multiverse_fits import Block, fitted_block

Progress = Callable[[int, int], None]


def fitted_here(blocks: Sequence[Block], progress: Progress | None) -> list[Array]:
    """Fit one block after another."""
    total, done, results = sum(len(block.places) for block in blocks), 0, []
    for block in blocks:
        results.append(fitted_block(block))
        done += len(block.places)
        if progress is not None:
            progress(done, total)
    return results


def fitted_there(blocks: Sequence[Block], scheduler: str, progress: Progress | None) -> list[Array]:
    """Fit the blocks on a Dask cluster; results come back in the order of the blocks.

    Parameters
    ----------
    blocks : sequence of Block
    scheduler : str
        Address of the scheduler, ``"tcp://host:8786"``; its workers must have pasimeta installed.
    progress : callable, optional
        Called with the fits done and the fits in all, as results arrive.

    Raises
    ------
    PasimetaError
        If Dask isn't installed, or the scheduler doesn't answer.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        remedy = 'install it with `pip install "dask[distributed]"`, or leave scheduler out'
        raise PasimetaError(f"scheduler: Dask is not installed here; {remedy}") from None
    try:
        client = Client(scheduler, timeout=10, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise PasimetaError(
            f"scheduler {scheduler!r}: doesn't answer ({error}); start it, or correct the address"
        ) from None
    with client, client.as_current():
        # not pure: an identical block of an earlier call might have been fitted by an older installation
        futures = client.map(fitted_block, list(blocks), pure=False)
        order = {future.key: index for index, future in enumerate(futures)}
        results: dict[int, Array] = {}
        total, done = sum(len(block.places) for block in blocks), 0
        for future, result in as_completed(futures, with_results=True):
            index = order[future.key]
            results[index] = result
            done += len(blocks[index].places)
            if progress is not None:
                progress(done, total)
    return [results[index] for index in range(len(blocks))]
