"""The small line of an item: its last weeks and, in another colour, the weeks ahead. Pure."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, HEIGHT, EDGE = 120.0, 28.0, 2.0


@dataclass(frozen=True)
class Sparkline:
    """Points of two SVG lines in a box of WIDTH by HEIGHT; the second begins where the first ends."""

    past: str
    ahead: str
    border: str  # path of a line at the last known week


def draw_sparkline(weeks: list[float], ahead: list[float]) -> Sparkline:
    """The line of weekly units on one scale that begins at zero.

    >>> draw_sparkline([0.0, 10.0], [5.0])
    Sparkline(past='2.0,26.0 60.0,2.0', ahead='60.0,2.0 118.0,14.0', border='M60.0 0V28')
    """
    values = [max(0.0, units) for units in (*weeks, *ahead)]
    top = max(values, default=0.0) or 1.0
    step = (WIDTH - 2 * EDGE) / max(1, len(values) - 1)
    points = [
        f"{EDGE + step * place:.1f},{HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * units / top:.1f}"
        for place, units in enumerate(values)
    ]
    last = max(0, len(weeks) - 1)
    return Sparkline(
        " ".join(points[: last + 1]), " ".join(points[last:]), f"M{EDGE + step * last:.1f} 0V{HEIGHT:g}"
    )
