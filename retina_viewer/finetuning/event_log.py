"""What happened in a training: one JSON object a line, appended by one process, read by another."""

import errno
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retina_viewer.core.errors import UserError

_AT_ONCE = 1 << 26  # bytes


@dataclass(frozen=True)
class EventLog:
    """The file ``path``; it need not be there yet."""

    path: Path

    def append(self, event: Mapping[str, Any]) -> None:
        """Add one event as a whole line, or nothing.

        Raises:
            UserError: it cannot be written (a full disk).
        """
        line = json.dumps(dict(event), default=str).encode() + b"\n"
        try:
            with self.path.open("ab", buffering=0) as stream:
                end = stream.tell()
                try:
                    if stream.write(line) != len(line):
                        raise OSError(errno.ENOSPC, "No space left on device")
                except OSError:
                    with suppress(OSError):  # half a line would swallow the next one
                        stream.truncate(end)
                    raise
        except OSError as error:
            raise UserError(
                f"The events of the training could not be written: {error.strerror}.",
                "Free some space and go on.",
            ) from error

    def repair(self) -> None:
        """End a line that a killed process left half-written, so that the next one is whole."""
        with suppress(FileNotFoundError), self.path.open("rb+") as stream:
            stream.seek(0, os.SEEK_END)
            if stream.tell() == 0:
                return
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                stream.write(b"\n")

    def since(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """The events written after a place in the file, and the place to go on reading from.

        Args:
            offset: 0, or what an earlier call gave.

        Returns:
            Whole events only; a line that is being written comes with a later call, and so does
            what is more than one call reads. A line that a kill cut off is left out, and so is
            one that is damaged. ``([], 0)`` where the file is shorter than ``offset``: it is
            another one, to be read from its start.
        """
        try:
            with self.path.open("rb") as stream:
                if stream.seek(0, os.SEEK_END) < offset:
                    return [], 0
                stream.seek(offset)
                data = stream.read(_AT_ONCE)
        except FileNotFoundError:
            return [], 0
        end = data.rfind(b"\n") + 1
        if not end and len(data) == _AT_ONCE:
            end = _AT_ONCE  # no event is so long
        events: list[dict[str, Any]] = []
        for line in data[:end].splitlines():
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(event, dict):
                events.append(event)
        return events, offset + end
