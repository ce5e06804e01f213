"""Names of files: what of them is a suffix, how they are shortened, numbered and shown."""

import hashlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

IMAGE_SUFFIXES = (
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".dib", ".gif", ".webp")
    + (".dcm", ".dicom", ".dic", ".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".heic", ".heif", ".hif")
    + (".jp2", ".j2k", ".j2c", ".jpf", ".jpx", ".jxl")
)
"""What ends the name of a picture, in small letters. All else after a dot belongs to the name:
DICOM files are named by numbers with dots, whose last part tells one eye from the other."""
MAX_BYTES = 255
"""Of a name, on nearly every file system."""
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,9}$")


def stem_of(name: str) -> str:
    """The name of a picture without its suffix, where it has one."""
    path = Path(name)
    return path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name


def readable(name: str) -> str:
    r"""The name as text that any file, terminal or window can hold.

    A name whose bytes are not UTF-8 reaches Python with surrogates, which no encoding has; each
    such byte becomes ``\xNN``.
    """
    try:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        return name.encode("utf-8", "backslashreplace").decode()


def fitting(name: str, room: int = MAX_BYTES) -> str:
    """The name, or where it needs more bytes than ``room``, its beginning and its end.

    Both ends tell photographs apart (the patient before, the eye after), and what lies between
    them is stood for by eight digits of its hash: different names stay different, and the same
    name is always shortened alike.
    """
    if _size(name) <= room:
        return name
    digits = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    rest = room - len(digits) - 2
    head, tail = name, name
    while _size(head) > rest // 2:
        head = head[:-1]
    while _size(tail) > rest - rest // 2:
        tail = tail[1:]
    return f"{head}~{digits}~{tail}"


def numbered(name: str, number: int) -> str:
    """``eye.png``, ``eye (2).png``, ``eye (3).png``: short enough for :func:`sidecar_path` too."""
    if number == 1:
        return name
    found = _SUFFIX.search(name)
    suffix = found[0] if found else ""
    mark = f" ({number}){suffix}"
    return fitting(name.removesuffix(suffix), MAX_BYTES - len(mark)) + mark


def sidecar_path(path: Path) -> Path:
    """Where the provenance of a result lies: ``eye_SRx4.png.json`` beside ``eye_SRx4.png``."""
    return path.with_name(fitting(path.name + ".json"))


def numberings(folder: Path, names: Sequence[str]) -> Iterator[list[Path]]:
    """The names in the folder, then all of them with the number 2, and so on without end."""
    for number in count(1):
        yield [folder / numbered(name, number) for name in names]


def free_paths(folder: Path, names: Sequence[str]) -> list[Path]:
    """The names in the folder, all with the same number where any of them is taken.

    A name is taken too where another result's provenance would lie beside it.
    """
    return next(paths for paths in numberings(folder, names) if not any(map(is_taken, paths)))


def is_taken(path: Path) -> bool:
    """Whether the name, or that of its provenance, is another file's."""
    return os.path.lexists(path) or os.path.lexists(sidecar_path(path))


def _size(name: str) -> int:
    if sys.platform == "win32":
        return len(name.encode("utf-16-le", "surrogatepass")) // 2
    return len(name.encode("utf-8", "surrogatepass"))
