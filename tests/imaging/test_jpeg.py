import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.jpeg import load_jpeg
from retina_viewer.imaging.readers import open_image, thumbnail

KINDS: dict[str, dict[str, object]] = {
    "plain": {},
    "progressive": {"progressive": True},
    "optimized": {"optimize": True},
    "full colour": {"subsampling": 0},
    "restart every row": {"restart_marker_rows": 1},
    "restart every block": {"restart_marker_blocks": 1},
}


@pytest.fixture(scope="module")
def picture(samples: Path) -> Image.Image:
    """Large enough for 2 KB to be a part of it, with a dark border."""
    with Image.open(samples / "chase_14L.jpg") as image:
        return image.convert("RGB")


def saved(image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=85, **options)
    return stream.getvalue()


def decoded(data: bytes) -> tuple[NDArray[np.uint8], str]:
    image, damage = load_jpeg(JpegImagePlugin.JpegImageFile(io.BytesIO(data)), data)
    return np.asarray(image), damage


def as_pillow_has_it(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_whole_files_are_whole(picture: Image.Image, options: dict[str, object], mode: str) -> None:
    whole = saved(picture.resize((333, 320)).convert(mode), **options)
    right = as_pillow_has_it(whole)
    # Also with what some cameras add: bytes before the end, a preview after it, or no end.
    for data in (
        whole,
        whole + whole,
        whole[:-2] + b"\0\xff\xd9",
        whole[:-2] + bytes(64),
        whole[:-2],
    ):
        pixels, damage = decoded(data)
        assert damage == ""
        np.testing.assert_array_equal(pixels, right)


def test_the_samples_are_whole(samples: Path) -> None:
    for path in samples.glob("*.jpg"):
        data = path.read_bytes()
        pixels, damage = decoded(data)
        assert damage == "", path.name
        np.testing.assert_array_equal(pixels, as_pillow_has_it(data))


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_torn_files_are_noticed(
    picture: Image.Image, options: dict[str, object], place: float
) -> None:
    whole = saved(picture, **options)
    at = int(len(whole) * place)
    zeroed, other, short = bytearray(whole), bytearray(whole), bytearray(whole)
    zeroed[at : at + 2048] = bytes(min(2048, len(whole) - at))
    other[at : at + 2048] = np.random.default_rng(0).integers(0, 255, 2048, np.uint8).tobytes()
    del short[at : at + 100]
    for data in (zeroed, other, short):
        assert decoded(bytes(data))[1]


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS.keys())
def test_a_cut_file_shows_its_beginning(picture: Image.Image, options: dict[str, object]) -> None:
    whole = saved(picture, **options)
    pixels, damage = decoded(whole[: int(len(whole) * 0.7)])
    assert damage == "the end of the picture data is missing"
    if "progressive" not in options:
        right = as_pillow_has_it(whole)
        np.testing.assert_array_equal(pixels[:200], right[:200])


def test_a_file_of_nothing_but_a_header_is_refused(picture: Image.Image) -> None:
    whole = saved(picture)
    with pytest.raises(OSError, match="nothing"):
        decoded(whole[: whole.index(b"\xff\xda") + 14])


def test_a_jpeg_of_thousands_of_passes_is_refused(picture: Image.Image) -> None:
    whole = saved(picture.resize((64, 64)), progressive=True)
    scan = whole.rindex(b"\xff\xda")
    with pytest.raises(OSError, match="too many parts"):
        decoded(whole[:-2] + whole[scan:-2] * 500 + whole[-2:])


def test_damage_reaches_the_photograph(tmp_path: Path, picture: Image.Image) -> None:
    data = bytearray(saved(picture))
    data[len(data) // 2 : len(data) // 2 + 2048] = bytes(2048)
    (tmp_path / "eye.jpg").write_bytes(data)
    assert open_image(tmp_path / "eye.jpg").damage
    assert max(thumbnail(tmp_path / "eye.jpg", 100).shape) == 100
    (tmp_path / "eye.jpg").write_bytes(data[:200])
    with pytest.raises(UserError, match="damaged or incomplete"):
        open_image(tmp_path / "eye.jpg")
