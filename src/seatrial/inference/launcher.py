"""Start a program that can write in one folder only, and end all that it started.

This file is also a program, which needs nothing but Python itself::

    python launcher.py PARENT SCRATCH CONFINED MEMORY_MB PROGRAM ARGUMENT…

It lives between whoever asks (``PARENT``) and the program: it adopts what the program leaves
behind, kills that when the program has ended, when it is told to end (SIGTERM) and when its
parent dies, and ends as the program did, with its status or by its signal. SIGUSR1 is handed on
to the program, which is killed when somebody kills this. When its parent is dead it removes the
folder ``SCRATCH``, for nobody else will. The program is confined to that folder if ``CONFINED`` is
1, and has no limit of memory if ``MEMORY_MB`` is 0.

The kernel does the confining, by Landlock (``man 7 landlock``): what the program and all that it
starts cannot do, no trick of theirs can. They read and execute as before. They create, write,
truncate, rename and delete beneath the folder only, and send signals to nobody outside.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import struct
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CANNOT_START = 125
"""The status when the program could not be confined or started; standard error says why."""

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Landlock's system calls; these numbers are the same on every architecture."""

LAST_THREAD_S = 1.0
"""So long the other threads of a parent may take to die after the one that started this."""

_VERSION_ONLY = 1
_PATH_BENEATH = 1
_SET_DEATH_SIGNAL, _SET_ADOPTS, _SET_NO_NEW_RIGHTS = 1, 36, 38  # prctl

# Rights on files by the version of Landlock that brought them. Those to read, to execute and to
# ask a device are not handled, so they stay as they are.
_WRITE = 1 << 1
_CHANGE_FOLDER = sum(1 << bit for bit in range(4, 13))  # remove and make, of every kind
_MOVE = 1 << 13  # version 2
_TRUNCATE = 1 << 14  # version 3
_SIGNALS = 1 << 1  # among what is scoped, version 6

_DEVICES = ("full", "null", "ptmx", "random", "tty", "urandom", "zero")
_SHARED = ("/dev/pts", "/dev/shm")  # noqa: S108 - where semaphores of multiprocessing live
_LOOK_S = 0.01
_HEARD = {signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1}


def main(arguments: Sequence[str]) -> int:
    """Start the program, outlast it, and end as it did."""
    parent, scratch, confined, memory_mb, *program = arguments
    _die_with(int(parent), signal.SIGTERM)
    _adopt()
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    launcher, child = os.getpid(), os.fork()
    if child == 0:
        _become(launcher, program, scratch if confined == "1" else "", int(memory_mb))
    status = _wait_for(child)
    _kill_all(child)
    if _is_dead(int(parent), LAST_THREAD_S if status is None else 0.0):
        shutil.rmtree(scratch, ignore_errors=True)
    return _end_like(status)


def landlock_version() -> int:
    """Which version of Landlock this kernel offers; 0 when it offers none.

    >>> landlock_version() >= 0
    True
    """
    if sys.platform != "linux":
        return 0
    return max(0, _system_call(CREATE_RULESET, None, 0, _VERSION_ONLY))


def confine(folder: str) -> None:
    """From now on this process and all that it starts write beneath the folder only."""
    version = landlock_version()
    handled = _WRITE | _CHANGE_FOLDER
    handled |= (_MOVE if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)  # noqa: PLR2004
    scoped = _SIGNALS if version >= 6 else 0  # noqa: PLR2004
    # later fields are unknown to earlier versions: network since 4 (not handled), scope since 6
    attributes = struct.pack("=QQQ", handled, 0, scoped) if scoped else struct.pack("=Q", handled)
    rules = _demand(_system_call(CREATE_RULESET, attributes, len(attributes), 0))
    for path in (folder, *_SHARED):
        _allow(rules, path, handled)
    for name in _DEVICES:
        _allow(rules, f"/dev/{name}", handled & (_WRITE | _TRUNCATE))
    _prctl(_SET_NO_NEW_RIGHTS, 1)
    _demand(_system_call(RESTRICT_SELF, rules, 0))
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    """Allow what is refused elsewhere, beneath a path; a path that does not exist needs none."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        rule = struct.pack("=Qi", rights, place)
        _demand(_system_call(ADD_RULE, rules, _PATH_BENEATH, rule, 0))
    finally:
        os.close(place)


def _become(launcher: int, program: Sequence[str], folder: str, memory_mb: int) -> None:
    """Turn this process into the program; never returns."""
    try:
        _die_with(launcher, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if memory_mb:
            limit = memory_mb * 1_000_000
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        if folder:
            confine(folder)
        os.execv(program[0], [*program])  # noqa: S606 - what we were told to start
    except OSError as error:
        os.write(2, f"cannot start {program[0]}: {error}\n".encode())
    finally:
        os._exit(CANNOT_START)


def _wait_for(child: int) -> int | None:
    """The status of the child as the system gives it; None when we are told to end before."""
    while (heard := signal.sigwait(_HEARD)) != signal.SIGTERM:
        if heard == signal.SIGUSR1:
            os.kill(child, heard)
            continue
        for ended, status in _ended():
            if ended == child:
                return status
    return None


def _ended() -> Iterator[tuple[int, int]]:
    # one signal may tell of several; what the program left behind ends here too
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            yield found


def _kill_all(child: int) -> None:
    """Until nothing is left: the children of what is killed become ours."""
    with contextlib.suppress(ChildProcessError):
        while True:
            for one in {child, *_children()}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            os.waitpid(-1, 0)


def _children() -> Iterator[int]:
    me = os.getpid()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it may end while we look
            # its name, in parentheses, may hold anything
            _state, parent = entry.read_bytes().rpartition(b")")[2].split()[:2]
            if int(parent) == me:
                yield int(entry.parent.name)


def _is_dead(parent: int, within_s: float) -> bool:
    """Whether the parent dies in time: heard of is the death of the thread that started this."""
    until_s = time.monotonic() + within_s
    while os.getppid() == parent and time.monotonic() < until_s:
        time.sleep(_LOOK_S)
    return os.getppid() != parent


def _end_like(status: int | None) -> int:
    if status is None:
        return 0
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # that of SIGKILL cannot be set, and needs not
        signal.signal(-code, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [-code])
    os.kill(os.getpid(), -code)
    return CANNOT_START


def _die_with(parent: int, sent: signal.Signals) -> None:
    """Be sent a signal when the parent dies, and start nothing when it is dead already."""
    if sys.platform == "linux":
        _prctl(_SET_DEATH_SIGNAL, sent)
    if os.getppid() != parent:
        raise SystemExit(CANNOT_START)


def _adopt() -> None:
    if sys.platform == "linux":
        _prctl(_SET_ADOPTS, 1)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    _demand(int(libc.prctl(*(ctypes.c_ulong(each) for each in (option, value, 0, 0, 0)))))


def _system_call(number: int, *arguments: int | bytes | None) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    return int(
        call(
            ctypes.c_long(number),
            *(ctypes.c_long(each) if isinstance(each, int) else each for each in arguments),
        )
    )


def _demand(result: int) -> int:
    if result < 0:
        problem = ctypes.get_errno()
        raise OSError(problem, os.strerror(problem))
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
