from pathlib import Path

import numpy as np
import pytest

from retina_viewer.quality.protocols import Condition, prepare
from retina_viewer.quality.records import RecordLog
from studies.contenders import Contenders
from studies.data_folders import find_photographs
from studies.sharpness import Perceptual
from studies.superres import evaluate_superres, summarise


@pytest.fixture(scope="module")
def perceptual() -> Perceptual:
    return Perceptual("cpu")


def test_the_truth_looks_like_itself_and_a_blurred_one_less(
    data: Path, perceptual: Perceptual
) -> None:
    truth = prepare(find_photographs(data / "CHASE_DB1")[0], "native")
    same = perceptual.measure(truth, truth.rgb8, truth.mask)
    nothing = pytest.approx(0.0, abs=1e-6)
    assert same == {
        "lpips": nothing, "lpips_whole": nothing, "s3_ratio": 1.0, "s3_ratio_whole": 1.0,
    }  # fmt: skip
    flat = np.full_like(truth.rgb8, 100)
    other = perceptual.measure(truth, flat, truth.mask)
    assert other["lpips"] > 0.1 and other["s3_ratio"] == 0.0


def test_inside_and_whole_are_told_apart(data: Path, perceptual: Perceptual) -> None:
    truth = prepare(find_photographs(data / "CHASE_DB1")[0], "native")
    changed = truth.rgb8.copy()
    changed[:, 130:] = 100
    mask = np.zeros(truth.mask.shape, bool)
    mask[:, :90] = True
    figures = perceptual.measure(truth, changed, mask)
    assert figures["lpips"] < 0.2 * figures["lpips_whole"]
    assert figures["s3_ratio"] == pytest.approx(1.0)
    assert figures["s3_ratio_whole"] != pytest.approx(1.0, abs=1e-3)


def test_records_without_these_figures_are_measured_again(
    data: Path, tmp_path: Path, perceptual: Perceptual
) -> None:
    photographs = find_photographs(data / "DRIVE")[:1]
    contenders = Contenders(("bicubic",), [Condition("native", "gaussian", 4)])
    key = ("dataset", "photograph", "protocol", "kernel", "scale", "method", "model")
    log = RecordLog(tmp_path / "log.jsonl", key)
    plain = evaluate_superres(photographs, contenders, log=log)
    assert "lpips" not in plain[0]
    full = evaluate_superres(photographs, contenders, log=log, perceptual=perceptual)
    assert full[0]["psnr"] == plain[0]["psnr"]
    assert 0.0 < float(full[0]["s3_ratio"]) < 0.9  # interpolation is softer than the truth
    table = summarise(full, reference="bicubic")[1].to_markdown()
    assert "LPIPS" in table and "S3 / original" in table
    assert "LPIPS" not in summarise(plain, reference="bicubic")[1].to_markdown()
