"""What the plots of a comparison show."""

import math

import pytest

from retina_viewer.quality.records import Record
from studies.plots import likeness_panels, vessel_panels


def image(photograph: str, method: str, psnr: float, scale: int = 2, **more: float) -> Record:
    return {
        "dataset": "DRIVE", "photograph": photograph, "scale": scale, "method": method,
        "psnr": psnr, "ssim": 0.9, **more,
    }  # fmt: skip


def test_likeness_is_drawn_as_the_difference_on_the_same_photograph() -> None:
    records = [
        image("01", "bicubic", 40.0), image("02", "bicubic", 30.0),
        image("01", "pixel", 41.0), image("02", "pixel", 33.0), image("03", "pixel", 99.0),
        image("01", "pixel", 50.0, scale=4),
    ]  # fmt: skip
    psnr, ssim = likeness_panels(records)  # no LPIPS was measured
    assert psnr.title == "PSNR, dB, against bicubic" and psnr.ticks == ["x2", "x4"]
    at_two, at_four = psnr.series["pixel"]
    assert at_two == pytest.approx((2.0, math.sqrt(2))) and at_four is None
    assert psnr.series["bicubic"][0] == (0.0, 0.0)
    assert ssim.series["pixel"][0] == (0.0, 0.0)


def test_without_interpolation_the_figures_themselves_are_drawn() -> None:
    (psnr, ssim, lpips) = likeness_panels([image("01", "pixel", 41.0, lpips=0.2)])
    assert [panel.title for panel in (psnr, ssim, lpips)] == [
        "PSNR, dB", "SSIM", "LPIPS (less is better)",
    ]  # fmt: skip
    value, deviation = psnr.series["pixel"][0] or (0.0, 0.0)
    assert value == 41.0 and math.isnan(deviation)


def test_vessels_are_drawn_against_those_of_the_original() -> None:
    def found(method: str, trained_on: str, dice: float, scale: int = 4) -> Record:
        return {
            "dataset": "DRIVE", "photograph": "01", "scale": scale, "method": method,
            "trained_on": trained_on, "dice": dice,
        }  # fmt: skip

    records = [
        found("original", "original", 0.8, 1),
        found("pixel", "pixel", 0.75), found("pixel", "original", 0.7),
    ]  # fmt: skip
    own, originals = vessel_panels(records)
    assert own.title == "Vessel Dice, against the original's, trained on its own images"
    for panel, loss in ((own, -0.05), (originals, -0.1)):
        assert list(panel.series) == ["pixel"] and panel.ticks == ["x4"]
        value, _ = panel.series["pixel"][0] or (0.0, 0.0)
        assert value == pytest.approx(loss)
