import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.imaging.field_of_view import FieldOfView, find_field_of_view
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.readers import open_image

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def dice(found: Mask, truth: Mask) -> float:
    return 2 * np.count_nonzero(found & truth) / (np.count_nonzero(found) + np.count_nonzero(truth))


def resized(image: Bytes, width: int) -> Bytes:
    height = round(image.shape[0] * width / image.shape[1])
    way = cv2.INTER_AREA if width < image.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=way), np.uint8)


@pytest.fixture(scope="module")
def photographs(samples: Path) -> dict[str, tuple[Bytes, Mask]]:
    """The photographs that have masks: all of the circle in the frame, and cut by it."""
    names = {"chase_14L.jpg": "chase_14L_fov.png", "hrf_08_h.jpg": "hrf_08_h_fov.png"}
    found = {}
    for name, mask in names.items():
        truth = np.asarray(open_image(samples / mask).pixels[..., 0] > 127)
        found[name] = (open_image(samples / name).display_rgb, truth)
    return found


@pytest.mark.parametrize("name", ["chase_14L.jpg", "hrf_08_h.jpg"])
@pytest.mark.parametrize("width", [200, 565, 1500, 4000])
def test_agrees_with_the_given_mask_at_any_size(
    photographs: dict[str, tuple[Bytes, Mask]], name: str, width: int
) -> None:
    photograph, truth = photographs[name]
    view = find_field_of_view(resized(photograph, width))
    expected = resized(truth.astype(np.uint8) * 255, width) > 127
    assert dice(view.mask, expected) > 0.99
    assert not view.is_whole_image


@pytest.mark.parametrize("name", ["chase_14L.jpg", "hrf_08_h.jpg"])
def test_the_circle_scales_with_the_photograph(
    photographs: dict[str, tuple[Bytes, Mask]], name: str
) -> None:
    photograph, _ = photographs[name]
    whole = find_field_of_view(photograph)
    for width in (200, 283, 1024, 1500):
        scale = width / photograph.shape[1]
        view = find_field_of_view(resized(photograph, width))
        assert view.diameter == pytest.approx(whole.diameter * scale, rel=0.01)
        assert view.centre_x == pytest.approx(whole.centre_x * scale, abs=0.005 * width)
        assert view.centre_y == pytest.approx(whole.centre_y * scale, abs=0.005 * width)


def test_the_diameter_is_that_of_the_circle_not_of_what_is_left(samples: Path) -> None:
    photograph = open_image(samples / "hrf_08_h.jpg")
    view = photograph.field_of_view
    assert view.diameter > 1.3 * photograph.height
    assert view.diameter == pytest.approx(3260, rel=0.005)


@pytest.mark.parametrize("name", ["idrid_53_half.jpg", "fives_28_A.png"])
def test_other_cameras(samples: Path, name: str) -> None:
    # Without given masks: the columns where brightness crosses 40 at the height of the centre.
    photograph = open_image(samples / name)
    view = photograph.field_of_view
    left, right = {"idrid_53_half.jpg": (136, 1842), "fives_28_A.png": (6, 1010)}[name]
    assert view.centre_x - view.diameter / 2 == pytest.approx(left, abs=3)
    assert view.centre_x + view.diameter / 2 == pytest.approx(right, abs=3)


def test_a_label_in_the_corner_is_outside(samples: Path) -> None:
    photograph = open_image(samples / "fives_28_A.png")
    corner = photograph.pixels[:40, :40]
    assert corner.max() > 200
    assert not photograph.field_of_view.mask[:40, :40].any()


def test_grey_and_sixteen_bits_agree_with_colour(
    photographs: dict[str, tuple[Bytes, Mask]],
) -> None:
    photograph, truth = photographs["chase_14L.jpg"]
    grey = FundusImage.from_array(photograph[..., 1])
    assert dice(grey.field_of_view.mask, truth) > 0.98
    deep = FundusImage.from_array((photograph.astype(np.uint16) * 257).astype(np.uint16))
    np.testing.assert_array_equal(deep.field_of_view.mask, find_field_of_view(photograph).mask)


def test_a_dark_photograph(photographs: dict[str, tuple[Bytes, Mask]]) -> None:
    photograph, truth = photographs["chase_14L.jpg"]
    dark = (photograph // 5).astype(np.uint8)
    assert dice(find_field_of_view(dark).mask, truth) > 0.98


def test_shadow_at_the_rim_belongs_to_the_field_of_view(
    photographs: dict[str, tuple[Bytes, Mask]],
) -> None:
    photograph, truth = photographs["chase_14L.jpg"]
    ramp = np.clip((np.arange(photograph.shape[1]) - 120) / 300, 0, 1)[None, :, None]
    shadowed = (photograph * ramp).astype(np.uint8)
    assert dice(find_field_of_view(shadowed).mask, truth) > 0.98


def test_a_photograph_without_border_is_all_retina(
    photographs: dict[str, tuple[Bytes, Mask]],
) -> None:
    photograph, _ = photographs["chase_14L.jpg"]
    view = find_field_of_view(photograph[250:700, 250:750])
    assert view.is_whole_image
    assert not view.is_empty
    assert view.mask.all()
    assert (view.centre_x, view.centre_y, view.diameter) == (250, 225, 500)


@pytest.mark.parametrize("level", [0, 5])
def test_a_black_image_is_flagged(level: int) -> None:
    view = find_field_of_view(np.full((80, 120, 3), level, np.uint8))
    assert view.is_empty
    assert view.is_whole_image
    assert view.mask.all()
    assert "black" in view.doubt


def test_a_bright_image_is_not_black() -> None:
    view = find_field_of_view(np.full((80, 120, 3), 180, np.uint8))
    assert view.is_whole_image
    assert "black" not in view.doubt


def blue_in_the_dark(*, is_round: bool) -> NDArray[np.uint8]:
    """``(300, 400, 3)``: a disk or a rectangle of blues."""
    y, x = np.mgrid[:300, :400]
    lit = (
        np.hypot(x - 200, y - 150) < 120 if is_round else (abs(x - 200) < 150) & (abs(y - 150) < 90)
    )
    picture = np.stack([40 + x // 10, 60 + y // 10, 140 + (x + y) // 10], axis=-1)
    return np.where(lit[..., None], picture, 0).astype(np.uint8)


def test_what_is_round_but_unlike_a_retina_is_said_and_not_refused() -> None:
    view = find_field_of_view(blue_in_the_dark(is_round=True))
    assert view.doubt == "This does not look like a photograph of a retina."
    assert not view.is_empty
    assert view.diameter == pytest.approx(240, abs=3)


def test_what_is_neither_round_nor_like_a_retina_is_empty() -> None:
    view = find_field_of_view(blue_in_the_dark(is_round=False))
    assert view.doubt == "No retina was found: its colours are not those of a retina."
    assert view.is_empty


@pytest.mark.parametrize("sides", ["top and bottom", "left"])
def test_straight_stops_are_outside(photographs: dict[str, tuple[Bytes, Mask]], sides: str) -> None:
    photograph, truth = photographs["chase_14L.jpg"]
    stopped, expected = photograph.copy(), truth.copy()
    cut = np.s_[:120], np.s_[850:] if sides == "top and bottom" else np.s_[:, :130]
    for part in cut if sides == "top and bottom" else (cut[1],):
        stopped[part] = 0
        expected[part] = False
    view = find_field_of_view(stopped)
    assert dice(view.mask, expected) > 0.985
    assert view.diameter == pytest.approx(find_field_of_view(photograph).diameter, rel=0.01)


def test_a_rim_that_is_no_circle_keeps_its_form(
    photographs: dict[str, tuple[Bytes, Mask]],
) -> None:
    photograph, _ = photographs["chase_14L.jpg"]
    framed = np.zeros((900, 700, 3), np.uint8)
    framed[200:700, 100:600] = photograph[230:730, 240:740]
    truth = np.zeros((900, 700), bool)
    truth[200:700, 100:600] = True
    view = find_field_of_view(framed)
    assert dice(view.mask, truth) > 0.98
    assert not view.is_whole_image
    assert view.diameter == pytest.approx(500, abs=10)


@pytest.fixture(scope="module")
def texture(samples: Path) -> Bytes:
    """Retina without border, mirrored to 800 x 800."""
    quarter = open_image(samples / "chase_14L.jpg").pixels[250:650, 250:650]
    half = np.concatenate([quarter, quarter[::-1]])
    return np.concatenate([half, half[:, ::-1]], axis=1).astype(np.uint8)


def disk_of(texture: Bytes, size: tuple[int, int], x: float, y: float, radius: float) -> Bytes:
    height, width = size
    rows, columns = np.mgrid[:height, :width] + 0.5
    # A soft edge of one pixel, and a border as dark as that of a real camera.
    inside = np.clip(radius - np.hypot(columns - x, rows - y) + 0.5, 0, 1)[..., None]
    noise = np.random.default_rng(0).integers(0, 6, (height, width, 3))
    return np.asarray(inside * texture[:height, :width] + (1 - inside) * noise, np.uint8)


@settings(max_examples=40)
@given(
    width=st.integers(220, 800),
    height=st.integers(220, 800),
    across=st.floats(0.45, 0.55),
    down=st.floats(0.4, 0.6),
    size=st.floats(0.35, 0.6),
)
@example(width=400, height=300, across=0.5, down=0.5, size=0.48)
@pytest.mark.slow
def test_a_disk_is_found_wherever_it_lies(
    texture: Bytes, width: int, height: int, across: float, down: float, size: float
) -> None:
    x, y, radius = across * width, down * height, size * max(width, height)
    view = find_field_of_view(disk_of(texture, (height, width), x, y, radius))
    rows, columns = np.mgrid[:height, :width] + 0.5
    truth = np.hypot(columns - x, rows - y) <= radius
    assert dice(view.mask, truth) > 0.985
    rim_seen = 1 - truth.mean()
    if rim_seen > 0.1:
        # Where little of the rim is seen, the search found 2.1 and 2.5 %.
        assert view.diameter == pytest.approx(2 * radius, rel=0.03)
        assert (view.centre_x, view.centre_y) == pytest.approx((x, y), abs=0.03 * radius)


@settings(max_examples=20)
@given(st.integers(16, 60), st.integers(16, 60), st.integers(0, 100))
def test_anything_gives_a_mask_of_its_size(height: int, width: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    view = find_field_of_view(noise)
    assert view.mask.shape == (height, width)
    assert view.mask.any()
    assert view.diameter > 0


def disks(side: int, places: list[tuple[float, float]], radius: float, paper: int = 0) -> Bytes:
    """Shaded orange disks with a darker line across them, on black or on paper."""
    rows, columns = np.mgrid[:side, :side] + 0.5
    picture = np.full((side, side, 3), paper, np.uint8)
    for x, y in places:
        away = np.hypot(columns - x, rows - y) / radius
        shade = 1 - 0.4 * away**2 - 0.2 * (np.abs(rows - y) < radius / 20)
        orange = np.rint(shade[..., None] * (200, 95, 40)).clip(0, 255).astype(np.uint8)
        picture[away <= 1] = orange[away <= 1]
    return picture


@pytest.mark.parametrize("paper", [0, 250])
@pytest.mark.parametrize(
    ("places", "radius"),
    [
        ([(130, 200), (370, 300)], 90),
        ([(150, 250), (350, 250)], 100),  # they touch
        ([(100 * x + 50, 100 * y + 50) for x in range(0, 5, 2) for y in range(0, 5, 2)], 45),
    ],
)
def test_each_photograph_in_a_picture_is_found(
    places: list[tuple[float, float]], radius: float, paper: int
) -> None:
    view = find_field_of_view(disks(500, places, radius, paper))
    rows, columns = np.mgrid[:500, :500] + 0.5
    truth = np.zeros((500, 500), bool)
    for x, y in places:
        truth |= np.hypot(columns - x, rows - y) <= radius
    assert dice(view.mask, truth) > 0.97
    assert len(view.circles) == len(places)
    assert view.diameter == pytest.approx(2 * radius, rel=0.04)
    assert all(circle.radius == pytest.approx(radius, rel=0.05) for circle in view.circles)
    assert f"{len(places)} photographs" in view.doubt


def test_the_largest_of_several_gives_centre_and_diameter(
    photographs: dict[str, tuple[Bytes, Mask]],
) -> None:
    photograph, truth = photographs["chase_14L.jpg"]
    small = resized(photograph, 400)
    picture = np.zeros((960, 1450, 3), np.uint8)
    picture[300 : 300 + len(small), :400] = small
    picture[:, 450:1449] = photograph
    alone, view = find_field_of_view(photograph), find_field_of_view(picture)
    assert (view.centre_x, view.centre_y) == pytest.approx(
        (alone.centre_x + 450, alone.centre_y), abs=4
    )
    assert view.diameter == pytest.approx(alone.diameter, rel=0.01)
    assert len(view.others) == 1
    assert dice(view.mask[:, 450:1449], truth) > 0.98


@pytest.mark.parametrize("frame", ["paper at once", "its own surround"])
def test_paper_around_a_photograph_is_outside(
    photographs: dict[str, tuple[Bytes, Mask]], frame: str
) -> None:
    photograph, truth = photographs["chase_14L.jpg"]
    pasted = photograph.copy()
    if frame == "paper at once":
        pasted[~truth] = 250
    page = np.full((1400, 1200, 3), 250, np.uint8)
    page[1300:1304, 100:1100] = 0  # a line, as under a report
    page[200:1160, 100:1099] = pasted
    view = find_field_of_view(page)
    expected = np.zeros((1400, 1200), bool)
    expected[200:1160, 100:1099] = truth
    assert dice(view.mask, expected) > 0.98
    assert view.doubt == ""


def page_of_text(white: int) -> Bytes:
    """Lines of strokes, four pixels wide, as print looks at this size."""
    page = np.full((600, 450, 3), white, np.uint8)
    strokes = np.random.default_rng(0).random((600, 112)) > 0.5
    wide = np.repeat(strokes, 4, axis=1)[:, :390]
    lines = (np.arange(600) % 12 < 7)[:, None]
    page[30:570, 30:420][(np.repeat(wide[::3], 3, axis=0)[:600] & lines)[30:570]] = 20
    return page


@pytest.mark.parametrize(
    ("picture", "word"),
    [
        (np.zeros((80, 120, 3), np.uint8), "black"),
        (np.full((80, 120, 3), (120, 60, 30), np.uint8), "single colour"),
        (np.full((80, 120, 3), 255, np.uint8), "page"),
        (page_of_text(250), "page"),
        (page_of_text(150), "page"),
        (np.random.default_rng(0).integers(0, 256, (90, 90, 3)).astype(np.uint8), "colours"),
    ],
)
def test_what_holds_no_retina_is_empty_and_says_so(picture: Bytes, word: str) -> None:
    view = find_field_of_view(picture)
    assert view.is_empty
    assert view.circles == ()
    assert view.mask.all()
    assert word in view.doubt


@pytest.mark.parametrize(
    "name", ["chase_14L.jpg", "hrf_08_h.jpg", "idrid_53_half.jpg", "fives_28_A.png"]
)
def test_no_photograph_of_a_retina_is_doubted(samples: Path, name: str) -> None:
    photograph = resized(open_image(samples / name).display_rgb, 800)
    height, width = photograph.shape[:2]
    middle = photograph[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    grey = np.repeat(photograph[..., 1:2], 3, axis=2)
    sharpened = cv2.createCLAHE(3, (8, 8)).apply(np.ascontiguousarray(photograph[..., 1]))
    for variant in (
        photograph, middle, grey, photograph // 5, resized(photograph, 100),
        np.repeat(sharpened[..., None], 3, axis=2),
    ):  # fmt: skip
        view = find_field_of_view(np.ascontiguousarray(variant))
        assert (view.doubt, view.is_empty, view.others) == ("", False, ())


@settings(max_examples=40)
@given(st.integers(16, 40), st.integers(16, 3000), st.booleans(), st.integers(0, 3))
@example(23, 30, True, 1)
@example(16, 40_000, False, 0)
@example(16, 40_000, True, 2)
def test_tiny_and_narrow_pictures_give_a_field(
    short: int, long: int, wide: bool, kind: int
) -> None:
    height, width = (short, long) if wide else (long, short)
    rows, columns = np.mgrid[:height, :width] + 0.5
    picture = np.zeros((height, width, 3), np.uint8)
    if kind == 1:  # a disk
        away = np.hypot(columns - width / 2, rows - height / 2) / (0.48 * short)
        picture[away < 1] = (200, 95, 40)
    elif kind == 2:  # lit beside a dark end
        picture[:, width // 2 :] = (200, 95, 40)
    elif kind == 3:
        picture[...] = np.random.default_rng(long).integers(0, 256, picture.shape)
    view = find_field_of_view(picture)
    assert view.mask.shape == (height, width)
    assert view.mask.any()
    assert view.diameter > 0
    assert np.isfinite((view.centre_x, view.centre_y, view.diameter)).all()


def test_twelve_megapixels_take_a_tenth_of_a_second(samples: Path) -> None:
    photograph = open_image(samples / "hrf_08_h.jpg").pixels
    large = np.asarray(cv2.resize(photograph, (4288, 2848)), np.uint8)

    def seconds() -> float:
        start = time.process_time()
        find_field_of_view(large)
        return time.process_time() - start

    # The processor's time, and the best of five: other programs may be running.
    assert min(seconds() for _ in range(5)) < 0.1


def test_the_view_is_a_plain_record() -> None:
    view = FieldOfView(np.ones((4, 6), np.bool_), 3, 2, 6)
    assert not view.is_whole_image
    assert not view.is_empty
