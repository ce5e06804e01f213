"""Which pages of a TIFF file are pictures to choose from, and what belongs together."""

from dataclasses import dataclass
from itertools import islice

import tifffile

MOST_PAGES = 1000
"""A film of more frames is no set of photographs."""
GREY = (tifffile.PHOTOMETRIC.MINISWHITE, tifffile.PHOTOMETRIC.MINISBLACK)
_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2
_OLD_SUBFILE_TYPE = 255
_COLOUR_NAMES = {"r": 0, "red": 0, "g": 1, "green": 1, "b": 2, "blue": 2}


@dataclass(frozen=True)
class Picture:
    """One picture of the file.

    Attributes:
        page: its page; of colours kept apart, the red one.
        planes: where red, green and blue are pages of grey, or parts of one: their numbers in the
            order of the file; empty otherwise.
    """

    page: tifffile.TiffPage
    planes: tuple[int, int, int] | tuple[()] = ()


def pictures_of(file: tifffile.TiffFile) -> list[Picture]:
    """The file's pictures in its order, those below a page behind it.

    Thumbnails, the smaller copies of a pyramid and masks are marked as such and are none. Where
    everything is marked so, the largest page is the picture.

    Raises:
        ValueError: there is no page.
    """
    pages: list[tifffile.TiffPage] = []
    for page in islice(file.pages, MOST_PAGES):
        pages.extend(_with_below(page))
    if not pages:
        raise ValueError("no image inside")
    planes = _planes(file)
    if planes:
        return [Picture(pages[0], planes)]
    real = [page for page in pages if not _is_marked(page)]
    if not real:
        real = [max(pages, key=lambda page: page.imagewidth * page.imagelength)]
    return [Picture(page) for page in real]


def look_like_planes(pictures: list[Picture]) -> bool:
    """Whether three pictures may be the colours of one: grey, of one size, nothing said."""
    kinds = {
        (one.page.shape, one.page.dtype, one.page.photometric in GREY, len(one.planes))
        for one in pictures
    }
    return len(pictures) == 3 and len(kinds) == 1 and pictures[0].page.photometric in GREY


def _with_below(page: tifffile.TiffPage | tifffile.TiffFrame) -> list[tifffile.TiffPage]:
    whole = page if isinstance(page, tifffile.TiffPage) else page.aspage()
    below = whole.pages or ()
    inner = [one for one in islice(below, MOST_PAGES) if isinstance(one, tifffile.TiffPage)]
    return [whole, *inner]


def _is_marked(page: tifffile.TiffPage) -> bool:
    old = page.tags.valueof(_OLD_SUBFILE_TYPE)
    return bool(int(page.subfiletype) & (_REDUCED | _MASK)) or old == _OLD_REDUCED


def _planes(file: tifffile.TiffFile) -> tuple[int, int, int] | tuple[()]:
    """What ImageJ and OME say of three pictures of grey: that they are colours of one."""
    if not (file.is_imagej or file.is_ome):
        return ()
    series = file.series[0]
    sizes = {axis: size for axis, size in zip(series.axes, series.shape, strict=True) if size != 1}
    if sizes.get("C") != 3 or set(sizes) != {"C", "Y", "X"}:
        return ()
    names = [name.strip().lower() for name in _channel_names(file)]
    places = [_COLOUR_NAMES.get(name, -1) for name in names]
    if sorted(places) == [0, 1, 2]:
        return places.index(0), places.index(1), places.index(2)
    return 0, 1, 2


def _channel_names(file: tifffile.TiffFile) -> list[str]:
    if not file.is_ome or not file.ome_metadata:
        return []
    try:
        described = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
        first = described[0] if isinstance(described, list) else described
        return [str(channel.get("Name", "")) for channel in first["Pixels"]["Channel"]]
    except (KeyError, TypeError, AttributeError, ValueError, SyntaxError):
        return []
