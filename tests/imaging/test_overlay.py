import numpy as np
import pytest

from retina_viewer.imaging.layer_art import COLOUR_MAPS, lookup_table, outline

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
