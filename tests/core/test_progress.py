import pytest
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.core.errors import Cancelled
from retina_viewer.core.progress import no_progress, part_of

fractions = st.floats(0, 1)


@given(fractions, fractions, fractions)
def test_part_maps_onto_its_share(first: float, second: float, fraction: float) -> None:
    start, end = sorted((first, second))
    seen: list[tuple[float, str]] = []
    part_of(lambda done, what: seen.append((done, what)), start, end)(fraction, "tiles")
    ((reported, what),) = seen
    assert reported == pytest.approx(start + fraction * (end - start))
    assert what == "tiles"


def test_cancelling_passes_through_a_part() -> None:
    def cancel(fraction: float, what: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        part_of(cancel, 0.2, 0.4)(0.5, "tiles")


def test_no_progress_accepts_anything() -> None:
    assert no_progress(0.5, "tiles") is None  # type: ignore[func-returns-value]
