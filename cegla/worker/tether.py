"""A child of the supervisor ends with it, also when the supervisor is killed and can say nothing."""

import ctypes
import os
import signal

VARIABLE = "TETHERED_TO"  #: holds the supervisor's process id; absent when a part is run alone
PR_SET_PDEATHSIG = 1


def end_with_supervisor() -> None:
    """Ask the kernel for SIGTERM when the supervisor is gone (prctl(2)). Call first thing in the child's main thread."""
    supervisor = os.environ.get(VARIABLE)
    if supervisor is None:
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(supervisor):  # it was gone before the line above
        raise SystemExit(1)
