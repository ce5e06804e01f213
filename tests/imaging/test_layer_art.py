"""What layers look like: honest scales, readable lines, the same at every size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.settings import Settings
from retina_viewer.imaging.colour import red_free
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.layer_art import (
    CLEAR_BELOW,
    COLOUR_MAPS,
    CYAN,
    LINE_PART,
    SALIENCY_OPACITY,
    UNCERTAINTY_CLEAR,
    UNCERTAINTY_OPACITY,
    VESSEL_LEGEND,
    VESSEL_OPACITY,
    Art,
    Bytes,
    Lines,
    SaliencyStyle,
    Veil,
    lookup_table,
    outline,
    paint,
    percentiles,
    saliency_art,
    saliency_legend,
    uncertainty_legend,
    uncertainty_veil,
    vessel_lines,
    without_rim,
)

SIDE = 160


@pytest.fixture(scope="module", params=["chase_14L.jpg", "fives_28_A.png", "idrid_53_half.jpg"])
def eye(samples: Path, request: pytest.FixtureRequest) -> FundusImage:
    with Image.open(samples / request.param) as image:
        small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    return FundusImage.from_array(np.asarray(small), request.param)


def painted(picture: Bytes, art: Veil | tuple[Lines, ...], opacity: float, scale: int = 1) -> Bytes:
    result = picture.copy()
    paint(result, [(art, opacity)], scale)
    return result


def change(before: Bytes, after: Bytes) -> NDArray[np.int_]:
    return np.asarray(np.abs(before.astype(int) - after).max(axis=2), np.int_)


# Saliency


def test_percentiles_are_shares_of_the_field() -> None:
    values = np.random.default_rng(0).random((40, 50)).astype(np.float32) ** 3
    mask = np.zeros((40, 50), bool)
    mask[5:35, 5:45] = True
    shares = percentiles(values, mask)
    assert (shares[~mask] == 0).all()
    for share in (0.1, 0.5, 0.85, 0.99):
        assert (shares[mask] <= share).mean() == pytest.approx(share, abs=0.002)
    order = np.argsort(values[mask])
    assert (np.diff(shares[mask][order]) >= 0).all()


def test_a_constant_map_stands_out_nowhere() -> None:
    mask = np.ones((20, 30), bool)
    for value in (0.0, 0.4, 1.0):
        flat = np.full((20, 30), value, np.float32)
        assert (percentiles(flat, mask) == 0.5).all()
        for style in SaliencyStyle:
            picture = np.full((20, 30, 3), 99, np.uint8)
            assert (painted(picture, saliency_art(flat, mask, "inferno", style), 1.0) == 99).all()


def test_equal_values_are_shown_or_hidden_together() -> None:
    values = np.zeros((10, 100), np.float32)
    values[:, 95:] = 1.0
    shares = percentiles(values, np.ones_like(values, bool))
    assert set(np.unique(shares)) == {np.float32(0.475), np.float32(0.975)}
    nothing = np.zeros_like(values, bool)
    assert (percentiles(values, nothing) == 0).all()  # no field of view


def test_the_layer_leaves_most_of_the_field_as_it_is(eye: FundusImage) -> None:
    """It used to lie over all of it."""
    rgb, mask = eye.display_rgb, eye.field_of_view.mask
    luminance = rgb[..., 1].astype(np.float32)
    values = np.abs(luminance - cv2.GaussianBlur(luminance, (0, 0), 3)) / 600  # like real ones
    art = saliency_art(np.asarray(values, np.float32), mask, "inferno", SaliencyStyle.COLOURS)
    moved = change(rgb, painted(rgb, art, SALIENCY_OPACITY)) > 0
    inner = without_rim(mask)
    assert not moved[~inner].any()  # also not the edge that the aperture makes
    assert 0.9 < np.count_nonzero(inner) / np.count_nonzero(mask) < 1
    assert moved[inner].mean() == pytest.approx(1 - CLEAR_BELOW, abs=0.02)
    strongest = inner & (percentiles(np.asarray(values, np.float32), inner) > 0.97)
    assert (change(rgb, painted(rgb, art, SALIENCY_OPACITY))[strongest] >= 20).mean() > 0.95


def test_contours_enclose_what_stands_out() -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    hill = np.exp(-np.hypot(y - 60, x - 90) / 30).astype(np.float32)
    mask = np.hypot(y - 80, x - 80) < 75
    art = saliency_art(hill, mask, "inferno", SaliencyStyle.CONTOURS)
    assert not isinstance(art, Veil)
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    drawn = np.asarray(painted(picture, art, 1.0).any(axis=2))
    shares = percentiles(hill, without_rim(mask))[drawn]
    assert not drawn[~mask].any()
    assert len(shares) > 60
    assert (np.minimum(np.abs(shares - 0.85), np.abs(shares - 0.95)) < 0.03).all()
    assert not drawn[60, 90]  # what they enclose is seen


# Where detail is uncertain


def clahe(rgb8: Bytes) -> Bytes:
    """Local contrast, as far as it can be raised (Zuiderveld 1994)."""
    ycc = cv2.cvtColor(rgb8, cv2.COLOR_RGB2YCrCb)
    ycc[..., 0] = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(ycc[..., 0].copy())
    return np.asarray(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB), np.uint8)


@pytest.mark.parametrize("level", [2.0, 2.4, 3.0, 4.0, 6.0, 8.0, 20.0])
@pytest.mark.parametrize("tone", [lambda rgb: rgb, red_free, clahe], ids=["colour", "red", "clahe"])
def test_a_guess_is_seen_at_the_default_opacity(
    eye: FundusImage, level: float, tone: Callable[[Bytes], Bytes]
) -> None:
    """At least 10 of 255 wherever it says more than 1.5 levels above the field's median, which no
    calibration puts below 0.5."""
    rgb, mask = tone(eye.display_rgb), eye.field_of_view.mask
    veil = uncertainty_veil(np.full(mask.shape, level, np.float32), mask)
    moved = change(rgb, painted(rgb, veil, UNCERTAINTY_OPACITY))
    assert (moved[mask] >= 10).mean() > 0.999
    assert (moved[~mask] == 0).all()


@pytest.mark.parametrize("level", [1.5, 1.75, 1.99, 2.02, 2.5, 3.0, 4.0, 6.0, 8.0])
def test_a_guess_is_seen_on_every_grey(level: float) -> None:
    greys = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    mask = np.ones((1, 256), bool)
    veil = uncertainty_veil(np.full((1, 256), level, np.float32), mask)
    assert change(greys, painted(greys, veil, UNCERTAINTY_OPACITY)).min() >= 10


def test_what_is_no_guess_stays_as_it_is(eye: FundusImage) -> None:
    rgb, mask = eye.display_rgb, eye.field_of_view.mask
    veil = uncertainty_veil(np.full(mask.shape, UNCERTAINTY_CLEAR - 0.1, np.float32), mask)
    assert (painted(rgb, veil, 1.0) == rgb).all()


# Sizes


def test_an_enlargement_has_the_same_colours(eye: FundusImage) -> None:
    rgb, mask = eye.display_rgb, eye.field_of_view.mask
    ramp = np.tile(np.linspace(0, 10, SIDE, dtype=np.float32), (SIDE, 1))
    small = painted(rgb, uncertainty_veil(ramp, mask), UNCERTAINTY_OPACITY)
    large = rgb.repeat(4, axis=0).repeat(4, axis=1)
    drawn = painted(large, uncertainty_veil(ramp, mask), UNCERTAINTY_OPACITY, 4)
    shrunk = cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    # All but the column where the layer begins and the one where yellow becomes blue.
    assert (change(small, np.asarray(shrunk, np.uint8)) <= 4).mean() > 0.95


def test_bands_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    plane = cv2.GaussianBlur(random.random((60, 50)).astype(np.float32), (0, 0), 3)
    mask = np.ones((60, 50), bool)
    layers: list[tuple[Art, float]] = [
        (uncertainty_veil((plane * 9).astype(np.float32), mask), 0.8),
        (vessel_lines(np.asarray(plane, np.float32), 0.5, mask), 0.9),
    ]
    whole = np.full((240, 200, 3), 120, np.uint8)
    pieces = whole.copy()
    paint(whole, layers, 4)
    monkeypatch.setattr("retina_viewer.imaging.layer_art._BAND_PIXELS", 4 * 4 * 50 * 7)
    paint(pieces, layers, 4)
    np.testing.assert_array_equal(whole, pieces)


@pytest.mark.parametrize(("side", "scale"), [(160, 1), (160, 4), (2000, 1), (2000, 2)])
def test_vessels_are_as_thick_as_on_a_screen_that_shows_all_of_it(side: int, scale: int) -> None:
    probability = np.zeros((40, side), np.float32)
    probability[18:22] = 1.0
    picture = np.zeros((40 * scale, side * scale, 3), np.uint8)
    mask = np.ones(probability.shape, bool)
    paint(picture, [(vessel_lines(probability, 0.5, mask), 1.0)], scale)
    column = (picture[:, side * scale // 2] == CYAN).all(axis=1)
    thick = column[: 20 * scale].sum()
    assert thick >= scale * max(1, side // LINE_PART)  # source pixels on a screen of 800
    assert not column[18 * scale : 22 * scale].any()  # the vessel itself is seen


def test_outlines_stay_inside_the_field() -> None:
    probability = np.zeros((60, 60), np.float32)
    mask = np.zeros((60, 60), bool)
    mask[:, 20:] = True
    probability[30, 20:] = 1.0
    picture = np.zeros((240, 240, 3), np.uint8)
    paint(picture, [(vessel_lines(probability, 0.5, mask), 1.0)], 4)
    drawn = np.asarray(picture.any(axis=2))
    assert drawn[:, 80:].any()
    assert not drawn[:, :80].any()


# What is said of them


def test_legends_name_the_layer_and_its_unit() -> None:
    colours = saliency_legend("inferno", SaliencyStyle.COLOURS)
    contours = saliency_legend("inferno", SaliencyStyle.CONTOURS)
    assert "percentile" in colours.name
    assert [text for _, text in colours.ticks] == ["clear below 85", "100"]
    assert [text for _, text in contours.lines] == ["85", "95"]
    assert "grey levels" in uncertainty_legend().name
    assert [text for _, text in uncertainty_legend().ticks] == [
        "clear below 1.5, blue from 2",
        "8+",
    ]
    assert "AI" in VESSEL_LEGEND.lines[0][1]


def test_files_and_window_start_with_the_same_opacity() -> None:
    layers = Settings().layers
    assert {name: layer.opacity for name, layer in layers.items()} == {
        "saliency": SALIENCY_OPACITY, "vessels": VESSEL_OPACITY, "uncertainty": UNCERTAINTY_OPACITY,
    }  # fmt: skip


_BT709 = np.array([0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_a_map_has_256_colours_of_monotonic_lightness(name: str) -> None:
    table = lookup_table(name)
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    lightness = np.diff((table / 255.0) ** 2.2 @ _BT709)
    if name.endswith("-reversed"):
        lightness = -lightness
    assert lightness.min() > -0.002  # rounding
    assert lightness.sum() > 0.6


def test_inferno_has_its_published_ends_and_middle() -> None:
    table = lookup_table("inferno")
    assert table[0].tolist() == [0, 0, 4]
    assert table[255].tolist() == [252, 255, 164]
    assert np.abs(table[127].astype(int) - [186, 54, 85]).max() <= 3


def test_reversed_is_the_same_map_from_the_other_end() -> None:
    forward, backward = lookup_table("cividis"), lookup_table("cividis-reversed")
    np.testing.assert_array_equal(forward[::-1], backward)


def test_a_table_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        lookup_table("inferno")[0] = 1


def test_an_unknown_map_is_named() -> None:
    with pytest.raises(ValueError, match="jet"):
        lookup_table("jet")


def test_the_outline_surrounds_a_line_and_leaves_it_visible() -> None:
    mask = np.zeros((7, 9), bool)
    mask[3, 2:7] = True
    edge = outline(mask)
    assert not (edge & mask).any()
    assert edge[2, 2:7].all() and edge[4, 2:7].all() and edge[3, 1] and edge[3, 7]
    assert edge.sum() == 12
    assert outline(mask, 2).sum() > edge.sum()
