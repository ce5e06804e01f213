"""What is seen while O is held: the reference where there is one, else the original."""

from __future__ import annotations

from retina_viewer.ui.canvas.scene import Chip, Content, Scene, Source
from retina_viewer.ui.comparison.enlarging import Look
from retina_viewer.ui.comparison.reference import Reference
from retina_viewer.ui.photo import Photo, origin_chips


def truth_scene(photo: Photo, reference: Reference | None, look: Look) -> Scene:
    """The scene of every pane while O is held."""
    um = photo.image.um_per_px
    if reference is None:
        chips = origin_chips(photo.image, smoothed=look.camera.zoom > 1)
        return Scene(look.camera, chips=chips, um_per_px=um)
    chip = Chip(f"REFERENCE ×{reference.scale}", Source.CAMERA)
    return Scene(
        look.camera,
        content=Content.RESULT,
        result_chips=(chip,),
        recipe=reference.recipe,
        um_per_px=um,
    )
