"""From records to rows, also where not every method was measured on every photograph."""

import numpy as np
import pytest

from retina_viewer.quality.records import Record
from retina_viewer.quality.statistics import wilcoxon_p
from studies.superres import paired, summarise


def record(photograph: str, method: str, psnr: float, dataset: str = "DRIVE") -> Record:
    return {
        "dataset": dataset, "photograph": photograph, "protocol": "native", "kernel": "gaussian",
        "scale": 4, "method": method, "psnr": psnr, "ssim": psnr / 50, "rmse": 100 / psnr,
        "psnr_green": psnr, "psnr_whole": psnr, "ssim_whole": psnr / 50, "drift": 0.1,
        "seconds": 1.0, "lpips": 1 / psnr, "s3_ratio": psnr / 40,
    }  # fmt: skip


@pytest.fixture
def records() -> list[Record]:
    random = np.random.default_rng(0)
    made = []
    for number in range(8):
        base = 38 + random.random()
        made += [record(f"{number}", "bicubic", base), record(f"{number}", "net", base + 1)]
    return made


def test_spreads_and_tests_of_every_metric(records: list[Record]) -> None:
    closeness, _ = summarise(records, reference="net")
    rows = {row["method"]: row for row in closeness.rows}
    values = [float(one["psnr"]) for one in records if one["method"] == "bicubic"]
    assert rows["bicubic"]["psnr_sd"] == pytest.approx(np.std(values, ddof=1))
    for name in ("ssim", "rmse", "lpips", "s3_ratio"):
        assert f"{name}_sd" in rows["net"]
    for name in ("p", "p_ssim", "p_rmse", "p_lpips", "p_s3"):
        assert rows["bicubic"][name] == 2 / 2**8 and name not in rows["net"]
    assert rows["net"]["gain"] == pytest.approx(1.0)


def test_pairs_are_of_the_photographs_that_both_have(records: list[Record]) -> None:
    fewer = [one for one in records if one["method"] == "net" or str(one["photograph"]) in "135"]
    random = np.random.default_rng(1)
    shuffled = [fewer[k] for k in random.permutation(len(fewer))]
    net, bicubic = paired(shuffled, "net", "bicubic", "psnr")
    assert len(net) == len(bicubic) == 3
    np.testing.assert_allclose(np.subtract(net, bicubic), 1.0)
    row = next(r for r in summarise(shuffled, reference="net")[0].rows if r["method"] == "bicubic")
    assert row["n"] == 3 and row["p"] == wilcoxon_p(net, bicubic) == 0.25


def test_a_reference_that_was_not_measured_leaves_p_out(records: list[Record]) -> None:
    rows = summarise(records, reference="saliency-gan")[0].rows
    assert all("p" not in row and "effect" not in row for row in rows)


def test_equal_names_in_two_sets_are_two_photographs(records: list[Record]) -> None:
    other = [
        record(str(n), method, 30.0 + n, "HRF") for n in range(2) for method in ("bicubic", "net")
    ]
    union = [
        r for r in summarise(records + other, reference="net")[0].rows if r["dataset"] == "all"
    ]
    assert [row["n"] for row in union] == [10, 10]
