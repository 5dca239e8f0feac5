"""What goes on, for whoever waits."""

import sys
import time

_BEGAN = time.monotonic()


def say(text: str) -> None:
    """Print a line beside the figures, with the minutes since the beginning."""
    minutes, seconds = divmod(int(time.monotonic() - _BEGAN), 60)
    print(f"{minutes:3}:{seconds:02}  {text}", file=sys.stderr, flush=True)
