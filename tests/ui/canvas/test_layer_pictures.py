"""What the screen draws of a layer is what a file gets; outlines follow the threshold."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtGui import QImage, QPainter

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.layer_art import (
    SALIENCY_OPACITY,
    UNCERTAINTY_OPACITY,
    Art,
    SaliencyStyle,
    paint,
    saliency_art,
    uncertainty_veil,
    vessel_lines,
)
from retina_viewer.ui.canvas.layer_pictures import (
    Drawn,
    VesselArt,
    drawn,
    heat_art,
    uncertainty_art,
)
from retina_viewer.ui.canvas.mapping import Mapping
from retina_viewer.ui.canvas.painting import paint_picture
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Camera, Content, LayerArt, LayerName, Scene

SIDE = 120
COLOURS = SaliencyStyle.COLOURS


@pytest.fixture(scope="module")
def eye(samples: Path) -> FundusImage:
    with Image.open(samples / "chase_14L.jpg") as image:
        small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    return FundusImage.from_array(np.asarray(small))


def smooth(seed: int) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).random((SIDE, SIDE)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 4)
    return np.asarray((blurred - blurred.min()) / np.ptp(blurred), np.float32)


def on_screen(
    eye: FundusImage, scale: int, drawn: Drawn | VesselArt | None = None, opacity: float = 1.0
) -> NDArray[np.int_]:
    """What a pane shows of the photograph and a layer, at ``scale`` device pixels a pixel."""
    camera = Camera(SIDE / 2, SIDE / 2, scale)
    image = QImage(SIDE * scale, SIDE * scale, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    layers = () if drawn is None else (LayerArt(LayerName.SALIENCY, opacity, drawn),)
    original = Pyramid.from_rgb(eye.display_rgb)
    scene = Scene(camera, original, layers=layers, content=Content.RESULT)
    paint_picture(painter, scene, Mapping(camera, SIDE * scale, SIDE * scale))
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(SIDE * scale, SIDE * scale, 4)
    return pixels[..., 2::-1].astype(int)


def in_a_file(eye: FundusImage, art: Art, opacity: float, scale: int) -> NDArray[np.int_]:
    enlarged = on_screen(eye, scale).astype(np.uint8)
    paint(enlarged, [(art, opacity)], scale)
    return enlarged.astype(int)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_colours_are_the_same_on_the_screen_and_in_a_file(
    qapp: object, eye: FundusImage, scale: int
) -> None:
    mask, values = eye.field_of_view.mask, smooth(0)
    saliency = saliency_art(values, mask, "inferno", COLOURS)
    for shown, art, opacity in (
        (heat_art(values, mask, "inferno"), saliency, SALIENCY_OPACITY),
        (
            uncertainty_art(values * 6, mask),
            uncertainty_veil(values * 6, mask),
            UNCERTAINTY_OPACITY,
        ),
    ):
        assert isinstance(shown, Pyramid)
        screen = on_screen(eye, scale, shown, opacity)
        file = in_a_file(eye, art, opacity, scale)
        inner = np.s_[scale:-scale, scale:-scale]  # Qt enlarges its border otherwise
        assert np.abs(screen - file)[inner].max() <= 6
        assert np.abs(screen - file)[inner].mean() < 0.6
        unlayered = in_a_file(eye, art, 0.0, scale)
        assert np.abs(file - unlayered)[mask.repeat(scale, 0).repeat(scale, 1)].mean() > 2


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_lines_in_a_file_are_at_least_as_thick_as_on_the_screen(
    qapp: object, eye: FundusImage, scale: int
) -> None:
    probability, mask = smooth(1), eye.field_of_view.mask
    probability = np.where(mask, probability, np.float32(0))
    screen = on_screen(eye, scale, VesselArt(probability, 0.6))
    file = in_a_file(eye, vessel_lines(probability, 0.6, mask), 1.0, scale)
    plain = in_a_file(eye, (), 1.0, scale)
    ink = [np.abs(one - plain).sum() for one in (screen, file)]
    assert 0 < ink[0] <= ink[1], ink


def test_contours_are_drawn_as_lines(qapp: object, eye: FundusImage) -> None:
    values, mask = smooth(2), eye.field_of_view.mask
    contours = heat_art(values, mask, "inferno", SaliencyStyle.CONTOURS)
    assert isinstance(contours, tuple)
    assert [one.colour for one in contours] == [
        one.colour
        for one in saliency_art(values, mask, "inferno", SaliencyStyle.CONTOURS)  # type: ignore[union-attr]
    ]
    moved = np.abs(on_screen(eye, 2, contours) - on_screen(eye, 2)).max(axis=2) > 20
    assert 0 < moved.mean() < 0.2


def test_every_art_can_be_drawn() -> None:
    mask = np.ones((80, 80), bool)
    flat = np.full((80, 80), 3, np.float32)
    assert isinstance(drawn(uncertainty_veil(flat, mask)), Pyramid)
    assert drawn(vessel_lines(flat, 0.5, mask))[0].colour == (0, 229, 255)  # type: ignore[index]


@pytest.fixture(scope="module")
def disc() -> VesselArt:
    y, x = np.mgrid[:160, :200] + 0.5
    distance = np.hypot(x - 100, y - 80)
    return VesselArt(np.clip((50 - distance) / 4 + 0.5, 0, 1).astype(np.float32), 0.5)


def test_the_line_lies_where_the_probability_crosses_the_threshold(disc: VesselArt) -> None:
    polygons = disc.visible(Rect(0, 0, 200, 160))
    points = np.array([(p.x(), p.y()) for polygon in polygons for p in polygon.toList()])
    radii = np.hypot(points[:, 0] - 100, points[:, 1] - 80)
    assert len(points) > 20
    assert np.abs(radii - 50).max() < 0.5


def test_only_pieces_in_view_are_given() -> None:
    y, x = np.mgrid[:160, :400] + 0.5
    two = np.minimum(np.hypot(x - 80, y - 80), np.hypot(x - 320, y - 80))
    art = VesselArt(np.clip((40 - two) / 4 + 0.5, 0, 1).astype(np.float32), 0.5)
    everything = len(art.visible(Rect(0, 0, 400, 160)))
    assert 0 < len(art.visible(Rect(0, 0, 200, 160))) < everything
    assert art.visible(Rect(180, 60, 40, 40)) == []


def test_without_vessels_there_is_nothing_to_draw() -> None:
    art = VesselArt(np.zeros((100, 100), np.float32), 0.5)
    assert art.visible(Rect(0, 0, 100, 100)) == []


def test_lines_stay_one_pixel_wide_at_every_size(disc: VesselArt) -> None:
    for level in disc.levels:
        alpha = level.levels[0].pixels[..., 3] > 0
        around = 2 * np.pi * 50 * level.width / disc.width
        assert 0.8 * around < alpha.sum() < 2.2 * around
