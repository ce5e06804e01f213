"""A map as files: numbers that can be read back, colours with a legend, provenance beside."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.layer_art import AMBER, uncertainty_legend
from retina_viewer.imaging.readers import open_image
from retina_viewer.superres.classical import bicubic
from retina_viewer.superres.export import file_names
from retina_viewer.superres.uncertainty import (
    LEVELS_TO_16_BIT,
    UncertaintyMap,
    export_uncertainty,
    heat_map,
)


@pytest.fixture(scope="module")
def eye(samples: Path) -> FundusImage:
    with Image.open(samples / "chase_14L.jpg") as image:
        pixels = np.asarray(image.convert("RGB").resize((160, 150), Image.Resampling.BOX))
    return FundusImage.from_array(pixels, "Auge links é.png")


def a_map(eye: FundusImage, top: float = 9.0) -> UncertaintyMap:
    """Rises from left to right inside the field of view."""
    ramp = np.linspace(0, top, eye.width, dtype=np.float32)[None].repeat(eye.height, axis=0)
    mask = eye.field_of_view.mask
    values = np.where(mask, ramp, np.float32(0))
    inside = values[mask]
    mean, uncertain = float(inside.mean()), float(np.mean(inside > 2))
    return UncertaintyMap(values, eye.bounds, 4, mean, uncertain)


def test_the_numbers_can_be_read_back(eye: FundusImage, tmp_path: Path) -> None:
    found = a_map(eye)
    names = file_names("uncertainty", eye, bicubic(4))
    assert names == [
        "Auge links é_consistency_x4_bicubic.png",
        "Auge links é_consistency_x4_bicubic_overlay.png",
    ]
    paths = [tmp_path / name for name in names]
    provenance = export_uncertainty(eye, bicubic(4), found, paths[0], paths[1])
    with Image.open(paths[0]) as image:
        values = np.asarray(image).astype(np.float64) / LEVELS_TO_16_BIT
    np.testing.assert_allclose(values, found.expected_error, atol=0.5 / LEVELS_TO_16_BIT + 1e-6)
    sidecar = json.loads(Path(f"{paths[0]}.json").read_text(encoding="utf-8"))
    assert sidecar["kind"] == "consistency"
    assert sidecar["scale"] == 4
    assert sidecar["mean_expected_error"] == pytest.approx(found.mean, abs=1e-3)
    assert sidecar["guessed_share"] == pytest.approx(found.uncertain, abs=1e-4)
    assert (sidecar["window"], sidecar["threshold"]) == (12, 2.0)
    assert sidecar["source_name"] == eye.name
    assert "verify on the original" in sidecar["statement"]
    assert provenance.levels_to_value == 256
    drawn = open_image(paths[1])
    assert (drawn.width, drawn.height) == (eye.width, eye.height)


def test_values_beyond_16_bits_are_clipped_not_wrapped(eye: FundusImage, tmp_path: Path) -> None:
    export_uncertainty(eye, bicubic(4), a_map(eye, 300), tmp_path / "a.png", tmp_path / "b.png")
    with Image.open(tmp_path / "a.png") as image:
        assert np.asarray(image).max() == 65535


def test_a_taken_name_is_left_alone(eye: FundusImage, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(UserError, match="exists already"):
        export_uncertainty(eye, bicubic(4), a_map(eye), tmp_path / "a.png", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == b"mine"
    assert not (tmp_path / "b.png").exists()


def test_a_map_of_a_part_is_no_file_of_the_whole(eye: FundusImage, tmp_path: Path) -> None:
    part = UncertaintyMap(np.zeros((4, 4), np.float32), Rect(0, 0, 4, 4), 4, 0.0, 0.0)
    with pytest.raises(ValueError, match="cover"):
        export_uncertainty(eye, bicubic(4), part, tmp_path / "a.png", tmp_path / "b.png")


def test_the_heat_map_covers_what_is_a_guess_and_nothing_else() -> None:
    grey = np.full((400, 400, 3), 120, np.uint8)
    y, x = np.mgrid[:400, :400]
    grey[np.hypot(y - 200, x - 200) > 190] = 0
    eye = FundusImage.from_array(grey, "eye.png")
    picture = heat_map(eye, a_map(eye)).astype(int)
    change = np.abs(picture - eye.display_rgb).max(axis=2)
    levels = a_map(eye).expected_error[200]
    inside = eye.field_of_view.mask[200]
    assert (change[200][inside & (levels > 1.5)] >= 10).all()
    assert (change[200][inside & (levels < 1.4)] == 0).all()
    uncertain = picture[200][inside & (levels > 2.1)]
    assert (uncertain[:, 2] > uncertain[:, 0]).all()  # blue


def test_the_legend_and_what_made_it_lie_outside_the_field(eye: FundusImage) -> None:
    large = FundusImage.from_array(eye.display_rgb.repeat(6, axis=0).repeat(6, axis=1), "eye.png")
    nothing = UncertaintyMap(
        np.zeros((large.height, large.width), np.float32), large.bounds, 4, 0.7, 0.0
    )
    picture = heat_map(large, nothing)
    mask = large.field_of_view.mask
    np.testing.assert_array_equal(picture[mask], large.display_rgb[mask])
    written = (picture != large.display_rgb).any(axis=2)
    ramp = np.array(uncertainty_legend().ramp)
    found = {tuple(colour) for colour in picture[written].tolist()}
    assert len(found & {tuple(colour) for colour in ramp.tolist()}) > 50
    assert AMBER in found


def test_a_photograph_without_field_of_view_is_said_to_have_none(tmp_path: Path) -> None:
    black = FundusImage.from_array(np.zeros((40, 40), np.uint8), "black.png")
    nothing = UncertaintyMap(
        np.zeros((40, 40), np.float32), black.bounds, 2, float("nan"), float("nan")
    )
    export_uncertainty(black, bicubic(2), nothing, tmp_path / "a.png", tmp_path / "b.png")
    sidecar = json.loads((tmp_path / "a.png.json").read_text(encoding="utf-8"))
    assert "mean_expected_error" not in sidecar
    assert "guessed_share" not in sidecar
