"""Whether a file is DICOM, from its first bytes. Reading DICOM is slow to import; asking is not."""

_TEXT_OR_NUMBER = frozenset(b"AE AS CS DA DT IS LO LT PN SH ST TM UI UL US".split())


def looks_like_dicom(head: bytes) -> bool:
    """Whether these first bytes (132 of them tell most) begin a DICOM file.

    The preamble and ``DICM`` may be missing, and so may the file meta group: then the first
    elements must be what a data set begins with.
    """
    if head[128:132] == b"DICM" or head[:4] == b"DICM":
        return True
    return any(_two_elements(head, little, explicit) for little, explicit in _ENCODINGS)


_ENCODINGS = ((True, True), (True, False), (False, True))


def _two_elements(head: bytes, little: bool, explicit: bool) -> bool:
    order = "little" if little else "big"
    first = _element(head, 0, order, explicit)
    if first is None or first[0] not in (0x0002, 0x0008):
        return False
    group, number, end = first
    if end > len(head) - 8:
        return number in (0x0000, 0x0001, 0x0005, 0x0008, 0x0016)
    second = _element(head, end, order, explicit)
    return second is not None and (group, number) < second[:2] <= (0x0010, 0xFFFF)


def _element(head: bytes, at: int, order: str, explicit: bool) -> tuple[int, int, int] | None:
    """Group, number and end of the short element at ``at``; None where none can be there."""
    if at + 12 > len(head):
        return None

    def number(start: int, size: int) -> int:
        return int.from_bytes(head[start : start + size], "little" if order == "little" else "big")

    group, element = number(at, 2), number(at + 2, 2)
    kind = head[at + 4 : at + 6]
    if not explicit:
        length, start = number(at + 4, 4), at + 8
    elif kind in _TEXT_OR_NUMBER:
        length, start = number(at + 6, 2), at + 8
    elif kind == b"OB" and (group, element) == (0x0002, 0x0001):
        length, start = number(at + 8, 4), at + 12
    else:
        return None
    return (group, element, start + length) if length % 2 == 0 and length <= 1024 else None
