"""Let a process write below one folder, and nowhere else, for as long as it lives.

On Linux the kernel holds it to that (Landlock, from Linux 6.2 on), whoever's process it
is and whatever it starts; no rights are needed for it. On macOS sandbox-exec does. What
may be read is not restricted, and neither are the mode and the times of a file.
"""

import ctypes
import math
import os
import resource
import shutil
import sys
import time
from pathlib import Path

MEMORY = 4 * 2**30  # bytes that a process may have for its data
LARGEST = 100 * 2**20  # bytes of a file that it writes

NO_NEW_PRIVILEGES = 38  # for prctl
CREATE, ADD, RESTRICT = 444, 445, 446  # the same numbers on every processor
VERSION = 1  # as a flag: asks which version of Landlock the kernel has
BENEATH = 1  # a rule for what lies below a folder
WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14
# Write into a file, remove or make one of any kind, move one, empty one.
WRITING = WRITE_FILE | TRUNCATE | sum(1 << bit for bit in range(4, 14))
TCP = 0b11  # listen, connect
OTHERS = 0b11  # abstract sockets of other processes, and signals to them

PROFILE = """(version 1) (allow default) (deny file-write*)
(allow file-write* (subpath (param "FOLDER")) (literal "/dev/null"))"""


def means() -> str | None:
    """Return what would confine a process on this machine, or None."""
    if sys.platform == "linux" and landlock() >= 3:
        return "Landlock"
    if sys.platform == "darwin" and shutil.which("sandbox-exec"):
        return "sandbox-exec"
    return None


def prefix(folder: Path) -> list[str]:
    """Return what stands before the command of a process that is to be confined."""
    if sys.platform != "darwin":
        return []
    return ["sandbox-exec", "-D", f"FOLDER={folder.resolve()}", "-p", PROFILE]


def confine(folder: Path) -> None:
    """Confine this process, and all that it will start, to writing below a folder."""
    if sys.platform != "linux":
        return  # sandbox-exec has done it
    version = landlock()
    attributes = (ctypes.c_uint64 * 3)(
        WRITING, TCP * (version >= 4), OTHERS * (version >= 6)
    )
    size = 8 + 8 * (version >= 4) + 8 * (version >= 6)
    rules = _call(CREATE, ctypes.byref(attributes), size, 0)
    _allow(rules, folder, WRITING)
    _allow(rules, Path(os.devnull), WRITE_FILE | TRUNCATE)
    if _libc().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "the process cannot give up new privileges")
    _call(RESTRICT, rules, 0)
    os.close(rules)


def limit(cpu_seconds: int) -> None:
    """Limit the memory of this process, the files that it writes, and its time.

    The time is that from now on: what it took to begin is not counted.
    """
    spent = math.ceil(time.process_time())
    for kind, most in (
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_FSIZE, LARGEST),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, spent + cpu_seconds),
    ):
        resource.setrlimit(kind, (most, most))


def landlock() -> int:
    """Return which version of Landlock the kernel has; 0 for none."""
    return max(0, _libc().syscall(CREATE, None, ctypes.c_size_t(0), VERSION))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def _allow(rules: int, path: Path, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    _call(ADD, rules, BENEATH, ctypes.byref(_Beneath(rights, place)), 0)
    os.close(place)


def _call(number: int, *arguments) -> int:
    made = _libc().syscall(number, *arguments)
    if made < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock (system call {number}): {os.strerror(code)}")
    return made


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
