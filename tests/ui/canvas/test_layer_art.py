"""Vessel outlines follow the threshold."""

import numpy as np
import pytest

from retina_viewer.core.geometry import Rect
from retina_viewer.ui.canvas.layer_art import VesselArt


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
