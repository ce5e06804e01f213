import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.imaging.circles import Circle, disk_mask, fit_circle, fit_circle_robustly

coordinates = st.floats(-500, 500)
radii = st.floats(20, 400)


def arc(
    x: float, y: float, radius: float, start: float, span: float, n: int
) -> NDArray[np.float64]:
    angles = start + np.linspace(0, span, n)
    return np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles)])


@given(coordinates, coordinates, radii, st.floats(0, 6), st.floats(1, 6))
def test_points_on_a_circle_give_it_back(
    x: float, y: float, radius: float, start: float, span: float
) -> None:
    circle = fit_circle(arc(x, y, radius, start, span, 25))
    assert circle is not None
    assert (circle.x, circle.y) == pytest.approx((x, y), abs=1e-4)
    assert circle.radius == pytest.approx(radius, abs=1e-4)


@given(coordinates, coordinates, radii, st.integers(0, 1000))
def test_a_third_of_strangers_does_not_matter(x: float, y: float, radius: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    rim = arc(x, y, radius, 0, 6, 200) + draw.normal(0, 0.2, (200, 2))
    strangers = draw.uniform((x - radius, y - radius), (x + radius, y + radius), (100, 2))
    found = fit_circle_robustly(np.concatenate([rim, strangers]), 1.0, (10, 500))
    assert found is not None
    assert (found.x, found.y) == pytest.approx((x, y), abs=0.5)
    assert found.radius == pytest.approx(radius, abs=0.5)


def test_the_same_points_give_the_same_circle() -> None:
    points = np.random.default_rng(3).uniform(0, 300, (80, 2))
    first = fit_circle_robustly(points, 2.0, (20, 300))
    assert first is not None
    assert fit_circle_robustly(points, 2.0, (20, 300)) == first


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((0, 2)),
        np.array([[0.0, 0.0], [1.0, 1.0]]),
        np.ones((9, 2)),
        np.column_stack([np.arange(9.0), 2 * np.arange(9.0)]),
    ],
    ids=["none", "two", "one place", "a line"],
)
def test_no_circle_through_too_little(points: NDArray[np.float64]) -> None:
    assert fit_circle(points) is None
    assert fit_circle_robustly(points, 1.0, (1, 100)) is None


def test_circles_of_other_sizes_are_not_found() -> None:
    assert fit_circle_robustly(arc(0, 0, 50, 0, 6, 60), 1.0, (80, 200)) is None


def test_distances_are_signed() -> None:
    points = np.array([[13.0, 0.0], [8.0, 0.0], [0.0, 10.0]])
    np.testing.assert_allclose(Circle(0, 0, 10).distances(points), [3, -2, 0])


@given(st.floats(-20, 80), st.floats(-20, 70), st.floats(1, 90), st.booleans())
def test_a_disk_holds_the_pixels_whose_centres_it_holds(
    x: float, y: float, radius: float, framed: bool
) -> None:
    rows, columns = np.mgrid[:50, :60] + 0.5
    expected = np.hypot(columns - x, rows - y) <= radius
    frame = (5.0, 40.0, 7.0, 55.0) if framed else None
    if framed:
        expected &= (rows > 5) & (rows < 40) & (columns > 7) & (columns < 55)
    found = disk_mask((50, 60), Circle(x, y, radius), frame)
    # A centre exactly on the circle may fall either way.
    doubtful = np.abs(np.hypot(columns - x, rows - y) - radius) < 1e-6
    assert not ((found != expected) & ~doubtful).any()
