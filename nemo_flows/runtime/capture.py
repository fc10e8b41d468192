"""Turn what a process writes into log records."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import IO, BinaryIO

# Starts a log record within plain output: this character occurs in no text, so a record that
# brings its own level and logger is told from what the user prints.
FRAME = b"\x1e"

#: A longer line is cut into records of this many bytes, so that no record outgrows what the
#: Prefect API takes.
LINE_LIMIT = 256 * 1024

INFO = 20
WARNING = 30


class Clock:
    """Microseconds since 1970 that strictly rise, so that a time names one record."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> int:
        self._last = max(time.time_ns() // 1000, self._last + 1)
        return self._last


class Stream:
    """One of a process's two outputs, cut into records as it comes.

    Args:
        name: ``stdout`` or ``stderr``; it becomes the record's logger.
        level: The level of lines that do not bring their own.
        log: Where records go, one JSON object a line.
        clock: Gives every record its time.
    """

    def __init__(self, name: str, level: int, log: BinaryIO, clock: Clock) -> None:
        self.name = name
        self._level = level
        self._log = log
        self._clock = clock
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take what was read, and write a record for every line that is complete."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line)
        while len(self._rest) > LINE_LIMIT:
            head, self._rest = self._rest[:LINE_LIMIT], self._rest[LINE_LIMIT:]
            self._line(head)

    def close(self) -> None:
        """Write what is left without a newline."""
        if self._rest:
            self._line(self._rest)
            self._rest = b""

    def _line(self, line: bytes) -> None:
        plain, framed, frame = line.partition(FRAME)
        record = _unframed(frame) if framed else None
        if record is None:
            plain = line
        if plain or record is None:
            for start in range(0, max(len(plain), 1), LINE_LIMIT):
                self._write(self.name, self._level, _text(plain[start : start + LINE_LIMIT]))
        if record is not None:
            self._write(*record)

    def _write(self, name: str, level: int, message: str) -> None:
        record = {"t": self._clock(), "name": name, "level": level, "message": message}
        self._log.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")


def _text(line: bytes) -> str:
    text = line.decode("utf-8", errors="replace").replace("\x00", "\ufffd").rstrip("\r")
    # A progress bar rewrites its line; what it showed last is what it says.
    return text.rpartition("\r")[2]


def _unframed(frame: bytes) -> tuple[str, int, str] | None:
    try:
        fields = json.loads(frame)
        return str(fields["name"]), int(fields["level"]), str(fields["message"])[:LINE_LIMIT]
    except (ValueError, KeyError, TypeError):
        return None


def frame_logging() -> None:
    """Let records that Python's logging writes to a standard stream keep level and logger.

    Only what the user's own handlers would print is framed, in the format that they chose:
    nothing is shown that would not be shown without us.
    """
    plain = logging.StreamHandler.emit
    streams = {id(sys.stdout): sys.stdout, id(sys.stderr): sys.stderr}

    def emit(self: logging.StreamHandler[IO[str]], record: logging.LogRecord) -> None:
        if id(self.stream) not in streams:
            plain(self, record)
            return
        try:
            self.stream.write(_framed(self.format(record), record))
            self.flush()
        except Exception:
            self.handleError(record)

    logging.StreamHandler.emit = emit  # type: ignore[method-assign]


def _framed(text: str, record: logging.LogRecord) -> str:
    fields = {"name": record.name, "level": record.levelno, "message": text}
    return FRAME.decode() + json.dumps(fields) + "\n"
