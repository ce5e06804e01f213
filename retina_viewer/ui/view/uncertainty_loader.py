"""Uncertainty: the error to be expected of a result, computed of what is in view.

Spots come first, then all of the view, from the middle outwards. Of a result, and not of the
photograph as the other layers are: every setting has a map of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject

from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress
from retina_viewer.imaging.layer_art import uncertainty_legend
from retina_viewer.superres.uncertainty import UncertaintyMap
from retina_viewer.ui.canvas.layer_pictures import uncertainty_art
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import UncertaintyArt
from retina_viewer.ui.canvas.tile_requests import Cache, TileKey, nearest
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.enhancer_cache import EnhancerCache
from retina_viewer.ui.view.sight import Sight, is_tile, spot_of, tile_at
from retina_viewer.ui.view.tile_loader import Loader

KEY = "uncertainty"
CACHE_BYTES = 256 * 2**20


@dataclass(frozen=True, eq=False)
class UncertainPart:
    """The uncertainty of a part of one result, and its picture."""

    map: UncertaintyMap
    art: Pyramid

    @property
    def nbytes(self) -> int:
        return self.map.expected_error.nbytes + self.art.nbytes


@dataclass(frozen=True)
class Summary:
    """What is known of the uncertainty in view.

    Attributes:
        scale: of the result.
        share: the part of the view that is finished, 0 to 1: of its field of view, or of its spots.
        apart: source pixels between the spots where there is nothing but spots; else 0.
        mean: of the expected error in what is known, grey levels; None where nothing is.
        above: the share of it above the threshold; None likewise.
        stopped: whether the person has cancelled.
    """

    scale: int
    share: float
    apart: int
    mean: float | None
    above: float | None
    stopped: bool

    @property
    def progress(self) -> str:
        """How much is known, in a few words; empty where it is all."""
        percent = f"{int(self.share * 100)} %"
        if self.stopped and self.share < 1:
            return f"stopped at {percent} of the view"
        if not self.apart:
            if self.share == 0:
                return "from a few spots so far"
            return f"{percent} of the view computed" if self.share < 1 else ""
        spots = f"spots {self.apart} px apart"
        return f"{spots}: {percent}" if self.share < 1 else f"{spots}; zoom in for all of it"


class Uncertainty(Loader[UncertainPart]):
    """Keeps the uncertainty of what is in view coming, beside the tiles of the results."""

    def __init__(
        self,
        services: Services,
        enhancers: EnhancerCache,
        jobs: Jobs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(jobs, KEY, Lane.UNCERTAINTY, parent)
        self.cache = Cache(CACHE_BYTES)
        self.legend = uncertainty_legend()
        self._services, self._enhancers = services, enhancers
        self._sights: Sequence[Sight] = ()
        self._drawn: dict[Sight, UncertaintyArt] = {}
        self._summaries: dict[Sight, Summary] = {}
        self._reckoned_for: object = None

    def show(self, photo: Photo | None, sights: Sequence[Sight]) -> None:
        """Say what is on the screen, the most important first; nothing where none is shown."""
        self._sights = sights
        under_way = self._under_way
        if under_way is not None and not any(_touch(under_way.rect, one.region) for one in sights):
            self._jobs.cancel(self._key)  # the eye has left it
        self._look_at(photo if sights else None, tuple(one.request for one in sights))

    @property
    def _is_finished(self) -> bool:
        return all(self.summary(sight).share >= 1 for sight in self._sights)

    # What is known

    def art(self, sight: Sight) -> UncertaintyArt:
        """What is drawn of what is in view."""
        self._forget_what_is_stale()
        if sight not in self._drawn:  # asked for several times a frame
            self._drawn[sight] = self._draw(sight)
        return self._drawn[sight]

    def has_some(self, sight: Sight) -> bool:
        """Whether anything of what is in view is known."""
        art = self.art(sight)
        return bool(art.tiles or art.spots)

    def summary(self, sight: Sight) -> Summary:
        """What is to be said of what is in view."""
        art = self.art(sight)
        if sight not in self._summaries:
            self._summaries[sight] = self._sum_up(art, sight)
        return self._summaries[sight]

    def _sum_up(self, art: UncertaintyArt, sight: Sight) -> Summary:
        known = self.cache.of(sight.request)
        places = [rect for rect, _ in art.tiles] or [rect for rect, _ in art.spots]
        done, left = len(places), len(art.pending)
        if sight.is_whole:
            done = sum(rect.intersected(sight.region).area for rect, _ in art.tiles)
            left = sum(rect.intersected(sight.region).area for rect in art.pending)
        mean, above = _together(known[place].map for place in places)
        return Summary(
            scale=sight.request.scale,
            share=done / (done + left) if done + left else 1.0,
            apart=0 if sight.is_whole else sight.apart,
            mean=mean,
            above=above,
            stopped=self.is_paused,
        )

    def value_at(self, sight: Sight, x: float, y: float) -> float | None:
        """The expected error at a source point, grey levels; None where it is not known."""
        known, tile = self.cache.of(sight.request), tile_at(int(x), int(y), sight.image)
        for place in (tile, spot_of(tile)):
            part = known.get(place)
            if part is not None and Rect(int(x), int(y), 1, 1).intersected(place).area:
                return float(part.map.expected_error[int(y) - place.y, int(x) - place.x])
        return None

    def _forget_what_is_stale(self) -> None:
        """What was reckoned follows from the sight and from this."""
        state = (self.cache.version, self.is_paused)
        if state != self._reckoned_for or len(self._drawn) > 16:
            self._reckoned_for = state
            self._drawn.clear()
            self._summaries.clear()

    def _draw(self, sight: Sight) -> UncertaintyArt:
        known, image = self.cache.of(sight.request), sight.image
        seen = {rect: part.art for rect, part in known.items() if _touch(rect, sight.region)}
        tiles = {rect: art for rect, art in seen.items() if is_tile(rect)}
        spots = [
            (rect, art)
            for rect, art in seen.items()
            if rect not in tiles and tile_at(rect.x, rect.y, image) not in tiles
        ]
        missing_spots, missing_tiles = self._missing(sight, known)
        pending = missing_tiles if sight.is_whole else map(sight.around, missing_spots)
        return UncertaintyArt(tuple(tiles.items()), tuple(spots), tuple(pending))

    # What comes next

    def _missing(
        self, sight: Sight, known: dict[Rect, UncertainPart]
    ) -> tuple[list[Rect], list[Rect]]:
        spots, tiles = sight.inside
        return (
            [
                rect
                for rect in spots
                if rect not in known and tile_at(rect.x, rect.y, sight.image) not in known
            ],
            [rect for rect in tiles if rect not in known],
        )

    def _most_wanted(self, photo: Photo) -> TileKey | None:
        """A spot of the coarsest grid with one missing, then a tile; the nearest to the centre."""
        for sight in self._sights:
            spots, missing = self._missing(sight, self.cache.of(sight.request))
            if spots:
                coarsest = max(map(sight.coarseness, spots))
                missing = [spot for spot in spots if sight.coarseness(spot) == coarsest]
            if missing:
                return TileKey(sight.request, nearest(missing, sight.camera.x, sight.camera.y))
        return None

    def _make(self, photo: Photo, key: TileKey, progress: Progress) -> UncertainPart:
        progress(0.0, "the photograph's blur and noise")
        settings, other = key.request.settings, None
        enhancer = self._enhancers.fitted(photo, settings)
        if settings.fidelity is not None and settings.fidelity < 1:
            other = self._enhancers.fitted(photo, replace(settings, fidelity=1.0))
        found = self._services.uncertainty(photo.image, enhancer, other, key.rect, progress)
        mask = photo.image.field_of_view.mask[key.rect.slices()]
        return UncertainPart(found, uncertainty_art(found.expected_error, mask))


def _touch(one: Rect, other: Rect) -> bool:
    across = one.x < other.right and other.x < one.right
    return across and one.y < other.bottom and other.y < one.bottom


def _together(maps: Iterable[UncertaintyMap]) -> tuple[float | None, float | None]:
    """The mean and the share of several maps' pixels; None where they have none."""
    mean = above = 0.0
    counted = 0
    for found in maps:
        if found.counted:
            mean += found.mean * found.counted
            above += found.uncertain * found.counted
            counted += found.counted
    return (mean / counted, above / counted) if counted else (None, None)
