"""`dauys estimate`: what sampled stations say of the whole, with an interval honest about stations and what is missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import numpy as np

from dauys.cli.estimate_vote import Columns, vote_of_bundle, vote_of_table
from dauys.cli.estimate_words import snapshot, text
from dauys.cli.main import moment
from dauys.cli.nature import answer_with_nature, is_reconstruction
from dauys.cli.sample import read_json
from dauys.errors import BadInput
from dauys.observe.compare.replay import Counted, Vote, replayed
from dauys.observe.estimates.design import LONELY
from dauys.observe.estimates.double_rule import double_rule
from dauys.observe.estimates.estimate import Pps
from dauys.observe.estimates.interval import KINDS
from dauys.observe.estimates.partial import Gate
from dauys.observe.estimates.pps import JOINT, METHODS
from dauys.observe.estimates.replicates import METHODS as REPLICATES
from dauys.observe.night.sheet import Sheet, moments, read_sheet
from dauys.observe.night.snapshots import Ask, Drawn, Said, drawn_of_draw, drawn_of_sheet, matched, say, snapshots
from dauys.observe.report.night_picture import night as picture
from dauys.observe.sample.frame import file_sha256, same_frame


@click.command()
@click.argument("file", metavar="SAMPLE", type=click.Path(path_type=Path))
@click.option("--y", help="The column of the option's votes.")
@click.option("--x", help="The column of what the share is of (participants). Without it: the mean of y.")
@click.option("--strata", help="The column of the strata; several with commas.")
@click.option("--fpc", help="The column with the number of stations in the row's stratum, drawn or not.")
@click.option("--weight", help="The column of weights, where they do not follow from --fpc or --pi.")
@click.option("--pi", help="The column of each station's probability, for a draw by size.")
@click.option("--cluster", help="The column of the sampling unit, where it has several rows.")
@click.option(
    "--draw", type=click.Path(path_type=Path), help="The sample as `dauys sample --json` said it: its design."
)
@click.option(
    "--frame", type=click.Path(path_type=Path), help="With --draw: the list; refused if it changed after the draw."
)
@click.option("--id", "ids", help="The column of the station's id; several with commas.")
@click.option("--by", help="The column of regions: an estimate for each.")
@click.option("--double", is_flag=True, help="With --by: how likely at least two thirds of the regions say yes.")
@click.option("--territories", help="With --double: all of them, with commas. [default: those of --by]")
@click.option("--total", is_flag=True, help="The total of y, not a ratio.")
@click.option("--interval", type=click.Choice(KINDS), default="t", show_default=True, help="How the interval is made.")
@click.option("--confidence", type=float, default=95, show_default=True, help="Per cent.")
@click.option(
    "--variance",
    type=click.Choice((*METHODS, *REPLICATES)),
    help="For a draw by size, or by replicates. [default: Taylor; by size brewer, or of the draw]",
)
@click.option("--joint", type=click.Path(path_type=Path), help="For ht and yg: a CSV matrix of joint probabilities.")
@click.option("--constant", type=float, help="For hartley-rao: the sum of pi**2 over all stations, divided by n.")
@click.option("--lonely", type=click.Choice(LONELY), default="collapse", show_default=True,
              help="A stratum with one station: joined with the next, without variance, or refused.")  # fmt: skip
@click.option("--empty", type=click.Choice(("collapse", "drop")), default="collapse", show_default=True,
              help="A stratum with nothing yet: joined with the next, or left out.")  # fmt: skip
@click.option("--shift", type=float, default=5, show_default=True, help="Points by which missing stations may differ.")
@click.option("--response", type=click.IntRange(1, 100), default=67, show_default=True,
              help="Per cent of stations without which nothing is published.")  # fmt: skip
@click.option("--arrived", help="The column of each station's arrival (ISO 8601).")
@click.option("--at", help="The moment of the estimate; with --arrived only what came by then. [default: now]")
@click.option(
    "--every", type=click.IntRange(1), help="With --arrived: the estimate every so many minutes of the night."
)
@click.option("--whole", is_flag=True, help="SAMPLE has every station, not only the drawn: replay the night of --draw.")
@click.option("--option", help="SAMPLE is a bundle: the option whose share is estimated. [default: the first]")
@click.option("--contest", help="SAMPLE is a bundle: the contest. [default: the only one]")
@click.option("--closes", help="With --whole and no --arrived: arrivals by a model, from this closing hour on.")
@click.option(
    "--commission", help="With --closes: the column of the commission that takes protocols; several with commas."
)
@click.option("--zones", type=click.Path(path_type=Path),
              help="With --closes: a CSV with a column as in SAMPLE and `hours` east of UTC.")  # fmt: skip
@click.option("--svg", type=click.Path(path_type=Path), help="With --every: draw the night here.")
@click.option("--check", is_flag=True, help="Exit with 1 if it must not be published yet.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/estimates.md).")
def estimate(
    file: Path, y: str | None, x: str | None, strata: str | None, fpc: str | None, weight: str | None, pi: str | None,
    cluster: str | None, draw: Path | None, frame: Path | None, ids: str | None, by: str | None, double: bool,
    territories: str | None, total: bool, interval: str, confidence: float, variance: str | None, joint: Path | None,
    constant: float | None, lonely: str, empty: str, shift: float, response: int, arrived: str | None, at: str | None,
    every: int | None, whole: bool, option: str | None, contest: str | None, closes: str | None, commission: str | None,
    zones: Path | None, svg: Path | None, check: bool, as_json: bool,
) -> int:  # fmt: skip
    """Estimate a share from SAMPLE: a table with a row for each drawn station, y and x empty where nothing came yet.

    SAMPLE may be the folder of a poll's bundle, or with --whole a table of all stations: then the night of the sample in --draw
    is replayed, and the official value stands beside the estimate.

    The variance is that between stations, never that of voters. With stations missing there is a band beside the interval, and
    reasons where it must not be published.
    """
    if draw is not None and (strata or fpc or weight or pi or cluster):
        raise BadInput("the draw says the design already", expected="no --strata, --fpc, --weight, --pi or --cluster")
    if double and not by:
        raise BadInput("the double rule needs the regions", expected="--by COLUMN")
    if y is None and not file.is_dir():
        raise BadInput("which column has the option's votes?", expected="--y COLUMN")
    ask = Ask(
        interval, confidence / 100, lonely, empty, shift / 100, Gate(response=Fraction(response, 100)),
        _pps(variance, joint, constant), total, variance if variance in REPLICATES else None,
    )  # fmt: skip
    step = None if every is None else timedelta(minutes=every)
    vote: Vote | None = None
    if file.is_dir() or whole:
        columns = Columns(y, x, ids or "id", by, arrived, closes, commission, zones)
        drawn = drawn_of_draw(read_json(_needed(draw)))
        vote = vote_of_bundle(file, contest, option) if file.is_dir() else vote_of_table(file, columns)
        if frame is not None:
            same_frame(file_sha256(frame), str(drawn.frame_sha256), frame)
        own = vote.of(drawn)
        received, ys, xs, denominator = ~np.isnan(own.y), np.nan_to_num(own.y), own.x, own.denominator
        regions = list(own.regions) if by is not None else None
        named = sorted(set(vote.regions))
        came = [moment if here else None for moment, here in zip(own.came, received.tolist(), strict=True)]
    else:
        sheet = _sheet(file, ids or ("id" if draw else None), y, x, strata, fpc, weight, pi, cluster, by, arrived)
        drawn, received, ys, xs, rows = _drawn(sheet, draw, frame)
        regions = None if by is None else [sheet.texts["by"][row] if row >= 0 else "" for row in rows]
        named, denominator = sorted(set(sheet.texts["by"])) if by else [], x or "one for each row"
        known = moments(sheet) if arrived is not None else []
        came = (
            [known[row] if row >= 0 and here else None for row, here in zip(rows, received.tolist(), strict=True)]
            if known
            else []
        )
    until = _until(at, came)
    states: list[Said] = []
    hours: list[Counted] = []
    if came:
        if vote is not None and step is not None:
            night = replayed(drawn, vote, ask, step, until)
            states, hours = [one.said for one in night], [one.official for one in night]
        elif step is not None and xs is not None:
            states = snapshots(drawn, came, ys, xs, ask, step, until, denominator)
        received = np.array([one is not None and one <= until for one in came])
    before = [one.found.estimate for one in states[:-1]]
    said = say(drawn, received, ys, xs, ask, until, denominator, regions, before)
    both = None
    if double:
        names = territories.split(",") if territories else named
        both = double_rule(said.found, said.by, [name.strip() for name in names])
    body = said.to_json()
    if states:
        body["snapshots"] = [snapshot(one) for one in states]
    for one, counted in zip(body.get("snapshots", ()), hours, strict=bool(hours)):
        one["official"] = counted.to_json()
    if both is not None:
        body["double"] = both.to_json()
    if vote is not None:
        body["official"] = vote.official().to_json()
    if svg is not None:
        svg.write_text(picture(body, "night", "en"), encoding="utf-8")
    words = text(said, states, both, hours, None if vote is None else vote.official())
    answer_with_nature(is_reconstruction(file) if vote is None else vote.reconstruction, body, as_json, words)
    return 1 if check and said.partial is not None and not said.partial.publish else 0


def _needed(draw: Path | None) -> Path:
    if draw is None:
        raise BadInput("the night of which sample?", expected="--draw FILE.json, the answer of `dauys sample --json`")
    return draw


def _sheet(
    file: Path, ids: str | None, y: str | None, x: str | None, strata: str | None, fpc: str | None, weight: str | None,
    pi: str | None, cluster: str | None, by: str | None, arrived: str | None,
) -> Sheet:  # fmt: skip
    named = {
        "id": ids, "y": y, "x": x, "strata": strata, "fpc": fpc, "weight": weight, "pi": pi, "cluster": cluster, "by": by,
        "arrived": arrived,
    }  # fmt: skip
    several = ("id", "strata")
    return read_sheet(
        file, {name: column.split(",") if name in several else [column] for name, column in named.items() if column}
    )


def _drawn(sheet: Sheet, draw: Path | None, frame: Path | None) -> tuple[Drawn, Any, Any, Any, list[int]]:
    if draw is not None:
        body = read_json(draw)
        if frame is not None:
            same_frame(file_sha256(frame), str(body.get("frame_sha256")), frame)
        drawn = drawn_of_draw(body)
        received, y, x, rows = matched(drawn, sheet)
        return drawn, received, y, x, rows
    received = sheet.received
    x = sheet.numbers.get("x")
    y = np.where(received, sheet.numbers["y"], 0.0)
    return (
        drawn_of_sheet(sheet),
        received,
        y,
        None if x is None else np.where(received, x, 0.0),
        list(range(len(sheet))),
    )


def _pps(variance: str | None, joint: Path | None, constant: float | None) -> Pps | None:
    if variance is None or variance in REPLICATES:
        return None
    if variance in JOINT and joint is None:
        raise BadInput(
            "this variance needs the joint probabilities of all pairs", found=variance, expected="--joint FILE.csv"
        )
    matrix = None
    if joint is not None:
        try:
            matrix = np.loadtxt(joint, delimiter=",", skiprows=1, ndmin=2)
        except (ValueError, OSError) as error:
            raise BadInput(
                "the matrix cannot be read", file=joint, found=str(error), expected="a header and numbers"
            ) from error
    return Pps(variance, matrix, constant)


def _until(at: str | None, came: list[datetime | None]) -> datetime:
    known = [one for one in came if one is not None]
    if at is None and known:
        return max(known)
    if at is not None and known and known[0].tzinfo is None:  # moments without an offset: the cut has none either
        try:
            return datetime.fromisoformat(at).replace(tzinfo=None)
        except ValueError:
            raise BadInput("not a moment", found=at, expected="like 2018-07-01T20:00") from None
    return moment(at)
