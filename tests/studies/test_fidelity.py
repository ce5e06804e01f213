"""The sweep over fidelities and the choice of the default."""

import itertools
import json
from pathlib import Path

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.quality.records import Record
from studies.data_folders import find_photographs, subset_of
from studies.fidelity import (
    POSITIONS,
    FidelitySweep,
    choose,
    scenes_of,
    summarise,
    validation_photographs,
)
from tests.superres.tiny_models import add_gan_and_twin


def records(losses: dict[int, float], lpips: dict[float, float]) -> list[Record]:
    """Two photographs; PSNR falls evenly to ``losses[scale]`` at fidelity 0."""
    return [
        {
            "kernel": "gaussian", "scale": scale, "fidelity": fidelity, "photograph": name,
            "psnr": base - loss * (1 - fidelity), "ssim": 0.9, "lpips": distance,
            "s3_ratio": 1.2 - fidelity, "drift": 0.1,
        }
        for (scale, loss), (fidelity, distance), (name, base) in itertools.product(
            losses.items(), lpips.items(), (("a", 40.0), ("b", 44.0))
        )
    ]  # fmt: skip


def test_the_least_lpips_within_the_losses_is_chosen_for_each_scale() -> None:
    lpips = {1.0: 0.40, 0.5: 0.30, 0.0: 0.20}
    table = summarise(records({2: 0.2, 4: 0.25}, lpips))
    assert choose(table.rows) == {2: 0.0, 4: 0.0}  # 0.2 and 0.25 dB are within 0.3
    assert "Chosen: **0** at x2, **0** at x4." in table.to_markdown()
    assert "sharper than the original by S3: x2 gaussian, x4 gaussian" in table.to_markdown()
    assert choose(summarise(records({2: 0.4, 4: 0.2}, lpips)).rows) == {2: 0.5, 4: 0.0}
    assert choose(summarise(records({2: 0.2, 4: 0.8}, lpips)).rows) == {2: 0.0, 4: 1.0}
    assert choose(summarise(records({2: 0.2, 8: 0.5}, lpips)).rows) == {2: 0.0, 8: 0.5}


def test_lpips_that_rises_again_and_equals_are_decided_for_the_faithful() -> None:
    def chosen(lpips: dict[float, float]) -> float:
        return choose(summarise(records({2: 0.2}, lpips)).rows)[2]

    assert chosen({1.0: 0.4, 0.5: 0.3, 0.0: 0.35}) == 0.5
    assert chosen({1.0: 0.4, 0.5: 0.3, 0.0: 0.3}) == 0.5
    assert chosen({1.0: 0.2, 0.5: 0.3, 0.0: 0.3}) == 1.0


def test_changes_are_against_fidelity_one() -> None:
    table = summarise(records({2: 0.2}, {1.0: 0.4, 0.0: 0.3}))
    detail, faithful = table.rows
    assert detail["lpips_change"] == pytest.approx(-25.0)
    assert detail["loss"] == pytest.approx(0.2)
    assert (faithful["loss"], faithful["lpips_change"], faithful["n"]) == (0.0, 0.0, 2)


def test_the_choice_rests_on_validation_photographs(data: Path) -> None:
    chosen = validation_photographs(find_photographs(data))
    assert {photograph.name for photograph in chosen} == {"CHASE_DB1/09L", "HRF/07_g", "FIVES/27_A"}
    assert all(subset_of(photograph) == "validation" for photograph in chosen)
    sizes = [scenes.diameter or 0 for scenes in scenes_of(chosen)]
    assert sorted(sizes) == [540, 760, 1000]  # each size, not each camera its own only
    with pytest.raises(UserError, match="no validation"):
        validation_photographs(find_photographs(data / "DRIVE"))


def test_a_model_without_a_twin_has_nothing_to_sweep(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="pixel"):
        FidelitySweep(data, tmp_path / "out", model="pixel").measure()
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_command_sweeps_and_chooses(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(POSITIONS) == [tenth / 10 for tenth in range(11)]
    monkeypatch.setattr("studies.fidelity.POSITIONS", (0.0, 0.5, 1.0))
    add_gan_and_twin()
    out = tmp_path / "out"
    text = FidelitySweep(data / "CHASE_DB1", out, model="gan", scales=(2,), device="cpu").measure()
    whole = json.loads((out / "fidelity.json").read_text())
    assert [row["fidelity"] for row in whole["summary"]] == [0.0, 0.5, 1.0]
    for scale, share in whole["provenance"]["chosen_fidelity"].items():
        assert f"**{share:g}** at x{scale}" in text
    assert len({row["psnr"] for row in whole["summary"]}) == 3  # the weights do change
    assert whole["provenance"]["photographs"] == ["CHASE_DB1/09L"]
