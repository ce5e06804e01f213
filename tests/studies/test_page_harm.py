"""The page says where a method is worse than interpolation."""

from retina_viewer.quality.records import Record
from studies.page import harm_rows


def rows_of(dataset: str, kernel: str, **psnr: float) -> list[Record]:
    return [
        {
            "dataset": dataset, "protocol": "native", "kernel": kernel, "scale": 2,
            "method": method.replace("_", "-"), "psnr": value, "ssim": 0.9, "lpips": 50 - value,
        }
        for method, value in psnr.items()
    ]  # fmt: skip


SUMMARY = [
    *rows_of("CHASE_DB1", "bicubic", bicubic=46.0, pixel=45.2, linear=47.0, linear_5fold=40.0),
    *rows_of("DRIVE", "bicubic", bicubic=44.0, pixel=43.9, linear=45.0),
    *rows_of("DRIVE", "gaussian", bicubic=42.0, pixel=44.0, linear=44.0),
    *rows_of("all", "bicubic", bicubic=45.0, pixel=1.0, linear=46.0),
    *rows_of("HRF", "gaussian", pixel=1.0),
]


def test_cases_are_counted_by_measure_and_the_worst_is_named_first() -> None:
    pixel, linear = harm_rows(SUMMARY)
    assert (pixel["method"], pixel["cases"]) == ("pixel", 3)
    assert (pixel["psnr"], pixel["ssim"], pixel["lpips"]) == (2, 0, 2)
    assert pixel["where"] == (
        "CHASE_DB1: native, bicubic, x2 (-0.80); DRIVE: native, bicubic, x2 (-0.10)"
    )
    assert (linear["psnr"], linear["where"]) == (0, "-")


def test_a_long_list_is_cut() -> None:
    many = [
        row for number in range(5) for row in rows_of(f"S{number}", "bicubic", bicubic=2, pixel=1)
    ]
    assert str(harm_rows(many)[0]["where"]).endswith("S2: native, bicubic, x2 (-1.00); and 2 more")


def test_without_interpolation_nothing_is_said() -> None:
    assert harm_rows(rows_of("DRIVE", "bicubic", pixel=40.0)) == []
