"""`dauys audit`: does the paper agree with what was announced? Plan, sheets, rounds; ballots one by one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from dauys.cli.main import answer, counted, say
from dauys.cli.nature import answer_with_nature, is_reconstruction
from dauys.errors import BadInput
from dauys.law.files import LANGUAGES, read_yaml
from dauys.observe.audit.ballots import METHODS, assess, read_ballots
from dauys.observe.audit.compound import needed
from dauys.observe.audit.plan import Found, Plan, Station, drawn, evaluate, make_plan, next_round, outcome
from dauys.observe.audit.polling import METHODS as POLLING
from dauys.observe.audit.polling import polled
from dauys.observe.audit.results import read_recounts, read_results
from dauys.observe.audit.sheets import boards, html, pdf
from dauys.observe.audit.supersimple import Discrepancies, ballots_needed, p_value
from dauys.observe.indicators.counts import mapping
from dauys.observe.sample.draw import seed_sha256
from dauys.observe.sample.frame import file_sha256

JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/audits.md).")
RISK = click.option("--risk", default="1/20", show_default=True, help="The risk limit, as a fraction: 1/20 is 5 %.")
COLUMNS = click.option("--columns", default="station=station,region=region,cast=cast,yes=yes", show_default=True,
                       help="station=..,region=..,cast=..,yes=..; + joins several.")  # fmt: skip


@click.group()
def audit() -> None:
    """Audit the count from the paper, with a risk limit: the chance to confirm a wrong outcome is at most that.

    Stations as batches: `plan`, `sheets`, `evaluate`, round by round. Single ballots: `polling`, `comparison`, `ballots`.
    """


@audit.command()
@click.argument("file", type=click.Path(path_type=Path))
@COLUMNS
@click.option("--seed", required=True, help="The public seed; only now, after the results are frozen.")
@click.option("--committed", help="SHA-256 of the seed as it was published before; the seed must have it.")
@RISK
@click.option("--share", default="1/2", show_default=True, help="What yes must exceed of all ballots found.")
@click.option("--regions", "regional", help="The double rule: the share of regions that must say yes, too, like 2/3.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("audit.json"), show_default=True, help="The plan.")
@JSON
def plan(
    file: Path, columns: str, seed: str, committed: str | None, risk: str, share: str, regional: str | None, out: Path,
    as_json: bool,
) -> int:  # fmt: skip
    """Draw the stations whose recount confirms the results in FILE: one row for each station, frozen by its SHA-256."""
    if committed is not None and committed != seed_sha256(seed):
        raise BadInput("the seed is not the one that was committed to", found=seed_sha256(seed), expected=committed)
    stations = read_results(file, mapping(columns))
    part = None if regional is None else _fraction("--regions", regional)
    made = make_plan(stations, file_sha256(file), seed, _fraction("--risk", risk), _fraction("--share", share), part)
    body = _plan_json(made, stations)
    out.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    lines = [
        f"{'all' if one['region'] == '*' else one['region']}: {one['claim']} {made.share}; bound {one['bound']:.3f}, "
        f"{counted(one['draws'], 'draw')}, {counted(len(one['stations']), 'station')}"
        for one in body["contests"]
    ]
    if part is not None:
        names = {station.region for station in stations}
        lines.append(f"the rule wants {needed(len(names), part)} of {len(names)} regions")
    lines.append(f"recount {counted(len(body['stations']), 'station')}: {out}")
    answer_with_nature(is_reconstruction(file), body | {"plan": str(out)}, as_json, "\n".join(lines))
    return 0


@audit.command()
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@COLUMNS
@click.option(
    "--boards", "count", type=click.IntRange(1, 1000), default=1, show_default=True, help="Boards that recount."
)
@click.option("--language", type=click.Choice(LANGUAGES), default="kk", show_default=True, help="Of the sheets.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("sheets"), show_default=True, help="The folder.")
@JSON
def sheets(plan_file: Path, file: Path, columns: str, count: int, language: str, out: Path, as_json: bool) -> int:
    """Write a sheet for every station of PLAN, shared out to boards: HTML for print, and PDF where Chromium is installed."""
    made, stations = _load(plan_file, file, columns)
    shares = boards(_drawn_stations(made, stations), count)
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for number, share in enumerate(shares, 1):
        if not share:
            continue
        page = out / f"board-{number}.html"
        page.write_text(html(number, share, seed_sha256(made.seed), language), encoding="utf-8")
        files += [str(path) for path in (page, pdf(page)) if path is not None]
    if not any(name.endswith(".pdf") for name in files):
        say("Chromium is not installed: print the pages from a browser")
    body = {
        "boards": [{"board": n, "stations": [one.id for one in share]} for n, share in enumerate(shares, 1)],
        "files": files,
    }
    answer_with_nature(is_reconstruction(file), body, as_json, "\n".join(files))
    return 0


@audit.command(name="evaluate")
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("recounts", type=click.Path(path_type=Path))
@COLUMNS
@click.option("--next", "next_file", type=click.Path(path_type=Path), help="Write the plan of the next round here.")
@JSON
def evaluate_(plan_file: Path, file: Path, recounts: Path, columns: str, next_file: Path | None, as_json: bool) -> int:
    """Say whether the audit may stop: PLAN, the frozen results in FILE, and RECOUNTS with `station,cast,yes` so far.

    Exits with 1 while the outcome is not confirmed.
    """
    made, stations = _load(plan_file, file, columns)
    found = evaluate(made, stations, file_sha256(file), read_recounts(recounts), str(file))
    regions = len({station.region for station in stations})
    result = outcome(found)
    after = next_round(made, found)
    body = {
        "outcome": result,
        "risk": str(made.risk),
        "contests": [_found_json(one) for one in found],
        **({} if made.regional is None else {"rule": {"regions": regions, "needed": needed(regions, made.regional)}}),
    }
    if next_file is not None and result == "go-on":
        next_file.write_text(
            json.dumps(_plan_json(after, stations), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
    lines = [_line(one) for one in found] + [f"outcome: {result}"]
    answer_with_nature(is_reconstruction(file), body, as_json, "\n".join(lines))
    return 0 if result == "confirmed" else 1


@audit.command()
@click.option("--winner", type=click.IntRange(1), required=True, help="Reported ballots for the winner.")
@click.option("--loser", type=click.IntRange(0), required=True, help="Reported for the loser; for a share: all others.")
@click.option("--other", type=click.IntRange(0), default=0, show_default=True, help="Reported ballots for neither.")
@click.option("--method", type=click.Choice(POLLING), default="minerva", show_default=True)
@click.option("--round", "rounds", multiple=True, metavar="W:L",
              help="Ballots in all so far, after each round: for the winner, for the loser.")  # fmt: skip
@click.option("--chance", type=click.FloatRange(0.01, 0.999), default=0.9, show_default=True,
              help="With which chance the next round should be the last.")  # fmt: skip
@RISK
@JSON
def polling(
    winner: int, loser: int, other: int, method: str, rounds: tuple[str, ...], chance: float, risk: str, as_json: bool
) -> int:
    """Ballot polling: may the audit stop after these ballots, and how many more are wanted? Exits with 1 if not."""
    found = polled(method, winner, loser, other, [_round(text) for text in rounds], _fraction("--risk", risk), chance)
    if not found.confirmed and found.next is None and loser:
        raise BadInput("no round of a size that can be computed stops with that chance", found=chance)
    text = "confirmed" if found.confirmed else "not confirmed"
    if found.next:
        text += f"; next round: {found.next:,} ballots"
    answer(found.to_json(), as_json, f"P {found.p_value:.6g}: {text}")
    return 0 if found.confirmed else 1


@audit.command()
@click.option("--margin", required=True, help="Diluted: (winner - loser) / all ballots, as a fraction.")
@click.option("--sample", "ballots", type=click.IntRange(0), default=0, show_default=True, help="Ballots compared.")
@click.option("--o1", type=click.IntRange(0), default=0, help="Overstatements by one vote.")
@click.option("--o2", type=click.IntRange(0), default=0, help="By two votes.")
@click.option("--u1", type=click.IntRange(0), default=0, help="Understatements by one vote.")
@click.option("--u2", type=click.IntRange(0), default=0, help="By two votes.")
@RISK
@JSON
def comparison(margin: str, ballots: int, o1: int, o2: int, u1: int, u2: int, risk: str, as_json: bool) -> int:
    """Ballot comparison ("super-simple"): may the audit stop, and how many ballots would do? Exits with 1 if not."""
    limit, part = _fraction("--risk", risk), _fraction("--margin", margin)
    found = Discrepancies(o1, o2, u1, u2)
    if found.ballots > ballots > 0:
        raise BadInput("there are more discrepancies than ballots", found=found.ballots, expected=f"at most {ballots}")
    p = p_value(ballots, part, found) if ballots else Fraction(1)
    size = ballots_needed(limit, part, found)
    body = {"method": "super-simple", "risk": str(limit), "margin": str(part), "sample": ballots, "p_value": float(p),
            "confirmed": p <= limit, "needed": size}  # fmt: skip
    answer(
        body, as_json, f"P {float(p):.6g}: {'confirmed' if p <= limit else f'not confirmed; {size:,} ballots would do'}"
    )
    return 0 if p <= limit else 1


@audit.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--winner", type=click.IntRange(1), required=True, help="Reported ballots for the winner (for yes).")
@click.option("--ballots", type=click.IntRange(1), required=True, help="All ballots of the contest.")
@click.option("--share", default="1/2", show_default=True, help="What the winner must exceed of all ballots.")
@click.option("--method", type=click.Choice(METHODS), default="alpha", show_default=True)
@RISK
@JSON
def ballots(file: Path, winner: int, ballots: int, share: str, method: str, risk: str, as_json: bool) -> int:
    """Single ballots in the order drawn: FILE has `audited` (yes, or anything else), and `reported` to compare with.

    `reported` is yes, anything else, or YES/ALL of the batch where only its totals were reported (ONEAudit). Without it the
    ballots are polled. Exits with 1 if not confirmed.
    """
    limit = _fraction("--risk", risk)
    found = assess(read_ballots(file), winner, ballots, _fraction("--share", share), method)
    body = {"method": method, "risk": str(limit), "compared": found.compared, "drawn": found.drawn, "mean": float(found.mean),
            "p_value": float(found.p_value), "confirmed": found.p_value <= limit}  # fmt: skip
    answer(body, as_json, f"P {float(found.p_value):.6g}: {'confirmed' if found.p_value <= limit else 'not confirmed'}")
    return 0 if found.p_value <= limit else 1


def _plan_json(made: Plan, stations: Sequence[Station]) -> dict[str, Any]:
    """The plan, and beside each contest its bound U and the stations that were drawn."""
    body = made.to_json()
    for item, contest in zip(body["contests"], made.contests, strict=True):
        bounds, names = drawn(made, contest, stations)
        item |= {"bound": float(bounds.total), "stations": sorted(set(names))}
    return body | {"stations": [one.id for one in _drawn_stations(made, stations)]}


def _drawn_stations(made: Plan, stations: Sequence[Station]) -> list[Station]:
    names = {name for contest in made.contests for name in drawn(made, contest, stations)[1]}
    return sorted((one for one in stations if one.id in names), key=lambda one: (one.region, one.id))


def _load(plan_file: Path, file: Path, columns: str) -> tuple[Plan, list[Station]]:
    made = Plan.of(read_yaml(plan_file))
    made.same_results(file_sha256(file), file)
    return made, read_results(file, mapping(columns))


def _found_json(one: Found) -> dict[str, Any]:
    return {
        "region": one.contest.region, "claim": "above" if one.contest.above else "below", "draws": one.contest.draws,
        "bound": float(one.bound), "p_value": None if one.p_value is None else float(one.p_value),
        "confirmed": one.confirmed, "more": one.more, "outstanding": list(one.outstanding),
    }  # fmt: skip


def _line(one: Found) -> str:
    name = "all" if one.contest.region == "*" else one.contest.region
    if one.p_value is None:
        return f"{name}: {counted(len(one.outstanding), 'station')} not recounted yet"
    if one.confirmed:
        return f"{name}: P {float(one.p_value):.6g}, confirmed"
    return f"{name}: P {float(one.p_value):.6g}, " + (f"{one.more:,} more draws" if one.more else "count all of it")


def _fraction(option: str, text: str) -> Fraction:
    try:
        found = Fraction(text)
    except (ValueError, ZeroDivisionError):
        found = Fraction(0)
    if not 0 < found < 1:
        raise BadInput(f"{option} is not a fraction between 0 and 1", found=text, expected="like 1/20 or 0.05")
    return found


def _round(text: str) -> tuple[int, int]:
    winner, colon, loser = text.partition(":")
    if not colon or not winner.isdigit() or not loser.isdigit() or not int(winner) + int(loser):
        raise BadInput("--round cannot be read", found=text, expected="two whole numbers, like 57:43")
    return int(winner), int(loser)
