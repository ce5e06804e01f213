"""Export: the same pixels as on screen, provenance inside and beside, whole or not at all."""

import json
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.progress import no_progress
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.layer_art import AMBER
from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.writers import read_provenance
from retina_viewer.superres import export as exporting
from retina_viewer.superres.classical import Interpolation, bicubic, lanczos
from retina_viewer.superres.enhancer import FloatImage
from retina_viewer.superres.export import (
    TIFF_TILE,
    export_enhanced,
    file_names,
    tiff_tiles,
)
from retina_viewer.superres.tiles import enhance_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def image(photograph: NDArray[np.uint8]) -> FundusImage:
    made = FundusImage.from_array(photograph, name="eye.one.jpg")
    return replace(made, icc_profile=SRGB, sha256="ab" * 32)


@pytest.fixture
def deep(photograph: NDArray[np.uint8]) -> FundusImage:
    noise = np.random.default_rng(0).integers(0, 257, photograph.shape, dtype=np.uint16)
    return FundusImage.from_array(photograph.astype(np.uint16) * 256 + noise, name="deep.tif")


def test_the_result_of_a_damaged_enlargement_says_both(image: FundusImage, tmp_path: Path) -> None:
    first = export_enhanced(image, bicubic(2), tmp_path / "first.png")
    enlarged = replace(open_image(tmp_path / "first.png"), damage="its end is missing", pages=3)
    assert enlarged.made_by == first
    assert (enlarged.label, enlarged.is_enlarged) == ("INTERPOLATED ×2", True)
    made = export_enhanced(enlarged, bicubic(2), tmp_path / "second.png")
    assert (made.source_made_by, made.source_page) == (first, 0)
    assert made.source_damage == "its end is missing"
    assert read_provenance(tmp_path / "second.png") == made


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF", ".jpg"])
def test_pixels_profile_and_provenance_arrive(
    image: FundusImage, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"result{suffix}"
    provenance = export_enhanced(image, bicubic(4), path, tile=20)
    written = open_image(path)
    expected = enhance_image(bicubic(4), image)
    if suffix == ".jpg":
        assert np.abs(written.pixels.astype(int) - expected).mean() < 2
    else:
        np.testing.assert_array_equal(written.pixels, expected)
    assert written.icc_profile == SRGB
    assert read_provenance(path) == provenance
    sidecar = json.loads((tmp_path / f"result{suffix}.json").read_text(encoding="utf-8"))
    assert sidecar["method"] == "bicubic"
    assert sidecar["scale"] == 4
    assert sidecar["source_sha256"] == "ab" * 32
    assert (sidecar["source_width"], sidecar["source_height"]) == (64, 48)
    assert "model" not in sidecar
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name, f"{path.name}.json"}


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_stay_sixteen(deep: FundusImage, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"deep{suffix}"
    export_enhanced(deep, bicubic(2), path)
    written = open_image(path)
    assert written.bit_depth == 16
    np.testing.assert_array_equal(written.pixels, enhance_image(bicubic(2), deep))


def test_jpeg_of_sixteen_bits_is_the_rounded_eight(deep: FundusImage, tmp_path: Path) -> None:
    export_enhanced(deep, bicubic(2), tmp_path / "deep.jpg")
    written = open_image(tmp_path / "deep.jpg")
    assert written.bit_depth == 8
    expected = enhance_image(bicubic(2), deep).astype(np.float64) / 257
    assert np.abs(written.pixels - expected).mean() < 2


@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    tile=st.integers(40, 600),
    band_bytes=st.sampled_from([1, 3_000_000, exporting.MAX_BAND_BYTES]),
)
@settings(max_examples=12, deadline=None)
def test_streamed_tiles_put_together_are_the_whole_image(
    width: int, height: int, tile: int, band_bytes: int
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    rgb: FloatImage = pixels.astype(np.float32) / np.float32(255)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "MAX_BAND_BYTES", band_bytes)
        pieces = list(tiff_tiles(bicubic(2), rgb, np.dtype(np.uint8), tile, no_progress))
    across = -(-width * 2 // TIFF_TILE)
    rows = [np.hstack(pieces[start : start + across]) for start in range(0, len(pieces), across)]
    np.testing.assert_array_equal(np.vstack(rows), enhance_image(bicubic(2), pixels))


def test_large_results_are_named_tif_and_refused_as_png_and_jpeg(tmp_path: Path) -> None:
    # Broadcast: 5000 x 5000 source pixels without the memory of a photograph.
    pixels = np.broadcast_to(np.zeros((), np.uint8), (5000, 5000, 3))
    large = FundusImage(pixels, "wide.png")
    assert file_names("result", large, lanczos(4)) == ["wide_SRx4_lanczos.tif"]
    assert file_names("result", large, lanczos(2)) == ["wide_SRx2_lanczos.png"]
    for suffix in ("png", "jpg"):
        with pytest.raises(UserError, match="too many") as caught:
            export_enhanced(large, lanczos(4), tmp_path / f"wide.{suffix}")
        assert ".tif" in caught.value.hint
    strip = FundusImage(np.broadcast_to(np.zeros((), np.uint8), (16, 9000, 3)), "strip.png")
    with pytest.raises(UserError, match="JPEG holds"):
        export_enhanced(strip, lanczos(8), tmp_path / "strip.jpg")
    scan = FundusImage(np.broadcast_to(np.zeros((), np.uint8), (4_000_000, 16, 3)), "scan.tif")
    with pytest.raises(UserError, match="too many for PNG"):
        export_enhanced(scan, lanczos(2), tmp_path / "scan.png")
    assert file_names("result", scan, lanczos(2)) == ["scan_SRx2_lanczos.tif"]
    assert list(tmp_path.iterdir()) == []


def test_the_tiff_is_big_and_tiled(image: FundusImage, tmp_path: Path) -> None:
    export_enhanced(image, bicubic(16), tmp_path / "eye.tif")
    with tifffile.TiffFile(tmp_path / "eye.tif") as tiff:
        page = tiff.pages.first
        assert tiff.is_bigtiff
        assert page.is_tiled
        assert page.shape == (48 * 16, 64 * 16, 3)


def test_the_name_says_what_was_done(image: FundusImage) -> None:
    assert file_names("result", image, bicubic(8)) == ["eye.one_SRx8_bicubic.png"]


class _Never:
    """An enhancer that must not be asked."""

    method, model, scale, margin, whole_image_only = "never", None, 2, 0, False
    degradation = fidelity = back_projection = None

    def fitted_to(self, rgb: FloatImage) -> Self:
        return self

    def enhance_region(self, rgb: FloatImage, region: object) -> FloatImage:
        raise AssertionError("work started although it was bound to fail")


@pytest.mark.parametrize("taken", ["eye.png", "eye.png.json"])
def test_nothing_is_overwritten_and_no_work_is_wasted(
    image: FundusImage, tmp_path: Path, taken: str
) -> None:
    (tmp_path / taken).write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="exists already"):
        export_enhanced(image, _Never(), tmp_path / "eye.png")
    assert (tmp_path / taken).read_text(encoding="utf-8") == "mine"


def test_unknown_suffixes_and_full_disks_are_refused_first(
    image: FundusImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="suffix"):
        export_enhanced(image, _Never(), tmp_path / "eye.bmp")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 300, 300))
    with pytest.raises(UserError, match="The disk has"):
        export_enhanced(image, _Never(), tmp_path / "eye.png")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_cancelling_leaves_no_file(image: FundusImage, tmp_path: Path, suffix: str) -> None:
    def stop(fraction: float, what: str) -> None:
        if fraction > 0.4:
            raise Cancelled

    with pytest.raises(Cancelled):
        export_enhanced(image, bicubic(16), tmp_path / f"eye{suffix}", tile=16, progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_black_result_is_no_file(image: FundusImage, tmp_path: Path, suffix: str) -> None:
    class Black(_Never):
        def enhance_region(self, rgb: FloatImage, region: object) -> FloatImage:
            return np.zeros((rgb.shape[0] * 2, rgb.shape[1] * 2, 3), np.float32)

    with pytest.raises(UserError, match="black"):
        export_enhanced(image, Black(), tmp_path / f"eye{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_a_real_photograph_survives_the_round_trip(samples: Path, tmp_path: Path) -> None:
    source = open_image(samples / "fives_28_A.png")
    path = tmp_path / file_names("result", source, bicubic(2))[0]
    export_enhanced(source, bicubic(2), path)
    with Image.open(path) as result:
        assert result.size == (source.width * 2, source.height * 2)
        back = np.asarray(result.resize((source.width, source.height), Image.Resampling.BOX))
    assert np.abs(back.astype(int) - source.pixels).mean() < 1


# The mark


def named(method: str, scale: int) -> Interpolation:
    """Interpolation that passes for another method."""
    return replace(bicubic(scale), method=method)


@pytest.fixture
def round_eye() -> FundusImage:
    y, x = np.mgrid[:160, :200]
    inside = np.hypot(y - 80, x - 100) < 78
    pixels = np.where(inside[..., None], [180, 90, 40], [2, 1, 3]).astype(np.uint8)
    return FundusImage.from_array(pixels, name="eye.png")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
@pytest.mark.parametrize("bits", [8, 16])
def test_the_mark_is_in_a_corner_and_changes_nothing_else(
    round_eye: FundusImage, tmp_path: Path, suffix: str, bits: int
) -> None:
    eye = round_eye
    if bits == 16:
        eye = FundusImage.from_array(round_eye.pixels.astype(np.uint16) * 257, name="eye.png")
    plain, marked = tmp_path / f"plain{suffix}", tmp_path / f"marked{suffix}"
    export_enhanced(eye, named("saliency-gan", 4), plain)
    export_enhanced(eye, named("saliency-gan", 4), marked, mark=True)
    before, after = open_image(plain).display_rgb, open_image(marked).display_rgb
    assert after.shape == (640, 800, 3)  # exactly scale times the source's
    changed = np.abs(before.astype(int) - after).max(axis=2) > 40
    field = eye.field_of_view.mask.repeat(4, axis=0).repeat(4, axis=1)
    assert changed.any()
    assert not (changed & field).any()
    amber = np.abs(after.astype(int) - AMBER).max(axis=2) < 12
    assert 100 < amber.sum() < 0.01 * amber.size
    assert (amber & changed).sum() == amber.sum()


def test_a_large_result_carries_the_mark_across_its_tiles(
    round_eye: FundusImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_enhanced(round_eye, named("pixel", 4), tmp_path / "whole.png", mark=True)
    monkeypatch.setattr(exporting, "TIFF_TILE", 32)
    monkeypatch.setattr(exporting, "MAX_BAND_BYTES", 32 * 800 * 3)
    export_enhanced(round_eye, named("pixel", 4), tmp_path / "tiles.tif", mark=True)
    whole, tiles = open_image(tmp_path / "whole.png"), open_image(tmp_path / "tiles.tif")
    np.testing.assert_array_equal(whole.pixels, tiles.pixels)
    with tifffile.TiffFile(tmp_path / "tiles.tif") as file:
        assert file.is_bigtiff


def test_interpolation_is_never_called_ai(round_eye: FundusImage, tmp_path: Path) -> None:
    export_enhanced(round_eye, bicubic(2), tmp_path / "plain.png")
    export_enhanced(round_eye, bicubic(2), tmp_path / "marked.png", mark=True)
    np.testing.assert_array_equal(
        open_image(tmp_path / "plain.png").pixels, open_image(tmp_path / "marked.png").pixels
    )
    assert exporting.ai_text(named("linear", 2)) == ""  # a filter, though it has a model
    assert exporting.ai_text(named("ssr", 2)) == "AI x2"  # learns, though it has none


def test_without_a_free_corner_nothing_is_begun(image: FundusImage, tmp_path: Path) -> None:
    assert not exporting.has_room_for_mark(image, 2)  # a crop: retina to its corners

    class Learned(_Never):
        method = "pixel"

    with pytest.raises(UserError, match="no corner") as caught:
        export_enhanced(image, Learned(), tmp_path / "eye.png", mark=True)
    assert "pair" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("method", "term"),
    [
        ("saliency-gan", "compositeWithTrainedAlgorithmicMedia"),
        ("srgan", "compositeWithTrainedAlgorithmicMedia"),
        ("srgan-vgg19", "compositeWithTrainedAlgorithmicMedia"),
        ("pixel", "algorithmicallyEnhanced"),
        ("bicubic", "algorithmicallyEnhanced"),
    ],
)
def test_file_and_sidecar_say_what_kind_of_source_the_pixels_have(
    image: FundusImage, tmp_path: Path, method: str, term: str
) -> None:
    export_enhanced(image, named(method, 2), tmp_path / "eye.png")
    source_type = f"http://cv.iptc.org/newscodes/digitalsourcetype/{term}"
    assert f"DigitalSourceType>{source_type}<".encode() in (tmp_path / "eye.png").read_bytes()
    sidecar = json.loads((tmp_path / "eye.png.json").read_text(encoding="utf-8"))
    assert sidecar["digital_source_type"] == source_type
