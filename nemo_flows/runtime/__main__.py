"""Start a part of the runtime: ``python nemo_flows/runtime supervise|call ATTEMPT_DIR``."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Run the part named on the command line and return its exit code."""
    part, attempt_dir = sys.argv[1:3]
    here = Path(__file__).resolve().parent
    # Python puts this very folder first, where its modules could hide others of the same
    # names; the package's root goes last instead, so that it hides nothing of the user's.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    sys.path.append(str(here.parent.parent))
    if part == "supervise":
        from nemo_flows.runtime.supervise import supervise

        return supervise(Path(attempt_dir))
    from nemo_flows.runtime.call import call

    return call(Path(attempt_dir))


if __name__ == "__main__":
    sys.exit(main())
