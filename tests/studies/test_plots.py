"""What is higher is drawn higher; every series is seen."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from studies.plots import HEIGHT, Panel, Spread, colours_of, round_steps, save_plot


@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8), sd=st.floats(0, 50))
def test_all_values_with_their_bars_lie_within_the_axes_in_order(
    values: list[float], sd: float
) -> None:
    panel = Panel("x", [str(n) for n in range(len(values))], {"a": [(v, sd) for v in values]})
    heights = [panel.height_of(v) for v in sorted(values)]
    assert heights == sorted(heights, reverse=True)
    for value in values:
        assert 0 < panel.height_of(value + sd) <= panel.height_of(value - sd) < HEIGHT


def test_every_series_is_drawn_in_its_colour(tmp_path: Path) -> None:
    series: dict[str, list[Spread | None]] = {
        "saliency-gan": [(0.9, 0.02), (0.8, float("nan"))],
        "pixel": [(0.7, 0.0), None],
        "something else": [None, (0.85, 0.0)],
    }
    path = tmp_path / "plot.png"
    panel = Panel("SSIM", ["x2", "x4"], series)
    save_plot([panel, panel], path, "note")
    pixels = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3).astype(int)
    colours = colours_of(list(series))
    assert len(set(colours.values())) == 3
    for colour in colours.values():
        assert (np.abs(pixels - colour).sum(axis=1) < 12).sum() > 40


def test_a_panel_without_values_is_empty_axes(tmp_path: Path) -> None:
    save_plot([Panel("none", ["x2"], {"pixel": [None]})], tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 500


@given(low=st.floats(-1e4, 1e4), span=st.floats(1e-3, 1e4))
def test_the_rules_are_few_round_and_inside(low: float, span: float) -> None:
    steps = round_steps(low, low + span)
    assert 1 <= len(steps) <= 11
    tolerance = 1e-6 * max(1.0, abs(low))
    assert all(low - tolerance <= step <= low + span + tolerance for step in steps)
    gaps = np.diff(steps)
    if len(gaps):
        mantissa = float(gaps[0]) / 10 ** np.floor(np.log10(gaps[0] * 1.0000001))
        assert mantissa == pytest.approx(1, rel=1e-3) or round(mantissa) in (2, 5)
