"""A map as files: numbers that can be read back, colours with a legend, provenance beside."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.overlay import coloured, lookup_table
from retina_viewer.imaging.readers import open_image
from retina_viewer.superres.classical import bicubic
from retina_viewer.superres.consistency import ConsistencyMap
from retina_viewer.superres.consistency_export import (
    LEVELS_TO_16_BIT,
    TOP_LEVEL,
    default_names,
    export_consistency,
    heat_map,
)


@pytest.fixture(scope="module")
def eye(samples: Path) -> FundusImage:
    with Image.open(samples / "chase_14L.jpg") as image:
        pixels = np.asarray(image.convert("RGB").resize((160, 150), Image.Resampling.BOX))
    return FundusImage.from_array(pixels, "Auge links é.png")


def a_map(eye: FundusImage, top: float = 9.0) -> ConsistencyMap:
    """Rises from left to right inside the field of view."""
    ramp = np.linspace(0, top, eye.width, dtype=np.float32)[None].repeat(eye.height, axis=0)
    mask = eye.field_of_view.mask
    values = np.where(mask, ramp, np.float32(0))
    inside = values[mask]
    mean, guessed = float(inside.mean()), float(np.mean(inside > 2))
    return ConsistencyMap(values, eye.bounds, 4, mean, guessed)


def test_the_numbers_can_be_read_back(eye: FundusImage, tmp_path: Path) -> None:
    found = a_map(eye)
    names = default_names(eye, bicubic(4))
    assert names == [
        "Auge links é_consistency_x4_bicubic.png",
        "Auge links é_consistency_x4_bicubic_overlay.png",
    ]
    paths = [tmp_path / name for name in names]
    provenance = export_consistency(eye, bicubic(4), found, paths[0], paths[1])
    with Image.open(paths[0]) as image:
        values = np.asarray(image).astype(np.float64) / LEVELS_TO_16_BIT
    np.testing.assert_allclose(values, found.expected_error, atol=0.5 / LEVELS_TO_16_BIT + 1e-6)
    sidecar = json.loads(Path(f"{paths[0]}.json").read_text(encoding="utf-8"))
    assert sidecar["kind"] == "consistency"
    assert sidecar["scale"] == 4
    assert sidecar["mean_expected_error"] == pytest.approx(found.mean, abs=1e-3)
    assert sidecar["guessed_share"] == pytest.approx(found.guessed, abs=1e-4)
    assert (sidecar["window"], sidecar["threshold"]) == (12, 2.0)
    assert sidecar["source_name"] == eye.name
    assert "verify on the original" in sidecar["statement"]
    assert provenance.levels_to_value == 256
    assert open_image(paths[1]).width >= 480


def test_values_beyond_16_bits_are_clipped_not_wrapped(eye: FundusImage, tmp_path: Path) -> None:
    export_consistency(eye, bicubic(4), a_map(eye, 300), tmp_path / "a.png", tmp_path / "b.png")
    with Image.open(tmp_path / "a.png") as image:
        assert np.asarray(image).max() == 65535


def test_a_taken_name_is_left_alone(eye: FundusImage, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(UserError, match="exists already"):
        export_consistency(eye, bicubic(4), a_map(eye), tmp_path / "a.png", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == b"mine"
    assert not (tmp_path / "b.png").exists()


def test_a_map_of_a_part_is_no_file_of_the_whole(eye: FundusImage, tmp_path: Path) -> None:
    part = ConsistencyMap(np.zeros((4, 4), np.float32), Rect(0, 0, 4, 4), 4, 0.0, 0.0)
    with pytest.raises(ValueError, match="cover"):
        export_consistency(eye, bicubic(4), part, tmp_path / "a.png", tmp_path / "b.png")


def _brightness(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(rgb.astype(np.float64) @ [0.299, 0.587, 0.114])


def test_the_heat_map_leaves_what_is_outside_the_field_alone(eye: FundusImage) -> None:
    picture = heat_map(eye, a_map(eye))
    factor = 3  # 160 px wide: shown threefold
    assert picture.shape[1] == 160 * factor
    shown = picture[: 150 * factor : factor, ::factor]
    mask = eye.field_of_view.mask
    np.testing.assert_array_equal(shown[~mask], eye.display_rgb[~mask])
    middle = mask[75]
    row = _brightness(shown[75])[middle]
    assert row[-20:].mean() > row[:20].mean() + 60  # more expected error is brighter


def test_the_legend_shows_the_colours_of_the_map(eye: FundusImage) -> None:
    picture = heat_map(eye, a_map(eye))
    strip = picture[150 * 3 :]
    assert strip.shape[0] >= 40
    bar = strip[16, 12 : 12 + 200]
    wanted = coloured(np.linspace(0, TOP_LEVEL, 200)[None], lookup_table("inferno"), (0, TOP_LEVEL))
    np.testing.assert_allclose(bar.astype(int), wanted[0].astype(int), atol=6)
    words = strip[:, 230:]
    assert (words.max(axis=2) > 200).sum() > 100  # something is written there


def test_a_photograph_without_field_of_view_is_said_to_have_none(tmp_path: Path) -> None:
    black = FundusImage.from_array(np.zeros((40, 40), np.uint8), "black.png")
    nothing = ConsistencyMap(
        np.zeros((40, 40), np.float32), black.bounds, 2, float("nan"), float("nan")
    )
    export_consistency(black, bicubic(2), nothing, tmp_path / "a.png", tmp_path / "b.png")
    sidecar = json.loads((tmp_path / "a.png.json").read_text(encoding="utf-8"))
    assert "mean_expected_error" not in sidecar
    assert "guessed_share" not in sidecar
