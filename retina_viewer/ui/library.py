"""The photographs of the strip: which there are, which is open, and their thumbnails."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from uuid import uuid4

from PySide6.QtCore import QObject, Signal

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Tone
from retina_viewer.ui.jobs import Job, Jobs, Lane
from retina_viewer.ui.services import Services

logger = logging.getLogger(__name__)
PHOTOGRAPHS_KEPT = 3
"""Opened photographs kept in memory: the shown one and the last two."""
THUMBNAIL_SIDE = 224
OPEN_KEY = "open"
LIST_KEY = "list"
THUMBNAIL_KEY = "thumbnail"


class Status(Enum):
    """What the dot beside a thumbnail says."""

    UNSEEN = auto()
    OPENED = auto()
    ENHANCED = auto()
    FAILED = auto()


@dataclass
class _Attempt:
    """What the person wants opened, until it is on the screen or nothing of it can be: the files to
    try after this one, where any of several will do, and the strip to go back to where none will.
    """

    waiting: list[Path]
    paths: list[Path]
    failures: list[tuple[Path, Exception]] = field(default_factory=list)
    asked_at: float = field(default_factory=time.monotonic)


class Library(QObject):
    """Opens photographs and folders in the background.

    What cannot be opened changes nothing: :attr:`shown` stays, and with it the strip's mark.
    """

    list_changed = Signal()
    """:attr:`paths` is another list."""
    current_changed = Signal(int)
    """Another one was chosen; it may still be loading."""
    opened = Signal(object)
    """(Photo): the chosen one is here."""
    failed = Signal(object, object)
    """(Path, Exception): it cannot be opened."""
    thumbnail_ready = Signal(int, object)
    """(index, Pyramid)"""
    status_changed = Signal(int)

    def __init__(self, services: Services, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._jobs = jobs
        self.paths: list[Path] = []
        self.current = -1
        """Of the chosen one, which may still be loading; -1: none."""
        self.shown: Path | None = None
        """The last one that could be opened: what is on the screen."""
        self.asked_at = 0.0
        """``time.monotonic()`` when the person wanted it."""
        self._at = -1
        """Where stepping goes on from: also past one that cannot be opened."""
        self._status: dict[Path, Status] = {}
        self._photos: OrderedDict[tuple[Path, int], Photo] = OrderedDict()
        self._thumbnails: dict[Path, Pyramid] = {}
        self._visible: Sequence[int] = ()
        jobs.ended.connect(self._job_ended)

    # Opening

    def open(self, paths: Sequence[Path]) -> None:
        """Open files and folders. Folders replace the strip; files alone are added to it."""
        if not paths:
            return

        # Which of them are folders is asked of the drive too, and that may not answer.
        def work(progress: Progress) -> tuple[bool, list[Path]]:
            found: list[Path] = []
            folders = False
            for path in dict.fromkeys(paths):
                progress(0.0, "reading the folder")
                if path.is_dir():
                    folders = True
                    found += self._services.images_in(path)
                else:
                    found.append(path)
            if not found:
                raise UserError(
                    f"There is no photograph in “{paths[0].name}”.", "Choose another folder."
                )
            return folders, found

        def done(found: tuple[bool, list[Path]]) -> None:
            folders, files = found
            self.show_only(files) if folders else self._add(files)

        self._jobs.submit(
            LIST_KEY,
            work,
            done,
            failed=lambda error: self.failed.emit(paths[0], error),
            title="reading the folder",
            lane=Lane.FILES,
        )

    def _add(self, files: list[Path]) -> None:
        new = [path for path in files if path not in self.paths]
        if new:
            self.paths = [*self.paths, *new]
            self.list_changed.emit()
        for path in files:
            # Opened by name, they are read anew: a file may have been replaced since.
            self._thumbnails.pop(path, None)
            for key in [key for key in self._photos if key[0] == path]:
                del self._photos[key]
        self._try(files[0], 0, _Attempt(files[1:], self.paths))

    def show_only(self, files: list[Path]) -> None:
        """Replace the strip by these files and show the first that can be opened."""
        before = self.paths
        self.paths, self.current = list(dict.fromkeys(files)), -1
        self.list_changed.emit()
        self._try(self.paths[0], 0, _Attempt(self.paths[1:], before))

    def step(self, by: int) -> None:
        """The next (1) or the previous (-1) photograph, where there is one."""
        index = self._at + by
        if 0 <= index < len(self.paths):
            self.select(index)

    def select(self, index: int) -> None:
        """Show a photograph of the strip; nothing happens where it is chosen already."""
        path = self.paths[index]
        if index != self.current or (path != self.shown and not self._jobs.is_active(OPEN_KEY)):
            self._try(path, 0, _Attempt([], self.paths))

    def show_page(self, page: int) -> None:
        """Show another picture of the file that is shown."""
        if self.shown is not None:
            self._try(self.shown, page, _Attempt([], self.paths))

    def _try(self, path: Path, page: int, attempt: _Attempt) -> None:
        self._choose(path)
        kept = self._photos.get((path, page))
        if kept is not None:
            self._jobs.cancel(OPEN_KEY)
            self._photos.move_to_end((path, page))
            self._show(path, kept, attempt)
            return

        def work(progress: Progress) -> Photo:
            progress(0.1, path.name)
            image = self._services.open_image(path, page)
            progress(0.6, path.name)
            photo = Photo(image, f"{image.sha256 or uuid4()} {page}")
            photo.toned(Tone.COLOUR)
            _ = image.field_of_view  # what is shown first is shown as large as it stays
            return photo

        def done(photo: Photo) -> None:
            if photo.image.damage:  # in words that name nobody
                logger.warning("the file of a photograph is damaged: %s", photo.image.damage)
            self._photos[path, page] = photo
            while len(self._photos) > PHOTOGRAPHS_KEPT:
                self._photos.popitem(last=False)
            self.mark(path, Status.OPENED)
            self._show(path, photo, attempt)

        def failed(error: Exception) -> None:
            attempt.failures.append((path, error))
            if page == 0:
                self.mark(path, Status.FAILED)
            if attempt.waiting:
                self._try(attempt.waiting.pop(0), 0, attempt)
            else:
                self._give_up(attempt)

        self._jobs.submit(OPEN_KEY, work, done, failed=failed, title="opening", lane=Lane.FILES)

    def _choose(self, path: Path | None) -> None:
        """Mark a photograph of the strip as the chosen one; -1 where it is not in it."""
        index = self.paths.index(path) if path in self.paths else -1
        if path is not None:
            self._at = index
        if index != self.current:
            self.current = index
            self.current_changed.emit(index)

    def _show(self, path: Path, photo: Photo, attempt: _Attempt) -> None:
        self.shown, self.asked_at = path, attempt.asked_at
        self.opened.emit(photo)
        if attempt.failures:
            self._report(attempt.failures)

    def _give_up(self, attempt: _Attempt) -> None:
        """Nothing of it can be opened: everything stays as it was."""
        at = self._at
        if attempt.paths != self.paths:
            self.paths, self.current = attempt.paths, -1
            self.list_changed.emit()
            at = -1
        self._choose(self.shown)
        if at >= 0:
            self._at = at
        self._report(attempt.failures)

    def _report(self, failures: list[tuple[Path, Exception]]) -> None:
        path, error = failures[0]
        if len(failures) > 1 and isinstance(error, UserError):
            message = f"{len(failures)} files could not be opened. The first: {error.message}"
            error = UserError(message, error.hint)
        self.failed.emit(path, error)

    def _job_ended(self, job: Job) -> None:
        """A cancelled opening leaves the mark at what is shown."""
        if job.key == OPEN_KEY and job.is_cancelled and not self._jobs.is_active(OPEN_KEY):
            self._choose(self.shown)

    # The strip

    def status(self, index: int) -> Status:
        return self._status.get(self.paths[index], Status.UNSEEN)

    def mark(self, path: Path, status: Status) -> None:
        """Set a dot; what was enhanced stays so when it is opened again."""
        if status is Status.OPENED and self._status.get(path) is Status.ENHANCED:
            return
        if self._status.get(path) is not status:
            self._status[path] = status
            if path in self.paths:
                self.status_changed.emit(self.paths.index(path))

    def thumbnail(self, index: int) -> Pyramid | None:
        return self._thumbnails.get(self.paths[index])

    def want_thumbnails(self, visible: Sequence[int]) -> None:
        """Say which rows of the strip are on the screen; theirs are made, one at a time."""
        self._visible = visible
        self._next_thumbnail()

    def _next_thumbnail(self) -> None:
        if self._jobs.is_active(THUMBNAIL_KEY):
            return
        for path in (self.paths[index] for index in self._visible if index < len(self.paths)):
            if path not in self._thumbnails and self._status.get(path) is not Status.FAILED:
                self._make_thumbnail(path)
                return

    def _make_thumbnail(self, path: Path) -> None:
        def work(progress: Progress) -> Pyramid:
            return Pyramid.from_rgb(self._services.thumbnail(path, THUMBNAIL_SIDE))

        def done(picture: Pyramid) -> None:
            self._thumbnails[path] = picture
            if path in self.paths:
                self.thumbnail_ready.emit(self.paths.index(path), picture)
            self._next_thumbnail()

        def failed(error: Exception) -> None:
            # Said aloud only when the person opens it.
            self.mark(path, Status.FAILED)
            self._next_thumbnail()

        self._jobs.submit(THUMBNAIL_KEY, work, done, failed=failed, lane=Lane.FILES)
