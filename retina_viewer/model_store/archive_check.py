"""What an ``.rvmodel`` file may look like: everything else is refused before anything is written.

The file comes from somebody else. Nothing in it is trusted: not the names (a path could lead out
of the models' folder), not the sizes (a few kilobytes can unpack to terabytes), not the kinds (a
pickle runs code when it is read), not what the card promises.
"""

import stat
import zipfile
from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import CARD_FILE, WEIGHTS_FILE, ModelCard
from retina_viewer.model_store.extras import LARGEST_EXTRAS

FORMAT = 1
MANIFEST_FILE = "manifest.json"
TWIN_FOLDER = "twin/"
MEBI = 2**20
LARGEST = {
    CARD_FILE: 8 * MEBI,
    WEIGHTS_FILE: 1024 * MEBI,
    **LARGEST_EXTRAS,
}
"""Bytes of what may be in a model; a card holds the gate's figures of every photograph."""
LARGEST_MANIFEST = 64 * 1024
LARGEST_ARCHIVE = 2 * sum(LARGEST.values())
HEADER = MEBI
"""Bytes that safetensors may spend on the names and shapes of the weights."""
_HINT = "Get the file again from where it came from; do not use it."
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".npy", ".npz")


class FileEntry(BaseModel):
    """What the manifest says of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class Manifest(BaseModel):
    """The archive's table of contents, with hashes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    program: str
    files: dict[str, FileEntry]


def check_entries(entries: Sequence[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The entries of an archive by name, or a refusal; looks at names, kinds and declared sizes.

    Raises:
        UserError: a name that does not belong there (so no path leads anywhere), the same one
            twice, a link, a pickle, something encrypted or oddly compressed, a declared size
            beyond any model's, or card, weights or manifest missing.
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
    """The manifest, which must name all other files and no more.

    Raises:
        UserError: it is not valid, of a newer program, or about other files.
    """
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
    """The card of a model in an archive.

    Raises:
        UserError: it is not valid; the field at fault is named, also one that is not known.
    """
    try:
        return ModelCard.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the beginning"
        raise refused(f"its card is wrong at {where!r}: {first['msg']}") from error


def check_pair(card: ModelCard, twin: ModelCard | None) -> None:
    """Whether a saliency GAN comes with its twin and the two can be mixed.

    Raises:
        UserError: one is missing or too many, or they differ in task or architecture.
    """
    if (card.twin is None) != (twin is None):
        raise refused("a saliency GAN and its pixel-trained twin belong together, one is missing")
    if twin is None:
        return
    kinds = [(one.task, one.architecture, one.parameters) for one in (card, twin)]
    if twin.twin is not None or kinds[0] != kinds[1]:
        raise refused("its two models are not of one architecture")


def check_weight_size(card: ModelCard, size: int) -> None:
    """Whether weights can be those of a card's architecture, by their declared size alone.

    Raises:
        UserError: they are too small or too large, or the architecture is not one of this program.
    """
    from retina_viewer.model_store.soundness import weight_bytes

    wanted = weight_bytes(card)
    if not wanted <= size <= wanted + HEADER:
        raise refused("its weights have not the size that its card's architecture needs")


def refused(why: str) -> UserError:
    """The error for a file that is not, or no longer, a sound model."""
    return UserError(f"This is no sound model file: {why}.", _HINT)
