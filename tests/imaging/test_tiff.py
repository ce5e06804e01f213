import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

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
    undeclared = read_tiff(encoded(values), "eye.tif")
    np.testing.assert_array_equal(undeclared.pixels, declared)
    assert f"{bits} of 16 bits" in undeclared.notes[0]
    assert read_tiff(encoded(deep_crop), "eye.tif").notes == ()


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


@pytest.mark.parametrize("part", [0.5, 0.95])
def test_cut_files_show_what_is_left_in_black_and_say_so(
    tmp_path: Path, deep_crop: NDArray[np.uint16], part: float
) -> None:
    for number, options in enumerate(({}, {"tile": (16, 16), "compression": "deflate"})):
        data = encoded(deep_crop, **options)
        (tmp_path / str(number)).write_bytes(data[: int(part * len(data))])
        image = open_image(tmp_path / str(number))
        assert image.damage
        np.testing.assert_array_equal(image.pixels[:16], deep_crop[:16])
        assert image.pixels[-1, -1].max() == 0


def test_a_file_without_pixels_is_refused(tmp_path: Path, deep_crop: NDArray[np.uint16]) -> None:
    data = encoded(deep_crop, tile=(16, 16), compression="deflate")
    (tmp_path / "eye").write_bytes(data[:600])
    with pytest.raises(UserError, match="damaged or incomplete"):
        open_image(tmp_path / "eye")


def test_a_strip_that_is_missing_or_torn_is_black_and_said(crop: NDArray[np.uint8]) -> None:
    whole = encoded(crop, rowsperstrip=20, compression="deflate")
    with tifffile.TiffFile(io.BytesIO(whole)) as file:
        page = file.pages.first
        counts = page.tags[279].valueoffset
        each = page.tags[279].valuebytecount // 3
        middle, length = page.dataoffsets[1], page.databytecounts[1]
    missing, torn = bytearray(whole), bytearray(whole)
    missing[counts + each : counts + 2 * each] = bytes(each)
    torn[middle + 20 : middle + length - 20] = bytes(length - 40)
    for data in (missing, torn):
        decoded = read_tiff(bytes(data), "eye.tif")
        assert decoded.damage
        np.testing.assert_array_equal(decoded.pixels[:20], crop[:20])
        np.testing.assert_array_equal(decoded.pixels[20:40], 0)
        np.testing.assert_array_equal(decoded.pixels[40:], crop[40:])
    assert read_tiff(whole, "eye.tif").damage == ""


def written(*pages: tuple[NDArray[np.generic], dict[str, object]]) -> bytes:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for pixels, options in pages:
            writer.write(pixels, photometric="rgb", metadata=None, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def with_mask(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(pixels, photometric="rgb", metadata=None)
        mask = pixels[..., 1] > 60
        writer.write(mask, photometric="minisblack", subfiletype=4, metadata=None)
    return stream.getvalue()


def test_thumbnails_masks_and_pyramids_are_no_pages(crop: NDArray[np.uint8]) -> None:
    small = crop[::4, ::4].copy()
    before = written((small, {"subfiletype": 1}), (crop, {}))
    below = written((small, {"subfiletype": 1, "subifds": 1}), (crop, {"subfiletype": 0}))
    pyramid = written((crop, {"subifds": 1}), (small, {"subfiletype": 1}))
    masked = with_mask(crop)
    for data in (before, below, pyramid, masked):
        decoded = read_tiff(data, "eye.tif")
        assert decoded.pages == 1
        np.testing.assert_array_equal(decoded.pixels, crop)
    only = written((small, {"subfiletype": 1}), (crop, {"subfiletype": 1}))
    np.testing.assert_array_equal(read_tiff(only, "eye.tif").pixels, crop)


def test_pages_are_counted_and_chosen(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    (tmp_path / "eye").write_bytes(written((crop, {}), (255 - crop, {}), (crop[:20], {})))
    assert open_image(tmp_path / "eye").pages == 3
    second = open_image(tmp_path / "eye", page=1)
    np.testing.assert_array_equal(second.pixels, 255 - crop)
    assert (second.page, second.pages) == (1, 3)
    for page in (3, -1):
        with pytest.raises(UserError, match="holds 3 pictures"):
            open_image(tmp_path / "eye", page=page)


def test_pages_of_cmyk_are_chosen(crop: NDArray[np.uint8]) -> None:
    stream = io.BytesIO()
    first, second = (Image.fromarray(one).convert("CMYK") for one in (255 - crop, crop))
    first.save(stream, "TIFF", save_all=True, append_images=[second])
    decoded = read_tiff(stream.getvalue(), "eye.tif", 1)
    assert np.abs(decoded.pixels.astype(int) - crop).max() <= 2
    assert decoded.pages == 2


@pytest.mark.parametrize("depth", [8, 16])
def test_colours_kept_as_grey_pages(
    crop: NDArray[np.uint8], deep_crop: NDArray[np.uint16], depth: int
) -> None:
    pixels: Pixels = crop if depth == 8 else deep_crop
    planes = np.moveaxis(pixels, -1, 0).copy()
    imagej, ome, turned = io.BytesIO(), io.BytesIO(), io.BytesIO()
    tifffile.imwrite(imagej, planes, imagej=True, metadata={"axes": "CYX", "mode": "composite"})
    named = {"axes": "CYX", "Channel": {"Name": ["R", "G", "B"]}}
    tifffile.imwrite(ome, planes, photometric="minisblack", metadata=named, ome=True)
    named = {"axes": "CYX", "Channel": {"Name": ["Blue", "Green", "Red"]}}
    tifffile.imwrite(
        turned, planes[::-1].copy(), photometric="minisblack", metadata=named, ome=True
    )
    for stream in (imagej, ome, turned):
        decoded = read_tiff(stream.getvalue(), "eye.tif")
        np.testing.assert_array_equal(decoded.pixels, pixels)
        assert decoded.pages == 1
        assert "three grey pictures" in decoded.notes[0]


def test_three_grey_pages_without_a_word_are_three_pictures(crop: NDArray[np.uint8]) -> None:
    decoded = read_tiff(encoded(np.moveaxis(crop, -1, 0).copy(), photometric="minisblack"), "e.tif")
    assert decoded.pages == 3
    assert "three grey pictures" in decoded.notes[0]


def luminance_and_chroma(rgb: NDArray[np.uint8], across: int, down: int) -> bytes:
    """As TIFF keeps them: the luminance of a block, then its mean chroma."""
    ycc = np.asarray(Image.fromarray(rgb).convert("YCbCr"))
    out = bytearray()
    for top in range(0, len(ycc), down):
        for left in range(0, ycc.shape[1], across):
            block = ycc[top : top + down, left : left + across]
            out += block[..., 0].tobytes()
            out += bytes(round(float(block[..., k].mean())) for k in (1, 2))
    return bytes(out)


def one_strip(
    shape: tuple[int, ...], data: bytes, compression: int, extra: list[tuple[int, int, int, int]]
) -> bytes:
    """A TIFF of luminance and chroma; ``extra``: tag, type, count, value."""
    height, width = shape[:2]
    depths = 8 + len(data) + len(data) % 2
    tags = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, depths), (259, 3, 1, compression),
        (262, 3, 1, 6), (273, 4, 1, 8), (277, 3, 1, 3), (278, 4, 1, height),
        (279, 4, 1, len(data)), *extra,
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return (
        struct.pack("<2sHI", b"II", 42, depths + 6)
        + data.ljust(depths - 8, b"\0")
        + struct.pack("<HHH", 8, 8, 8)
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
    )


@pytest.mark.parametrize(("across", "down"), [(1, 1), (2, 1), (2, 2), (4, 2)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_luminance_and_chroma_without_jpeg(
    tmp_path: Path, crop: NDArray[np.uint8], across: int, down: int, orientation: int
) -> None:
    data = luminance_and_chroma(crop, across, down)
    extra = [(530, 3, 2, across | down << 16), (274, 3, 1, orientation)]
    (tmp_path / "eye").write_bytes(one_strip(crop.shape, data, 1, extra))
    right = np.rot90(crop, -1) if orientation == 6 else crop
    pixels = open_image(tmp_path / "eye").pixels
    assert pixels.shape == right.shape
    assert np.abs(pixels.astype(int) - right).mean() < 4


def test_old_style_jpeg(crop: NDArray[np.uint8]) -> None:
    stream = io.BytesIO()
    Image.fromarray(crop).save(stream, "JPEG", quality=95, subsampling=0)
    jpeg = stream.getvalue()
    extra = [(513, 4, 1, 8), (514, 4, 1, len(jpeg)), (530, 3, 2, 1 | 1 << 16)]
    decoded = read_tiff(one_strip(crop.shape, jpeg, 6, extra), "eye.tif")
    assert np.abs(decoded.pixels.astype(int) - crop).mean() < 4
