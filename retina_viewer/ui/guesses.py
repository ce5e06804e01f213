"""Where detail is a guess: computed of what is in view, spots first, centre first."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress
from retina_viewer.ui.canvas.guess_art import GuessArt, Sight, is_tile, spot_of, tile_at
from retina_viewer.ui.canvas.heat import guess_art
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.tiles import Cache, TileKey, nearest
from retina_viewer.ui.enhancer_shelf import EnhancerShelf
from retina_viewer.ui.job import Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.photo import Photo
from retina_viewer.ui.services import Services
from retina_viewer.ui.tile_loader import Loader

if TYPE_CHECKING:
    from retina_viewer.superres.uncertainty import UncertaintyMap

KEY = "guesses"
CACHE_BYTES = 256 * 2**20


@dataclass(frozen=True, eq=False)
class Guess:
    """Where the detail of a part of one result is a guess, and its picture."""

    map: UncertaintyMap
    art: Pyramid

    @property
    def nbytes(self) -> int:
        return self.map.expected_error.nbytes + self.art.nbytes


@dataclass(frozen=True)
class Summary:
    """What is known of the guesses in view.

    Attributes:
        scale: of the result.
        share: the part of the view that is finished, 0 to 1: of its field of view, or of its spots.
        apart: source pixels between the spots where there is nothing but spots; else 0.
        mean: of the expected error in what is known, grey levels; NaN where nothing is.
        guessed: the share of it above the threshold; NaN likewise.
        stopped: whether the person has cancelled.
    """

    scale: int
    share: float
    apart: int
    mean: float
    uncertain: float
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


class Guesses(Loader[Guess]):
    """Keeps the guesses in view coming, beside the tiles of the result."""

    def __init__(
        self, services: Services, shelf: EnhancerShelf, jobs: Jobs, parent: QObject | None = None
    ) -> None:
        super().__init__(jobs, KEY, Lane.GUESSES, parent)
        self.cache = Cache(CACHE_BYTES)
        self._services, self._shelf = services, shelf
        self._sight: Sight | None = None
        self._known: tuple[object, dict[Rect, Guess]] = (None, {})
        self._inside: tuple[object, list[Rect], list[Rect]] = (None, [], [])
        self._drawn: tuple[object, GuessArt] = (None, GuessArt())
        self._summary: tuple[object, Summary | None] = (None, None)

    def show(self, photo: Photo | None, sight: Sight | None) -> None:
        """Say what is on the screen; None where no guesses are to be shown."""
        if sight is None:
            self._sight = None
            self._look_at(None, None)
            return
        if sight != self._sight:
            self._sight = sight
        under_way = self._under_way
        if under_way is not None and not under_way.rect.intersected(sight.region).area:
            self._jobs.cancel(self._key)  # the eye has left it
        self._look_at(photo, sight.recipe)

    @property
    def _is_finished(self) -> bool:
        summary = self.summary
        return summary is None or summary.share >= 1

    # What is known

    @property
    def art(self) -> GuessArt | None:
        """What is drawn of what is in view; None where no guesses are to be shown."""
        sight, photo = self._sight, self._photo
        if sight is None or photo is None:
            return None
        state = self._state(sight, photo)
        if self._drawn[0] != state:  # asked for several times a frame
            self._drawn = (state, self._draw(sight, photo))
        return self._drawn[1]

    @property
    def has_some(self) -> bool:
        """Whether anything of what is in view is known."""
        art = self.art
        return art is not None and bool(art.tiles or art.spots)

    @property
    def summary(self) -> Summary | None:
        """What is to be said of what is in view; None where no guesses are to be shown."""
        art, sight = self.art, self._sight
        if art is None or sight is None:
            return None
        state = (self._drawn[0], self.is_paused)
        if self._summary[0] != state:
            self._summary = (state, self._sum_up(art, sight))
        return self._summary[1]

    def _sum_up(self, art: GuessArt, sight: Sight) -> Summary:
        known = self._known_of(sight)
        places = [rect for rect, _ in art.tiles] or [rect for rect, _ in art.spots]
        done, left = len(places), len(art.pending)
        if sight.is_whole:
            done = sum(rect.intersected(sight.region).area for rect, _ in art.tiles)
            left = sum(rect.intersected(sight.region).area for rect in art.pending)
        mean, uncertain = _together(known[place].map for place in places)
        return Summary(
            scale=sight.recipe.scale,
            share=done / (done + left) if done + left else 1.0,
            apart=0 if sight.is_whole else sight.apart,
            mean=mean,
            uncertain=uncertain,
            stopped=self.is_paused,
        )

    def value_at(self, x: float, y: float) -> float | None:
        """The expected error at a source point, grey levels; None where it is not known."""
        sight = self._sight
        if sight is None:
            return None
        tile = tile_at(int(x), int(y), sight.image)
        for place in (tile, spot_of(tile)):
            guess = self._known_of(sight).get(place)
            if guess is not None and Rect(int(x), int(y), 1, 1).intersected(place).area:
                return float(guess.map.expected_error[int(y) - place.y, int(x) - place.x])
        return None

    def _state(self, sight: Sight, photo: Photo) -> object:
        """What all that is drawn follows from."""
        return sight, self.cache.version, photo.image.known_field_of_view is None

    def _known_of(self, sight: Sight) -> dict[Rect, Guess]:
        known = (sight.recipe, self.cache.version)
        if self._known[0] != known:
            self._known = (known, self.cache.of(sight.recipe))
        return self._known[1]

    def _in_field(self, sight: Sight, photo: Photo) -> tuple[list[Rect], list[Rect]]:
        """The spots and the tiles in view that touch the field of view, as far as one knows."""
        field = photo.image.known_field_of_view
        state = (sight, field is None)
        if self._inside[0] != state:
            tiles = sight.tiles if sight.is_whole else ()
            spots, tiles_inside = (
                [rect for rect in rects if field is None or field.mask[rect.slices()].any()]
                for rects in (sight.spots, tiles)
            )
            self._inside = (state, spots, tiles_inside)
        return self._inside[1:]

    def _draw(self, sight: Sight, photo: Photo) -> GuessArt:
        known, image = self._known_of(sight), sight.image
        seen = {rect: guess.art for rect, guess in known.items() if _touch(rect, sight.region)}
        tiles = {rect: art for rect, art in seen.items() if is_tile(rect)}
        spots = [
            (rect, art)
            for rect, art in seen.items()
            if rect not in tiles and tile_at(rect.x, rect.y, image) not in tiles
        ]
        missing_spots, missing_tiles = self._missing(sight, photo)
        pending = missing_tiles if sight.is_whole else map(sight.around, missing_spots)
        return GuessArt(tuple(tiles.items()), tuple(spots), tuple(pending))

    # What comes next

    def _missing(self, sight: Sight, photo: Photo) -> tuple[list[Rect], list[Rect]]:
        known = self._known_of(sight)
        spots, tiles = self._in_field(sight, photo)
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
        sight = self._sight
        if sight is None:
            return None
        spots, missing = self._missing(sight, photo)
        if spots:
            coarsest = max(map(sight.coarseness, spots))
            missing = [spot for spot in spots if sight.coarseness(spot) == coarsest]
        if not missing:
            return None
        return TileKey(sight.recipe, nearest(missing, sight.camera.x, sight.camera.y))

    def _make(self, photo: Photo, key: TileKey, progress: Progress) -> Guess:
        progress(0.0, "the photograph's blur and noise")
        making, other = key.recipe.making, None
        enhancer = self._shelf.fitted(photo, making)
        if making.fidelity is not None and making.fidelity < 1:
            other = self._shelf.fitted(photo, replace(making, fidelity=1.0))
        found = self._services.consistency(photo.image, enhancer, other, key.rect, progress)
        mask = photo.image.field_of_view.mask[key.rect.slices()]
        return Guess(found, guess_art(found.expected_error, mask))


def _touch(one: Rect, other: Rect) -> bool:
    across = one.x < other.right and other.x < one.right
    return across and one.y < other.bottom and other.y < one.bottom


def _together(maps: Iterable[UncertaintyMap]) -> tuple[float, float]:
    """The mean and the share of several maps' pixels; NaN where they have none."""
    mean = uncertain = 0.0
    counted = 0
    for found in maps:
        if found.counted:
            mean += found.mean * found.counted
            uncertain += found.uncertain * found.counted
            counted += found.counted
    return (mean / counted, uncertain / counted) if counted else (math.nan, math.nan)
