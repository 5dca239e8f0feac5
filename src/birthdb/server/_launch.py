"""Run a program as another user, to die with its parent: ``python -I _launch.py UID GID SIGNAL PROGRAM ARGS…``.

A program of its own, because Python code between fork and exec can deadlock where the parent has threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Replace this process by the program; ends with status 1 when the parent is gone already."""
    uid, gid, death_signal = (int(argument) for argument in sys.argv[1:4])
    parent = os.getppid()
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the change of user, which clears it.
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal) != 0:
        sys.exit("prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
    os.execv(sys.argv[4], sys.argv[4:])


if __name__ == "__main__":
    main()
