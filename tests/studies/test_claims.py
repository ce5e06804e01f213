"""The claim tested: cases from summaries."""

import math

import pytest

from retina_viewer.quality.records import Record
from studies.claims import (
    CLAIMANT,
    LPIPS,
    SSIM,
    Case,
    image_cases,
    summary_rows,
    vessel_cases,
)


def row(dataset: str, method: str, ssim: float, **more: float) -> Record:
    condition: Record = {"dataset": dataset, "protocol": "native", "kernel": "gaussian", "scale": 4}
    return {**condition, "method": method, "n": 8, "ssim": ssim, **more}


def won(metric: object, dataset: str = "DRIVE") -> Case:
    return Case(metric, dataset, "native, x4", CLAIMANT, 0.9, "pixel", 0.8, 0.2)  # type: ignore[arg-type]


def lost(metric: object, rival: str = "pixel", dataset: str = "DRIVE", by: float = 0.1) -> Case:
    value = 0.9 + (by if metric is not LPIPS else -by)
    return Case(metric, dataset, "native, x2", rival, 0.9, rival, value, 0.01)  # type: ignore[arg-type]


def test_the_best_mean_is_first_and_less_lpips_is_better() -> None:
    rows = [
        row("DRIVE", CLAIMANT, 0.90, lpips=0.20),
        row("DRIVE", "pixel", 0.91, lpips=0.30, p_ssim=0.01, p_lpips=0.02),
        row("DRIVE", "bicubic", 0.85, lpips=0.40, p_ssim=0.5),
    ]
    ssim, lpips = image_cases(rows)
    assert (ssim.metric, ssim.first, ssim.rival, ssim.p) == (SSIM, "pixel", "pixel", 0.01)
    assert ssim.lead == pytest.approx(-0.01) and not ssim.is_first
    assert (lpips.metric, lpips.first, lpips.rival) == (LPIPS, CLAIMANT, "pixel")
    assert lpips.lead == pytest.approx(0.10) and lpips.is_first


def test_equal_means_do_not_take_the_first_place_away() -> None:
    (case,) = image_cases([row("DRIVE", CLAIMANT, 0.9), row("DRIVE", "pixel", 0.9)])
    assert case.is_first and case.lead == 0.0 and math.isnan(case.p)


def test_what_does_not_compete() -> None:
    alone = [row("DRIVE", CLAIMANT, 0.9), row("DRIVE", "linear-5fold", 0.99)]
    assert image_cases(alone) == []  # the one that has seen the cameras is no rival
    assert image_cases([row("DRIVE", "pixel", 0.9), row("DRIVE", "bicubic", 0.8)]) == []
    everything = [row("all", CLAIMANT, 0.9), row("all", "pixel", 0.8)]
    assert image_cases(everything) == []  # the union of the sets is no set


def test_vessels_are_compared_within_one_training() -> None:
    rows: list[Record] = [
        {
            "dataset": "DRIVE",
            "scale": 1,
            "trained_on": "originals",
            "method": "original",
            "dice": 1.0,
        }
    ]
    for trained_on, values in (("its own images", (0.7, 0.6)), ("originals", (0.5, 0.65))):
        for method, dice in zip((CLAIMANT, "pixel"), values, strict=True):
            rows.append(
                {"dataset": "DRIVE", "scale": 4, "trained_on": trained_on, "method": method,
                 "dice": dice}
            )  # fmt: skip
    own, of_originals = vessel_cases(rows)
    assert own.is_first and own.where == "x4, trained on it"
    assert of_originals.first == "pixel" and of_originals.lead == pytest.approx(-0.15)


def test_the_summary_counts_by_set() -> None:
    cases = [won(SSIM), lost(SSIM, by=0.1), lost(SSIM, "linear", by=0.3), won(SSIM, "HRF")]
    drive, hrf = summary_rows(cases)
    assert (drive["cases"], drive["first"], drive["others"]) == (3, 1, "pixel (1), linear (1)")
    assert drive["median"] == pytest.approx(0.2) and drive["most"] == pytest.approx(0.3)
    assert (drive["seen"], hrf["seen"]) == ("no", "other patients")
    assert hrf["others"] == "-" and "median" not in hrf
