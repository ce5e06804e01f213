"""The check of the consistency map, with an untrained cascade on small crops of photographs."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.colour import luminance
from retina_viewer.model_store.store import find_model
from retina_viewer.quality import calibration as calibration_module
from retina_viewer.quality.calibration import (
    Item,
    items_of,
    spread_tiles,
    true_error,
)
from retina_viewer.quality.candidates import Candidate
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition, small_image, truth_of
from retina_viewer.superres.classical import bicubic
from retina_viewer.superres.tiles import enhance_image
from retina_viewer.superres.uncertainty_calibration import read_calibration, window_of
from studies.consistency import Consistency, sizes_of
from studies.data_folders import find_photographs, split
from tests.untrained import add_cascade


def test_kernels_sizes_and_fidelities_come_in_turn(data: Path) -> None:
    photographs = [p for p in find_photographs(data) if p.dataset == "CHASE_DB1"]
    items = items_of(photographs, (2, 4), lambda _: (0.3, 0.0))
    assert [item.diameter for item in items[::2]] == [None, 540, 760, 1000, None]
    assert {item.kernel for item in items} == {"gaussian", "bicubic"}
    for first, second in zip(items[::2], items[1::2], strict=True):
        assert first.photograph == second.photograph
        assert first.kernel != second.kernel
    assert {item.fidelity for item in items} == {0.3, 0.0}
    for fidelity in (0.3, 0.0):  # each of them with both kernels
        assert len({item.kernel for item in items if item.fidelity == fidelity}) == 2
    assert all(
        item.diameter is None for item in items_of(photographs, (2,), lambda _: (None,), sizes_of)
    )
    assert len({item.key for item in items}) == len(items)


def test_two_photographs_of_each_set_meet_every_fidelity_at_every_scale() -> None:
    sets = ("CHASE_DB1", "FIVES", "HRF", "IDRiD")
    photographs = [
        Photograph(name, f"{n}", f"{n}", Path(f"{n}.png")) for name in sets for n in (1, 2)
    ]
    ends = (0.4, 0.0, 0.4, 1.0)
    items = items_of(photographs, (2, 4, 8, 16), lambda _: ends)
    for scale in (2, 4, 8, 16):
        met = sorted(item.fidelity or 0.0 for item in items if item.scale == scale)
        assert met == [0.0, 0.0, 0.4, 0.4, 0.4, 0.4, 1.0, 1.0]
        few = [one for one in items[: 3 * 4] if one.scale == scale]  # of three photographs
        assert {one.kernel for one in few if one.fidelity == 0.4} == {"gaussian", "bicubic"}


def test_soft_photographs_are_shrunk_for_the_check(data: Path) -> None:
    soft = [p for p in find_photographs(data) if p.dataset == "HRF"]
    assert all(
        item.diameter is not None for item in items_of(soft, (2,), lambda _: (None,), sizes_of)
    )


def test_the_truth_is_shrunk_to_the_diameter_but_never_enlarged(data: Path) -> None:
    chase = find_photographs(data)[0]
    assert truth_of(chase, None).rgb8.shape == (160, 192, 3)
    assert truth_of(chase, 540).rgb8.shape == (160, 192, 3)
    shrunk = truth_of(chase, 96)
    assert shrunk.rgb8.shape == (80, 96, 3)
    assert shrunk.mask.shape == (80, 96)
    assert shrunk.mask.all()


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_the_true_error_is_the_mean_over_the_window(data: Path, scale: int) -> None:
    truth = truth_of(find_photographs(data)[0], None).cropped(scale)
    small = small_image(truth, Condition("native", "gaussian", scale))
    rgb = small.astype(np.float32) / np.float32(255)
    off = np.abs(luminance(enhance_image(bicubic(scale), small)) - luminance(truth.rgb8))
    region = Rect(5, 4, 8, 7)
    found = true_error(bicubic(scale), rgb, truth.rgb8, region)
    side = window_of(scale)
    top, left = (4 + 3 - side // 2) * scale, (5 + 2 - side // 2) * scale
    wanted = off[top : top + side * scale, left : left + side * scale].mean()
    assert found.shape == (7, 8)
    assert found[3, 2] == pytest.approx(wanted, abs=0.02)


def test_tiles_are_spread_over_the_field_of_view() -> None:
    yy, xx = np.mgrid[:120, :120]
    field = (yy - 60) ** 2 + (xx - 60) ** 2 < 55**2
    chosen = spread_tiles(field, 20, 3)
    assert len(chosen) == 3
    assert len({tile.y for tile in chosen}) == 3
    assert all(field[tile.slices()].mean() >= 0.6 for tile in chosen)
    everything = spread_tiles(field, 20, None)
    covered = np.zeros_like(field)
    for tile in everything:
        covered[tile.slices()] = True
    assert covered[field].all()
    small = np.zeros((40, 40), dtype=bool)
    small[30:34, 30:34] = True
    (only,) = spread_tiles(small, 20, 2)
    assert small[only.slices()].any()


@pytest.mark.slow
def test_fit_and_check_by_one_command(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_cascade("mine", seed=3, strength=0.3)
    command = partial(
        Consistency,
        data,
        tmp_path,
        scales=(2, 4),
        sets=("CHASE_DB1",),
        model="mine",
        device="cpu",
    )
    with pytest.raises(UserError, match="not been calibrated"):
        command().measure()
    seen: list[float] = []
    table = command(fit=True, tiles=1).measure(lambda fraction, what: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1
    calibration = read_calibration(find_model("mine"))
    assert sorted(calibration.scales) == [2, 4]
    assert all(min(scale.weights.values()) > 0 for scale in calibration.scales.values())
    assert calibration.provenance["photographs"] == ["CHASE_DB1/09L"]
    report = json.loads((tmp_path / "consistency.json").read_text(encoding="utf-8"))
    assert report["provenance"]["photographs"] == ["CHASE_DB1/11L", "CHASE_DB1/12R"]
    assert "--fit" in report["provenance"]["command"]
    rows = {(row["dataset"], row["scale"]): row for row in report["summary"]}
    assert set(rows) == {(name, scale) for name in ("CHASE_DB1", "all") for scale in (2, 4)}
    assert rows["all", 4]["n"] == 2
    # Random weights do harm where there is structure, and the map says so.
    assert rows["all", 4]["pooled"] > 0.3
    assert (tmp_path / "consistency.md").read_text(encoding="utf-8").startswith(table)

    def never(*arguments: object, **options: object) -> None:
        pytest.fail("measured again")

    monkeypatch.setattr(calibration_module, "gather", never)
    assert command(tiles=1).measure() == table


def test_a_fit_needs_validation_photographs(data: Path, tmp_path: Path) -> None:
    add_cascade("mine")
    with pytest.raises(UserError, match="validation"):
        Consistency(data, tmp_path, fit=True, sets=("DRIVE",), model="mine", device="cpu").measure()


def test_the_twin_is_asked_below_full_fidelity(data: Path) -> None:
    add_cascade("twin", seed=1, strength=0.1)
    add_cascade("gan", seed=2, strength=0.2, twin="twin", fidelity=0.25)
    at = Candidate(find_model("gan"), torch.device("cpu")).enhancer
    photograph = split(find_photographs(data))["validation"][0]
    truth = truth_of(photograph, 96)
    planes = {}
    for fidelity in (0.25, 0.75, 1.0):
        item = Item(photograph, 96, "gaussian", 2, fidelity)
        planes[fidelity] = calibration_module.gather(item, truth, at, tiles=1).planes
    assert "difference" not in planes[1.0]
    far, near = (planes[fidelity]["difference"].mean() for fidelity in (0.25, 0.75))
    assert far > 1.5 * near > 0
