"""A model as one file, ``NAME.rvmodel``: to give away, to keep, to bring to another machine.

It is a zip of the model's folder with a table of contents:

    manifest.json               format, and the SHA-256 and size of every other file
    card.json, weights.safetensors
    history.json                the learning curves, where there are any
    consistency.json            the calibration of the uncertainty map, where there is one
    discriminator.safetensors   of a GAN, to train it on from, where there are any
    twin/...                    the same of a saliency GAN's pixel-trained twin

The person's note stays at home.

The file comes from somebody else, so what is not as above is refused before anything is written.
Nothing in it is trusted: not the names (a path could lead out of the models' folder), not the sizes
(a few kilobytes can unpack to terabytes), not the kinds (a pickle runs code when it is read), not
what the card promises.
"""

from __future__ import annotations

import hashlib
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

import retina_viewer
from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write, open_regular
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.model_store import installing
from retina_viewer.model_store.card import CARD_FILE, WEIGHTS_FILE, ModelCard
from retina_viewer.model_store.extras import LARGEST_EXTRAS, sound_extras
from retina_viewer.model_store.store import find_model, verify_model

SUFFIX = ".rvmodel"
_CHUNK = 2**20
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The same model gives the same file, whenever it is exported."""


def export_model(name: str, path: Path, progress: Progress = no_progress) -> Path:
    """Write an installed model, and a saliency GAN's twin with it, into one file: a new one, or
    ``NAME.rvmodel`` where ``path`` is a folder. Returns the file. Raises UserError: there is no
    such model, it is damaged, or the file exists or cannot be written.
    """
    card = find_model(name)
    target = path / f"{card.name}{SUFFIX}" if path.is_dir() else path
    if target.suffix != SUFFIX:
        raise UserError(f"{target.name} is no name of a model file.", f"Let it end in {SUFFIX}.")
    contents = _files_of(card, "")
    if card.twin is not None:
        contents |= _files_of(find_model(card.twin), TWIN_FOLDER)
    entries = {
        where: FileEntry(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        for where, content in contents.items()
    }
    manifest = Manifest(format=FORMAT, program=retina_viewer.__version__, files=entries)
    with atomic_write(target) as stream, zipfile.ZipFile(stream, "w") as archive:
        _add(archive, MANIFEST_FILE, manifest.model_dump_json(indent=2).encode() + b"\n")
        for number, (where, content) in enumerate(contents.items()):
            progress(number / len(contents), where)
            _add(archive, where, content)
    progress(1.0, "written")
    return target


def import_model(path: Path, progress: Progress = no_progress) -> ModelCard:
    """Install the model of an ``.rvmodel`` file, under its own name or as that name's next version.
    Returns the installed model's card. Raises UserError: the file cannot be read or is not a sound
    model; nothing was installed.
    """
    with _opened(path) as archive:
        entries = check_entries(archive.infolist())
        manifest = parse_manifest(b"".join(_chunks(archive, entries[MANIFEST_FILE])), list(entries))
        card = _checked_card(archive, entries, "")
        with_twin = TWIN_FOLDER + CARD_FILE in entries
        twin = _checked_card(archive, entries, TWIN_FOLDER) if with_twin else None
        check_pair(card, twin)
        with installing.staging() as folder:
            (folder / "model" / TWIN_FOLDER).mkdir(parents=True)
            total = sum(entry.size for entry in manifest.files.values()) or 1
            done = 0
            for where, expected in manifest.files.items():
                progress(0.9 * done / total, where)
                _extract(archive, entries[where], expected, folder / "model" / where)
                done += expected.size
            (folder / "model" / TWIN_FOLDER).rename(folder / "twin")
            progress(0.95, "checking")
            family, _ = installing.split_version(card.name)
            family = installing.check_family(family[: installing.LONGEST])
            twin_folder = folder / "twin" if with_twin else None
            return installing.install(folder / "model", family, twin_folder)


def _files_of(card: ModelCard, folder: str) -> dict[str, bytes]:
    verify_model(card)
    try:
        contents = {
            folder + CARD_FILE: card.model_dump_json(indent=2).encode() + b"\n",
            folder + WEIGHTS_FILE: card.weights_file.read_bytes(),
        }
        for path in sound_extras(card):  # a calibration for weights of before stays behind
            contents[folder + path.name] = path.read_bytes()
    except OSError as error:
        raise UserError(f"The model {card.name!r} cannot be read: {error.strerror}.") from error
    return contents


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        if path.stat().st_size > LARGEST_ARCHIVE:
            raise refused("it is larger than any model")
        open_regular(path).close()  # no pipe: that would keep the reader waiting
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
        raise refused("it is damaged, or of another kind") from error
    except OSError as error:
        raise _unreadable(path.name, error) from error
    with archive:
        yield archive


def _unreadable(name: str, error: OSError) -> UserError:
    return UserError(f"{name} cannot be read: {error.strerror or error}.", "Choose another file.")


def _checked_card(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], folder: str
) -> ModelCard:
    """A card whose promises fit the declared size of the weights that come with it."""
    card = parse_card(b"".join(_chunks(archive, entries[folder + CARD_FILE])))
    check_weight_size(card, entries[folder + WEIGHTS_FILE].file_size)
    return card


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content, never more of it than was declared, whatever the compressed data say."""
    left = entry.file_size
    try:
        with archive.open(entry) as stream:
            while chunk := stream.read(min(_CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise refused(f"{entry.filename!r} in it is larger than it says")
                yield chunk
    except OSError as error:  # the drive was pulled out
        raise _unreadable(entry.filename, error) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise refused(f"{entry.filename!r} in it is damaged") from error
    if left:
        raise refused(f"{entry.filename!r} in it is shorter than it says")


def _extract(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, expected: FileEntry, target: Path
) -> None:
    digest, size = hashlib.sha256(), 0
    with atomic_write(target) as stream:
        for chunk in _chunks(archive, entry):
            digest.update(chunk)
            size += len(chunk)
            stream.write(chunk)
    if (digest.hexdigest(), size) != (expected.sha256, expected.size):
        raise refused(f"{entry.filename!r} in it is not what its table of contents names")


FORMAT = 1
MANIFEST_FILE = "manifest.json"
TWIN_FOLDER = "twin/"
LARGEST = {CARD_FILE: 8 * 2**20, WEIGHTS_FILE: 1024 * 2**20, **LARGEST_EXTRAS}
"""Bytes of what may be in a model; a card holds the gate's figures of every photograph."""
LARGEST_MANIFEST = 64 * 1024
LARGEST_ARCHIVE = 2 * sum(LARGEST.values())
HEADER = 2**20
"""Bytes that safetensors may spend on the names and shapes of the weights."""
_HINT = "Get the file again from where it came from; do not use it."
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".npy", ".npz")


class FileEntry(BaseModel, frozen=True, extra="forbid"):
    """What the manifest says of one file."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class Manifest(BaseModel, frozen=True, extra="forbid"):
    """The archive's table of contents, with hashes."""

    format: int
    program: str
    files: dict[str, FileEntry]


def check_entries(entries: Sequence[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The entries of an archive by name, or a refusal; looks at names, kinds and declared sizes.
    Raises UserError: a name that does not belong there (so no path leads anywhere), the same one
    twice, a link, a pickle, something encrypted or oddly compressed, a declared size beyond any
    model's, or card, weights or manifest missing.
    """
    of_twin = {TWIN_FOLDER + name: limit for name, limit in LARGEST.items()}
    allowed = LARGEST | of_twin | {MANIFEST_FILE: LARGEST_MANIFEST}
    twice = [name for name, count in Counter(e.filename for e in entries).items() if count > 1]
    if twice:
        raise refused(f"it holds {twice[0]!r} twice")
    for entry in entries:
        if entry.filename.lower().endswith(_PICKLES):
            raise refused(f"it holds {entry.filename!r}, a kind of file that can run code")
        if entry.filename not in allowed:
            raise refused(f"it holds {entry.filename!r}, which does not belong to a model")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise refused(f"{entry.filename!r} in it is a link or no ordinary file")
        if entry.flag_bits & 0x1 or entry.compress_type not in _METHODS:
            raise refused(f"{entry.filename!r} in it is encrypted or compressed in an unknown way")
        if entry.file_size > allowed[entry.filename]:
            raise refused(f"{entry.filename!r} in it is larger than any model's")
    found = {entry.filename: entry for entry in entries}
    twin = (TWIN_FOLDER + CARD_FILE, TWIN_FOLDER + WEIGHTS_FILE)
    needed = [MANIFEST_FILE, CARD_FILE, WEIGHTS_FILE]
    needed += twin if any(name.startswith(TWIN_FOLDER) for name in found) else ()
    missing = [name for name in needed if name not in found]
    if missing:
        raise refused(f"it lacks {missing[0]!r}")
    return found


def parse_manifest(content: bytes, names: Sequence[str]) -> Manifest:
    """The manifest, which must be valid, of this format, and about all other files and no more."""
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        raise refused("its table of contents is not valid") from error
    if manifest.format != FORMAT:
        raise UserError(
            f"The file is of format {manifest.format}, this program reads format {FORMAT}.",
            "Use a newer version of the program.",
        )
    if set(manifest.files) != set(names) - {MANIFEST_FILE}:
        raise refused("its table of contents is not about the files in it")
    return manifest


def parse_card(content: bytes) -> ModelCard:
    """The card of a model in an archive; a refusal names the field at fault, known or not."""
    try:
        return ModelCard.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the beginning"
        raise refused(f"its card is wrong at {where!r}: {first['msg']}") from error


def check_pair(card: ModelCard, twin: ModelCard | None) -> None:
    """Refuse a saliency GAN without its twin, one too many, or two that cannot be mixed."""
    if (card.twin is None) != (twin is None):
        raise refused("a saliency GAN and its pixel-trained twin belong together, one is missing")
    if twin is None:
        return
    kinds = [(one.task, one.architecture, one.parameters) for one in (card, twin)]
    if twin.twin is not None or kinds[0] != kinds[1]:
        raise refused("its two models are not of one architecture")


def check_weight_size(card: ModelCard, size: int) -> None:
    """Refuse weights that cannot be those of the card's architecture, by their declared size."""
    from retina_viewer.model_store.soundness import weight_bytes

    wanted = weight_bytes(card)
    if not wanted <= size <= wanted + HEADER:
        raise refused("its weights have not the size that its card's architecture needs")


def refused(why: str) -> UserError:
    """The error for a file that is not, or no longer, a sound model."""
    return UserError(f"This is no sound model file: {why}.", _HINT)
