"""Can everything be read? WCAG 2.2 contrast, computed from the style sheet's own colours."""

from __future__ import annotations

import re
from importlib import resources

import pytest

SHEET = (resources.files("dauys.web") / "static" / "dauys.css").read_text("utf-8")
COLOURS = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", SHEET)) | {"white": "#ffffff"}

TEXT = [
    *((ink, ground) for ink in ("ink", "soft", "link", "good", "bad", "open") for ground in ("paper", "card")),
    *(("ink", "ground"), ("soft", "ground"), ("note-ink", "note"), ("note-ink", "card"), ("brand", "paper")),
    *(("white", ground) for ground in ("brand", "step-0", "step-1", "step-5", "step-6")),
    *(("ink", ground) for ground in ("step-2", "step-3", "step-4")),
]
SHAPES = [
    *((f"option-{n}", ground) for n in range(6) for ground in ("paper", "card", "ground")),
    *(
        ("brand", "ground"),
        ("focus", "paper"),
        ("focus", "card"),
        ("good", "card"),
        ("bad", "card"),
        ("class-0", "paper"),
    ),
    *(("white", "good"), ("white", "bad"), ("white", "open")),
]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(COLOURS[one]), luminance(COLOURS[other])), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(ink: str, ground: str) -> None:
    assert contrast(ink, ground) >= 4.5, f"{ink} on {ground}: {contrast(ink, ground):.2f}"


@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_shapes_that_mean_something_can_be_seen(shape: str, ground: str) -> None:
    assert contrast(shape, ground) >= 3, f"{shape} on {ground}: {contrast(shape, ground):.2f}"


def test_the_sheet_asks_nothing_of_other_places_and_respects_the_reader() -> None:
    assert "url(" not in SHEET and "@import" not in SHEET
    assert "prefers-reduced-motion: reduce" in SHEET and "@media print" in SHEET and ":focus-visible" in SHEET


def test_no_colour_outside_the_list_but_white_and_print_grey() -> None:
    rules = SHEET[SHEET.index("}") :]
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{}]*\{)", rules)) <= {"#fff", "#999"}
