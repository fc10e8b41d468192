"""The attempt's directory: where one try of one task is told, whatever the backend.

::

    spec.json       what the supervisor starts: command, environment, folder, limits (0600)
    task.json       what a Python task is: stored tree, import path, entry file
    inputs/         pickled outputs of other tasks that the tree refers to
    lock            held by the living supervisor
    started.json    the supervisor's process, host and start time; written once
    log.jsonl       one record a line of output, with strictly rising times
    events.jsonl    what the task did and reported: importing, calling, progress, ...
    artifacts/      files the task leaves for people to look at
    result.json     the returned value, or where its pickle is
    result.pkl      the returned value where JSON cannot hold it
    error.json      the exception that left the task
    exit.json       how the process ended; written last, and the truth

Every file but the two growing ones is written under another name first and then renamed, so
that a reader sees all of it or nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

SPEC = "spec.json"
TASK = "task.json"
INPUTS = "inputs"
LOCK = "lock"
STARTED = "started.json"
LOG = "log.jsonl"
EVENTS = "events.jsonl"
ARTIFACTS = "artifacts"
RESULT = "result.json"
RESULT_PICKLE = "result.pkl"
ERROR = "error.json"
EXIT = "exit.json"

#: Set for the user's process and all that it starts: the attempt's directory. It is the mark
#: by which a stray process is known to belong to an attempt.
DIR_VARIABLE = "NEMO_FLOWS_ATTEMPT_DIR"
ATTEMPT_VARIABLE = "NEMO_FLOWS_ATTEMPT"
RUN_ID_VARIABLE = "NEMO_FLOWS_RUN_ID"


def write_bytes(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file whole or not at all, and make it last.

    Args:
        path: The file; it is replaced if it exists.
        data: Its new content.
        mode: Its permissions.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def write_json(path: Path, value: Any, mode: int = 0o600) -> None:
    """Write a JSON file whole or not at all."""
    write_bytes(path, json.dumps(value, ensure_ascii=False).encode(), mode)


def read_json(path: Path) -> Any:
    """Read a JSON file, or None when it is not there."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
