"""Where the files of tests are: in the machine's memory, where it has room. None of them is to outlast a run.

Books on SQLite ask the disk to keep each change, PostgreSQL copies 800 files for each test, and Asterisk's
configuration is written anew for each number: waiting for disks was a large part of a run.
"""

from __future__ import annotations

import os
import shutil
import tempfile

MEMORY = "/dev/shm"
ROOM = 3 << 30  # bytes; a run needs less than a third of them, and of less than two thirds an alert tells


def use_memory() -> None:
    """For the files of this process and of those it starts, unless somebody has said where they go."""
    if "TMPDIR" not in os.environ and _serves():
        tempfile.tempdir = os.environ["TMPDIR"] = MEMORY


def _serves() -> bool:
    """Whether there is room, also in half of the machine, and programs that tests write run there."""
    if not os.access(MEMORY, os.W_OK) or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return False
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(shutil.disk_usage(MEMORY).free, machine // 2) > ROOM


def short() -> str:
    """A folder with a name so short that sockets may be below it."""
    return MEMORY if os.environ.get("TMPDIR") == MEMORY else "/tmp"
