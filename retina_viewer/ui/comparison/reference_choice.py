"""The reference that the person gave: read and checked in the background, made anew by need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.superres.enhance_settings import Scale
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.comparison.reference import Reference, reference_from, trial_of
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.services import Services

NONE = (
    "Without a reference no PSNR, SSIM or LPIPS exists: nothing here says which picture is truer."
)


class ReferenceChoice(QObject):
    """At most one reference for the open photograph.

    Args:
        key: of its background job.
    """

    changed = Signal()
    failed = Signal(object)
    """(UserError or Exception): it was refused; what was there before stays."""

    def __init__(self, services: Services, jobs: Jobs, key: str, parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._jobs, self._key = services, jobs, key
        self._photo: Photo | None = None
        self._scale: Scale = 4
        self._given: Reference | None = None

    def at(self, scale: Scale) -> Reference | None:
        """The reference, where it is one for this scale."""
        given = self._given
        return given if given is not None and given.scale == scale else None

    @property
    def is_given(self) -> bool:
        return self._given is not None

    @property
    def is_working(self) -> bool:
        return self._jobs.is_active(self._key)

    def words(self, scale: Scale) -> str:
        """What the figures stand on, in a sentence."""
        given = self._given
        if self.is_working:
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

    def set_photo(self, photo: Photo | None) -> None:
        """Another photograph: the reference was not for this one."""
        self._photo = photo
        self.clear()

    def set_scale(self, scale: Scale) -> None:
        """A test by shrinking follows the scale."""
        self._scale = scale
        given = self._given
        if given is not None and given.is_trial and given.scale != scale:
            self.use_photo_itself()

    def clear(self) -> None:
        self._jobs.cancel(self._key)
        self._given = None
        self.changed.emit()

    def end(self) -> None:
        """Prepare nothing any more."""
        self._jobs.cancel(self._key)

    def use_photo_itself(self) -> None:
        """Shrink the photograph and compare with what it was."""
        photo, scale = self._photo, self._scale
        if photo is not None:
            self._prepare(lambda: trial_of(photo, scale))

    def open(self, path: Path) -> None:
        """Take an image file as the reference, if it is one."""
        photo, scale = self._photo, self._scale
        if photo is None:
            self.failed.emit(
                UserError("There is no photograph to compare with.", "Open one in the window.")
            )
            return
        opened, read = photo, self._services.open_image
        self._prepare(lambda: reference_from(opened, read(path, 0), scale))

    def _prepare(self, make: Callable[[], Reference]) -> None:
        def work(progress: Progress) -> Reference:
            progress(0.0, "")
            return make()

        def done(reference: Reference) -> None:
            self._given = reference
            self.changed.emit()

        def failed(error: Exception) -> None:
            if self._given is not None and self._given.is_trial:
                self._given = None  # a test of another scale says nothing of this one
            self.failed.emit(error)
            self.changed.emit()

        self._jobs.submit(self._key, work, done, failed=failed, title="reference")
        self.changed.emit()
