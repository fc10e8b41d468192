"""The user's process of a Python task: build the configuration, call, and report."""

from __future__ import annotations

import importlib.util
import os
import pickle
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

from nemo_flows.runtime import attempt as layout
from nemo_flows.runtime import tree
from nemo_flows.runtime.capture import frame_logging
from nemo_flows.runtime.context import record_event
from nemo_flows.runtime.phase import LaunchReached, importing

#: Larger values travel through Prefect's result storage instead of the state itself.
INLINE_LIMIT = 256 * 1024


def call(directory: Path) -> int:
    """Run the Python task of an attempt.

    Args:
        directory: The attempt's directory, with its ``task.json``.

    Returns:
        The process's exit code: 0 when the function returned, 1 when it raised, and what
        ``sys.exit`` was given.
    """
    task = layout.read_json(directory / layout.TASK)
    sys.path[:0] = [entry for entry in task["sys_path"] if entry not in sys.path]
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    frame_logging()
    stage = "import"
    try:
        record_event(directory, "importing")
        if task.get("main"):
            _load_main(**task["main"])
        with importing():
            function = tree.import_object(task["tree"]["_target_"])
        stage = "build"
        record_event(directory, "building")
        function = tree.build(_as_partial(task["tree"]), pickles=directory / layout.INPUTS)
        stage = "call"
        record_event(directory, "calling")
        result = function()
        stage = "result"
        _write_result(directory, result)
    except SystemExit as ended:
        return _exit_code(directory, ended)
    except BaseException as error:
        _write_error(directory, error, stage)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    record_event(directory, "returned")
    return 0


def _as_partial(node: dict[str, Any]) -> dict[str, Any]:
    """A task is called once its arguments are built, also when it is stored as a Config: its
    own failure is then told from a failure to build."""
    return {**node, "_partial_": True}


def _load_main(name: str, path: str) -> None:
    """Load the file that was run as a script, under the name by which the task refers to it.

    A script that launches at its top level, without asking ``__name__``, would launch again:
    loading ends where it would.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with importing():
            spec.loader.exec_module(module)
    except LaunchReached:
        pass
    except BaseException:
        del sys.modules[name]
        raise


def _exit_code(directory: Path, ended: SystemExit) -> int:
    if ended.code is None or ended.code == 0:
        _write_result(directory, None)
        return 0
    if isinstance(ended.code, int):
        message, code = f"the task called sys.exit({ended.code})", ended.code
    else:
        message, code = str(ended.code), 1
        print(message, file=sys.stderr)
    error = {"type": "SystemExit", "message": message, "traceback": "", "stage": "call"}
    layout.write_json(directory / layout.ERROR, error)
    return code


def _write_result(directory: Path, result: Any) -> None:
    try:
        record = {"kind": "json", "value": tree.encode(result)}
        if len(str(record)) <= INLINE_LIMIT:
            layout.write_json(directory / layout.RESULT, record)
            return
    except tree.Unencodable:
        pass
    layout.write_bytes(directory / layout.RESULT_PICKLE, _pickled(result))
    record = {"kind": "pickle", "type": f"{type(result).__module__}.{type(result).__qualname__}"}
    layout.write_json(directory / layout.RESULT, record)


def _pickled(result: Any) -> bytes:
    try:
        return pickle.dumps(result)
    except Exception as plain:
        try:
            import cloudpickle
        except ImportError:
            raise TypeError(
                f"The task returned a {type(result).__qualname__}, which cannot be pickled: {plain}"
            ) from plain
        data: bytes = cloudpickle.dumps(result)
        return data


def _write_error(directory: Path, error: BaseException, stage: str) -> None:
    frames = _users_frames(error.__traceback__)
    text = "".join(traceback.format_exception(type(error), error, frames))
    sys.stdout.flush()
    sys.stderr.write(text)
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    record = {"type": name, "message": str(error), "traceback": text, "stage": stage}
    layout.write_json(directory / layout.ERROR, record)


def _users_frames(frames: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame that is not the runtime's own."""
    here = os.path.dirname(__file__)  # noqa: PTH120
    start = frames
    while start is not None and start.tb_frame.f_code.co_filename.startswith((here, "<frozen")):
        start = start.tb_next
    return start or frames
