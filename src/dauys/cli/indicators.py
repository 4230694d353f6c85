"""`dauys indicators`: what in a table of stations is unusual. Indicators, never verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dauys.cli.main import counted, say
from dauys.cli.nature import answer_with_nature, is_reconstruction
from dauys.errors import BadInput
from dauys.law.files import LANGUAGES
from dauys.observe.indicators import density, redraws
from dauys.observe.indicators.counts import mapping, read_counts
from dauys.observe.indicators.picture import svg
from dauys.observe.indicators.picture import text as letters
from dauys.observe.indicators.report import Options, Report, report
from dauys.observe.indicators.words import words
from dauys.observe.report.labels import axes


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--columns", required=True, help="OURS=COLUMN, separated by commas; + joins several (docs/indicators.md)."
)
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of the words.")
@click.option("--draws", type=click.IntRange(0, 100_000), default=redraws.DRAWS, show_default=True,
              help="Draws of the article's integer test; 0 leaves them out.")  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=redraws.SEED, show_default=True, help="Of the draws."
)
@click.option("--resamples", type=click.IntRange(1, 10_000), default=density.RESAMPLES, show_default=True,
              help="Resamples of the density of shares.")  # fmt: skip
@click.option("--fdr", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.05, show_default=True,
              help="The false discovery rate over regions.")  # fmt: skip
@click.option("--model", is_flag=True, help="Fit the model of moved votes (Klimek and others 2012) as well.")
@click.option("--clean", multiple=True, metavar="FIRST-LAST",
              help="A clean range of turnout for the band, in points; may be repeated. [default: many]")  # fmt: skip
@click.option("--svg", "picture", type=click.Path(path_type=Path), help="Write the fingerprint to this file.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/indicators.md).")
def indicators(
    file: Path, columns: str, language: str, draws: int, seed: int, resamples: int, fdr: float, model: bool,
    clean: tuple[str, ...], picture: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Show what is unusual in FILE, a table with one row for each station (CSV, CSV.GZ, Parquet, JSON Lines).

    `cast` (ballots in the box) and `yes` (for the option, or the winner) are needed; `registered`, `issued`, `region` and others
    allow more. Every number comes with what it assumes, and beside it stand those of an election taken as clean.
    """
    counts = read_counts(file, mapping(columns))
    ranges = tuple(_range(text) for text in clean) or None
    if draws and counts.has("registered", "issued") and len(counts) > 10_000:
        say(
            f"{counted(len(counts), 'station')}, {counted(draws, 'draw')}: this takes a while (--draws 0 leaves them out)"
        )
    found = report(counts, Options(draws, seed, fdr, resamples, ranges, language, model))
    if picture is not None:
        if found.fingerprint is None:
            raise BadInput(
                "there is no fingerprint without registered voters", found=columns, expected="registered=COLUMN"
            )
        title = words()["fingerprint"].title[language]
        said = axes(language) | {"title": title}
        picture.write_text(svg(found.fingerprint.cells, said), encoding="utf-8")
    answer_with_nature(is_reconstruction(file), found.body, as_json, _text(found))
    return 0


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and int(first) < int(last) <= 100):
        raise BadInput(
            "--clean is not a range of turnout", found=text, expected="FIRST-LAST in whole points, like 35-45"
        )
    return int(first), int(last)


def _text(found: Report) -> str:
    """For a person: each indicator's title, its numbers, what it assumes."""
    lines = [found.body["note"], ""]
    if found.fingerprint is not None:
        lines += [letters(found.fingerprint.cells), ""]
    for name, one in found.body["indicators"].items():
        lines += [
            f"{one['title']}: {one['says']}",
            *(f"  {line}" for line in _numbers(name, one)),
            f"  ({one['assumes']})",
            "",
        ]
    shares = found.body["control"]["shares"]
    control = shares["integers"]["share"]
    lines.append(
        f"Beside it, {shares['election']}: integers {control['observed']:,}, expected {control['expected']:,.1f}, "
        f"excess {control['excess']:+.1f}; regions that stand out: {len(shares['regions']['above'])} of "
        f"{shares['regions']['tested']}"
    )
    return "\n".join(lines)


def _numbers(name: str, one: dict[str, Any]) -> list[str]:
    if "needs" in one:
        return [f"not made: it needs {', '.join(one['needs'])}"]
    lines: list[str] = []
    match name:
        case "arithmetic":
            lines = [f"{rule['rule']}: {counted(rule['broken'], 'station')} break it" for rule in one["rules"]]
            if one["full_turnout"] is not None:
                lines.append(f"every registered voter voted in {counted(one['full_turnout'], 'station')}")
            lines.append(f"every ballot is the same in {counted(one['all_yes'], 'station')}; alike: {one['alike']:,}")
        case "fingerprint":
            rate = one["log_rate"]
            if one["correlation"] is not None:
                lines.append(f"correlation of turnout and share {one['correlation']:.3f}")
            lines.append(
                f"log vote rate: {rate['n']:,} stations, skewness {rate['skewness']:.4f}, "
                f"excess kurtosis {rate['excess_kurtosis']:.4f}"
            )
        case "integers":
            for kind in ("either", "share", "turnout"):
                if kind in one:
                    it = one[kind]
                    lines.append(
                        f"{kind}: {it['observed']:,}, expected {it['expected']:,.1f} ± {it['sd']:.1f}, "
                        f"excess {it['excess']:+,.1f}; by chance at most {it['limit']:+.1f} in 999 of 1,000"
                    )
                if kind in one.get("redraws", {}):
                    it = one["redraws"][kind]
                    draws = one["redraws"]["draws"]
                    lines.append(f"{kind}, {draws:,} draws as in the article: excess {it['excess']:+,.3f}")
        case "shpilkin" if one["anomalous"]:
            band = one["anomalous"]
            lines.append(
                f"{len(one['ranges'])} clean ranges: from {band['least']:,.0f} to {band['most']:,.0f} votes, "
                "if all of the below holds"
            )
        case "digits":
            lines = [
                f"{field}: second digit P {it['second']['p_value']:.3g}, last digit P {it['last']['p_value']:.3g}"
                for field, it in one.items()
                if isinstance(it, dict)
            ]
        case "density":
            lines = [
                f"{kind}: {one[kind]['percent']:.2f} % of {one[kind]['stations']:,} stations"
                for kind in ("share", "turnout")
                if kind in one
            ]
        case "neighbours" | "history":
            lines.append(f"{one['far']:,} of {counted(one['stations'], 'station')} are far out")
        case "regions":
            lines.append(f"{len(one['above'])} of {one['tested']} stand out at a false discovery rate of {one['q']:g}")
            lines += [f"  {region}" for region in one["above"]]
    return lines
