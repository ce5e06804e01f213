"""The labels never claim more than is true."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Content, LayerArt, Scenes, Source
from retina_viewer.ui.canvas.tiles import PlacedTile
from retina_viewer.ui.view.picture import resolve
from retina_viewer.ui.view.resolve import Facts, compose
from retina_viewer.ui.view.state import LayerName, Layout, Tone, ViewState

PHOTOGRAPH = FundusImage.from_array(np.zeros((584, 565, 3), np.uint8))


def made(**changes: object) -> FundusImage:
    """A photograph of which something else is known."""
    return replace(PHOTOGRAPH, **changes)  # type: ignore[arg-type]


def enlarged(model: str | None) -> Provenance:
    return Provenance(
        kind="super-resolution", method="saliency-gan" if model else "bicubic", model=model,
        scale=4, device="CPU", source_name="a.png", source_sha256="", source_width=141,
        source_height=146,
    )  # fmt: skip


def scenes(state: ViewState, **facts: object) -> Scenes:
    base = {
        "photo": "p",
        "image": PHOTOGRAPH,
        "method_title": "Network",
        "learned": True,
        "main_sharp": 1.0,
    }
    return compose(resolve(state), Facts(**{**base, **facts}))  # type: ignore[arg-type]


@pytest.fixture
def state() -> ViewState:
    state = ViewState(pane_width=500, pane_height=600, scale=8)
    state.set_image(565, 584)
    state.zoom_at_centre(6)
    return state


def pixels() -> Pyramid:
    return Pyramid.from_rgb(np.zeros((8, 8, 3), np.uint8))


def art(name: LayerName) -> LayerArt:
    return LayerArt(name, 0.5, pixels())


def tile() -> PlacedTile:
    return Rect(0, 0, 4, 4), pixels()


def texts(result: Scenes) -> list[str]:
    return [chip.text for chip in result.result.result_chips]


def test_amber_appears_only_once_a_network_has_made_something(state: ViewState) -> None:
    for learned, sharp, can in itertools.product((True, False), (0.0, 0.4, 1.0), (True, False)):
        result = scenes(state, learned=learned, main_sharp=sharp, can_enhance=can)
        amber = [c for c in result.result.result_chips if c.source is Source.NETWORK]
        assert bool(amber) == (learned and sharp > 0 and can)
        assert {chip.source for chip in result.original.chips} == {Source.CAMERA}


def test_the_chip_names_the_scale_that_was_computed(state: ViewState) -> None:
    assert texts(scenes(state)) == ["AI ×8 · Network"]
    state.zoom_at_centre(3)  # more than x4 cannot be seen here and is not computed
    assert texts(scenes(state)) == ["AI ×4 (of ×8) · Network"]
    state.zoom_at_centre(1)
    assert texts(scenes(state)) == ["AI ×2 (of ×8) · Network"]
    state.zoom_at_centre(3)
    assert texts(scenes(state, main_sharp=0.37)) == ["AI ×4 (of ×8) · Network", "PENDING"]
    assert scenes(state, main_sharp=0.37).result.note == "37 % sharp"


def test_nothing_computed_is_called_interpolated(state: ViewState) -> None:
    assert texts(scenes(state, main_sharp=0.0)) == ["INTERPOLATED", "PENDING AI ×8"]
    assert texts(scenes(state, can_enhance=False)) == ["INTERPOLATED", "failed: AI ×8"]
    state.set_image(4288, 2848)
    assert texts(scenes(state)) == ["INTERPOLATED", "zoom in for AI ×8"]


def test_the_main_pane_names_the_fidelity(state: ViewState) -> None:
    making = EnhanceSettings("gan", 8, "cpu", "fast", 0.65)
    result = scenes(state, making=making, loupe_sharp=1.0)
    assert texts(result) == ["AI ×8 · Network, fidelity 65 %"]
    assert [chip.text for chip in result.loupe_result.result_chips] == ["AI ×8 · Network"]


def test_what_stands_in_is_never_given_the_new_settings(state: ViewState) -> None:
    making = EnhanceSettings("gan", 8, "cpu", "fast", 0.65)
    for sharp in (0.0, 0.5):
        result = scenes(state, making=making, main_stands_in=True, main_sharp=sharp)
        assert texts(result) == ["AI ×8 · Network", "PENDING fidelity 65 %"]
    finished = scenes(state, making=making, main_stands_in=True)
    assert texts(finished) == ["AI ×8 · Network, fidelity 65 %"]
    nothing = scenes(state, making=making, main_sharp=0.0)
    assert texts(nothing) == ["INTERPOLATED", "PENDING AI ×8"]


def test_guesses_are_shown_of_networks_alone(state: ViewState) -> None:
    there = (art(LayerName.CONSISTENCY),)
    assert scenes(state, layers=there).result.layers == there
    interpolated = scenes(state, layers=there, learned=False).result
    assert interpolated.layers == ()
    assert not interpolated.legend


def test_the_original_carries_no_layer_and_the_loupe_no_heat_map(state: ViewState) -> None:
    result = scenes(state, layers=(art(LayerName.SALIENCY), art(LayerName.VESSELS)))
    assert result.original.layers == result.loupe_original.layers == ()
    assert {layer.name for layer in result.result.layers} == {
        LayerName.SALIENCY,
        LayerName.VESSELS,
    }
    assert [layer.name for layer in result.loupe_result.layers] == [LayerName.VESSELS]


def test_both_sides_look_at_the_same_place(state: ViewState) -> None:
    result = scenes(state)
    assert result.original.camera == result.result.camera
    assert result.loupe_original.camera == result.loupe_result.camera


def test_other_pixels_are_another_scene(state: ViewState) -> None:
    """A pane paints where its scene differs: another photograph of the same size and place, its
    pixels in another tone, a tile or a layer that has arrived must make a difference in every pane
    that shows them."""
    facts: dict[str, object] = {
        "original": pixels(),
        "main_tiles": (tile(),),
        "loupe_tiles": (tile(),),
        "layers": (art(LayerName.VESSELS),),
    }
    before = scenes(state, **facts)
    assert scenes(state, **facts) == before
    panes = ("original", "result", "loupe_original", "loupe_result")
    for changed, seen_in in (
        ({"original": pixels()}, panes),
        ({"main_tiles": (tile(),)}, ("result",)),
        ({"loupe_tiles": (tile(),)}, ("loupe_result",)),
        ({"layers": (art(LayerName.VESSELS),)}, ("result", "loupe_result")),
    ):
        after = scenes(state, **{**facts, **changed})
        different = [pane for pane in panes if getattr(after, pane) != getattr(before, pane)]
        assert tuple(different) == seen_in


def test_the_slider_labels_both_sides(state: ViewState) -> None:
    state.layout = Layout.SLIDER
    result = scenes(state).result
    assert result.content is Content.SPLIT
    assert [chip.text for chip in result.chips] == ["ORIGINAL 565 × 584, smoothed"]
    assert [chip.text for chip in result.result_chips] == ["AI ×8 · Network"]


def test_a_tone_is_named_on_both_sides(state: ViewState) -> None:
    state.tone = Tone.RED_FREE
    result = scenes(state)
    assert result.original.chips[-1].text == "RED-FREE"
    assert result.loupe_original.chips[-1].text == "RED-FREE"
    assert result.result.result_chips[-1].text == "RED-FREE"


def test_holding_the_original_leaves_nothing_of_the_result(state: ViewState) -> None:
    state.holding_original = True
    result = scenes(state, layers=(art(LayerName.SALIENCY),), main_tiles=(tile(),)).result
    assert result.content is Content.ORIGINAL
    assert result.recipe is None
    assert result.layers == ()
    assert result.tiles == ()
    assert result.result_chips == ()


def test_an_enlarged_original_is_called_smoothed_unless_its_pixels_are_shown(
    state: ViewState,
) -> None:
    assert scenes(state).original.chips[0].text == "ORIGINAL 565 × 584, smoothed"
    assert scenes(state).loupe_original.chips[0].text == "ORIGINAL, smoothed"
    assert scenes(state).loupe_original.note == "loupe 800 %"
    state.smooth = False
    assert scenes(state).original.chips[0].text == "ORIGINAL 565 × 584"
    state.smooth = True
    state.zoom_at_centre(1)
    assert scenes(state).original.chips[0].text == "ORIGINAL 565 × 584"


def test_a_tone_that_is_not_ready_is_called_pending(state: ViewState) -> None:
    state.tone = Tone.CLAHE
    chips = scenes(state, tone=Tone.COLOUR).original.chips
    assert (chips[-1].text, chips[-1].source) == ("PENDING CLAHE", Source.PENDING)
    assert scenes(state, tone=Tone.CLAHE).original.chips[-1].text == "CLAHE"
    # What is shown until then is named as well.
    chips = scenes(state, tone=Tone.RED_FREE).original.chips
    assert [chip.text for chip in chips[1:]] == ["RED-FREE", "PENDING CLAHE"]


def test_an_enlargement_of_ours_is_never_called_original(state: ViewState) -> None:
    """Also where the original is held, in the slider, and in the loupe."""
    image = made(made_by=enlarged("saliency-gan-fast"))
    for layout, held in itertools.product(Layout, (False, True)):
        state.layout, state.holding_original = layout, held
        for needs_yes in (True, False):
            result = scenes(state, image=image, needs_yes=needs_yes, can_enhance=not needs_yes)
            panes = (result.original, result.result, result.loupe_original, result.loupe_result)
            chips = [chip for pane in panes for chip in (*pane.chips, *pane.result_chips)]
            assert not [chip for chip in chips if "ORIGINAL" in chip.text]
    state.layout, state.holding_original = Layout.SIDE_BY_SIDE, False
    result = scenes(state, image=image, needs_yes=True, can_enhance=False)
    assert result.original.chips[0].text == "AI-ENLARGED ×4 565 × 584, smoothed"
    assert result.original.chips[0].source is Source.NETWORK
    assert texts(result) == ["AI-ENLARGED ×4", "not enlarged again"]
    assert texts(scenes(state, image=image)) == ["AI ×8 · Network", "OF AI-ENLARGED ×4"]


def test_what_interpolation_enlarged_is_not_amber(state: ViewState) -> None:
    chip = scenes(state, image=made(made_by=enlarged(None))).original.chips[0]
    assert (chip.text, chip.source) == (
        "INTERPOLATED ×4 565 × 584, smoothed",
        Source.INTERPOLATED,
    )


def test_a_damaged_file_says_so_in_every_pane(state: ViewState) -> None:
    image = made(damage="a part of the picture is missing")
    result = scenes(state, image=image)
    for chips in (
        result.original.chips,
        result.result.result_chips,
        result.loupe_original.chips,
        result.loupe_result.result_chips,
    ):
        assert [chip.text for chip in chips if chip.source is Source.DAMAGED] == ["DAMAGED FILE"]
