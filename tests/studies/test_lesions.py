"""Contrast of microaneurysms, on lesions that are drawn and on real ones."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.quality.datasets import read_mask
from studies.lesions import (
    LesionContrast,
    find_lesions,
    kept_contrast,
    summarise,
)


def disk(shape: tuple[int, int], x: int, y: int, radius: int) -> np.ndarray:
    picture = np.zeros(shape, np.uint8)
    cv2.circle(picture, (x, y), radius, 1, cv2.FILLED)
    return picture > 0


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """A green plane of 100 with two lesions of 80 and one of 99, and their mask."""
    shape = (60, 120)
    places = [disk(shape, 20, 30, 3), disk(shape, 60, 30, 4), disk(shape, 100, 30, 3)]
    green = np.full(shape, 100, np.uint8)
    for place, value in zip(places, (80, 80, 99), strict=True):
        green[place] = value
    return green, np.logical_or.reduce(places)


def test_contrast_is_of_the_ring_against_the_lesion(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    green, mask = drawn
    lesions = find_lesions(mask, np.zeros_like(mask))
    assert [lesion.contrast(green) for lesion in lesions] == [20.0, 20.0, 1.0]
    for lesion in lesions:
        near = cv2.dilate(lesion.inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert not (lesion.ring & near).any()  # the soft rim of a lesion is neither


def test_what_is_kept_lost_and_inverted(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    green, mask = drawn
    lesions = find_lesions(mask, np.zeros_like(mask))
    result = green.copy()
    result[:, :40][mask[:, :40]] = 90  # half of its contrast
    result[:, 40:80][mask[:, 40:80]] = 110  # inverted
    figures = kept_contrast(lesions, green, result)
    assert figures == {"lesions": 2, "faint": 1, "kept": 0.0, "lost": 0.5, "inverted": 0.5}
    assert kept_contrast(lesions, green, green)["kept"] == 1.0
    assert kept_contrast(lesions[2:], green, green) == {"lesions": 0, "faint": 1}


def test_rings_avoid_other_lesions_and_the_border(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    green, mask = drawn
    other = np.zeros_like(mask)
    other[:, 26:34] = True  # a haemorrhage beside the first lesion
    green[other & ~mask] = 0
    first = find_lesions(mask, other)[0]
    assert first.contrast(green) == 20.0
    assert len(find_lesions(mask, ~mask)) == 0  # nothing is left for a ring
    rim = disk(mask.shape, 4, 30, 3)
    assert find_lesions(rim, np.zeros_like(rim)) == []
    speck = disk(mask.shape, 60, 30, 1)
    assert find_lesions(speck, np.zeros_like(speck)) == []  # five pixels


def test_blur_takes_contrast_from_real_lesions(samples: Path) -> None:
    with Image.open(samples / "idrid_53_half.jpg") as picture:
        green = np.asarray(picture.convert("RGB"))[..., 1]
    mask = read_mask(samples / "idrid_53_half_ma.png")
    lesions = find_lesions(mask, np.zeros_like(mask))
    assert len(lesions) > 50
    kept = [
        kept_contrast(lesions, green, np.asarray(cv2.GaussianBlur(green, (0, 0), sigma), np.uint8))
        for sigma in (1.0, 3.0)
    ]
    assert 1 > float(kept[0]["kept"]) > float(kept[1]["kept"]) > 0
    assert int(kept[0]["lesions"]) > 0.8 * len(lesions)  # they are dark


@pytest.fixture
def lesion_data(samples: Path, tmp_path: Path) -> Path:
    """IDRiD_53 around some lesions, at twice its bundled size, so that halving gives it back."""
    mask = read_mask(samples / "idrid_53_half_ma.png")
    rows, columns = np.nonzero(mask)
    y, x = int(np.median(rows)), int(np.median(columns))
    box = (x - 160, y - 160, x + 160, y + 160)
    for folder, name, source in (
        ("images", "IDRiD_53.png", samples / "idrid_53_half.jpg"),
        ("lesions/MA", "IDRiD_53_MA.png", samples / "idrid_53_half_ma.png"),
    ):
        target = tmp_path / "data" / "IDRiD" / folder
        target.mkdir(parents=True)
        with Image.open(source) as picture:
            part = picture.convert("RGB" if folder == "images" else "L").crop(box)
            part.resize((640, 640), Image.Resampling.NEAREST).save(target / name)
    return tmp_path / "data"


def test_the_command_compares_with_bicubic(lesion_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    text = LesionContrast(lesion_data, out, scales=(2, 4), methods=("lanczos",)).measure()
    whole = json.loads((out / "lesions.json").read_text())
    rows = {(row["scale"], row["method"]): row for row in whole["summary"]}
    assert set(rows) == {(s, m) for s in (2, 4) for m in ("bicubic", "lanczos")}
    for scale in (2, 4):
        bicubic, lanczos = rows[scale, "bicubic"], rows[scale, "lanczos"]
        assert lanczos["lesions"] == bicubic["lesions"] > 3
        assert 0.2 < bicubic["kept"] < lanczos["kept"] < 1.1  # Lanczos is the crisper
        assert lanczos["kept_gain"] == pytest.approx(100 * (lanczos["kept"] / bicubic["kept"] - 1))
        assert lanczos["p"] == 1.0  # one image proves nothing
    assert rows[4, "bicubic"]["kept"] < rows[2, "bicubic"]["kept"]
    assert (out / "lesions.md").read_text().startswith(text)
    before = (out / "lesions_records.jsonl").read_text()
    LesionContrast(lesion_data, out, scales=(2, 4), methods=("lanczos",)).measure()
    assert (out / "lesions_records.jsonl").read_text() == before


def test_means_and_p_are_over_images() -> None:
    records = [
        {
            "dataset": "IDRiD", "photograph": str(number), "kernel": "gaussian", "scale": 4,
            "method": method, "lesions": 5, "kept": kept + 0.01 * number, "lost": 0.2,
            "inverted": 0.0,
        }
        for number in range(6)
        for method, kept in (("bicubic", 0.5), ("pixel", 0.75))
    ]  # fmt: skip
    records.append({**records[0], "photograph": "9", "lesions": 0})
    del records[-1]["kept"]
    bicubic, pixel = summarise(records).rows  # type: ignore[arg-type]
    assert (bicubic["n"], bicubic["lesions"]) == (6, 30)
    assert pixel["p"] == 2 / 2**6 and "p" not in bicubic
    assert float(pixel["kept_gain"]) == pytest.approx(100 * (0.775 / 0.525 - 1))


def test_data_without_lesions_are_said(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no test photographs"):
        LesionContrast(data, tmp_path).measure()
