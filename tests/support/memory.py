"""Where the files of tests are: in the machine's memory, where it has room. None of them is to outlast a run.

Books on SQLite ask the disk to keep each change, PostgreSQL copies 800 files for each test, and Asterisk's
configuration is written anew for each number: waiting for disks was a large part of a run.
"""

from __future__ import annotations

import os
import shutil
import tempfile

MEMORY = "/dev/shm"
ROOM = 6 << 30  # bytes; a run needs a third of them, and of less the product warns


def use_memory() -> None:
    """For the files of this process and of those it starts, unless somebody has said where they go."""
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        tempfile.tempdir = os.environ["TMPDIR"] = MEMORY


def short() -> str:
    """A folder with a name so short that sockets may be below it."""
    return MEMORY if os.environ.get("TMPDIR") == MEMORY else "/tmp"
