"""``python -m pasimeta``: the command line, which Ctrl-C ends without a word until it can say one."""

from __future__ import annotations

import signal


def main() -> None:
    """Import the command line and run it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # or imports would end in a traceback
    from pasimeta.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
