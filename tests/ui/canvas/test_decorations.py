"""Lengths that are written on the picture are true."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.ui.canvas.decorations import SCALE_BAR, length_label, scale_bar_length


@given(st.floats(0.005, 200), st.one_of(st.none(), st.floats(0.5, 40)))
def test_the_scale_bar_is_as_long_as_it_says(
    px_per_logical: float, um_per_px: float | None
) -> None:
    length, label = scale_bar_length(px_per_logical, um_per_px)
    assert SCALE_BAR / 2.6 < length <= SCALE_BAR * 1.000001
    number, unit = re.fullmatch(r"([\d.e+-]+) (px|µm nominal|mm nominal)", label).groups()  # type: ignore[union-attr]
    px = length * px_per_logical
    expected = {"px": px, "µm nominal": px * (um_per_px or 0), "mm nominal": px * (um_per_px or 0)}
    factor = 1000 if unit == "mm nominal" else 1
    assert float(number) * factor == pytest.approx(expected[unit])
    assert number.replace(".", "").strip("0")[0] in "125"


def test_distances_are_in_source_pixels_and_nominal_micrometres() -> None:
    assert length_label((0, 0, 30, 40), None) == "50.0 px"
    assert length_label((0, 0, 30, 40), 4.0) == "50.0 px = 200 µm nominal"
    assert length_label((0, 0, 300, 400), 4.0) == "500.0 px = 2.00 mm nominal"
