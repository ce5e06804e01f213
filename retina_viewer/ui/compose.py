"""From the resolved view to what each pane paints. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from retina_viewer.ui.camera import Camera
from retina_viewer.ui.canvas.scene import Chip, Content, Scene, Source
from retina_viewer.ui.canvas.tiles import Recipe, is_worthwhile, scale_for
from retina_viewer.ui.making import Making
from retina_viewer.ui.resolved_view import LayerView, ResolvedView
from retina_viewer.ui.view_state import LayerName, Layout, Scale, Tone


@dataclass(frozen=True)
class Facts:
    """What the view does not know: the state of the photograph and of the work on it."""

    photo: str = ""
    um_per_px: float | None = None
    making: Making = Making("bicubic", 4)  # noqa: RUF009 (frozen)
    """What the person wants the result to be made with."""
    stand_in: Making | None = None
    """What was finished before a setting changed: shown until the new tiles come."""
    method_title: str = ""
    learned: bool = False
    tone: Tone | None = None
    """What the original is shown in now; a chosen tone takes a moment. None: what was chosen."""
    can_enhance: bool = True
    """False after the method has failed."""
    main_sharp: float = 0.0
    loupe_sharp: float = 0.0
    main_stands_in: bool = False
    """Whether tiles of the stand-in are in view."""
    loupe_stands_in: bool = False
    loupe_size: tuple[float, float] = (0.0, 0.0)
    """Of a loupe pane, in device pixels."""
    ruler: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Scenes:
    original: Scene
    result: Scene
    loupe_original: Scene
    loupe_result: Scene


def recipe_for(view: ResolvedView, facts: Facts, camera: Camera) -> Recipe | None:
    """How to enhance what this camera shows; None where it would not be seen or cannot be done."""
    if not view.has_image or not facts.can_enhance or not is_worthwhile(camera, view.image):
        return None
    scale = scale_for(camera, view.scale)
    return Recipe(facts.photo, facts.making.at(scale), view.tone)


def compose(view: ResolvedView, facts: Facts) -> Scenes:
    """The scenes of all panes, shown or not."""
    # The layers lie over the result alone: what is called the original stays the photograph.
    main, loupe = (
        Scene(
            camera,
            smooth=view.smooth,
            um_per_px=facts.um_per_px,
            ruler=facts.ruler,
            colour_map=view.colour_map,
            saliency_style=view.saliency_style,
        )
        for camera in (view.main, view.loupe)
    )
    mark = _loupe_part(view, facts) if view.loupe_shown else None
    main = replace(main, marked=mark)
    loupe = replace(loupe, crosshair=True)
    overview = view.overview and not view.whole
    split = view.layout is Layout.SLIDER
    return Scenes(
        original=replace(main, chips=original_chips(view, facts), overview=overview),
        result=replace(
            _result(main, view, facts, facts.main_sharp, facts.main_stands_in, split=split),
            overview=overview and view.layout is not Layout.SIDE_BY_SIDE,
            legend=bool(layers_over(view, facts)),
        ),
        loupe_original=replace(loupe, chips=(_loupe_chip(view),), note=_loupe_note(view)),
        loupe_result=_without_heat(
            _result(loupe, view, facts, facts.loupe_sharp, facts.loupe_stands_in, narrow=True)
        ),
    )


def _loupe_part(view: ResolvedView, facts: Facts) -> tuple[float, float, float, float]:
    width, height = (side / view.loupe.zoom for side in facts.loupe_size)
    return view.loupe.x - width / 2, view.loupe.y - height / 2, width, height


def _loupe_chip(view: ResolvedView) -> Chip:
    return Chip(f"ORIGINAL{_smoothed(view, view.loupe)}", Source.CAMERA)


def _loupe_note(view: ResolvedView) -> str:
    held = ", held" if view.loupe_locked else ""
    return f"loupe {view.loupe.zoom * 100:.0f} %{held}"


def _without_heat(scene: Scene) -> Scene:
    """The loupe is there to compare detail, which a heat map would cover."""
    kept = tuple(layer for layer in scene.layers if layer.name is LayerName.VESSELS)
    return replace(scene, layers=kept)


def layers_over(view: ResolvedView, facts: Facts) -> tuple[LayerView, ...]:
    """The layers that say something of this result: interpolation guesses no detail."""
    return tuple(
        layer for layer in view.layers if facts.learned or layer.name is not LayerName.CONSISTENCY
    )


def original_chips(view: ResolvedView, facts: Facts) -> tuple[Chip, ...]:
    size = f"{view.image.width} × {view.image.height}"
    chip = Chip(f"ORIGINAL {size}{_smoothed(view, view.main)}", Source.CAMERA)
    return (chip, *_tone_chip(view, facts))


def _result(
    scene: Scene,
    view: ResolvedView,
    facts: Facts,
    sharp: float,
    stands_in: bool,
    *,
    split: bool = False,
    narrow: bool = False,
) -> Scene:
    if view.show_original:
        return replace(scene, chips=original_chips(view, facts), content=Content.ORIGINAL)
    recipe = recipe_for(view, facts, scene.camera)
    stand_in = None
    if recipe is not None and facts.stand_in is not None and stands_in:
        stand_in = replace(recipe, making=facts.stand_in.at(recipe.scale))
    chips = (
        *result_chips(view, facts, recipe, sharp, stands_in=stands_in, narrow=narrow),
        *_tone_chip(view, facts),
    )
    note = "" if recipe is None or sharp >= 1 else f"{int(sharp * 100)} % sharp"
    return replace(
        scene,
        chips=original_chips(view, facts) if split else (),
        result_chips=chips,
        recipe=recipe,
        stand_in=stand_in,
        layers=layers_over(view, facts),
        content=Content.SPLIT if split else Content.RESULT,
        divider=view.divider,
        note=note,
    )


def result_chips(
    view: ResolvedView,
    facts: Facts,
    recipe: Recipe | None,
    sharp: float,
    *,
    stands_in: bool = False,
    narrow: bool = False,
) -> tuple[Chip, ...]:
    """What the result's pixels are; nothing is called AI before a network has made a part of it.

    Args:
        stands_in: whether what is in view was made with other settings.
        narrow: leave out the settings, which the main pane names.
    """
    if not view.has_image:
        return ()
    wanted = f"AI ×{view.scale}" if facts.learned else f"×{view.scale}"
    if recipe is None:
        why = "zoom in for" if facts.can_enhance else "failed:"
        return Chip("INTERPOLATED", Source.INTERPOLATED), Chip(f"{why} {wanted}", Source.PENDING)
    name = _name(recipe.scale, view.scale, facts)
    made = Source.NETWORK if facts.learned else Source.INTERPOLATED
    method, settings = f"{name} · {facts.method_title}", _settings(facts)
    if stands_in and sharp < 1:
        # What is in view has other settings: the chip names what both have in common.
        return Chip(method, made), Chip(f"PENDING {settings}".strip(), Source.PENDING)
    if sharp <= 0:
        return Chip("INTERPOLATED", Source.INTERPOLATED), Chip(f"PENDING {name}", Source.PENDING)
    done = Chip(f"{method}, {settings}" if settings and not narrow else method, made)
    return (done,) if sharp >= 1 else (done, Chip("PENDING", Source.PENDING))


def _settings(facts: Facts) -> str:
    fidelity = facts.making.fidelity
    return "" if fidelity is None else f"fidelity {fidelity * 100:.0f} %"


def _name(scale: Scale, chosen: Scale, facts: Facts) -> str:
    kind = "AI" if facts.learned else "INTERPOLATED"
    return f"{kind} ×{scale}" + (f" (of ×{chosen})" if scale != chosen else "")


def _smoothed(view: ResolvedView, camera: Camera) -> str:
    """Enlarged on the screen, also the original shows more than the camera recorded: say so."""
    return ", smoothed" if view.smooth and camera.zoom > 1 else ""


def _tone_chip(view: ResolvedView, facts: Facts) -> tuple[Chip, ...]:
    if facts.tone is not None and facts.tone is not view.tone:
        return (Chip(f"PENDING {view.tone.value.upper()}", Source.PENDING),)
    if view.tone is Tone.COLOUR:
        return ()
    return (Chip(view.tone.value.upper(), Source.CAMERA),)
