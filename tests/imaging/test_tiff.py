import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.tiff import read_tiff

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


def encoded(pixels: NDArray[np.generic], **options: object) -> bytes:
    stream = io.BytesIO()
    options = {"photometric": "rgb" if pixels.ndim == 3 else "minisblack", **options}
    tifffile.imwrite(stream, pixels, **options)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tile": (16, 32)},
        {"tile": (16, 32), "compression": "deflate", "predictor": True},
        {"compression": "lzw", "rowsperstrip": 7},
        {"bigtiff": True},
        {"byteorder": ">"},
        {"bigtiff": True, "byteorder": ">", "tile": (32, 16)},
    ],
    ids=str,
)
def test_layouts_give_the_pixels(
    crop: NDArray[np.uint8],
    deep_crop: NDArray[np.uint16],
    depth: int,
    colour: bool,
    options: dict[str, object],
) -> None:
    whole: Pixels = crop if depth == 8 else deep_crop
    pixels = whole if colour else whole[..., 1]
    decoded = read_tiff(encoded(pixels, **options), "eye.tif")
    assert decoded.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(decoded.pixels, pixels)
    assert decoded.format == "TIFF"


def test_separate_planes(deep_crop: NDArray[np.uint16]) -> None:
    planes = np.ascontiguousarray(np.moveaxis(deep_crop, -1, 0))
    decoded = read_tiff(encoded(planes, planarconfig="separate"), "eye.tif")
    np.testing.assert_array_equal(decoded.pixels, deep_crop)


def test_jpeg_inside(crop: NDArray[np.uint8]) -> None:
    data = encoded(crop, compression="jpeg", compressionargs={"level": 95}, tile=(64, 64))
    assert np.abs(read_tiff(data, "eye.tif").pixels.astype(int) - crop).mean() < 4


def test_white_is_zero(crop: NDArray[np.uint8]) -> None:
    decoded = read_tiff(encoded(crop[..., 1], photometric="miniswhite"), "eye.tif")
    np.testing.assert_array_equal(decoded.pixels, 255 - crop[..., 1])


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_declared_bits_fill_the_range(deep_crop: NDArray[np.uint16], bits: int) -> None:
    values = deep_crop >> (16 - bits)
    highest = ("MaxSampleValue", "H", 3, ((1 << bits) - 1,) * 3, False)
    declared = read_tiff(encoded(values, extratags=[(281, *highest[1:])]), "eye.tif").pixels
    np.testing.assert_allclose(
        declared.astype(float) / 65535, values / ((1 << bits) - 1), atol=0.6 / 65535
    )
    undeclared = read_tiff(encoded(values), "eye.tif").pixels
    np.testing.assert_array_equal(undeclared, values)


def test_a_highest_value_that_is_only_a_statistic_changes_nothing(
    deep_crop: NDArray[np.uint16],
) -> None:
    data = encoded(deep_crop, extratags=[(281, "H", 3, (40000,) * 3, False)])
    np.testing.assert_array_equal(read_tiff(data, "eye.tif").pixels, deep_crop)


def test_sixteen_bit_alpha(tmp_path: Path, deep_crop: NDArray[np.uint16]) -> None:
    alpha = np.full((60, 80, 1), 65535, np.uint16)
    alpha[:30] = 0
    data = encoded(np.concatenate([deep_crop, alpha], axis=2), extrasamples=["unassalpha"])
    (tmp_path / "eye").write_bytes(data)
    pixels = open_image(tmp_path / "eye").pixels
    assert pixels[:30].max() == 0
    np.testing.assert_array_equal(pixels[30:], deep_crop[30:])


def test_alpha_that_is_multiplied_in_already(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    alpha = np.full((60, 80, 1), 128, np.uint8)
    half = (crop // 2).astype(np.uint8)
    data = encoded(np.concatenate([half, alpha], axis=2), extrasamples=["assocalpha"])
    (tmp_path / "eye").write_bytes(data)
    np.testing.assert_array_equal(open_image(tmp_path / "eye").pixels, half)


def test_more_channels_than_alpha_are_dropped(crop: NDArray[np.uint8]) -> None:
    five = np.concatenate([crop, crop[..., :2]], axis=2)
    data = encoded(five, planarconfig="contig", extrasamples=[0, 0])
    np.testing.assert_array_equal(read_tiff(data, "eye.tif").pixels[..., :3], crop)


def test_a_channel_without_meaning_is_no_alpha(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    four = np.concatenate([crop, np.zeros_like(crop[..., :1])], axis=2)
    (tmp_path / "eye").write_bytes(encoded(four, extrasamples=[0]))
    np.testing.assert_array_equal(open_image(tmp_path / "eye").pixels, crop)


def test_orientation_of_sixteen_bits(tmp_path: Path, deep_crop: NDArray[np.uint16]) -> None:
    (tmp_path / "eye").write_bytes(encoded(deep_crop, extratags=[(274, "H", 1, 6, False)]))
    np.testing.assert_array_equal(open_image(tmp_path / "eye").pixels, np.rot90(deep_crop, -1))


def test_the_first_page_of_several(crop: NDArray[np.uint8]) -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(crop, photometric="rgb")
        writer.write(crop[:20, :20], photometric="rgb")
    np.testing.assert_array_equal(read_tiff(stream.getvalue(), "eye.tif").pixels, crop)


@pytest.mark.parametrize("kind", [np.float32, np.uint32, np.int16])
def test_other_numbers_are_refused(kind: type[np.generic]) -> None:
    with pytest.raises(UserError, match="not grey levels") as caught:
        read_tiff(encoded(np.zeros((20, 20), kind)), "eye.tif")
    assert caught.value.hint


def test_the_size_is_checked_before_decoding() -> None:
    # Ten terabytes declared, nothing written.
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, bigtiff=True) as writer:
        writer.write(np.zeros((16, 16), np.uint8), photometric="minisblack", metadata=None)
    data = bytearray(stream.getvalue())
    for tag in (256, 257):
        at = data.index(tag.to_bytes(2, "little") + b"\x04\0") + 12
        data[at : at + 4] = (3_000_000).to_bytes(4, "little")
    with pytest.raises(UserError, match="too large"):
        read_tiff(bytes(data), "eye.tif")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_cut_files_are_said_to_be_incomplete(
    tmp_path: Path, deep_crop: NDArray[np.uint16], part: float
) -> None:
    for number, options in enumerate(({}, {"tile": (16, 16), "compression": "deflate"})):
        data = encoded(deep_crop, **options)
        (tmp_path / str(number)).write_bytes(data[: int(part * len(data))])
        with pytest.raises(UserError, match="damaged or incomplete"):
            open_image(tmp_path / str(number))
