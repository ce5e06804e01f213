"""Integer rectangles in pixels. The origin is the top left corner; x runs right, y down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Rect:
    """The pixels ``x <= column < x + width``, ``y <= row < y + height``."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def area(self) -> int:
        return max(self.width, 0) * max(self.height, 0)

    def expanded(self, margin: int) -> Rect:
        return Rect(
            self.x - margin, self.y - margin, self.width + 2 * margin, self.height + 2 * margin
        )

    def moved(self, right: int, down: int) -> Rect:
        return Rect(self.x + right, self.y + down, self.width, self.height)

    def within(self, outer: Rect) -> Rect:
        """The same pixels, counted from the corner of another rectangle."""
        return self.moved(-outer.x, -outer.y)

    def scaled(self, factor: int) -> Rect:
        return Rect(self.x * factor, self.y * factor, self.width * factor, self.height * factor)

    def intersected(self, other: Rect) -> Rect:
        """The common part; its width or height is 0 where there is none."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Rect(x, y, max(0, right - x), max(0, bottom - y))

    def slices(self) -> tuple[slice, slice]:
        """Row and column slices into an array ``(H, W, ...)``."""
        return slice(self.y, self.bottom), slice(self.x, self.right)


def tiles_covering(width: int, height: int, tile: int) -> Iterator[Rect]:
    """Row by row, the rectangles of at most ``tile`` x ``tile`` that partition the image."""
    for y in range(0, height, tile):
        for x in range(0, width, tile):
            yield Rect(x, y, min(tile, width - x), min(tile, height - y))
