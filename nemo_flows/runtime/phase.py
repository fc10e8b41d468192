"""Whether a job is still importing the user's code.

A script without ``if __name__ == "__main__":`` launches its experiment when it is imported.
Inside a job that import happens to find the task's function, so everything that launches asks
:func:`forbid_launch` first, and importing ends there: what stands above has been defined.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

_importing = 0


class LaunchReached(BaseException):
    """Raised where a script would launch while a job imports it."""


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Mark that the user's code is being imported to find a task."""
    global _importing
    _importing += 1
    try:
        yield
    finally:
        _importing -= 1


def forbid_launch() -> None:
    """End the import of a script that would launch itself again.

    Raises:
        LaunchReached: While a job imports the user's code.
    """
    if _importing:
        raise LaunchReached
