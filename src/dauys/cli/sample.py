"""`dauys sample`: stations drawn from a frozen list by a committed seed; the same ones for whoever has both."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from dauys.cli.main import answer, counted
from dauys.errors import BadInput, DauysError
from dauys.observe.sample.draw import ALLOCATIONS, Draw, Plan, allocate, by_stratum, commitment, draw, redraw
from dauys.observe.sample.drawn import as_body, columns_of
from dauys.observe.sample.frame import Columns, Frame, id_column, read_frame, record_frame
from dauys.observe.sample.simulate import simulate
from dauys.observe.sample.size import detection_table, needed
from dauys.record.tiles import folder_fetch
from dauys.regular_file import read_regular

LARGEST = 256 << 20
"""Bytes of a sample's file."""


@click.command()
@click.argument("frame", type=click.Path(path_type=Path))
@click.option("--n", type=click.IntRange(1), help="Stations to draw, in all.")
@click.option(
    "--margin", type=float, help="Instead of --n: the margin wanted, in points; from the vote in --y and --x."
)
@click.option("--confidence", type=float, default=95, show_default=True, help="Per cent; for --margin and --simulate.")
@click.option("--response", type=click.IntRange(1, 100), default=100, show_default=True,
              help="Per cent of stations expected to report: with --margin, more are drawn.")  # fmt: skip
@click.option("--id", "ids", help="The column of the id; several with commas. [default: station, id or code]")
@click.option("--strata", help="The column of the strata; several with commas.")
@click.option("--allocation", type=click.Choice(ALLOCATIONS), help="[default: proportional with --strata, else simple]")
@click.option(
    "--exponent", default="1/2", show_default=True, help="Of the power allocation: 1 national, near 0 regional."
)
@click.option("--take-all", multiple=True, metavar="STRATUM", help="Take every station of it; may be repeated.")
@click.option("--least", type=click.IntRange(1), default=2, show_default=True, help="Least stations in a stratum.")
@click.option("--size", help="Draw in proportion to this column (voters).")
@click.option("--y", help="Column of a past vote: the option's votes.")
@click.option("--x", help="Column of a past vote: what its share is of.")
@click.option("--seed", envvar="DAUYS_SEED", help="The seed; or in DAUYS_SEED. A long text that nobody could foresee.")
@click.option("--commit", is_flag=True, help="Say only what is published before the draw: the hashes and the design.")
@click.option(
    "--again", type=click.Path(path_type=Path), help="Draw this sample (its JSON) again, and refuse any change."
)
@click.option(
    "--simulate", "samples", type=click.IntRange(100), help="Try the design on the past vote: so many samples."
)
@click.option("--write-frame", type=click.Path(path_type=Path), help="Where the list of a poll's record is written.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/samples.md).")
def sample(
    frame: Path, n: int | None, margin: float | None, confidence: float, response: int, ids: str | None, strata: str | None,
    allocation: str | None, exponent: str, take_all: tuple[str, ...], least: int, size: str | None, y: str | None,
    x: str | None, seed: str | None, commit: bool, again: Path | None, samples: int | None, write_frame: Path | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Draw stations from FRAME: a table of all stations, or the folder of a poll's bundle.

    The ticket of a station is SHA-256 of `seed,id`; the lowest tickets are drawn. The list is named by its SHA-256: one that
    changed after the draw is refused, and no station is replaced.
    """
    if frame.is_dir():
        frame, ids = _from_record(frame, write_frame), ids or "id"
    if again is not None:
        body = read_json(again)
        columns = columns_of(body)
        drawn = redraw(read_frame(frame, columns), body)
        answer(
            as_body(drawn, columns), as_json, f"the same {counted(len(drawn.stations), 'station')}: nothing was changed"
        )
        return 0
    columns = Columns(_split(ids) or (id_column(frame),), _split(strata), size, y, x)
    listed = read_frame(frame, columns)
    level = confidence / 100
    extra: dict[str, Any] = {}
    kind = allocation or ("proportional" if strata else "simple")
    if n is None:
        if margin is None:
            raise BadInput(
                "how many stations?", expected="--n, or --margin with the columns --y and --x of a past vote"
            )
        places = list(by_stratum(listed).values()) if kind != "simple" else None
        wanted = needed(listed, margin / 100, level, places, Fraction(response, 100))
        n = wanted.asked
        extra["size"] = {
            "n": wanted.n, "asked": wanted.asked, "margin": wanted.margin, "confidence": wanted.confidence,
            "between_stations": wanted.spread,
        }  # fmt: skip
    plan = Plan(n, kind, size is not None, take_all, least, _fraction(exponent))
    if samples is not None:
        extra["simulation"] = _simulated(listed, plan, seed or "simulation", samples, level)
    if seed is None:
        if not extra:
            raise BadInput("a draw needs a seed", expected="--seed, or DAUYS_SEED")
        answer({"frame_sha256": listed.sha256, "design": plan.to_json(), **extra}, as_json, _extra_text(extra, n))
        return 0
    if commit:
        body = commitment(listed.sha256, plan, seed) | {"population": len(listed)}
        body["design"] = plan.to_json() | {"columns": columns.to_json()}
        answer(body, as_json, "\n".join(f"{name}: {body[name]}" for name in ("frame_sha256", "seed_sha256")))
        return 0
    drawn = draw(listed, plan, seed)
    answer(as_body(drawn, columns) | extra, as_json, _text(drawn, extra))
    return 0


def read_json(path: Path) -> dict[str, Any]:
    """An answer of `dauys sample --json`. Raises BadInput."""
    try:
        body = json.loads(read_regular(path, LARGEST))
    except (ValueError, RecursionError) as error:
        raise BadInput("this is not JSON", file=path, found=str(error)) from error
    if not isinstance(body, dict) or "stations" not in body:
        raise BadInput("this is not a sample", file=path, expected="the answer of `dauys sample --json`")
    return body


def _from_record(bundle: Path, target: Path | None) -> Path:
    if target is None:
        raise BadInput("the list of a poll's record is kept as a file", found=bundle, expected="--write-frame FILE.csv")
    target.write_bytes(record_frame(folder_fetch(bundle)))
    return target


def _simulated(listed: Frame, plan: Plan, seed: str, samples: int, confidence: float) -> dict[str, Any]:
    if plan.pps:
        raise DauysError("--simulate is for samples that are not drawn by size: leave --size out")
    places = by_stratum(listed) if plan.allocation != "simple" else {"": list(range(len(listed)))}
    counts = allocate(listed, plan, places)
    return simulate(listed, list(places.values()), list(counts.values()), seed, samples, confidence).to_json()


def _text(drawn: Draw, extra: dict[str, Any]) -> str:
    stratum, seen = drawn.stratum_of, detection_table(drawn.population, len(drawn.stations))
    lines = [
        f"{counted(len(drawn.stations), 'station')} of {drawn.population:,}: {drawn.plan.name}",
        f"the list: SHA-256 {drawn.frame_sha256}",
        f"so many bad stations would not stay unseen (95 %): {seen['least_bad']}",
        *_extra_text(extra, drawn.plan.n).splitlines(),
    ]
    return "\n".join(lines + [f"{name}  {stratum[name]}".rstrip() for name in drawn.stations])


def _extra_text(extra: dict[str, Any], n: int) -> str:
    lines = []
    if size := extra.get("size"):
        lines.append(
            f"{n:,} stations for {100 * size['margin']:g} points: the stations of the past vote differ by "
            f"{100 * size['between_stations']:.2f} points (standard deviation)"
        )
    if found := extra.get("simulation"):
        lines.append(
            f"{found['samples']:,} samples of {found['n']:,}: the interval held the true share in "
            f"{100 * found['coverage']:.1f} %, mean width {100 * found['mean_width']:.2f} points"
        )
    return "\n".join(lines)


def _split(columns: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in columns.split(",") if part.strip()) if columns else ()


def _fraction(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise BadInput("this is no fraction", field="--exponent", found=text, expected="like 1/2") from error
