"""What one looks at, in chips: they never claim more than is true. Pure, no Qt."""

from __future__ import annotations

from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.ui.canvas.scene import Camera, Chip, Source, Tone
from retina_viewer.ui.canvas.tile_requests import Wanted
from retina_viewer.ui.view.data import ViewData
from retina_viewer.ui.view.picture import Result
from retina_viewer.ui.view.state import ViewState

Chips = tuple[Chip, ...]
_INTERPOLATED = Chip("INTERPOLATED", Source.INTERPOLATED)


def original_chips(
    state: ViewState, data: ViewData, camera: Camera, *, with_size: bool = True
) -> Chips:
    """Of a pane that shows the photograph itself. Smoothed, where the screen enlarges it: also the
    original then shows more than the camera recorded."""
    image = data.image
    if image is None:
        return ()
    size = f"{image.width} × {image.height}" if with_size else ""
    text = f"{_label(image, data)} {size}".strip()
    if state.smooth and camera.zoom > 1:
        text += ", smoothed"
    return (Chip(text, _source(image)), *_damage(image), *tone_chips(state, data))


def result_chips(
    state: ViewState,
    data: ViewData,
    result: Result,
    wanted: Wanted | None,
    sharp: float,
    *,
    has_placeholder: bool,
    narrow: bool,
) -> Chips:
    """Of a pane that shows a result, of which so much is there.

    Args:
        wanted: its tiles; None where none are to be computed.
        has_placeholder: whether tiles of other settings are in view.
        narrow: leave out the settings, which the main pane names.
    """
    image = data.image
    if image is None:
        return ()
    if data.needs_yes:
        again = Chip("not enlarged again", Source.PENDING)
        return (
            Chip(_label(image, data), _source(image)), *_damage(image), again,
            *tone_chips(state, data),
        )  # fmt: skip
    several = len(state.results) > 1
    made = _made(result, wanted, sharp, several, has_placeholder=has_placeholder, narrow=narrow)
    return (*made, *_inherited(image), *tone_chips(state, data))


def _made(
    result: Result,
    wanted: Wanted | None,
    sharp: float,
    several: bool,
    *,
    has_placeholder: bool,
    narrow: bool,
) -> Chips:
    """Nothing is called AI before a network has made a part of it."""
    chosen, learned = result.settings.scale, result.learned
    if wanted is None:
        why = "failed:" if result.has_failed else "zoom in for"
        title = f" · {result.title}" if several else ""
        name = f"{'AI ' if learned else ''}×{chosen}{title}"
        return _INTERPOLATED, Chip(f"{why} {name}", Source.PENDING)
    scale = wanted.request.scale
    of = f" (of ×{chosen})" if scale != chosen else ""
    name = f"{'AI' if learned else 'INTERPOLATED'} ×{scale}{of}"
    source = Source.NETWORK if learned else Source.INTERPOLATED
    fidelity = result.settings.fidelity
    settings = "" if fidelity is None else f"fidelity {fidelity * 100:.0f} %"
    method = f"{name} · {result.title}"
    if has_placeholder and sharp < 1:
        # What is in view has other settings: the chip names what both have in common.
        return Chip(method, source), Chip(f"PENDING {settings}".strip(), Source.PENDING)
    if sharp <= 0:
        return _INTERPOLATED, Chip(f"PENDING {method if several else name}", Source.PENDING)
    done = Chip(f"{method}, {settings}" if settings and not narrow else method, source)
    return (done,) if sharp >= 1 else (done, Chip("PENDING", Source.PENDING))


def tone_chips(state: ViewState, data: ViewData, shown: Tone | None = None) -> Chips:
    """The tone of what is shown, which is the photograph's unless another is given, and the chosen
    one while it is still to come."""
    wanted = state.tone
    shown = shown or (data.toned.tone if data.toned else wanted)
    chips = [] if shown is Tone.COLOUR else [Chip(shown.value.upper(), Source.CAMERA)]
    if shown is not wanted:
        chips.append(Chip(f"PENDING {wanted.value.upper()}", Source.PENDING))
    return tuple(chips)


def _inherited(image: FundusImage) -> Chips:
    """What a result takes over from its source: that it was made already, that it is damaged."""
    if image.made_by is None:
        return _damage(image)
    return (Chip(f"OF {image.label}", _source(image)), *_damage(image))


def _damage(image: FundusImage) -> Chips:
    return (Chip("DAMAGED FILE", Source.DAMAGED),) if image.damage else ()


def _label(image: FundusImage, data: ViewData) -> str:
    return (data.photo.label if data.photo else "") or image.label


def _source(image: FundusImage) -> Source:
    if image.made_by is None:
        return Source.CAMERA
    return Source.NETWORK if image.made_by.is_ai else Source.INTERPOLATED
