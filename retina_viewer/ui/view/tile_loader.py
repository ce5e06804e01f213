"""Sharpening under the eye: computes the tiles that the panes show, centre first.

At most one tile is computed at a time and the next is chosen when it is done, from what is on the
screen then; so nothing has to be re-ordered or cancelled when the person moves on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Generic

from PySide6.QtCore import QObject, Signal

from retina_viewer.core.progress import Progress
from retina_viewer.ui.canvas import tile_requests
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.view.enhancer_cache import EnhancerCache

KEY = "tile"


class Loader(QObject, Generic[tile_requests.T]):
    """Keeps what is shown coming, one tile at a time. What a tile holds, and which comes next, is
    said by those who derive from it; two of them in one window need different keys.
    """

    cache: tile_requests.Cache[tile_requests.T]

    tile_ready = Signal(object)
    """(Rect): a tile of what is shown is in the cache."""
    progressed = Signal()
    """More of what is shown is finished, or nothing more will be."""
    finished = Signal(float)
    """(seconds): all that is shown has come, so long after it was asked for."""
    failed = Signal(object, object)
    """(TileKey, Exception): its settings cannot work; they must not be shown any more."""

    def __init__(self, jobs: Jobs, key: str, lane: Lane, parent: QObject | None) -> None:
        super().__init__(parent)
        self._jobs, self._key, self._lane = jobs, key, lane
        self._photo: Photo | None = None
        self._kind: object = None
        self._paused = False
        self._asked_at: float | None = None
        self._waited: float | None = None
        self._under_way: tile_requests.TileKey | None = None

    def _make(
        self, photo: Photo, key: tile_requests.TileKey, progress: Progress
    ) -> tile_requests.T:
        """The tile; in a worker thread."""
        raise NotImplementedError

    def _most_wanted(self, photo: Photo) -> tile_requests.TileKey | None:
        """What to compute next; None where nothing is missing."""
        raise NotImplementedError

    @property
    def _is_finished(self) -> bool:
        """Whether all that is shown has come."""
        raise NotImplementedError

    def _look_at(self, photo: Photo | None, kind: object, asked_at: float | None = None) -> None:
        """Go on with what is on the screen now; another kind drops the tile under way."""
        if kind != self._kind:
            self._jobs.cancel(self._key)
            self._paused = False
            self._asked_at = self._waited = None
        self._photo, self._kind = photo, kind
        self._look_at_the_clock(asked_at)
        self._next()

    def stop(self) -> None:
        """The person has cancelled: compute nothing until they choose something else or resume.

        Where all that is shown has come there is nothing to resume.
        """
        if not self._is_finished:
            self._pause()
        self._jobs.cancel(self._key)
        self.progressed.emit()

    def resume(self) -> None:
        self._paused = False
        self._look_at_the_clock()
        self._next()

    @property
    def is_paused(self) -> bool:
        return self._paused

    @property
    def is_working(self) -> bool:
        return self._jobs.is_active(self._key)

    @property
    def waited(self) -> float | None:
        """Seconds from when the person last asked for something that was missing until all that is
        shown had come; None as long as that has not been, since another choice."""
        return self._waited

    def _look_at_the_clock(self, asked_at: float | None = None) -> None:
        """Waiting begins where something that is shown is missing."""
        if self._is_finished:
            self._asked_at = None
        elif self._asked_at is None and not self._paused:
            self._asked_at = time.monotonic() if asked_at is None else asked_at

    def _stop_the_clock(self) -> None:
        """Waiting ends with the last tile that is shown."""
        if self._asked_at is not None and self._is_finished:
            self._waited = time.monotonic() - self._asked_at
            self._asked_at = None
            self.finished.emit(self._waited)

    def _pause(self) -> None:
        """Nobody waits for what will not come."""
        self._paused = True
        self._asked_at = None

    def _next(self) -> None:
        """Compute the most wanted tile that is missing, unless one is being computed."""
        if self._paused or self._photo is None or self._jobs.is_active(self._key):
            return
        key = self._most_wanted(self._photo)
        if key is not None:
            self._compute(self._photo, key)

    def _compute(self, photo: Photo, key: tile_requests.TileKey) -> None:
        def work(progress: Progress) -> tile_requests.T:
            return self._make(photo, key, progress)

        def done(tile: tile_requests.T) -> None:
            self.cache.put(key, tile)
            self._stop_the_clock()
            self.tile_ready.emit(key.rect)
            self.progressed.emit()
            self._next()

        def failed(error: Exception) -> None:
            self.failed.emit(key, error)

        self._jobs.submit(self._key, work, done, failed=failed, lane=self._lane)
        self._under_way = key


class TileLoader(Loader["Pyramid"]):
    """Keeps the tiles of results coming."""

    cache: tile_requests.TileCache

    def __init__(self, enhancers: EnhancerCache, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(jobs, KEY, Lane.TILES, parent)
        self.cache = tile_requests.TileCache()
        self._enhancers = enhancers
        self._shown: Sequence[Sequence[tile_requests.Wanted]] = ()

    def show(
        self,
        photo: Photo | None,
        kind: object,
        shown: Sequence[Sequence[tile_requests.Wanted]],
        asked_at: float | None = None,
    ) -> None:
        """Say what is on the screen.

        Args:
            photo: the photograph; None for none.
            kind: what the person chose; another value drops the tile that is being computed.
            shown: the parts that panes show, in groups, the most important first. Within a group
                all come at once, from the middle outwards.
            asked_at: ``time.monotonic()`` when the person asked for it; None: now.
        """
        self._shown = shown
        self._look_at(photo, kind, asked_at)

    @property
    def _is_finished(self) -> bool:
        photo = self._photo
        return photo is None or all(
            self.cache.share(wanted, photo.bounds) >= 1 for group in self._shown for wanted in group
        )

    def _make(self, photo: Photo, key: tile_requests.TileKey, progress: Progress) -> Pyramid:
        return self._enhancers.tile(photo, key, progress)

    def _most_wanted(self, photo: Photo) -> tile_requests.TileKey | None:
        """A missing tile: of what is shown, centre first; then of a ring around it."""
        for ring in (0, 1):
            for group in self._shown:
                missing = [key for wanted in group for key in self._missing(photo, wanted, ring)]
                if missing:
                    x, y = group[0].x, group[0].y
                    places = [key.rect for key in missing]
                    return missing[places.index(tile_requests.nearest(places, x, y))]
        return None

    def _missing(
        self, photo: Photo, wanted: tile_requests.Wanted, ring: int
    ) -> list[tile_requests.TileKey]:
        side = tile_requests.tile_side(wanted.request.scale)
        region = wanted.region.expanded(ring * side).intersected(photo.bounds)
        keys = (
            tile_requests.TileKey(wanted.request, rect)
            for rect in tile_requests.tiles_over(region, photo.bounds, side)
        )
        return [key for key in keys if key not in self.cache]
