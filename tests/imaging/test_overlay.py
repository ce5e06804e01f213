import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.imaging.overlay import (
    COLOUR_MAPS,
    CYAN,
    coloured,
    lookup_table,
    outline,
    overlay,
    painted,
)

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


def test_levels_stretch_and_clip() -> None:
    lut = lookup_table("inferno")
    plane = np.array([[-1.0, 2.0, 3.0, 9.0, np.nan]])
    colours = coloured(plane, lut, (2.0, 4.0))
    np.testing.assert_array_equal(colours[0], lut[[0, 0, 128, 255, 0]])
    with pytest.raises(ValueError, match="rise"):
        coloured(plane, lut, (1.0, 1.0))


@given(opacity=st.floats(0.0, 1.0), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_blending_lies_between_photograph_and_colours(opacity: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    rgb: NDArray[np.uint8] = random.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    plane = random.random((5, 7))
    lut = lookup_table("inferno")
    before = rgb.copy()
    result = overlay(rgb, plane, lut, opacity).astype(int)
    colours = coloured(plane, lut).astype(int)
    exact = (1.0 - opacity) * rgb + opacity * colours
    assert np.abs(result - exact).max() <= 0.5 + 1e-4
    np.testing.assert_array_equal(rgb, before)


def test_the_photograph_stays_outside_the_mask() -> None:
    rgb = np.full((4, 6, 3), 90, np.uint8)
    mask = np.zeros((4, 6), bool)
    mask[:, 3:] = True
    result = overlay(rgb, np.ones((4, 6)), lookup_table("inferno"), 1.0, mask=mask)
    assert (result[:, :3] == 90).all()
    assert (result[:, 3:] == lookup_table("inferno")[255]).all()


def test_misfitting_planes_and_opacities_are_refused() -> None:
    rgb = np.zeros((4, 6, 3), np.uint8)
    with pytest.raises(ValueError, match="fit"):
        overlay(rgb, np.zeros((6, 4)), lookup_table("inferno"), 0.5)
    with pytest.raises(ValueError, match="opacity"):
        overlay(rgb, np.zeros((4, 6)), lookup_table("inferno"), 1.5)


def test_the_outline_surrounds_a_line_and_leaves_it_visible() -> None:
    mask = np.zeros((7, 9), bool)
    mask[3, 2:7] = True
    edge = outline(mask)
    assert not (edge & mask).any()
    assert edge[2, 2:7].all() and edge[4, 2:7].all() and edge[3, 1] and edge[3, 7]
    assert edge.sum() == 12
    assert outline(mask, 2).sum() > edge.sum()


def test_painting_touches_only_its_pixels() -> None:
    rgb = np.full((3, 3, 3), 100, np.uint8)
    where = np.eye(3, dtype=bool)
    result = painted(rgb, where, CYAN, 0.5)
    assert (result[~where] == 100).all()
    assert (result[where] == [50, 164, 178]).all()
    assert (rgb == 100).all()
