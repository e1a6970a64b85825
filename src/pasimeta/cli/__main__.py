"""``python -m pasimeta.cli`` is ``pasimeta``."""

from pasimeta.cli import main

if __name__ == "__main__":  # a process that Dask spawns imports this file, too
    main()
