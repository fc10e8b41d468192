"""Everything that nemo_flows raises on purpose.

    NemoFlowsError
    +-- ConfigError            a task's configuration is wrong, or cannot be stored or built
    |   +-- OverrideError      a ``key=value`` override cannot be applied
    |   +-- UnfindableError    a function or class cannot be found again by its name
    +-- ExecutorError          an executor's fields are wrong, or what it needs is not installed
    +-- ExperimentError        an experiment's graph is wrong, or it cannot be found
    +-- ServerError            the Prefect server cannot be reached or started
    +-- SubmitError            a job could not be handed to its backend
    +-- JobFailed              a task ended in any other state than Completed
        +-- JobCancelled       ... because somebody cancelled it

Messages are one sentence that names the field, what was given, what is allowed and, for a
misspelt name, the nearest valid one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nemo_flows.diagnosis import Diagnosis


class NemoFlowsError(Exception):
    """The root of all errors of this package."""


class ConfigError(NemoFlowsError):
    """Raised when a configuration is wrong, or cannot be stored or built."""


class OverrideError(ConfigError):
    """Raised when a ``key=value`` override cannot be applied."""


class UnfindableError(ConfigError):
    """Raised when a function or class cannot be found again by its name."""


class ExecutorError(NemoFlowsError):
    """Raised when an executor's fields are wrong or what it needs is not installed."""


class ExperimentError(NemoFlowsError):
    """Raised when an experiment's graph is wrong or the experiment cannot be found."""


class ServerError(NemoFlowsError):
    """Raised when the Prefect server cannot be reached or started."""


class SubmitError(NemoFlowsError):
    """Raised when a job could not be handed to its backend.

    Args:
        message: What went wrong, in one sentence.
        transient: Whether the same submission may succeed later.
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class JobFailed(NemoFlowsError):
    """Raised when a task ended in any other state than Completed.

    Args:
        task: The task's name in its experiment.
        diagnosis: What happened, where, why, and what to do next.
        flow_run_id: The Prefect flow run of the task, if one was made.
    """

    def __init__(self, task: str, diagnosis: Diagnosis, flow_run_id: str | None = None) -> None:
        super().__init__(task, diagnosis, flow_run_id)
        self.task = task
        self.diagnosis = diagnosis
        self.flow_run_id = flow_run_id

    def __str__(self) -> str:
        return f"Task {self.task!r} failed. {self.diagnosis}"


class JobCancelled(JobFailed):
    """Raised when a task was cancelled before it completed."""

    def __str__(self) -> str:
        return f"Task {self.task!r} was cancelled. {self.diagnosis}"


def did_you_mean(given: str, valid: Iterable[str]) -> str:
    """Say which valid name is nearest to a misspelt one.

    Args:
        given: The name that is not valid.
        valid: All names that are.

    Returns:
        ``" Did you mean 'x'?"`` with a leading space, or an empty string when none is near.
    """
    near = difflib.get_close_matches(given, list(valid), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
