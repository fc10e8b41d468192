"""What the user's code may ask and say about the job it runs in."""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nemo_flows.runtime import attempt as layout


@dataclass(frozen=True)
class JobContext:
    """The job this process belongs to.

    Outside of a job everything still works and nothing is recorded, so that the same function
    runs bare.

    Attributes:
        directory: The attempt's directory; None outside of a job.
        run_id: The task's Prefect flow run; None outside of a job.
        attempt: Which try this is, counted from 1.
        artifacts: A folder whose files are shown in the Prefect UI when the task ends
            (``.png``, ``.svg``, ``.md``, ``.csv``, ``.txt``, ``.json``).
    """

    directory: Path | None
    run_id: str | None
    attempt: int
    artifacts: Path

    def progress(self, percent: float, message: str = "") -> None:
        """Report how far the task is.

        Args:
            percent: From 0 to 100.
            message: What it is doing, in a few words.

        Raises:
            ValueError: When ``percent`` is not between 0 and 100.
        """
        if not 0 <= percent <= 100:
            raise ValueError(f"percent must be between 0 and 100, got {percent!r}.")
        record_event(self.directory, "progress", percent=float(percent), message=message)


def record_event(directory: Path | None, kind: str, **fields: Any) -> None:
    """Append one event to the attempt's ``events.jsonl``; outside of a job, do nothing."""
    if directory is None:
        return
    line = json.dumps({"t": time.time_ns() // 1000, "type": kind, **fields}) + "\n"
    # One write of one line to a file opened for appending stays whole among processes.
    handle = os.open(directory / layout.EVENTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


_bare: list[JobContext] = []


def current() -> JobContext:
    """Tell which job this process belongs to.

    Example:
        >>> import nemo_flows as run
        >>> run.current().attempt
        1
    """
    given = os.environ.get(layout.DIR_VARIABLE)
    if given is None:
        if not _bare:
            artifacts = Path(tempfile.mkdtemp(prefix="nemo-flows-artifacts-"))
            _bare.append(JobContext(None, None, 1, artifacts))
        return _bare[0]
    directory = Path(given)
    artifacts = directory / layout.ARTIFACTS
    artifacts.mkdir(exist_ok=True)
    return JobContext(
        directory=directory,
        run_id=os.environ.get(layout.RUN_ID_VARIABLE),
        attempt=int(os.environ.get(layout.ATTEMPT_VARIABLE, "1")),
        artifacts=artifacts,
    )


def in_job() -> bool:
    """Tell whether this process belongs to a job."""
    return layout.DIR_VARIABLE in os.environ
