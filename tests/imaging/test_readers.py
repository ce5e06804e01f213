import errno
import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from retina_viewer.core.errors import UserError
from retina_viewer.imaging import readers
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.png import encode_png
from retina_viewer.imaging.readers import images_in, is_supported, open_image, thumbnail

Bytes = NDArray[np.uint8]


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def opened(folder: Path, data: bytes, name: str = "Auge 眼") -> FundusImage:
    (folder / name).write_bytes(data)
    return open_image(folder / name)


@pytest.mark.parametrize(
    ("kind", "options", "title"),
    [
        ("PNG", {}, "PNG"),
        ("BMP", {}, "BMP"),
        ("WEBP", {"lossless": True}, "WebP"),
        ("TIFF", {"compression": "tiff_lzw"}, "TIFF"),
    ],
)
def test_lossless_formats_give_the_pixels(
    tmp_path: Path, crop: Bytes, kind: str, options: dict[str, object], title: str
) -> None:
    data = saved(Image.fromarray(crop), kind, **options)
    image = opened(tmp_path, data)
    np.testing.assert_array_equal(image.pixels, crop)
    assert image.format == title
    assert image.sha256 == hashlib.sha256(data).hexdigest()
    assert (image.name, image.path) == ("Auge 眼", tmp_path / "Auge 眼")
    assert not image.is_grey


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"progressive": True}), ("WEBP", {})])
def test_lossy_formats_come_close(
    tmp_path: Path, crop: Bytes, kind: str, options: dict[str, object]
) -> None:
    image = opened(tmp_path, saved(Image.fromarray(crop), kind, quality=95, **options))
    assert np.abs(image.pixels.astype(int) - crop).mean() < 3


def test_a_whole_photograph_opens(samples: Path) -> None:
    image = open_image(samples / "hrf_08_h.jpg")
    assert (image.width, image.height, image.bit_depth, image.format) == (3504, 2336, 8, "JPEG")


def test_the_suffix_does_not_matter(tmp_path: Path, crop: Bytes) -> None:
    image = opened(tmp_path, saved(Image.fromarray(crop), "PNG"), "eye.jpg")
    assert image.format == "PNG"
    np.testing.assert_array_equal(image.pixels, crop)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_orientation_is_applied_once(
    tmp_path: Path, crop: Bytes, kind: str, orientation: int
) -> None:
    stored = Image.fromarray(crop)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    image = opened(tmp_path, saved(stored, kind, exif=exif, **options))
    upright = {
        1: crop, 2: crop[:, ::-1], 3: crop[::-1, ::-1], 4: crop[::-1],
        5: crop.swapaxes(0, 1), 6: np.rot90(crop, -1), 7: np.rot90(crop, 2).swapaxes(0, 1),
        8: np.rot90(crop),
    }[orientation]  # fmt: skip
    np.testing.assert_array_equal(image.pixels, upright)


def test_orientation_of_a_jpeg(tmp_path: Path, crop: Bytes) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = opened(tmp_path, saved(Image.fromarray(crop), "JPEG", exif=exif, quality=95))
    assert (image.width, image.height) == (60, 80)
    assert np.abs(image.pixels.astype(int) - np.rot90(crop, -1)).mean() < 3


def test_sixteen_bit_png_keeps_its_depth(tmp_path: Path, deep_crop: NDArray[np.uint16]) -> None:
    image = opened(tmp_path, encode_png(deep_crop, {}))
    assert image.pixels.dtype == np.uint16
    np.testing.assert_array_equal(image.pixels, deep_crop)


def test_sixteen_bit_grey_png(tmp_path: Path, deep_crop: NDArray[np.uint16]) -> None:
    image = opened(tmp_path, encode_png(deep_crop[..., 1], {}))
    assert image.is_grey
    np.testing.assert_array_equal(image.pixels[..., 2], deep_crop[..., 1])


@pytest.mark.parametrize("channels", [2, 4])
def test_sixteen_bit_alpha_png(
    tmp_path: Path, deep_crop: NDArray[np.uint16], channels: int
) -> None:
    colours = deep_crop[..., :1] if channels == 2 else deep_crop
    alpha = np.full((*deep_crop.shape[:2], 1), 65535, np.uint16)
    alpha[:10] = 0
    rows = np.concatenate([colours, alpha], axis=2).astype(">u2")
    image = opened(tmp_path, raw_png(rows, colour_type=4 if channels == 2 else 6))
    assert image.is_grey == (channels == 2)
    np.testing.assert_array_equal(image.pixels[:10], 0)
    np.testing.assert_array_equal(image.pixels[10:, :, :1], colours[10:, :, :1])


def raw_png(rows: NDArray[np.uint16], colour_type: int) -> bytes:
    """A 16-bit PNG without filters, as the standard writes it down."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], 16, colour_type, 0, 0, 0)
    body = b"".join(b"\0" + row.tobytes() for row in rows)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(body))
        + chunk(b"IEND", b"")
    )


def test_grey_becomes_three_channels(tmp_path: Path, crop: Bytes) -> None:
    for number, kind in enumerate(("PNG", "JPEG", "BMP", "TIFF")):
        image = opened(tmp_path, saved(Image.fromarray(crop[..., 1]), kind), str(number))
        assert image.is_grey
        assert image.pixels.shape == (60, 80, 3)
        assert np.abs(image.pixels[..., 0].astype(int) - crop[..., 1]).mean() < 3


def test_palettes_become_colour(tmp_path: Path, crop: Bytes) -> None:
    paletted = Image.fromarray(crop).quantize(64)
    expected = np.asarray(paletted.convert("RGB"))
    for number, kind in enumerate(("PNG", "GIF", "BMP", "TIFF")):
        image = opened(tmp_path, saved(paletted, kind), str(number))
        np.testing.assert_array_equal(image.pixels, expected, kind)


def test_one_bit_becomes_black_and_white(tmp_path: Path, crop: Bytes) -> None:
    mask = crop[..., 1] > 60
    for number, kind in enumerate(("PNG", "BMP", "TIFF")):
        image = opened(tmp_path, saved(Image.fromarray(mask), kind), str(number))
        np.testing.assert_array_equal(image.pixels[..., 0], mask * np.uint8(255), kind)


def test_transparency_is_laid_on_black(tmp_path: Path, crop: Bytes) -> None:
    alpha = np.full((60, 80, 1), 255, np.uint8)
    alpha[:, :30] = 0
    alpha[:, 30:40] = 128
    image = Image.fromarray(np.concatenate([crop, alpha], axis=2))
    for number, (kind, options) in enumerate(
        (("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {}))
    ):
        pixels = opened(tmp_path, saved(image, kind, **options), str(number)).pixels
        assert pixels[:, :30].max() == 0
        assert np.abs(pixels[:, 30:40].astype(float) - crop[:, 30:40] * (128 / 255)).max() <= 0.51
        np.testing.assert_array_equal(pixels[:, 40:], crop[:, 40:])


def test_a_transparent_palette_entry_is_black(tmp_path: Path, crop: Bytes) -> None:
    paletted = Image.fromarray(crop).quantize(16)
    first = np.asarray(paletted) == 0
    image = opened(tmp_path, saved(paletted, "PNG", transparency=0))
    assert image.pixels[first].max() == 0
    assert image.pixels[~first].max() > 0


def test_cmyk_becomes_rgb(tmp_path: Path, crop: Bytes) -> None:
    cmyk = Image.fromarray(crop).convert("CMYK")
    image = opened(tmp_path, saved(cmyk, "JPEG", quality=98))
    assert np.abs(image.pixels.astype(int) - crop).mean() < 4
    image = opened(tmp_path, saved(cmyk, "TIFF"), "cmyk.tif")
    assert np.abs(image.pixels.astype(int) - crop).max() <= 2


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_the_profile_stays_with_the_pixels(
    tmp_path: Path, crop: Bytes, wide_gamut_profile: bytes, kind: str
) -> None:
    data = saved(Image.fromarray(crop), kind, icc_profile=wide_gamut_profile, quality=95)
    image = opened(tmp_path, data)
    assert image.icc_profile == wide_gamut_profile
    assert np.abs(image.pixels.astype(int) - crop).mean() < 3
    assert np.abs(image.display_rgb.astype(int) - crop[..., ::-1]).mean() < 4


def test_a_profile_that_does_not_describe_rgb_is_left_out(tmp_path: Path, crop: Bytes) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert (
        opened(tmp_path, saved(Image.fromarray(crop), "PNG", icc_profile=lab)).icc_profile is None
    )


def test_the_first_frame_of_several(tmp_path: Path, crop: Bytes) -> None:
    first, second = Image.fromarray(crop), Image.fromarray(255 - crop)
    for number, kind in enumerate(("TIFF", "PNG")):
        data = saved(first, kind, save_all=True, append_images=[second])
        np.testing.assert_array_equal(opened(tmp_path, data, str(number)).pixels, crop)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "PPM", "TIFF"])
def test_cut_files_show_what_is_left_and_say_so(tmp_path: Path, crop: Bytes, kind: str) -> None:
    data = saved(Image.fromarray(crop), kind)
    image = opened(tmp_path, data[: int(len(data) * 0.8)])
    assert image.damage
    assert image.pixels.shape == crop.shape
    kept = image.pixels[-30:] if kind == "BMP" else image.pixels[:30]  # it begins at the bottom
    right = crop[-30:] if kind == "BMP" else crop[:30]
    assert np.abs(kept.astype(int) - right).mean() < 3
    assert opened(tmp_path, data, "whole").damage == ""


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF", "PPM", "AVIF"])
@pytest.mark.parametrize("part", [0.02, 0.2, 0.9])
def test_cut_files_never_pass_as_whole(tmp_path: Path, crop: Bytes, kind: str, part: float) -> None:
    data = saved(Image.fromarray(crop), kind)
    try:
        image = opened(tmp_path, data[: int(len(data) * part)])
    except UserError as error:
        assert error.hint
    else:
        assert image.damage


def test_files_of_no_picture_left_are_refused(tmp_path: Path, crop: Bytes) -> None:
    for kind in ("PNG", "JPEG", "WEBP", "GIF"):
        data = saved(Image.fromarray(crop), kind)
        with pytest.raises(UserError, match="damaged or incomplete"):
            opened(tmp_path, data[:60])


@pytest.mark.parametrize(
    "data", [b"plain text, no image at all", b"%PDF-1.7\n" * 40, b"\0" * 500, b"BM"]
)
def test_other_files_are_no_images(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UserError) as caught:
        opened(tmp_path, data)
    assert caught.value.hint


def test_an_empty_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is empty"):
        opened(tmp_path, b"")


def test_a_missing_file_and_a_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        open_image(tmp_path / "missing.png")
    with pytest.raises(UserError, match="is a folder"):
        open_image(tmp_path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "may not be read"),
        (OSError(errno.EIO, "Input/output error"), "could not be read: Input/output error"),
    ],
)
def test_what_the_system_refuses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    (tmp_path / "eye.png").write_bytes(b"x")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match=words):
        open_image(tmp_path / "eye.png")


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    tiny = saved(Image.new("L", (20, 20)), "PNG")
    header = struct.pack(">IIBBBBB", 200_000, 200_000, 8, 0, 0, 0, 0)
    checksum = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    with pytest.raises(UserError, match="too large"):
        opened(tmp_path, tiny[:16] + header + checksum + tiny[33:])


def test_a_file_of_gigabytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crop: Bytes
) -> None:
    monkeypatch.setattr(readers, "MAX_BYTES", 100)
    with pytest.raises(UserError, match="larger than"):
        opened(tmp_path, saved(Image.fromarray(crop), "PNG"))


def test_too_small_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="too small: 15 x 15"):
        opened(tmp_path, saved(Image.new("RGB", (15, 15)), "PNG"))


def test_folders_list_photographs_as_people_sort(tmp_path: Path, crop: Bytes) -> None:
    picture = saved(Image.fromarray(crop), "PNG")
    for name in ("eye 10.png", "eye 2.png", "Eye 1.dat", ".hidden.png"):
        (tmp_path / name).write_bytes(picture)
    (tmp_path / "notes.png").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    assert [file.name for file in images_in(tmp_path)] == ["Eye 1.dat", "eye 2.png", "eye 10.png"]


def test_names_of_digits_and_letters_sort_together(tmp_path: Path, crop: Bytes) -> None:
    picture = saved(Image.fromarray(crop), "PNG")
    for name in ("a.png", "1.png", "1a.png", "².png", "٣.png"):
        (tmp_path / name).write_bytes(picture)
    assert len(images_in(tmp_path)) == 5


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        images_in(tmp_path / "missing")


def test_support_is_told_by_content(tmp_path: Path, samples: Path) -> None:
    assert is_supported(samples / "hrf_08_h.jpg")
    assert not is_supported(samples / "ATTRIBUTION.md")
    assert not is_supported(tmp_path)
    assert not is_supported(tmp_path / "missing.png")


@pytest.mark.parametrize("name", ["hrf_08_h.jpg", "chase_14L.jpg", "chase_14L_fov.png"])
def test_thumbnails_are_small_pictures_of_the_whole(samples: Path, name: str) -> None:
    image = open_image(samples / name)
    small = thumbnail(samples / name, 120)
    assert max(small.shape[:2]) == 120
    assert small.dtype == np.uint8
    assert small.shape[2] == 3
    assert small.shape[1] / small.shape[0] == pytest.approx(image.width / image.height, rel=0.02)
    assert small.mean() == pytest.approx(image.display_rgb.mean(), abs=2)


def test_thumbnails_never_enlarge_and_are_upright(
    tmp_path: Path, crop: Bytes, wide_gamut_profile: bytes
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "eye").write_bytes(
        saved(Image.fromarray(crop), "PNG", exif=exif, icc_profile=wide_gamut_profile)
    )
    small = thumbnail(tmp_path / "eye", 500)
    assert np.abs(small.astype(int) - np.rot90(crop, -1)[..., ::-1]).max() <= 2


def test_a_thumbnail_of_a_broken_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "eye.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    with pytest.raises(UserError, match="damaged"):
        thumbnail(tmp_path / "eye.png", 100)


def test_a_pipe_and_a_device_without_end_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", Path("/dev/zero")):
        assert not is_supported(path)
        with pytest.raises(UserError, match="no ordinary file") as caught:
            open_image(path)
        assert caught.value.hint
    assert images_in(tmp_path) == []


def test_a_32_bit_bitmap_without_alpha_is_opaque(tmp_path: Path, crop: Bytes) -> None:
    bgra = np.dstack([crop[..., ::-1], np.zeros(crop.shape[:2], np.uint8)])[::-1].tobytes()
    height, width = crop.shape[:2]
    fields = (124, width, height, 1, 32, 3, len(bgra), 2835, 2835, 0, 0)
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiIIIIII4s48x16x", *fields, *masks, b"BGRs")
    start = b"BM" + struct.pack("<IHHI", 138 + len(bgra), 0, 0, 138)
    image = opened(tmp_path, start + header + bgra)
    np.testing.assert_array_equal(image.pixels, crop)
    assert image.notes == ()


def test_a_picture_that_is_transparent_throughout_is_shown(tmp_path: Path, crop: Bytes) -> None:
    rgba = np.dstack([crop, np.zeros(crop.shape[:2], np.uint8)])
    image = opened(tmp_path, saved(Image.fromarray(rgba), "PNG"))
    np.testing.assert_array_equal(image.pixels, crop)
    assert "transparent" in image.notes[0]


def test_avif_and_jpeg_2000(tmp_path: Path, crop: Bytes) -> None:
    data = saved(Image.fromarray(crop), "AVIF", quality=95)
    image = opened(tmp_path, data)
    assert image.format == "AVIF"
    assert np.abs(image.pixels.astype(int) - crop).mean() < 4
    for name in ("eye.jp2", "eye.j2k"):
        stream = io.BytesIO()
        Image.fromarray(crop).save(stream, "JPEG2000", no_jp2=name.endswith("k"))
        image = opened(tmp_path, stream.getvalue(), name)
        assert image.format == "JPEG 2000"
        np.testing.assert_array_equal(image.pixels, crop)


def test_jpeg_2000_of_sixteen_bits(tmp_path: Path, deep_crop: NDArray[np.uint16]) -> None:
    data = bytes(imagecodecs.jpeg2k_encode(deep_crop, level=0, reversible=True))
    image = opened(tmp_path, data)
    np.testing.assert_array_equal(image.pixels, deep_crop)


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_heic_is_named_and_how_to_convert_it(tmp_path: Path, brand: bytes) -> None:
    data = b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(200)
    with pytest.raises(UserError, match="HEIC") as caught:
        opened(tmp_path, data)
    assert "JPEG" in caught.value.hint
    assert not is_supported(tmp_path / "Auge 眼")


def test_only_the_first_picture_of_a_film_is_offered(tmp_path: Path, crop: Bytes) -> None:
    frames = [Image.fromarray(crop), Image.fromarray(255 - crop)]
    for kind, options in (("GIF", {}), ("WEBP", {"lossless": True}), ("MPO", {"quality": 95})):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        image = opened(tmp_path, data, kind)
        assert np.abs(image.pixels.astype(int) - crop).mean() < 8, kind
        assert image.pages == 1
        with pytest.raises(UserError, match="one picture"):
            open_image(tmp_path / kind, page=1)


def test_a_dim_sixteen_bit_picture_is_stretched_and_said(
    tmp_path: Path, deep_crop: NDArray[np.uint16]
) -> None:
    dim = (deep_crop >> 4).astype(np.uint16)
    image = opened(tmp_path, encode_png(dim, {}))
    np.testing.assert_allclose(image.pixels / 65535, dim / 4095, atol=1e-5)
    assert "12 of 16 bits" in image.notes[0]


def test_a_grey_profile_is_applied(tmp_path: Path, crop: Bytes, grey_profile: bytes) -> None:
    """Linear light: 55 is what sRGB calls 128."""
    plane = np.full((20, 20), 55, np.uint8)
    for number, kind in enumerate(("PNG", "JPEG", "TIFF")):
        data = saved(Image.fromarray(plane), kind, icc_profile=grey_profile)
        image = opened(tmp_path, data, str(number))
        assert abs(int(image.display_rgb[10, 10, 1]) - 128) <= 2, kind
        assert image.is_grey
    deep_plane = np.full((20, 20), 55 * 257, np.uint16)
    deep_plane[0] = 65535
    deep = opened(tmp_path, encode_png(deep_plane, {}, grey_profile))
    assert abs(int(deep.pixels[10, 10, 1]) / 257 - 128) <= 2


def test_a_profile_that_does_not_fit_is_said(
    tmp_path: Path, crop: Bytes, grey_profile: bytes
) -> None:
    for number, profile in enumerate((b"rubbish" * 30, grey_profile)):
        for kind in ("PNG", "TIFF"):
            data = saved(Image.fromarray(crop), kind, icc_profile=profile)
            image = opened(tmp_path, data, f"{number}{kind}")
            assert image.icc_profile is None
            assert "profile" in image.notes[0]
            np.testing.assert_array_equal(image.display_rgb, crop)


def test_a_jpeg_that_lacks_its_end_alone_is_whole(tmp_path: Path, crop: Bytes) -> None:
    data = saved(Image.fromarray(crop), "JPEG")
    whole = opened(tmp_path, data)
    image = opened(tmp_path, data[:-2])
    np.testing.assert_array_equal(image.pixels, whole.pixels)
    assert image.damage == ""


@pytest.fixture(scope="module")
def whole_files(crop: Bytes, deep_crop: NDArray[np.uint16]) -> list[bytes]:
    """One small file of every format."""
    picture = Image.fromarray(crop[:24, :20].copy())
    files = [saved(picture, kind) for kind in ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF")]
    files.append(saved(picture, "TIFF", compression="tiff_lzw"))
    files.append(encode_png(deep_crop[:24, :20].copy(), {"Description": "x"}))
    return files


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.integers(0, 7),
    damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
)
@pytest.mark.filterwarnings("ignore")
def test_damage_is_never_a_crash(
    whole_files: list[bytes],
    tmp_path: Path,
    number: int,
    damage: list[tuple[float, int]],
) -> None:
    data = bytearray(whole_files[number])
    for place, value in damage:
        data[int(place * (len(data) - 1))] = value
    try:
        image = opened(tmp_path, bytes(data))
    except UserError as error:
        assert error.hint
    else:
        assert image.pixels.shape[2] == 3
