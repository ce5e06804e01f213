"""What results are measured against.

Two kinds: a photograph of the same scene that is larger by the scale, pixel on pixel; or the open
photograph itself, which is then shrunk, enlarged again, and compared with what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.imaging.degradation import crop_to_multiple, degrade, to_8bit
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.quality.metrics import Bytes, evaluation_mask
from retina_viewer.quality.registration import check_same_scene
from retina_viewer.superres.enhance_settings import SCALES, EnhanceSettings, Scale
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Camera, Tone
from retina_viewer.ui.canvas.tile_requests import (
    TileCache,
    TileKey,
    TileRequest,
    tile_side,
    tiles_over,
)
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.data import HeldReference
from retina_viewer.ui.view.view import View

KEY, TONED = "comparison reference", "comparison tone"
NONE = (
    "Without a reference no PSNR, SSIM or LPIPS exists: nothing here says which picture is truer."
)


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """What one photograph's results at one scale should be.

    Attributes:
        photo: what is enlarged: the open photograph, or its shrunk copy.
        scale: how many times larger the truth is.
        rgb8: ``(h * scale, w * scale, 3)`` uint8 sRGB, for a photograph of ``w`` x ``h``.
        mask: its field of view, eroded by ``2 * scale + 4`` pixels, ``(h * scale, w * scale)``.
        name: the file's name; empty where the photograph itself was shrunk.
    """

    photo: Photo
    scale: Scale
    rgb8: Bytes
    mask: NDArray[np.bool_]
    name: str = ""
    _shown: dict[Tone, HeldReference] = field(default_factory=dict)

    @property
    def is_trial(self) -> bool:
        """Whether the photograph was shrunk for it."""
        return not self.name

    def ready(self, tone: Tone) -> HeldReference | None:
        """What is drawn of it in a tone, or in another as long as that is not there."""
        return self._shown.get(tone) or next(iter(self._shown.values()), None)

    def shown(self, tone: Tone) -> HeldReference:
        """What is drawn of it in a tone: its pixels cut as results are, and found by the request of
        no method. Slow the first time, so call it in a worker."""
        if tone not in self._shown:
            settings = EnhanceSettings("reference", self.scale)
            request, tiles = TileRequest(self.photo.key, settings, tone), TileCache()
            tone_map, image = self.photo.toned(tone).tone_map, self.photo.bounds
            for rect in tiles_over(image, image, tile_side(self.scale)):
                part = self.rgb8[rect.scaled(self.scale).slices()]
                toned = tone_map.apply(part, x=rect.x, y=rect.y, scale=self.scale)
                tiles.put(TileKey(request, rect), Pyramid.from_rgb(toned))
            self._shown[tone] = HeldReference(request, tiles)
        return self._shown[tone]


def trial_of(photo: Photo, scale: Scale) -> GroundTruth:
    """The photograph as its own truth: shrunk by METHODS' forward model, to be enlarged again.

    Raises:
        UserError: the photograph is too small for it.
    """
    image = photo.image
    least = 32 * scale
    if min(image.width, image.height) < least:
        raise UserError(
            f"{image.name} is too small to be shrunk {scale} times.",
            f"Choose a smaller scale, or a photograph of at least {least} pixels a side.",
        )
    truth = crop_to_multiple(image.display_rgb, scale)
    small = to_8bit(degrade(truth.astype(np.float32) / np.float32(255), scale))
    shrunk = FundusImage.from_array(small, f"{image.stem}, shrunk ×{scale}")
    mask = crop_to_multiple(image.field_of_view.mask, scale)
    copy = Photo(shrunk, f"{photo.key} shrunk {scale}", label=f"SHRUNK ×{scale}")
    return GroundTruth(copy, scale, truth, evaluation_mask(mask, scale))


def scale_between(image: FundusImage, reference: FundusImage) -> int | None:
    """1, 2, 4, 8 or 16: how many times larger the reference is; None for none of these."""
    for scale in (1, *SCALES):
        if (reference.width // scale, reference.height // scale) == (image.width, image.height):
            return scale
    return None


def truth_from(photo: Photo, reference: FundusImage, scale: Scale) -> GroundTruth:
    """A given image as the truth, checked.

    Args:
        photo: the open photograph.
        reference: 2, 4, 8 or 16 times as large; or of its own size, then it is shrunk by ``scale``.

    Raises:
        UserError: it has another size, shows another scene, or is shifted.
    """
    image = photo.image
    found = scale_between(image, reference)
    if found is None:
        sizes = ", ".join(f"{image.width * s} × {image.height * s} (×{s})" for s in SCALES[:3])
        raise UserError(
            f"{reference.name} has {reference.width} × {reference.height} pixels; a reference of "
            f"this photograph has {sizes}, and so on.",
            "Give the same scene at one of these sizes, or the photograph itself: it is then "
            "shrunk and enlarged again.",
        )
    check_same_scene(image, reference, found)
    if found == 1:
        return trial_of(photo, scale)
    height, width = image.height * found, image.width * found
    truth = np.ascontiguousarray(reference.display_rgb[:height, :width])
    mask = reference.field_of_view.mask[:height, :width]
    chosen = next(one for one in SCALES if one == found)
    return GroundTruth(photo, chosen, truth, evaluation_mask(mask, chosen), reference.name)


class References(QObject):
    """The reference that the person gave, at most one: made in the background, made anew by need,
    shown by the view."""

    changed = Signal()
    """Another reference, or another photograph that is enlarged."""
    problem = Signal(object)
    """(Exception): it was refused; what was there before stays."""

    def __init__(self, view: View, services: Services, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._view, self._services, self._jobs = view, services, jobs
        self._given: GroundTruth | None = None
        self._is_following = False
        self.opened: Photo | None = None
        """The open photograph, also where its shrunk copy is shown."""
        view.photo_changed.connect(self._photo_changed)

    @property
    def truth(self) -> GroundTruth | None:
        """What the results are measured against, where there is something for this scale."""
        given = self._given
        return given if given is not None and given.scale == self._view.state.scale else None

    @property
    def is_given(self) -> bool:
        return self._given is not None

    @property
    def words(self) -> str:
        """What the figures stand on, in a sentence."""
        given, scale = self._given, self._view.state.scale
        if self._jobs.is_active(KEY):
            return "The reference is being prepared."
        if given is None:
            return NONE
        if given.scale != scale:
            return f"The reference {given.name} is ×{given.scale}: at ×{scale} no figure exists."
        if given.is_trial:
            image = given.photo.image
            return (
                f"Test: this photograph, shrunk to {image.width} × {image.height} px and enlarged "
                "again; the figures compare with what it was."
            )
        return f"The figures compare with {given.name}, inside its field of view."

    def open(self, path: Path) -> None:
        """Take an image file as the reference, if it is one."""
        read, scale = self._services.open_image, self._view.state.scale
        self._prepare(lambda photo: truth_from(photo, read(path, 0), scale))

    def use_photo_itself(self) -> None:
        """Shrink the photograph and compare with what it was."""
        scale = self._view.state.scale
        self._prepare(lambda photo: trial_of(photo, scale))

    def clear(self) -> None:
        """Show the open photograph, measured against nothing."""
        self._jobs.cancel(KEY)
        self._jobs.cancel(TONED)
        self._given = None
        self.follow()

    def _prepare(self, make: Callable[[Photo], GroundTruth]) -> None:
        photo, tone = self.opened, self._view.state.tone
        if photo is None:
            return

        def work(progress: Progress) -> GroundTruth:
            progress(0.0, "")
            truth = make(photo)
            truth.shown(tone)
            return truth

        def done(truth: GroundTruth) -> None:
            self._given = truth
            self.follow()

        def failed(error: Exception) -> None:
            if self._given is not None and self._given.is_trial:
                self._given = None  # a test of another scale says nothing of this one
            self.follow()
            self.problem.emit(error)

        self._jobs.submit(KEY, work, done, failed=failed, title="reference")
        self.changed.emit()

    def scale_changed(self) -> None:
        """A test by shrinking follows the scale."""
        if self._given is not None and self._given.is_trial and self.truth is None:
            self.use_photo_itself()
        self.follow()

    def follow(self) -> None:
        """Show what the reference is for, at the same place of the scene."""
        view, truth = self._view, self.truth
        photo, old = truth.photo if truth is not None else self.opened, view.photo
        if photo is not old and photo is not None and old is not None:
            factor = photo.bounds.width / old.bounds.width
            camera, loupe = view.state.camera, view.state.loupe_at
            at = camera and Camera(camera.x * factor, camera.y * factor, camera.zoom / factor)
            self._is_following = True
            view.show_photo(photo, at=at)
            self._is_following = False
            view.state.loupe_at = loupe and (loupe[0] * factor, loupe[1] * factor)
        view.set_reference(self._shown(truth) if truth is not None else None)
        self.changed.emit()

    def _shown(self, truth: GroundTruth) -> HeldReference | None:
        """In the chosen tone, as soon as it is there."""
        tone = self._view.state.tone
        ready = truth.ready(tone)
        if (ready is None or ready.request.tone is not tone) and not self._jobs.is_active(TONED):
            self._jobs.submit(TONED, lambda _: truth.shown(tone), lambda _: self.follow())
        return ready

    def _photo_changed(self, photo: Photo | None) -> None:
        """The reference was not for another photograph."""
        if not self._is_following:
            self.opened = photo
            if self.is_given or self._jobs.is_active(KEY):
                self.clear()
            self.changed.emit()
