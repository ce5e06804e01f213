"""From what the person wants and what is there to what is shown. Pure, no Qt.

Nothing on the stage depends on anything else: whatever arrives changes the data, and the picture
is made anew.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from retina_viewer.core.geometry import Rect
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.ui.canvas import tile_requests
from retina_viewer.ui.canvas.scene import (
    Camera,
    Chip,
    Content,
    LayerArt,
    LayerName,
    Line,
    Point,
    Scene,
    Source,
    Tone,
)
from retina_viewer.ui.catalogue import ResultChoice
from retina_viewer.ui.view.arrange import Arrangement, LoupePlace, Shares, arrange
from retina_viewer.ui.view.data import HeldReference, ViewData, fit_field
from retina_viewer.ui.view.labels import original_chips, result_chips, tone_chips
from retina_viewer.ui.view.picture import Cell, LayerView, Picture, Result
from retina_viewer.ui.view.sight import Sight
from retina_viewer.ui.view.state import MAX_ZOOM, ORIGINAL, ViewState

OVERVIEW_ROOM = 240
"""Logical pixels: in a lower pane the overview would hide what is looked at."""
VESSELS_OVER = 0.95
"""The opacity of the vessels of a model that is compared."""


def resolve(state: ViewState, data: ViewData) -> Picture:
    """The picture that a view shows."""
    return _Resolving(state, data).picture()


class _Resolving:
    """One call of :func:`resolve`."""

    def __init__(self, state: ViewState, data: ViewData) -> None:
        self.state, self.data = state, data
        self.has_image = data.bounds.area > 0
        self.active = min(state.active, len(state.results) - 1)
        self.field = fit_field(data)
        self.shown = self._shown_places()
        self.parts = self._loupe_parts()
        self._arrange(state.shares)
        self.is_closer = bool(self.parts) and self.camera.zoom >= state.loupe_zoom
        """Whether the panes show at least what the loupe would: it would repeat them."""
        if self.is_closer:
            self.parts = ()
            shape = (len(self.places.columns), len(self.places.rows))
            self._arrange(replace(state.shares, shape=shape))
        self.loupe = self._loupe_camera()

    @property
    def is_split(self) -> bool:
        return self.state.arrangement is Arrangement.SLIDER

    # Where everything lies

    def _all_places(self) -> tuple[int, ...]:
        results = tuple(range(1, len(self.state.results) + 1))
        if self.is_split:
            return (self.active + 1,)
        return (ORIGINAL, *results) if self.state.original_shown else results

    def _shown_places(self) -> tuple[int, ...]:
        alone = self.state.alone
        if alone is None or self.is_split or alone > len(self.state.results):
            return self._all_places()
        return (alone,)

    def _loupe_parts(self) -> tuple[int, ...]:
        if not self.state.loupe_shown or not self.has_image:
            return ()
        return (ORIGINAL, self.active + 1) if self.is_split else self._all_places()

    def _arrange(self, shares: Shares) -> None:
        """Lay cells and loupe out, and look at what is shown in them."""
        sides = (max(self.field.width, 1), max(self.field.height, 1))
        self.places = arrange(
            self.data.stage, len(self.shown), sides, self.state.arrangement,
            parts=len(self.parts), foot=self.state.feet, shares=shares,
        )  # fmt: skip
        self.sizes = self._sizes()
        self.camera = self._camera()

    def _sizes(self) -> dict[int, Point]:
        """Of every main pane, in device pixels; those that are not shown are as the first."""
        shown = dict(zip(self.shown, self.places.cells, strict=True))
        first, ratio = self.places.cells[0], self.data.ratio
        places = (ORIGINAL, *range(1, len(self.state.results) + 1))
        rects = {place: shown.get(place, first) for place in places}
        return {place: (r.width * ratio, r.height * ratio) for place, r in rects.items()}

    def _camera(self) -> Camera:
        if self.state.camera is not None:
            return self.state.camera
        part = self.field
        if not self.has_image:
            return Camera(0, 0, 1)
        zooms = [
            min(width / part.width, height / part.height)
            for width, height in (self.sizes[place] for place in self.shown)
        ]
        x, y = part.x + part.width / 2, part.y + part.height / 2
        return Camera(x, y, min(*zooms, MAX_ZOOM))

    def _loupe_camera(self) -> Camera:
        x, y = self.state.loupe_at or self.data.salient or (self.camera.x, self.camera.y)
        return Camera(x, y, self.state.loupe_zoom)

    # The results

    def results(self) -> tuple[Result, ...]:
        titles = self._titles()
        return tuple(
            self._result(number, choice, titles[number])
            for number, choice in enumerate(self.state.results)
        )

    def _titles(self) -> list[str]:
        """By the method, or by the network where two results have the same method."""
        methods = Counter(choice.method for choice in self.state.results)
        titles = []
        for choice in self.state.results:
            network = self.data.catalogue.network(choice.method, choice.model)
            own = network.title if network and methods[choice.method] > 1 else ""
            title = self.data.catalogue.method(choice.method).title
            titles.append(choice.title or own or title)
        return titles

    def _result(self, number: int, choice: ResultChoice, title: str) -> Result:
        data, place = self.data, number + 1
        settings = data.catalogue.settings(choice, self.state.scale, data.device)
        failed = settings in data.failed
        can = self.has_image and not failed and not data.needs_yes and choice.vessels is None
        wanted = self._wanted(settings, self.camera, self.sizes[place]) if can else None
        sight = self._sight(settings, place) if can else None
        return Result(
            choice=choice,
            settings=settings,
            title=title,
            method=data.catalogue.method(choice.method),
            network=data.catalogue.network(choice.method, choice.model),
            wanted=wanted,
            in_loupe=self._wanted_in_loupe(settings, place) if can else None,
            sharp=data.tiles.share(wanted, data.bounds) if wanted else 1.0,
            has_failed=failed,
            sight=sight,
            uncertainty=data.uncertainty.summary(sight) if sight and data.uncertainty else None,
        )

    def _wanted(
        self, settings: EnhanceSettings, camera: Camera, size: Point
    ) -> tile_requests.Wanted | None:
        """The tiles that a pane shows; None where they would not be seen."""
        photo, image = self.data.photo, self.data.bounds
        if photo is None or not tile_requests.is_worthwhile(camera, image):
            return None
        scale = tile_requests.scale_for(camera, settings.scale)
        region = camera.visible(*size, image)
        request = tile_requests.TileRequest(photo.key, settings.at(scale), self.state.tone)
        return tile_requests.Wanted(request, region, camera.x, camera.y) if region.area else None

    def _wanted_in_loupe(
        self, settings: EnhanceSettings, place: int
    ) -> tile_requests.Wanted | None:
        if place not in self.parts:
            return None
        return self._wanted(settings, self.loupe, self._loupe_size(place))

    def _loupe_size(self, place: int) -> Point:
        rect = self.places.loupes[self.parts.index(place)]
        return rect.width * self.data.ratio, rect.height * self.data.ratio

    def _sight(self, settings: EnhanceSettings, place: int) -> Sight | None:
        """Where uncertainty is to be shown: interpolation makes no detail to be doubted."""
        photo, image = self.data.photo, self.data.bounds
        if photo is None or settings.model is None or not self.state.uncertainty.on:
            return None
        region = self.camera.visible(*self.sizes[place], image)
        if not region.area:
            return None
        request = tile_requests.TileRequest(photo.key, settings, Tone.COLOUR)
        return Sight(request, self.camera, region, image, self.data.field_of_view)

    # The panes

    def picture(self) -> Picture:
        state, data = self.state, self.data
        results = self.results()
        on = tuple(name for name in LayerName if state.layer(name).on)
        layers = () if state.layers_hidden else on
        return Picture(
            photo=data.photo.key if data.photo else "",
            image=data.bounds,
            field=self.field,
            is_whole=self.is_whole,
            fit=state.camera is None,
            camera=self.camera,
            loupe=self.loupe,
            cells=self._cells(results, layers),
            loupes=self._loupes(results, layers),
            places=self.places,
            arrangement=state.arrangement,
            results=results,
            active=self.active,
            scale=state.scale,
            tone=state.tone,
            shown_tone=data.toned.tone if data.toned else None,
            layers=tuple(LayerView(name, state.layer(name).opacity) for name in layers),
            layers_on=on,
            colour_map=state.colour_map,
            saliency_style=state.saliency_style,
            smooth=state.smooth,
            overview=state.overview,
            original_shown=state.original_shown,
            alone=state.alone,
            loupe_shown=state.loupe_shown,
            loupe_locked=state.loupe_locked,
            loupe_zoom=state.loupe_zoom,
            measuring=state.measuring,
            ruler=state.ruler,
            needs_yes=data.needs_yes,
            remark=data.remark,
            device=data.device,
            catalogue=data.catalogue,
            is_paused=data.is_paused,
            layer_news=data.layers.news if data.layers else (),
        )

    @property
    def is_whole(self) -> bool:
        part = self.camera.visible(*self.sizes[self.shown[0]], self.data.bounds)
        return part.intersected(self.field) == self.field

    def _cells(
        self, results: tuple[Result, ...], layers: tuple[LayerName, ...]
    ) -> tuple[Cell, ...]:
        feet = self.places.feet or (None,) * len(self.shown)
        found: list[Cell] = []
        for place, rect, foot in zip(self.shown, self.places.cells, feet, strict=True):
            scene = self._main_scene(place, rect, results, layers)
            found.append(Cell(place, rect, scene, foot))
        return tuple(found)

    def _main_scene(
        self, place: int, rect: Rect, results: tuple[Result, ...], layers: tuple[LayerName, ...]
    ) -> Scene:
        state, is_first = self.state, place == self.shown[0]
        legend_at = self.active + 1 if self.active + 1 in self.shown else self.shown[-1]
        scene = replace(
            self._scene(self.camera),
            marked=self._loupe_mark(),
            overview=state.overview
            and is_first
            and not self.is_whole
            and rect.height >= OVERVIEW_ROOM,
            pointer=self._pointer(place),
            remark=self.data.remark if is_first else "",
            covered=self._covered(rect),
            is_active=len(results) > 1 and place == self.active + 1,
        )
        if place == ORIGINAL:
            note = f"{self.camera.zoom * 100:.0f} %: no loupe shows more" if self.is_closer else ""
            return replace(self._original(scene), note=note)
        scene = self._result_scene(scene, place, results[place - 1], layers)
        return replace(scene, legend=bool(scene.layers) and place == legend_at)

    def _covered(self, rect: Rect) -> float:
        """What an inset loupe covers at the lower right."""
        if self.places.loupe is not LoupePlace.INSET:
            return 0.0
        lefts = [one.x for one in self.places.loupes if rect.x <= one.x < rect.right]
        return float(rect.right - min(lefts)) if lefts else 0.0

    def _loupes(
        self, results: tuple[Result, ...], layers: tuple[LayerName, ...]
    ) -> tuple[Cell, ...]:
        found: list[Cell] = []
        for place, rect in zip(self.parts, self.places.loupes, strict=True):
            scene = self._loupe_scene(place, results, layers)
            scene = replace(scene, is_inset=self.places.loupe is LoupePlace.INSET)
            if not found:
                scene = replace(scene, note=scene.note or self._loupe_note())
            found.append(Cell(place, rect, scene))
        return tuple(found)

    def _loupe_note(self) -> str:
        held = ", held" if self.state.loupe_locked else ""
        return f"loupe {self.loupe.zoom * 100:.0f} %{held}"

    def _loupe_scene(
        self, place: int, results: tuple[Result, ...], layers: tuple[LayerName, ...]
    ) -> Scene:
        """To compare detail, which a veil of colours would cover: of the layers, vessels alone."""
        scene = replace(self._scene(self.loupe), crosshair=True)
        if place == ORIGINAL:
            return self._original(scene, narrow=True)
        kept = tuple(name for name in layers if name is LayerName.VESSELS)
        return self._result_scene(scene, place, results[place - 1], kept, narrow=True)

    def _scene(self, camera: Camera) -> Scene:
        toned, image = self.data.toned, self.data.image
        return Scene(
            camera,
            toned.pyramid if toned else None,
            smooth=self.state.smooth,
            um_per_px=image.um_per_px if image else None,
            ruler=self.state.ruler,
        )

    def _original(self, scene: Scene, *, narrow: bool = False) -> Scene:
        chips = original_chips(self.state, self.data, scene.camera, with_size=not narrow)
        return replace(scene, chips=chips, content=Content.ORIGINAL)

    def _result_scene(
        self,
        scene: Scene,
        place: int,
        result: Result,
        layers: tuple[LayerName, ...],
        *,
        narrow: bool = False,
    ) -> Scene:
        """Args: narrow: of the loupe, whose chips leave out what the main pane says."""
        if self.state.original_held:
            reference = self.data.reference
            if reference is None:
                return self._original(scene, narrow=narrow)
            return self._held(scene, reference)
        if result.model is not None:
            return self._vessel_scene(scene, result, result.model)
        wanted = result.in_loupe if narrow else result.wanted
        placeholder = self._placeholder(place, result, wanted)
        sharp = self.data.tiles.share(wanted, self.data.bounds) if wanted else 0.0
        chips = result_chips(
            self.state, self.data, result, wanted, sharp,
            has_placeholder=placeholder is not None, narrow=narrow,
        )  # fmt: skip
        split = self.is_split and not narrow
        return replace(
            scene,
            chips=original_chips(self.state, self.data, self.camera) if split else (),
            result_chips=chips,
            request=wanted.request if wanted else None,
            tiles=self._tiles(wanted, placeholder),
            layers=self._layers(result, layers),
            content=Content.SPLIT if split else Content.RESULT,
            divider=self.state.divider,
            note="" if wanted is None or sharp >= 1 else f"{int(sharp * 100)} % sharp",
        )

    def _placeholder(
        self, place: int, result: Result, wanted: tile_requests.Wanted | None
    ) -> tile_requests.TileRequest | None:
        """What was finished with similar settings before, where tiles of it are in view."""
        before = self.data.finished.get(place)
        if wanted is None or before is None or not before.is_placeholder_for(result.settings):
            return None
        request = replace(wanted.request, settings=before.at(wanted.request.scale))
        found = self.data.tiles.share(replace(wanted, request=request), self.data.bounds)
        return request if found > 0 else None

    def _tiles(
        self, wanted: tile_requests.Wanted | None, placeholder: tile_requests.TileRequest | None
    ) -> tuple[tile_requests.PlacedTile, ...]:
        if wanted is None:
            return ()
        return self.data.tiles.in_view(wanted, self.data.bounds, placeholder)

    def _held(self, scene: Scene, reference: HeldReference) -> Scene:
        """The reference in a pane, while the original is held."""
        region = scene.camera.visible(*self.sizes[self.shown[0]], self.data.bounds)
        wanted = tile_requests.Wanted(reference.request, region, scene.camera.x, scene.camera.y)
        return replace(
            scene,
            content=Content.RESULT,
            result_chips=(
                Chip(f"REFERENCE ×{reference.request.scale}", Source.CAMERA),
                *tone_chips(self.state, self.data, reference.request.tone),
            ),
            request=reference.request,
            tiles=reference.tiles.in_view(wanted, self.data.bounds),
        )

    def _vessel_scene(self, scene: Scene, result: Result, model: str) -> Scene:
        """The photograph under the vessels that a model finds in it."""
        art = self.data.layers.vessels_of(model) if self.data.layers else None
        if art is None:
            word = "failed" if model in self.data.broken_models else "PENDING"
            chip = Chip(f"{word} {result.title}", Source.PENDING)
            return replace(scene, result_chips=(chip, *tone_chips(self.state, self.data)))
        layer = LayerArt(LayerName.VESSELS, VESSELS_OVER, art)
        chip = Chip(f"AI VESSELS · {result.title}", Source.NETWORK)
        return replace(
            scene,
            layers=() if self.state.layers_hidden else (layer,),
            result_chips=(chip, *tone_chips(self.state, self.data)),
        )

    def _layers(self, result: Result, names: tuple[LayerName, ...]) -> tuple[LayerArt, ...]:
        """Those that are there, and that say something of this result."""
        known = self.data.layers
        found: list[LayerArt] = []
        for name in names:
            opacity = self.state.layer(name).opacity
            if name is LayerName.UNCERTAINTY:
                if result.sight is None or result.uncertainty is None or not self.data.uncertainty:
                    continue
                art = self.data.uncertainty.art(result.sight)
                legend = self.data.uncertainty.legend
                found.append(LayerArt(name, opacity, art, legend, result.uncertainty.progress))
            elif known is not None and (drawn := known.art(name)) is not None:
                found.append(LayerArt(name, opacity, drawn, known.legend_of(name)))
        return tuple(found)

    def _loupe_mark(self) -> Line | None:
        """(x, y, width, height) of what the loupe shows."""
        if not self.parts:
            return None
        width, height = (side / self.loupe.zoom for side in self._loupe_size(self.parts[-1]))
        return self.loupe.x - width / 2, self.loupe.y - height / 2, width, height

    def _pointer(self, place: int) -> Point | None:
        """The cursor over another cell, where the loupe's mark does not show it already."""
        pointer = self.state.pointer
        follows = bool(self.parts) and not self.state.loupe_locked
        if pointer is None or pointer[0] == place or follows:
            return None
        return pointer[1]
