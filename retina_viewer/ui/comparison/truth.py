"""What is seen while O is held: the reference where there is one, else the original."""

from __future__ import annotations

from retina_viewer.ui.canvas.photo import Photo, origin_chips
from retina_viewer.ui.canvas.scene import Chip, Content, Scene, Source
from retina_viewer.ui.canvas.tile_requests import Wanted
from retina_viewer.ui.comparison.enlarging import Look
from retina_viewer.ui.comparison.reference import Reference


def truth_scene(photo: Photo, reference: Reference | None, look: Look) -> Scene:
    """The scene of every pane while O is held."""
    camera, um = look.camera, photo.image.um_per_px
    if reference is None:
        chips = origin_chips(photo.image, smoothed=camera.zoom > 1)
        return Scene(camera, look.original, chips=chips, um_per_px=um)
    chip = Chip(f"REFERENCE ×{reference.scale}", Source.CAMERA)
    region = camera.visible(*look.size, photo.bounds)
    wanted = Wanted(reference.recipe, region, camera.x, camera.y)
    return Scene(
        camera,
        look.original,
        content=Content.RESULT,
        result_chips=(chip,),
        recipe=reference.recipe,
        tiles=reference.tiles.in_view(wanted, photo.bounds),
        um_per_px=um,
    )
