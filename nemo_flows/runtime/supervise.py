"""Start one process, keep what it says, end all of it when asked, and tell how it ended.

The supervisor outlives the worker that started it. It is safe to start twice: the lock lets
one live, and an attempt that was ever started is never started again.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

from nemo_flows.runtime import attempt as layout
from nemo_flows.runtime.capture import INFO, WARNING, Clock, Stream
from nemo_flows.runtime.processes import descendants, kill_all, start_mark

# Fewer, larger reads keep up with a flood; what is there is read at once all the same.
READ_SIZE = 1 << 16

# <sys/prctl.h>: orphans of the job come to the supervisor instead of to init, so that a
# process that detached itself is still found; and the job does not outlive its supervisor.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


@dataclass
class _Ending:
    """Why and until when the job is being ended; empty while it just runs."""

    cause: str | None = None
    kill_at: float | None = None
    requested: list[str] = field(default_factory=list)


def supervise(directory: Path) -> int:
    """Run the process of an attempt to its end.

    Args:
        directory: The attempt's directory, with its ``spec.json``.

    Returns:
        0 when the attempt has been told in full, by this or an earlier supervisor.
    """
    lock = os.open(directory / layout.LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return 0
    if (directory / layout.STARTED).exists():
        return 0
    ending = _Ending()
    # Before the record that invites signals is written.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: ending.requested.append("cancelled"))
    layout.write_json(directory / layout.STARTED, _started())
    spec = layout.read_json(directory / layout.SPEC)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with (directory / layout.LOG).open("ab") as log:
        record = _run(directory, spec, ending, log)
        log.flush()
        with contextlib.suppress(OSError):
            os.fsync(log.fileno())
    layout.write_json(directory / layout.EXIT, record)
    return 0


def _started() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "mark": start_mark(os.getpid()),
        "host": socket.gethostname(),
        "python": sys.version.split()[0],
        "t": time.time(),
    }


def _run(directory: Path, spec: dict[str, Any], ending: _Ending, log: BinaryIO) -> dict[str, Any]:
    try:
        child = subprocess.Popen(
            spec["command"],
            cwd=spec["cwd"],
            env={**spec["env"], layout.DIR_VARIABLE: str(directory)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_die_with_supervisor,
        )
    except OSError as error:
        return {"code": 127, "cause": "not-started", "message": str(error), "t": time.time()}
    limit = spec.get("timeout_seconds")
    deadline = None if limit is None else time.monotonic() + limit
    _follow(child, ending, deadline, float(spec["grace_seconds"]), log)
    code = child.wait()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "code": code if code >= 0 else 128 - code,
        "signal": signal.Signals(-code).name if code < 0 else None,
        "cause": ending.cause or "exited",
        "t": time.time(),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "max_rss_kib": usage.ru_maxrss,
    }


def _die_with_supervisor() -> None:
    os.setpgid(0, 0)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _follow(
    child: subprocess.Popen[bytes],
    ending: _Ending,
    deadline: float | None,
    grace: float,
    log: BinaryIO,
) -> None:
    clock = Clock()
    with selectors.DefaultSelector() as selector:
        for pipe, name, level in ((child.stdout, "stdout", INFO), (child.stderr, "stderr", WARNING)):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ, Stream(name, level, log, clock))
        while True:
            _read(selector, log, timeout=0.05)
            _end_if_due(child, ending, deadline, grace)
            if child.poll() is not None:
                break
        # What the job left behind would keep its pipes open for ever, and run on unseen.
        kill_all(descendants(os.getpid()), grace=0.5)
        _reap()
        while selector.get_map() and _read(selector, log, timeout=0):
            pass
        for key in list(selector.get_map().values()):
            key.data.close()


def _read(selector: selectors.BaseSelector, log: BinaryIO, timeout: float) -> bool:
    """Read what there is; True when anything was read."""
    if not selector.get_map():
        time.sleep(timeout)
        return False
    got = False
    for key, _ in selector.select(timeout):
        pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]
        try:
            data = os.read(pipe.fileno(), READ_SIZE)
        except BlockingIOError:
            continue
        if data:
            got = True
            key.data.feed(data)
        else:
            key.data.close()
            selector.unregister(pipe)
    log.flush()
    return got


def _end_if_due(
    child: subprocess.Popen[bytes], ending: _Ending, deadline: float | None, grace: float
) -> None:
    now = time.monotonic()
    if ending.cause is None:
        if ending.requested:
            ending.cause = ending.requested[0]
        elif deadline is not None and now > deadline:
            ending.cause = "timeout"
        if ending.cause is not None:
            ending.kill_at = now + grace
            for pid in descendants(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
    elif ending.kill_at is not None and now > ending.kill_at and child.poll() is None:
        kill_all(descendants(os.getpid()), grace=0)


def _reap() -> None:
    """Collect orphans that came to us, so that they do not stay as zombies."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass

