import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.imaging.png import SIGNATURE, encode_png, readable_png
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.writers import read_provenance, write_image


def test_another_decoder_sees_the_same(crop: NDArray[np.uint8], wide_gamut_profile: bytes) -> None:
    data = encode_png(crop, {"Description": "Auge 眼", "Two": "x"}, wide_gamut_profile)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        np.testing.assert_array_equal(np.asarray(image), crop)
        assert image.info["icc_profile"] == wide_gamut_profile
        assert image.info["Description"] == "Auge 眼"
        assert image.info["Two"] == "x"
    with Image.open(io.BytesIO(data)) as image:
        image.verify()  # every checksum


def test_grey_stays_one_channel(deep_crop: NDArray[np.uint16]) -> None:
    with Image.open(io.BytesIO(encode_png(deep_crop[..., 1], {}))) as image:
        assert image.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(image), deep_crop[..., 1])


def test_the_same_input_gives_the_same_bytes(
    crop: NDArray[np.uint8], wide_gamut_profile: bytes
) -> None:
    first = encode_png(crop, {"a": "b"}, wide_gamut_profile)
    assert encode_png(crop.copy(), {"a": "b"}, wide_gamut_profile) == first


def test_two_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="PNG cannot hold"):
        encode_png(np.zeros((20, 20, 2), np.uint8), {})


def large(profile: bytes) -> bytes:
    """With 1.5 MB of tables behind it, which nobody asks for."""
    tables = np.random.default_rng(0).integers(0, 255, 1_500_000, np.uint8).tobytes()
    return struct.pack(">I", len(profile + tables)) + profile[4:] + tables


def saved(image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", **options)
    return stream.getvalue()


def with_chunk(data: bytes, kind: bytes, body: bytes, checksum: int | None = None) -> bytes:
    """Behind the header."""
    number = zlib.crc32(kind + body) if checksum is None else checksum
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", number)
    return data[:33] + chunk + data[33:]


@pytest.mark.parametrize("deep", [False, True])
def test_long_texts_and_large_profiles_hide_no_picture(
    tmp_path: Path,
    crop: NDArray[np.uint8],
    deep_crop: NDArray[np.uint16],
    wide_gamut_profile: bytes,
    deep: bool,
) -> None:
    pixels = deep_crop if deep else crop
    padded = large(wide_gamut_profile)
    text = "x" * 2_000_000
    data = encode_png(pixels, {"Description": text, "Other": text}, padded)
    bomb = b"Title\0\0" + zlib.compress(bytes(80_000_000))
    for whole in (data, with_chunk(data, b"zTXt", bomb)):
        (tmp_path / "eye.png").write_bytes(whole)
        image = open_image(tmp_path / "eye.png")
        np.testing.assert_array_equal(image.pixels, pixels)
        assert image.icc_profile == padded
        assert (image.damage, image.notes) == ("", ())


def test_own_files_with_a_large_profile_keep_their_provenance(
    tmp_path: Path, crop: NDArray[np.uint8], wide_gamut_profile: bytes
) -> None:
    padded = large(wide_gamut_profile)
    written = Provenance(
        kind="super-resolution", method="bicubic", device="cpu", source_name="x" * 50,
        source_sha256="", source_width=20, source_height=20,
    )  # fmt: skip
    write_image(tmp_path / "r.png", crop, provenance=written, icc_profile=padded)
    assert read_provenance(tmp_path / "r.png") == written
    assert open_image(tmp_path / "r.png").icc_profile == padded


def test_a_broken_chunk_beside_the_picture_changes_nothing(
    tmp_path: Path, crop: NDArray[np.uint8]
) -> None:
    data = with_chunk(saved(Image.fromarray(crop)), b"tEXt", b"Title\0eye", checksum=1)
    (tmp_path / "eye.png").write_bytes(data)
    image = open_image(tmp_path / "eye.png")
    np.testing.assert_array_equal(image.pixels, crop)
    assert image.damage == ""


def pixels_of(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def test_a_wrong_checksum_of_the_pixels_is_damage(crop: NDArray[np.uint8]) -> None:
    data = bytearray(saved(Image.fromarray(crop)))
    end = data.rindex(b"IEND") - 4
    data[end - 1] ^= 1
    found = readable_png(bytes(data))
    assert found.damage == "a part of the picture data is missing or wrong"
    np.testing.assert_array_equal(pixels_of(found.data), crop)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_torn_pixels_are_filled_with_black(crop: NDArray[np.uint8], mode: str) -> None:
    whole = saved(Image.fromarray(crop).convert(mode))
    assert readable_png(whole).data is whole
    torn = bytearray(whole)
    torn[-60:-30] = bytes(30)
    for data in (whole[:-40], bytes(torn)):
        found = readable_png(data)
        assert found.damage
        np.testing.assert_array_equal(pixels_of(found.data)[:20], pixels_of(whole)[:20])


def test_only_the_end_chunk_is_missing(crop: NDArray[np.uint8]) -> None:
    whole = saved(Image.fromarray(crop))
    found = readable_png(whole[:-12])
    assert found.damage == ""
    np.testing.assert_array_equal(pixels_of(found.data), crop)


def test_a_cut_interlaced_file_is_filled_up_to_its_last_pass() -> None:
    header = struct.pack(">IIBBBBB", 20, 18, 8, 0, 0, 0, 1)
    body = zlib.compress(bytes([1]) * 60)
    parts = ((b"IHDR", header), (b"IDAT", body))
    data = SIGNATURE + b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part))
        for kind, part in parts
    )
    found = readable_png(data)
    assert found.damage == "the end of the picture data is missing"
    assert pixels_of(found.data).shape == (18, 20, 3)


def test_what_has_no_pixels_left_is_an_error(crop: NDArray[np.uint8]) -> None:
    whole = saved(Image.fromarray(crop))
    with pytest.raises(ValueError, match="nothing"):
        readable_png(whole[:45])
    with pytest.raises(ValueError, match="header"):
        readable_png(SIGNATURE + whole[33:80])
