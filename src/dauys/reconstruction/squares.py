"""Which point is nearest to a starting point under linear conditions, exactly? If none, which conditions clash?

Minimises sum(((x - start) / scale)**2) in fractions by the dual active-set method (Goldfarb and Idnani, Mathematical
Programming 27, 1983): it starts at the unconstrained minimum and takes in one violated condition at a time, so the
moment no step is possible the conditions in hand prove that no point satisfies them all (Farkas).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

Vector = list[Fraction]


@dataclass(frozen=True, slots=True)
class Condition:
    """sum(coefficients * x) >= bound, or == bound; `figures` are what stands behind it, for the message."""

    coefficients: tuple[Fraction, ...]
    bound: Fraction
    equal: bool
    figures: tuple[str, ...]


class Clash(Exception):
    """No point satisfies all conditions; `figures` are those that already exclude each other."""

    def __init__(self, figures: tuple[str, ...]) -> None:
        self.figures = figures
        super().__init__(", ".join(figures))


def nearest(start: Sequence[Fraction], scale: Sequence[Fraction], conditions: Sequence[Condition]) -> Vector:
    """The nearest point to `start` (distances in units of `scale`) that satisfies every condition. Raises `Clash`."""
    x = list(start)
    variance = [s * s for s in scale]
    active: list[tuple[Condition, Vector]] = []
    pull: Vector = []
    for condition in sorted(conditions, key=lambda c: not c.equal):
        _take_in(condition, x, variance, active, pull)
    while broken := next((c for c in conditions if not c.equal and _gap(c, x) > 0), None):
        _take_in(broken, x, variance, active, pull)
    return x


def _take_in(
    condition: Condition, x: Vector, variance: Vector, active: list[tuple[Condition, Vector]], pull: Vector
) -> None:
    """Moves x until the condition holds, keeping those in `active`; lets go of those that no longer hold it back."""
    gap = _gap(condition, x)
    if gap <= 0 and not condition.equal:
        return
    sign = 1 if gap >= 0 else -1
    normal = [sign * c for c in condition.coefficients]
    weight = Fraction(0)
    while True:
        spread = [v * c for v, c in zip(variance, normal, strict=True)]
        share = _solve(
            [[_dot(a, [v * c for v, c in zip(variance, b, strict=True)]) for _, b in active] for _, a in active],
            [_dot(a, spread) for _, a in active],
        )
        step = [
            v * (c - sum((r * a[i] for r, (_, a) in zip(share, active, strict=True)), Fraction(0)))
            for i, (v, c) in enumerate(zip(variance, normal, strict=True))
        ]
        leaving = [(pull[j] / share[j], j) for j, (held, _) in enumerate(active) if not held.equal and share[j] > 0]
        reach = _dot(normal, step)
        if reach == 0 and _gap(condition, x) == 0:
            return
        if reach == 0 and not leaving:
            clashing = [condition] + [held for (held, _), r in zip(active, share, strict=True) if r != 0]
            raise Clash(tuple(dict.fromkeys(figure for c in clashing for figure in c.figures)))
        full = abs(_gap(condition, x)) / reach if reach else None
        first = min(leaving, default=None)
        length = full if first is None or (full is not None and full <= first[0]) else first[0]
        assert length is not None
        for i, s in enumerate(step):
            x[i] += length * s
        for j, r in enumerate(share):
            pull[j] -= length * r
        weight += length
        if length == full:
            active.append((condition, normal))
            pull.append(weight)
            return
        assert first is not None
        del active[first[1]], pull[first[1]]


def _gap(condition: Condition, x: Vector) -> Fraction:
    return condition.bound - _dot(condition.coefficients, x)


def _dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))


def _solve(matrix: list[Vector], right: Vector) -> Vector:
    """Gauss-Jordan in fractions; the matrix is regular because active conditions are independent."""
    rows = [[*row, r] for row, r in zip(matrix, right, strict=True)]
    for i in range(len(rows)):
        pivot = next(j for j in range(i, len(rows)) if rows[j][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(len(rows)):
            if j != i and rows[j][i]:
                factor = rows[j][i]
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [row[-1] for row in rows]
