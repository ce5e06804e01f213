"""Tiles: the same pixels as the whole, computed once."""

import threading
import time
from dataclasses import replace
from typing import Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot

from retina_viewer.core.geometry import Rect
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import no_progress
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.readers import open_image
from retina_viewer.superres.enhance_settings import SCALES, EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer, FloatImage
from retina_viewer.superres.methods import make_enhancer
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.canvas.scene import Camera, Tone
from retina_viewer.ui.canvas.tile_requests import TileKey, TileRequest, Wanted
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.services import Services, project_services
from retina_viewer.ui.view.enhancer_cache import EnhancerCache, enhance_part
from retina_viewer.ui.view.tile_loader import TileLoader


@pytest.fixture(scope="module")
def image() -> FundusImage:
    whole = open_image(resources_dir() / "samples" / "chase_14L.jpg")
    return FundusImage.from_array(whole.display_rgb[400:470, 420:510].copy())


@given(data=st.data(), scale=st.sampled_from(SCALES[:2]))
def test_a_tile_is_the_crop_of_the_whole_result(
    image: FundusImage, data: st.DataObject, scale: int
) -> None:
    x = data.draw(st.integers(0, image.width - 1))
    y = data.draw(st.integers(0, image.height - 1))
    rect = Rect(
        x,
        y,
        data.draw(st.integers(1, image.width - x)),
        data.draw(st.integers(1, image.height - y)),
    )
    enhancer = make_enhancer(EnhanceSettings("bicubic").at(scale))
    whole = enhancer.enhance_region(image.unit_rgb(), image.bounds)
    part = enhance_part(enhancer, image, rect)
    np.testing.assert_allclose(part, whole[rect.scaled(scale).slices()], atol=2e-6)


class Counting:
    """An enhancer that counts what it is asked for."""

    def __init__(self, inner: Enhancer) -> None:
        self._inner = inner
        self.regions: list[Rect] = []
        self.method, self.model, self.scale = inner.method, inner.model, inner.scale
        self.margin, self.whole_image_only = inner.margin, inner.whole_image_only
        self.degradation, self.fidelity = inner.degradation, inner.fidelity
        self.back_projection = inner.back_projection
        self.fitted = 0

    def fitted_to(self, rgb: FloatImage) -> Self:
        self.fitted += 1
        return self

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        self.regions.append(region)
        return self._inner.enhance_region(rgb, region)


@pytest.fixture
def counting() -> tuple[Services, Counting]:
    enhancer = Counting(make_enhancer(EnhanceSettings("bicubic", 4)))
    return replace(project_services(), make_enhancer=lambda settings: enhancer), enhancer


def _request(tone: Tone) -> TileRequest:
    return TileRequest("photo", EnhanceSettings("pixel", 4, model="counting"), tone)


def test_another_tone_computes_nothing_again(
    image: FundusImage, counting: tuple[Services, Counting]
) -> None:
    services, enhancer = counting
    enhancers, photo = EnhancerCache(services), Photo(image, "photo")
    tiles: dict[Tone, NDArray[np.uint8]] = {}
    for tone in Tone:
        key = TileKey(_request(tone), Rect(0, 0, 48, 48))
        tiles[tone] = enhancers.tile(photo, key, no_progress).levels[0].pixels
    assert len(enhancer.regions) == 1
    assert enhancer.fitted == 1
    assert np.ptp(tiles[Tone.RED_FREE][..., :3], axis=-1).max() == 0
    assert (tiles[Tone.CLAHE] != tiles[Tone.COLOUR]).any()


def test_what_is_shown_comes_first_and_then_a_ring_around_it(
    qtbot: QtBot, counting: tuple[Services, Counting]
) -> None:
    services, _ = counting
    whole = open_image(resources_dir() / "samples" / "chase_14L.jpg")
    jobs = Jobs()
    try:
        loader = TileLoader(EnhancerCache(services), jobs)
        order: list[Rect] = []
        loader.tile_ready.connect(order.append)
        camera = Camera(432, 432, 4)  # the centre of a tile of 96 px
        shown = camera.visible(360, 360, whole.bounds)
        wanted = Wanted(_request(Tone.COLOUR), shown, camera.x, camera.y)
        loader.show(Photo(whole, "photo"), "kind", [[wanted]])
        qtbot.waitUntil(lambda: not loader.is_working)
        assert order[0] == Rect(384, 384, 96, 96)
        in_view = [tile.intersected(shown).area > 0 for tile in order]
        assert in_view == sorted(in_view, reverse=True)
        assert in_view.count(False) > 0
        assert loader.cache.share(wanted, whole.bounds) == 1
        assert loader.waited is not None
    finally:
        jobs.close()


def test_a_new_choice_forgets_the_tile_under_way(
    qtbot: QtBot, image: FundusImage, slow_services: tuple[Services, threading.Event]
) -> None:
    services, gate = slow_services
    jobs = Jobs()
    try:
        loader = TileLoader(EnhancerCache(services), jobs)
        photo, done = Photo(image, "photo"), list[Rect]()
        loader.tile_ready.connect(done.append)
        wanted = Wanted(_request(Tone.COLOUR), Rect(0, 0, 40, 40), 20, 20)
        with qtbot.waitSignal(jobs.started):
            loader.show(photo, "x4", [[wanted]])
        loader.show(photo, "nothing", [])
        gate.set()
        qtbot.wait(50)
        assert done == []
        assert len(loader.cache) == 0
    finally:
        jobs.close()


def test_what_a_person_waited_is_counted_from_the_request(
    qtbot: QtBot, image: FundusImage, counting: tuple[Services, Counting]
) -> None:
    """Computing takes milliseconds here, but the worker is busy with something else before."""
    services, _ = counting
    jobs, photo, waits = Jobs(), Photo(image, "photo"), list[float]()
    try:
        loader = TileLoader(EnhancerCache(services), jobs)
        loader.finished.connect(waits.append)
        jobs.submit("other", lambda progress: time.sleep(0.3), lambda _: None, lane=Lane.TILES)
        start = time.monotonic()
        shown = [[Wanted(_request(Tone.COLOUR), Rect(0, 0, 40, 40), 20, 20)]]
        loader.show(photo, "x4", shown)
        qtbot.waitUntil(lambda: len(waits) == 1)
        assert 0.3 <= waits[0] <= time.monotonic() - start
        assert loader.waited == waits[0]
        # What is there already is not waited for; another choice is another wait.
        loader.show(photo, "x4", shown)
        assert loader.waited == waits[0]
        loader.show(photo, "sharper", shown)
        qtbot.wait(20)
        assert [loader.waited, len(waits)] == [None, 1]
        # The photograph was asked for five seconds before it was read.
        other = [[Wanted(_request(Tone.RED_FREE), Rect(0, 0, 40, 40), 20, 20)]]
        loader.show(photo, "another", other, asked_at=time.monotonic() - 5)
        qtbot.waitUntil(lambda: len(waits) == 2)
        assert waits[1] >= 5
    finally:
        jobs.close()


def test_nobody_waits_while_the_work_is_stopped(
    qtbot: QtBot, image: FundusImage, counting: tuple[Services, Counting]
) -> None:
    services, _ = counting
    jobs, photo, waits = Jobs(), Photo(image, "photo"), list[float]()
    try:
        loader = TileLoader(EnhancerCache(services), jobs)
        loader.finished.connect(waits.append)
        shown = [[Wanted(_request(Tone.COLOUR), Rect(0, 0, 40, 40), 20, 20)]]
        loader.show(photo, "x4", shown, asked_at=time.monotonic() - 60)
        loader.stop()
        loader.resume()
        qtbot.waitUntil(lambda: len(waits) == 1)
        assert waits[0] < 60
    finally:
        jobs.close()
