import csv
import json
from pathlib import Path

import numpy as np
import pytest

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.model_store.defaults import set_default
from retina_viewer.quality.protocols import Condition, Truth
from retina_viewer.superres.enhance_settings import EnhanceSettings
from studies.contenders import Contenders, sharp_bicubic
from studies.data_folders import find_photographs
from studies.superres import (
    Superres,
    evaluate_superres,
    measure,
    reference_of,
)

METHODS = ("bicubic", "bicubic-0.75", "linear")


def test_the_command_writes_what_it_returns(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "reports" / "sr"
    markdown = Superres(
        data, out, scales=(2, 4), methods=METHODS, sets=("CHASE_DB1", "DRIVE")
    ).measure()
    assert (out / "superres.md").read_text().startswith(markdown)
    with (out / "superres.csv").open() as stream:
        rows = {(r["dataset"], r["scale"], r["method"]): r for r in csv.DictReader(stream)}
    assert len(rows) == 3 * 2 * 3  # two sets, and both together
    for scale in ("2", "4"):
        figures = {method: rows["CHASE_DB1", scale, method] for method in METHODS}
        assert {row["n"] for row in figures.values()} == {"2"}  # 11L and 12R, no training eye
        psnr = {method: float(row["psnr"]) for method, row in figures.items()}
        assert psnr["linear"] > psnr["bicubic-0.75"] > psnr["bicubic"] > 30.0
        assert float(figures["linear"]["gain"]) == pytest.approx(
            psnr["linear"] - psnr["bicubic-0.75"]
        )
        assert float(figures["bicubic"]["effect"]) == 1.0
        assert figures["linear"]["p"] == ""
        assert rows["DRIVE", scale, "linear"]["n"] == "1"  # the test half alone
        both = [float(rows[name, scale, "linear"]["psnr"]) for name in ("CHASE_DB1", "DRIVE")]
        assert float(rows["all", scale, "linear"]["psnr"]) == pytest.approx(
            (2 * both[0] + both[1]) / 3
        )
        assert 0 < float(figures["bicubic"]["drift"]) < 1.0  # interpolation keeps colours
    whole = json.loads((out / "superres.json").read_text())
    assert whole["provenance"]["photographs"] == ["CHASE_DB1/11L", "CHASE_DB1/12R", "DRIVE/01"]
    assert len(whole["records"]) == 3 * 2 * 3
    assert str(tmp_path) not in json.dumps(whole)
    assert "--scales 2 4" in whole["provenance"]["command"]


def test_an_interrupted_evaluation_goes_on(data: Path, tmp_path: Path) -> None:
    calls: list[str] = []

    def cancel(fraction: float, what: str) -> None:
        calls.append(what)
        if len(calls) == 3:
            raise Cancelled

    arguments = {"scales": (2,), "methods": ("bicubic", "bicubic-0.75"), "sets": ("CHASE_DB1",)}
    with pytest.raises(Cancelled):
        Superres(data, tmp_path, **arguments).measure(cancel)  # type: ignore[arg-type]
    log = tmp_path / "superres_records.jsonl"
    before = log.read_text().splitlines()
    assert len(before) == 2 and not (tmp_path / "superres.md").exists()
    Superres(data, tmp_path, **arguments).measure()  # type: ignore[arg-type]
    after = log.read_text().splitlines()
    assert after[:2] == before and len(after) == 4  # the first are not measured again


def test_both_kernels_and_protocols_are_kept_apart(data: Path, tmp_path: Path) -> None:
    Superres(
        data / "CHASE_DB1",
        tmp_path,
        scales=(4,),
        methods=("bicubic",),
        kernels=("gaussian", "bicubic"),
        protocols=("native", "paper"),
        limit=1,
    ).measure()
    records = json.loads((tmp_path / "superres.json").read_text())["records"]
    values = {(r["protocol"], r["kernel"]): r["psnr"] for r in records}
    assert len(values) == len(set(values.values())) == 4
    assert values["paper", "gaussian"] > values["native", "gaussian"] + 3.0  # enlarged five times


def test_the_linear_filter_learns_from_the_sets_beside(data: Path, tmp_path: Path) -> None:
    arguments = {"scales": (4,), "methods": ("linear",), "limit": 1}
    beside = Superres(data / "DRIVE", tmp_path / "a", **arguments).measure()  # type: ignore[arg-type]
    named = Superres(
        data / "DRIVE",
        tmp_path / "b",
        training_data=data,
        **arguments,  # type: ignore[arg-type]
    ).measure()
    read = [
        json.loads((tmp_path / name / "superres.json").read_text())["records"][0]["psnr"]
        for name in "ab"
    ]
    assert read[0] == read[1]
    assert "linear" in beside and "linear" in named


def test_figures_of_a_perfect_inside_ignore_the_rim() -> None:
    random = np.random.default_rng(0)
    rgb8 = random.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    mask = np.zeros((40, 40), bool)
    mask[12:28, 12:28] = True
    result = rgb8.copy()
    result[:6] = 255 - result[:6]
    figures = measure(Truth(rgb8, mask), result, mask)
    assert figures["psnr"] == figures["psnr_green"] == float("inf")
    assert figures["ssim"] == pytest.approx(1.0)
    assert figures["psnr_whole"] < 25.0 and figures["rmse_whole"] > 10.0
    assert figures["ssim_whole"] < 0.99


def test_the_sharp_cubic_interpolates_and_overshoots_more() -> None:
    weights = sharp_bicubic(2).weights
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)
    # Keys' kernel at a quarter pixel from the centre, a = -0.75: -0.10546875 next to last.
    assert weights.min() == pytest.approx(-0.10546875)


def test_an_unknown_method_is_named(data: Path) -> None:
    contenders = Contenders(("sharpest",), [Condition("native", "gaussian", 2)])
    with pytest.raises(UserError, match="sharpest"):
        evaluate_superres(find_photographs(data / "DRIVE"), contenders)


def test_no_test_photograph_is_said(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="STARE"):
        Superres(data, tmp_path, sets=("STARE",)).measure()


def test_a_folder_that_cannot_be_made_is_said(data: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UserError, match="cannot be made"):
        Superres(data, blocked / "out", methods=("bicubic",), sets=("DRIVE",)).measure()


def test_results_of_other_settings_are_not_taken_from_the_log() -> None:
    condition = [Condition("native", "gaussian", 2)]
    plain, held = (
        Contenders(("pixel", "bicubic"), condition, settings=settings).identities()
        for settings in (EnhanceSettings(back_projection=False), EnhanceSettings())
    )
    assert set(plain) == {"pixel"} and plain != held


def test_the_others_are_tested_against_the_program_s_default_method() -> None:
    assert reference_of(("saliency-gan", "pixel", "bicubic")) == "saliency-gan"
    assert reference_of(("pixel", "bicubic", "linear")) == "pixel"
    assert reference_of(("bicubic", "linear")) == "linear"
    assert reference_of(("pixel", "bicubic"), "bicubic") == "bicubic"
    with pytest.raises(UserError, match="lanczos"):
        reference_of(("pixel", "bicubic"), "lanczos")


def test_the_interpolations_p_values_are_of_their_own_figures(data: Path, tmp_path: Path) -> None:
    arguments = {"scales": (2,), "sets": ("CHASE_DB1",), "reference": "bicubic"}
    Superres(data, tmp_path, methods=("bicubic", "lanczos"), **arguments).measure()  # type: ignore[arg-type]
    whole = json.loads((tmp_path / "superres.json").read_text())
    bicubic, lanczos = whole["summary"]
    assert "p" not in bicubic
    assert lanczos["p"] == lanczos["p_ssim"] == 0.5  # the least that two photographs give
    assert lanczos["effect"] == -1.0  # Lanczos is closer in both
    assert "--reference bicubic" in whole["provenance"]["command"]


def test_the_shipped_linear_filter_is_measured_where_it_is_named() -> None:
    gaussian = Condition("native", "gaussian", 2)
    named = Contenders(("linear",), (gaussian,), settings=EnhanceSettings(model="linear"))
    assert named.models()["linear"]["name"] == "linear"
    assert named.enhancer("linear", gaussian).model == "linear"
    with pytest.raises(UserError, match="for none of the methods"):
        Contenders(("bicubic", "pixel"), (gaussian,), settings=EnhanceSettings(model="linear"))


def test_a_fidelity_is_every_gan_s_whatever_the_default_model_is() -> None:
    gaussian = Condition("native", "gaussian", 2)
    set_default("pixel-fast")
    settings = EnhanceSettings(fidelity=0.3)
    asked = Contenders(("saliency-gan", "pixel", "bicubic"), (gaussian,), settings=settings)
    assert asked.enhancer("saliency-gan", gaussian).fidelity == 0.3
    assert asked.models()["saliency-gan"]["fidelity"] == "0.3"
    assert asked.enhancer("pixel", gaussian).fidelity is None
