"""The picture follows from state and data alone, and its labels never claim more than is true."""

import itertools
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.superres.methods import METHODS
from retina_viewer.ui.canvas.photo import Photo, TonedPhoto
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import (
    Camera,
    Chip,
    Content,
    LayerName,
    Scene,
    Source,
    Tone,
    UncertaintyArt,
)
from retina_viewer.ui.canvas.tile_requests import TileCache, TileKey, Wanted, tiles_over
from retina_viewer.ui.canvas.tile_requests import tile_side as side_of
from retina_viewer.ui.catalogue import Catalogue, NetworkInfo, ResultChoice
from retina_viewer.ui.view.arrange import Arrangement, LoupePlace
from retina_viewer.ui.view.data import HeldReference, ViewData
from retina_viewer.ui.view.layer_store import Layers
from retina_viewer.ui.view.picture import Picture
from retina_viewer.ui.view.resolve import resolve
from retina_viewer.ui.view.state import ViewState
from retina_viewer.ui.view.uncertainty_loader import Summary

PHOTOGRAPH = FundusImage.from_array(np.zeros((584, 565, 3), np.uint8))
GANS = [NetworkInfo("fast", "Fast GAN", "twin", 0.5), NetworkInfo("best", "Best GAN")]
CATALOGUE = Catalogue(METHODS, "bicubic", lambda method: GANS if method == "saliency-gan" else [])
MIDDLE = Camera(280, 290, 6)
LEARNED, PLAIN = ResultChoice("saliency-gan"), ResultChoice("bicubic")


class Knows:
    """Stands for the store of uncertainty: a quarter is computed."""

    legend = None

    def __init__(self) -> None:
        self.drawn = UncertaintyArt()

    def art(self, sight: object) -> UncertaintyArt:
        return self.drawn

    def summary(self, sight: object) -> Summary:
        return Summary(8, 0.25, 0, 3.0, 0.1, stopped=False)


def made(**changes: object) -> FundusImage:
    """A photograph of which something else is known."""
    return replace(PHOTOGRAPH, **changes)  # type: ignore[arg-type]


def enlarged(model: str | None) -> Provenance:
    return Provenance(
        kind="super-resolution", method="saliency-gan" if model else "bicubic", model=model,
        scale=4, device="CPU", source_name="a.png", source_sha256="", source_width=141,
        source_height=146,
    )  # fmt: skip


def pixels() -> Pyramid:
    return Pyramid.from_rgb(np.zeros((8, 8, 3), np.uint8))


def data_of(image: FundusImage = PHOTOGRAPH, **changes: object) -> ViewData:
    photo = Photo(image, "p")
    tone = changes.pop("tone", Tone.COLOUR)
    toned = TonedPhoto(tone, pixels(), SimpleNamespace())  # type: ignore[arg-type]
    base = ViewData(
        CATALOGUE, TileCache(), photo, toned, stage=(1002, 800), layers=Layers(),
        uncertainty=Knows(),  # type: ignore[arg-type]
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def fill(data: ViewData, wanted: Wanted | None, share: float = 1.0, **settings: object) -> None:
    """Put tiles of a share of what is wanted into the cache, of other settings where given."""
    assert wanted is not None
    request = replace(wanted.request, settings=replace(wanted.request.settings, **settings))  # type: ignore[arg-type]
    tiles = list(tiles_over(wanted.region, data.bounds, side_of(request.scale)))
    for rect in tiles[: max(1, int(share * len(tiles)))] if share else []:
        data.tiles.put(TileKey(request, rect), pixels())


def finish(state: ViewState, data: ViewData, share: float = 1.0) -> Picture:
    """The picture with its tiles there."""
    for result in resolve(state, data).results:
        for wanted in (result.wanted, result.in_loupe):
            if wanted is not None:
                fill(data, wanted, share)
    return resolve(state, data)


@pytest.fixture
def state() -> ViewState:
    return ViewState(results=(LEARNED,), scale=8, camera=MIDDLE, tone=Tone.COLOUR)


def main_scene(picture: Picture, place: int) -> Scene:
    cell = picture.cell(place)
    assert cell is not None
    return cell.scene


def loupe_scene(picture: Picture, place: int) -> Scene:
    return next(cell.scene for cell in picture.loupes if cell.place == place)


def texts(picture: Picture, place: int = 1) -> list[str]:
    return [chip.text for chip in main_scene(picture, place).result_chips]


def every_chip(picture: Picture) -> list[Chip]:
    scenes = [cell.scene for cell in (*picture.cells, *picture.loupes)]
    return [chip for scene in scenes for chip in (*scene.chips, *scene.result_chips)]


def test_it_needs_no_qt() -> None:
    command = "import sys, retina_viewer.ui.view.resolve; sys.exit('PySide6' in sys.modules)"
    subprocess.run([sys.executable, "-c", command], check=True)


def test_amber_appears_only_once_a_network_has_made_something(state: ViewState) -> None:
    choices, shares = (LEARNED, PLAIN), (0.0, 0.4, 1.0)
    for choice, share, fails in itertools.product(choices, shares, (False, True)):
        state.results = (choice,)
        data = data_of()
        if fails:
            settings = resolve(state, data).result.settings
            data = replace(data, failed=frozenset([settings]))
        picture = finish(state, data, share)
        amber = [c for c in main_scene(picture, 1).result_chips if c.source is Source.NETWORK]
        assert bool(amber) == (choice is LEARNED and share > 0 and not fails)
        assert {chip.source for chip in main_scene(picture, 0).chips} == {Source.CAMERA}


def test_the_chip_names_the_scale_that_was_computed(state: ViewState) -> None:
    name = "Saliency GAN, fidelity 50 %"
    assert texts(finish(state, data_of())) == [f"AI ×8 · {name}"]
    for zoom, scale in ((3, 4), (1, 2)):  # more cannot be seen here and is not computed
        state.camera = Camera(280, 290, zoom)
        assert texts(finish(state, data_of())) == [f"AI ×{scale} (of ×8) · {name}"]
    partly = finish(state, data_of(), 0.4)
    assert texts(partly) == [f"AI ×2 (of ×8) · {name}", "PENDING"]
    assert main_scene(partly, 1).note == f"{int(partly.sharp * 100)} % sharp"
    assert 0 < partly.sharp < 1


def test_nothing_computed_is_called_interpolated(state: ViewState) -> None:
    data = data_of()
    assert texts(resolve(state, data)) == ["INTERPOLATED", "PENDING AI ×8"]
    failed = frozenset([resolve(state, data).result.settings])
    assert texts(resolve(state, replace(data, failed=failed))) == [
        "INTERPOLATED", "failed: AI ×8",
    ]  # fmt: skip
    large = data_of(FundusImage.from_array(np.zeros((2848, 4288, 3), np.uint8)))
    state.camera = None
    assert texts(resolve(state, large)) == ["INTERPOLATED", "zoom in for AI ×8"]


def test_the_main_pane_names_the_fidelity(state: ViewState) -> None:
    state.choose(fidelity=0.65)
    picture = finish(state, data_of())
    assert texts(picture) == ["AI ×8 · Saliency GAN, fidelity 65 %"]
    in_loupe = [chip.text for chip in loupe_scene(picture, 1).result_chips]
    assert in_loupe == ["AI ×8 · Saliency GAN"]


def test_a_placeholder_is_never_given_the_new_settings(state: ViewState) -> None:
    data = data_of()
    before = finish(state, data).result.settings
    data = replace(data, finished={1: before})
    state.choose(fidelity=0.65)
    picture = resolve(state, data)
    assert picture.sharp == 0
    assert None not in [tile for _, tile in main_scene(picture, 1).tiles]
    assert texts(picture) == ["AI ×8 · Saliency GAN", "PENDING fidelity 65 %"]
    fill(data, picture.result.wanted, 0.5)
    assert texts(resolve(state, data)) == ["AI ×8 · Saliency GAN", "PENDING fidelity 65 %"]
    assert texts(finish(state, data)) == ["AI ×8 · Saliency GAN, fidelity 65 %"]
    state.choose(method="bicubic")  # of which nothing of before is true
    assert texts(resolve(state, data)) == ["INTERPOLATED", "PENDING INTERPOLATED ×8"]
    state.choose(method="saliency-gan", fidelity=0.2)
    state.scale = 4
    assert texts(resolve(state, data)) == ["INTERPOLATED", "PENDING AI ×4"]


def test_uncertainty_is_shown_of_networks_alone(state: ViewState) -> None:
    state.uncertainty.on = True
    (layer,) = main_scene(resolve(state, data_of()), 1).layers
    assert (layer.name, layer.note) == (LayerName.UNCERTAINTY, "25 % of the view computed")
    state.results = (PLAIN,)
    interpolated = main_scene(resolve(state, data_of()), 1)
    assert interpolated.layers == ()
    assert not interpolated.legend


def with_layers(state: ViewState, data: ViewData) -> ViewData:
    state.saliency.on = state.vessels.on = True
    assert data.layers is not None
    data.layers.saliency_art, data.layers.vessel_art = pixels(), pixels()  # type: ignore[assignment]
    return data


def test_the_original_carries_no_layer_and_the_loupe_no_heat_map(state: ViewState) -> None:
    state.results = (LEARNED, PLAIN)
    picture = resolve(state, with_layers(state, data_of()))
    assert main_scene(picture, 0).layers == loupe_scene(picture, 0).layers == ()
    for place in (1, 2):
        names = [layer.name for layer in main_scene(picture, place).layers]
        assert names == [LayerName.SALIENCY, LayerName.VESSELS]
        names = [layer.name for layer in loupe_scene(picture, place).layers]
        assert names == [LayerName.VESSELS]
    assert [cell.scene.legend for cell in picture.cells] == [False, True, False]


def test_held_keys_hide_layers_without_turning_them_off(state: ViewState) -> None:
    data = with_layers(state, data_of())
    state.layers_hidden = True
    picture = resolve(state, data)
    assert picture.layers == ()
    assert main_scene(picture, 1).layers == ()
    assert picture.layers_on == (LayerName.SALIENCY, LayerName.VESSELS)


def test_all_cells_look_at_the_same_place(state: ViewState) -> None:
    state.results = (LEARNED, PLAIN, PLAIN, LEARNED)
    picture = resolve(state, data_of())
    assert {cell.scene.camera for cell in picture.cells} == {MIDDLE}
    assert {cell.scene.camera for cell in picture.loupes} == {picture.loupe}
    assert len(picture.cells) == len(picture.loupes) == 5


def test_equal_pixels_make_equal_pictures_and_others_do_not(state: ViewState) -> None:
    """A pane paints where its scene differs: another photograph of the same size and place, its
    pixels in another tone, a tile or a layer that has arrived must make a difference in every pane
    that shows them."""
    data = with_layers(state, data_of())
    before = finish(state, data)
    assert resolve(state, data) == before

    def differ(after: Picture) -> list[tuple[str, int]]:
        return [
            (kind, one.place)
            for kind, old, new in (
                ("main", before.cells, after.cells), ("loupe", before.loupes, after.loupes),
            )
            for one, other in zip(old, new, strict=True)
            if one.scene != other.scene
        ]  # fmt: skip

    everywhere = [("main", 0), ("main", 1), ("loupe", 0), ("loupe", 1)]
    assert data.toned is not None
    assert differ(resolve(state, replace(data, toned=replace(data.toned, pyramid=pixels())))) == (
        everywhere
    )
    assert data.layers is not None
    data.layers.vessel_art = pixels()  # type: ignore[assignment]
    assert differ(resolve(state, data)) == [("main", 1), ("loupe", 1)]
    before = resolve(state, data)
    data.tiles.put(next(iter(data.tiles._tiles)), pixels())
    assert differ(resolve(state, data)) != []


def test_the_slider_labels_both_sides(state: ViewState) -> None:
    state.arrangement = Arrangement.SLIDER
    picture = finish(state, data_of())
    (cell,) = picture.cells
    assert (cell.place, cell.scene.content) == (1, Content.SPLIT)
    assert [chip.text for chip in cell.scene.chips] == ["ORIGINAL 565 × 584, smoothed"]
    assert texts(picture) == ["AI ×8 · Saliency GAN, fidelity 50 %"]
    assert [part.place for part in picture.loupes] == [0, 1]


def test_a_tone_is_named_in_every_pane(state: ViewState) -> None:
    state.tone = Tone.RED_FREE
    picture = resolve(state, data_of(tone=Tone.RED_FREE))
    for cell in (*picture.cells, *picture.loupes):
        chips = (*cell.scene.chips, *cell.scene.result_chips)
        assert chips[-1].text == "RED-FREE"


def test_a_tone_that_is_not_ready_is_called_pending(state: ViewState) -> None:
    def named(tone: Tone) -> list[tuple[str, Source]]:
        chips = main_scene(resolve(state, data_of(tone=tone)), 0).chips
        return [(chip.text, chip.source) for chip in chips[1:]]

    state.tone = Tone.CLAHE
    assert named(Tone.COLOUR) == [("PENDING CLAHE", Source.PENDING)]
    assert named(Tone.CLAHE) == [("CLAHE", Source.CAMERA)]
    # What is shown until then is named as well.
    assert [text for text, _ in named(Tone.RED_FREE)] == ["RED-FREE", "PENDING CLAHE"]


def test_holding_the_original_leaves_nothing_of_any_result(state: ViewState) -> None:
    state.results, state.original_held = (LEARNED, PLAIN), True
    picture = finish(state, with_layers(state, data_of()))
    for place in (1, 2):
        scene = main_scene(picture, place)
        assert scene.content is Content.ORIGINAL
        assert scene.chips == main_scene(picture, 0).chips
        assert (scene.request, scene.layers, scene.tiles, scene.result_chips) == (None, (), (), ())


def test_holding_the_original_shows_the_reference_where_there_is_one(state: ViewState) -> None:
    data = data_of()
    wanted = resolve(state, data).result.wanted
    assert wanted is not None
    reference = HeldReference(wanted.request, TileCache())
    state.original_held = True
    picture = resolve(state, replace(data, reference=reference))
    assert texts(picture) == ["REFERENCE ×8"]
    assert main_scene(picture, 1).tiles


def test_an_enlarged_original_is_called_smoothed_unless_its_pixels_are_shown(
    state: ViewState,
) -> None:
    def first(picture: Picture) -> str:
        return main_scene(picture, 0).chips[0].text

    picture = resolve(state, data_of())
    assert first(picture) == "ORIGINAL 565 × 584, smoothed"
    assert loupe_scene(picture, 0).chips[0].text == "ORIGINAL, smoothed"
    assert loupe_scene(picture, 0).note == "loupe 800 %"
    state.smooth = False
    assert first(resolve(state, data_of())) == "ORIGINAL 565 × 584"
    state.smooth, state.camera = True, Camera(280, 290, 1)
    assert first(resolve(state, data_of())) == "ORIGINAL 565 × 584"


def test_an_enlargement_of_ours_is_never_called_original(state: ViewState) -> None:
    """Also where the original is held, in the slider, and in the loupe."""
    data = data_of(made(made_by=enlarged("saliency-gan-fast")))
    wishes = (Arrangement.AUTO, Arrangement.SLIDER)
    for wish, held, again in itertools.product(wishes, (False, True), (False, True)):
        state.arrangement, state.original_held = wish, held
        picture = resolve(state, replace(data, again=again))
        assert not [chip for chip in every_chip(picture) if "ORIGINAL" in chip.text]
    state.arrangement, state.original_held = Arrangement.AUTO, False
    picture = resolve(state, data)
    chip = main_scene(picture, 0).chips[0]
    assert (chip.text, chip.source) == (
        "AI-ENLARGED ×4 565 × 584, smoothed", Source.NETWORK,
    )  # fmt: skip
    assert texts(picture) == ["AI-ENLARGED ×4", "not enlarged again"]
    assert picture.result.wanted is None
    assert texts(finish(state, replace(data, again=True))) == [
        "AI ×8 · Saliency GAN, fidelity 50 %", "OF AI-ENLARGED ×4",
    ]  # fmt: skip


def test_what_interpolation_enlarged_is_not_amber(state: ViewState) -> None:
    chip = main_scene(resolve(state, data_of(made(made_by=enlarged(None)))), 0).chips[0]
    assert (chip.text, chip.source) == (
        "INTERPOLATED ×4 565 × 584, smoothed", Source.INTERPOLATED,
    )  # fmt: skip


def test_a_photograph_that_was_shrunk_is_not_called_the_original(state: ViewState) -> None:
    data = replace(data_of(), photo=Photo(PHOTOGRAPH, "p", label="SHRUNK ×4"))
    assert not [one for one in every_chip(resolve(state, data)) if "ORIGINAL" in one.text]


def test_a_damaged_file_says_so_in_every_pane(state: ViewState) -> None:
    picture = resolve(state, data_of(made(damage="a part of the picture is missing")))
    for cell in (*picture.cells, *picture.loupes):
        chips = (*cell.scene.chips, *cell.scene.result_chips)
        assert [c.text for c in chips if c.source is Source.DAMAGED] == ["DAMAGED FILE"]


def test_results_of_one_method_are_named_by_their_networks(state: ViewState) -> None:
    state.results = (ResultChoice("saliency-gan", "fast"), ResultChoice("saliency-gan", "best"))
    picture = finish(state, data_of())
    assert texts(picture, 1) == ["AI ×8 · Fast GAN, fidelity 50 %"]
    assert texts(picture, 2) == ["AI ×8 · Best GAN"]


def test_a_result_that_fails_leaves_the_others(state: ViewState) -> None:
    state.results = (LEARNED, PLAIN)
    data = data_of()
    data = replace(data, failed=frozenset([resolve(state, data).results[0].settings]))
    picture = finish(state, data)
    assert texts(picture, 1) == ["INTERPOLATED", "failed: AI ×8 · Saliency GAN"]
    assert texts(picture, 2) == ["INTERPOLATED ×8 · Bicubic"]


def test_one_cell_alone_keeps_the_others_coming(state: ViewState) -> None:
    state.results, state.alone = (LEARNED, PLAIN), 2
    picture = resolve(state, data_of())
    assert [cell.place for cell in picture.cells] == [2]
    assert all(result.wanted for result in picture.results)
    state.alone = 7  # one that has been taken away
    assert len(resolve(state, data_of()).cells) == 3


def test_vessels_of_two_models(state: ViewState) -> None:
    state.results = tuple(ResultChoice(vessels=name, title=name.title()) for name in ("vein", "ar"))
    data = replace(data_of(), broken_models=frozenset(["ar"]))
    assert texts(resolve(state, data), 1) == ["PENDING Vein"]
    assert texts(resolve(state, data), 2) == ["failed Ar"]
    assert data.layers is not None
    data.layers.by_model["vein"] = pixels()  # type: ignore[assignment]
    picture = resolve(state, data)
    assert texts(picture, 1) == ["AI VESSELS · Vein"]
    assert picture.result.wanted is None
    assert len(main_scene(picture, 1).layers) == 1


def test_the_loupe_never_repeats_what_the_panes_show(state: ViewState) -> None:
    state.loupe_zoom, state.loupe_at = 8.0, (10.0, 20.0)
    picture = resolve(state, data_of())
    assert picture.loupe == Camera(10, 20, 8)
    assert main_scene(picture, 0).marked is not None
    state.camera = Camera(280, 290, 8)
    closer = resolve(state, data_of())
    assert closer.loupes == ()
    assert closer.cells[0].rect.height > picture.cells[0].rect.height  # its room is the panes' now
    assert main_scene(closer, 0).note == "800 %: no loupe shows more"
    assert main_scene(closer, 0).marked is None
    assert closer.result.in_loupe is None
    state.results = state.results * 3
    for zoom in (7.9, 8.0):  # the panes stay in their order
        state.camera = Camera(280, 290, zoom)
        assert len(resolve(state, data_of()).places.columns) == 2


def test_an_inset_loupe_is_framed_and_leaves_the_scale_bar_room(state: ViewState) -> None:
    state.arrangement, state.camera = Arrangement.SLIDER, None
    large = FundusImage.from_array(np.zeros((1000, 1400, 3), np.uint8))
    picture = resolve(state, data_of(large, stage=(1250, 930)))
    assert picture.places.loupe is LoupePlace.INSET
    assert {part.scene.is_inset for part in picture.loupes} == {True}
    covered = picture.cells[0].scene.covered
    assert covered == picture.cells[0].rect.right - picture.loupes[0].rect.x


def test_the_loupe_begins_where_there_is_most_to_see(state: ViewState) -> None:
    assert resolve(state, data_of(salient=(100.0, 50.0))).loupe == Camera(100, 50, 8)


def test_fit_shows_the_field_of_view_and_not_the_black_border(state: ViewState) -> None:
    y, x = np.mgrid[:584, :965]
    disk = np.hypot(x - 480, y - 290) < 270
    image = FundusImage.from_array(np.zeros((584, 965, 3), np.uint8))
    field = FieldOfView(disk, 480.0, 290.0, 540.0)
    state.camera = None
    picture = resolve(state, data_of(image, field_of_view=field))
    assert picture.fit
    assert picture.is_whole
    assert picture.field.width == pytest.approx(540 * 1.02, abs=8)
    for cell in picture.cells:
        seen = picture.camera.visible(cell.rect.width, cell.rect.height, picture.image)
        assert seen.intersected(picture.field) == picture.field
        assert cell.rect.width / picture.camera.zoom < 1.02 * picture.field.width
    doubted = replace(field, doubt="This does not look like a photograph of a retina.")
    assert resolve(state, data_of(image, field_of_view=doubted)).field == image.bounds
    assert resolve(state, data_of(image)).field == image.bounds


def test_without_a_photograph_there_is_nothing_to_show() -> None:
    picture = resolve(ViewState(), ViewData(CATALOGUE, TileCache()))
    assert not picture.has_image
    assert picture.camera.zoom == 1.0
    assert picture.loupes == ()
    assert {result.wanted for result in picture.results} == {None}
