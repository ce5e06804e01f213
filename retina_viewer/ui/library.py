"""The photographs of the strip: which there are, which is open, and their thumbnails."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from enum import Enum, auto
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.job import Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.photo import Photo
from retina_viewer.ui.services import Services
from retina_viewer.ui.view_state import Tone

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


class Library(QObject):
    """Opens photographs and folders in the background."""

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
        self.asked_at = 0.0
        """``time.monotonic()`` when the current one was chosen."""
        self._status: dict[Path, Status] = {}
        self._photos: OrderedDict[Path, Photo] = OrderedDict()
        self._thumbnails: dict[Path, Pyramid] = {}
        self._visible: Sequence[int] = ()

    # Opening

    def open(self, paths: Sequence[Path]) -> None:
        """Open files and folders. Folders replace the strip; files alone are added to it."""
        folders = [path for path in paths if path.is_dir()]
        if not folders:
            self._add(list(paths))
            return

        def work(progress: Progress) -> list[Path]:
            found: list[Path] = []
            for path in paths:
                progress(0.0, "reading the folder")
                found += self._services.images_in(path) if path.is_dir() else [path]
            if not found:
                raise UserError(
                    f"There is no photograph in {folders[0].name}.", "Choose another folder."
                )
            return found

        def done(found: list[Path]) -> None:
            self.show_only(found)

        self._jobs.submit(
            LIST_KEY,
            work,
            done,
            failed=lambda error: self.failed.emit(folders[0], error),
            title="reading the folder",
            lane=Lane.FILES,
        )

    def _add(self, files: list[Path]) -> None:
        new = [path for path in dict.fromkeys(files) if path not in self.paths]
        if new:
            self.paths = [*self.paths, *new]
            self.list_changed.emit()
        if files:
            self.select(self.paths.index(files[0]), again=True)

    def show_only(self, files: list[Path]) -> None:
        """Replace the strip by these files and show the first."""
        self.paths = list(dict.fromkeys(files))
        self.current = -1
        self.list_changed.emit()
        self.select(0)

    def step(self, by: int) -> None:
        """The next (1) or the previous (-1) photograph, where there is one."""
        index = self.current + by
        if 0 <= index < len(self.paths):
            self.select(index)

    def select(self, index: int, *, again: bool = False) -> None:
        """Show a photograph of the strip.

        Args:
            index: into :attr:`paths`.
            again: also where it is the chosen one already, such as after a failure.
        """
        path = self.paths[index]
        is_there = path in self._photos or self._jobs.is_active(OPEN_KEY)
        if index == self.current and is_there and not again:
            return
        self.current = index
        self.asked_at = time.monotonic()
        self.current_changed.emit(index)
        kept = self._photos.get(path)
        if kept is not None:
            self._jobs.cancel(OPEN_KEY)
            self._photos.move_to_end(path)
            self.opened.emit(kept)
            return

        def work(progress: Progress) -> Photo:
            progress(0.1, path.name)
            image = self._services.open_image(path)
            progress(0.6, path.name)
            photo = Photo(image, image.sha256 or f"memory {id(image)}")
            photo.toned(Tone.COLOUR)
            return photo

        def done(photo: Photo) -> None:
            self._photos[path] = photo
            while len(self._photos) > PHOTOGRAPHS_KEPT:
                self._photos.popitem(last=False)
            self.mark(path, Status.OPENED)
            self.opened.emit(photo)

        def failed(error: Exception) -> None:
            self.mark(path, Status.FAILED)
            self.failed.emit(path, error)

        self._jobs.submit(OPEN_KEY, work, done, failed=failed, title="opening", lane=Lane.FILES)

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
        for index in self._visible:
            if index < len(self.paths) and self._is_missing(self.paths[index]):
                self._make_thumbnail(self.paths[index])
                return

    def _is_missing(self, path: Path) -> bool:
        return path not in self._thumbnails and self._status.get(path) is not Status.FAILED

    def _make_thumbnail(self, path: Path) -> None:
        def work(progress: Progress) -> Pyramid:
            pixels: NDArray[np.uint8] = self._services.thumbnail(path, THUMBNAIL_SIDE)
            return Pyramid.from_rgb(pixels)

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
