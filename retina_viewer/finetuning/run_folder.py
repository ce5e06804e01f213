"""The folder of one fine-tuning: the plan, where it stands, what happened, and what came of it.

    plan.toml            the frozen plan
    state.json           status, process, message; replaced atomically
    events.jsonl         every event of the training, one JSON object a line
    measurements.jsonl   what the gate has measured so far
    control              a word for the training, written by the viewer, removed when read
    cache/               decoded photographs
    schedule.json        what the trial on this machine made of the time budget
    stageN.safetensors   to go on from
    crops/stageN/        validation patches: patchK_{truth,before,after}.png
    model/, twin/        what was made; twin only where the base is a saliency GAN
    history.json         losses and validations of all stages
    verdict.json         the acceptance gate's

Viewer and training are two processes that share nothing else. Either may be killed at any moment.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.names import readable
from retina_viewer.core.paths import user_runs_dir
from retina_viewer.core.processes import process_identity
from retina_viewer.finetuning.plan import TrainingPlan, load_plan, save_plan

RunStatus = Literal["prepared", "running", "paused", "finished", "failed", "cancelled"]
RunRequest = Literal["pause", "stop", "cancel"]
_AT_ONCE = 1 << 26  # bytes of events


class RunState(BaseModel, frozen=True, extra="ignore"):
    """Where a training stands."""

    status: RunStatus = "prepared"
    pid: int | None = Field(default=None, ge=1, lt=2**31)  # while the status is running
    process_start: str | None = None  # its process_identity
    message: str = ""  # for people: why it paused or failed
    hint: str = ""  # what to do about it
    stopping: bool = False  # keep the best so far: no more training, only the ending
    created: AwareDatetime  # when the run was prepared, UTC


class RunFolder:
    """A run by its folder; see the module's docstring for what lies in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plan_file, self.verdict_file = path / "plan.toml", path / "verdict.json"
        self.cache, self.crops = path / "cache", path / "crops"
        self.model, self.twin = path / "model", path / "twin"
        self._events = path / "events.jsonl"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunFolder) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    @property
    def has_begun(self) -> bool:
        """Whether a training has worked in it; a prepared one has not."""
        return self._events.exists()

    def prepare(self, plan: TrainingPlan) -> None:
        """Make the folder and freeze the plan in it; UserError where it holds another one."""
        if self.plan_file.exists():
            if self.read_plan() != plan:
                raise UserError(
                    f"{self.path} holds the training of another plan.", "Choose another --out."
                )
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"The folder {self.path} cannot be made: {error.strerror}.") from error
        save_plan(plan, self.plan_file)
        self._write_state(RunState(created=datetime.now(UTC)))

    def read_plan(self) -> TrainingPlan:
        """The frozen plan; UserError where there is none, or it is not valid."""
        return load_plan(self.plan_file)

    def state(self) -> RunState:
        """Where it stands, as last written; a process that was killed leaves ``running`` behind,
        see :meth:`is_alive`. UserError: no state, or not one of this program."""
        path = self.path / "state.json"
        try:
            return RunState.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise UserError(
                f"{self.path.name} is not the folder of a training.", "Choose another folder."
            ) from error

    def set_state(
        self, status: RunStatus, *, message: str = "", hint: str = "", stopping: bool | None = None
    ) -> None:
        """Replace the state; ``running`` records this very process."""
        before = self.state()
        pid = os.getpid() if status == "running" else None
        self._write_state(
            RunState(
                status=status,
                pid=pid,
                process_start=process_identity(pid) if pid else None,
                message=readable(message),
                hint=readable(hint),
                stopping=before.stopping if stopping is None else stopping,
                created=before.created,
            )
        )

    def is_alive(self) -> bool:
        """Whether the process that the state names still runs."""
        state = self.state()
        if state.status != "running" or state.pid is None or state.process_start is None:
            return False
        return process_identity(state.pid) == state.process_start

    def append_event(self, event: Mapping[str, Any]) -> None:
        """Add one event as a whole line, or nothing."""
        line = json.dumps(dict(event), default=str).encode() + b"\n"
        try:
            with self._events.open("ab", buffering=0) as stream:
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

    def repair_events(self) -> None:
        """End a line that a killed process left half-written, so that the next one is whole."""
        with suppress(FileNotFoundError), self._events.open("rb+") as stream:
            if stream.seek(0, os.SEEK_END) == 0:
                return
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                stream.write(b"\n")

    def events_since(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """The events written after a place in the file, and the place to go on reading from.

        Whole events only; a line that is being written comes with a later call, and so does what
        is more than one call reads. A line that a kill cut off is left out, and so is one that is
        damaged. ``([], 0)`` where the file is shorter than ``offset``: it is another one, to be
        read from its start.
        """
        try:
            with self._events.open("rb") as stream:
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

    def request(self, word: RunRequest) -> None:
        """Ask the training to pause, stop (keep the best so far) or cancel."""
        with atomic_write(self.path / "control", replace=True) as stream:
            stream.write(word.encode())

    def take_request(self) -> RunRequest | None:
        """The word that was asked, once; words that are none are dropped."""
        path = self.path / "control"
        try:
            word = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
        path.unlink(missing_ok=True)
        return next((known for known in get_args(RunRequest) if word == known), None)

    def discard_results(self) -> None:
        """Remove everything but plan, state and events: what ``cancel`` means."""
        for folder in (self.cache, self.crops, self.model, self.twin):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (*self.path.glob("stage*.safetensors"), self.path / "schedule.json"):
            file.unlink(missing_ok=True)

    def _write_state(self, state: RunState) -> None:
        with atomic_write(self.path / "state.json", replace=True) as stream:
            stream.write(state.model_dump_json(indent=2).encode() + b"\n")


def list_runs() -> list[RunFolder]:
    """The runs of this person, the newest first; folders without a readable state are left out."""
    root = user_runs_dir()
    found: list[tuple[datetime, RunFolder]] = []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        run = RunFolder(folder)
        with suppress(UserError):
            found.append((run.state().created, run))
    return [run for _, run in sorted(found, key=lambda pair: pair[0], reverse=True)]
