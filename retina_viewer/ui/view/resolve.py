"""From the resolved view to what each pane paints. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.superres.enhance_settings import EnhanceSettings, Scale
from retina_viewer.ui.camera import Camera
from retina_viewer.ui.canvas.photo import inherited_chips, origin_chips
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Chip, Content, LayerArt, Scene, Scenes, Source
from retina_viewer.ui.canvas.tiles import PlacedTile, Recipe, is_worthwhile, scale_for
from retina_viewer.ui.view.picture import ResolvedView
from retina_viewer.ui.view.state import LayerName, Layout, Tone


@dataclass(frozen=True)
class Facts:
    """What the view does not know: the state of the photograph and of the work on it."""

    photo: str = ""
    image: FundusImage | None = None
    original: Pyramid | None = None
    """The photograph as it is shown now; a chosen tone takes a moment."""
    tone: Tone | None = None
    """What it is shown in now. None: what was chosen."""
    um_per_px: float | None = None
    making: EnhanceSettings = EnhanceSettings("bicubic", 4)  # noqa: RUF009 (frozen)
    """What the person wants the result to be made with."""
    method_title: str = ""
    learned: bool = False
    can_enhance: bool = True
    """False after the method has failed, or where the image needs a yes."""
    remark: str = ""
    """What is to be known of the photograph before one looks at it, in a sentence."""
    needs_yes: bool = False
    """Whether the image is an enlargement that is not enlarged again unasked."""
    main_sharp: float = 0.0
    loupe_sharp: float = 0.0
    main_stands_in: bool = False
    """Whether tiles of what was chosen before are in view."""
    loupe_stands_in: bool = False
    main_tiles: tuple[PlacedTile, ...] = ()
    loupe_tiles: tuple[PlacedTile, ...] = ()
    layers: tuple[LayerArt, ...] = ()
    """Those that are shown and are there, of this photograph and this result."""
    loupe_size: tuple[float, float] = (0.0, 0.0)
    """Of a loupe pane, in device pixels."""
    ruler: tuple[float, float, float, float] | None = None


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
            facts.original,
            smooth=view.smooth,
            um_per_px=facts.um_per_px,
            ruler=facts.ruler,
        )
        for camera in (view.main, view.loupe)
    )
    mark = _loupe_part(view, facts) if view.loupe_shown else None
    main = replace(main, marked=mark)
    loupe = replace(loupe, crosshair=True)
    overview = view.overview and not view.whole
    split = view.layout is Layout.SLIDER
    return Scenes(
        original=replace(
            main, chips=original_chips(view, facts), overview=overview, remark=facts.remark
        ),
        result=replace(
            _result(main, view, facts, facts.main_sharp, facts.main_stands_in, split=split),
            overview=overview and view.layout is not Layout.SIDE_BY_SIDE,
            legend=bool(layers_over(facts)),
        ),
        loupe_original=replace(
            loupe,
            chips=(*_loupe_chips(view, facts), *_tone_chips(view, facts)),
            note=_loupe_note(view),
        ),
        loupe_result=_without_heat(
            _result(loupe, view, facts, facts.loupe_sharp, facts.loupe_stands_in, narrow=True)
        ),
    )


def _loupe_part(view: ResolvedView, facts: Facts) -> tuple[float, float, float, float]:
    width, height = (side / view.loupe.zoom for side in facts.loupe_size)
    return view.loupe.x - width / 2, view.loupe.y - height / 2, width, height


def _loupe_chips(view: ResolvedView, facts: Facts) -> tuple[Chip, ...]:
    if facts.image is None:
        return ()
    return origin_chips(facts.image, smoothed=_is_smoothed(view, view.loupe))


def _loupe_note(view: ResolvedView) -> str:
    held = ", held" if view.loupe_locked else ""
    return f"loupe {view.loupe.zoom * 100:.0f} %{held}"


def _without_heat(scene: Scene) -> Scene:
    """The loupe is there to compare detail, which a heat map would cover."""
    kept = tuple(layer for layer in scene.layers if layer.name is LayerName.VESSELS)
    return replace(scene, layers=kept)


def layers_over(facts: Facts) -> tuple[LayerArt, ...]:
    """The layers that say something of this result: interpolation guesses no detail."""
    return tuple(
        layer for layer in facts.layers if facts.learned or layer.name is not LayerName.CONSISTENCY
    )


def original_chips(view: ResolvedView, facts: Facts) -> tuple[Chip, ...]:
    if facts.image is None:
        return ()
    size = f"{view.image.width} × {view.image.height}"
    smoothed = _is_smoothed(view, view.main)
    return (*origin_chips(facts.image, smoothed=smoothed, detail=size), *_tone_chips(view, facts))


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
    chips = (
        *result_chips(view, facts, recipe, sharp, stands_in=stands_in, narrow=narrow),
        *(inherited_chips(facts.image) if facts.image and not facts.needs_yes else ()),
        *_tone_chips(view, facts),
    )
    note = "" if recipe is None or sharp >= 1 else f"{int(sharp * 100)} % sharp"
    return replace(
        scene,
        chips=original_chips(view, facts) if split else (),
        result_chips=chips,
        recipe=recipe,
        tiles=facts.loupe_tiles if narrow else facts.main_tiles,
        layers=layers_over(facts),
        content=Content.SPLIT if split else Content.RESULT,
        divider=view.divider,
        note=note,
        remark=facts.remark if split else "",
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
    if facts.needs_yes and facts.image is not None:
        chips = origin_chips(facts.image, smoothed=False)
        return *chips, Chip("not enlarged again", Source.PENDING)
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


def _is_smoothed(view: ResolvedView, camera: Camera) -> bool:
    return view.smooth and camera.zoom > 1


def _tone_chips(view: ResolvedView, facts: Facts) -> tuple[Chip, ...]:
    """The tone of what is shown, and the chosen one while it is still to come."""
    shown = view.tone if facts.tone is None else facts.tone
    chips = [] if shown is Tone.COLOUR else [Chip(shown.value.upper(), Source.CAMERA)]
    if shown is not view.tone:
        chips.append(Chip(f"PENDING {view.tone.value.upper()}", Source.PENDING))
    return tuple(chips)
