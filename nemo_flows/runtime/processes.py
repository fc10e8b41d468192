"""Find and end the processes of a job, by the standard library alone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")


def descendants(root: int) -> list[int]:
    """List all processes below one, children before grandchildren.

    Args:
        root: The process whose tree is wanted; it is not in the answer.
    """
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    level = [root]
    while level:
        level = [pid for parent in level for pid in children.get(parent, [])]
        found.extend(level)
    return found


def _parents() -> Iterable[tuple[int, int]]:
    if _PROC.joinpath("self/stat").exists():
        for entry in _PROC.iterdir():
            if entry.name.isdigit() and (fields := _stat(int(entry.name))):
                yield int(entry.name), int(fields[1])
        return
    listing = subprocess.run(
        ["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False
    ).stdout
    for line in listing.splitlines():
        pid, parent = line.split()
        yield int(pid), int(parent)


def _stat(pid: int) -> list[str] | None:
    """The fields of ``/proc/PID/stat`` after the command name, which may hold anything."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def start_mark(pid: int) -> str | None:
    """When a process started, in the system's own terms: it tells a process from a later one
    with the same pid.

    Returns:
        An opaque text, or None when there is no such process.
    """
    if _PROC.joinpath("self/stat").exists():
        fields = _stat(pid)
        # Field 22 of proc(5): start time in clock ticks after boot. A zombie has ended.
        return None if fields is None or fields[0] == "Z" else f"{_boot_id()}:{fields[19]}"
    listing = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return listing or None


def _boot_id() -> str:
    with contextlib.suppress(OSError):
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return "boot"


def marked(variable: str, value: str) -> list[int]:
    """List processes whose environment says ``variable=value`` (Linux; elsewhere none)."""
    wanted = f"{variable}={value}".encode()
    found = []
    if _PROC.joinpath("self/environ").exists():
        for entry in _PROC.iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def kill_all(pids: Iterable[int], grace: float) -> None:
    """End processes: SIGTERM, and SIGKILL for those that live on.

    Args:
        pids: The processes.
        grace: Seconds between the two signals; 0 sends SIGKILL at once.
    """
    alive = list(pids)
    if not alive:
        return
    if grace > 0:
        _send(alive, signal.SIGTERM)
        deadline = time.monotonic() + grace
        while time.monotonic() < deadline and any(start_mark(pid) for pid in alive):
            time.sleep(0.02)
    _send(alive, signal.SIGKILL)


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
