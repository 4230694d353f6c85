"""What does a recount board get on paper? One page a station, without the announced counts: the board counts blind.

Pages are HTML with a style for print, from the system's fonts (all Kazakh letters); Chromium makes the PDF of the same page
where it is installed. So there is one layout, no font to carry, and a browser prints it where there is no Chromium.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from dauys.errors import DauysError
from dauys.observe.audit.plan import Station

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
SECONDS = 120

WORDS: Mapping[str, Mapping[str, str]] = {
    "kk": {
        "title": "Қайта санау парағы", "board": "Топ", "station": "Учаске", "region": "Аймақ", "seed": "Тұқым (SHA-256)",
        "rule": "Жәшіктегі әр бюллетень бір рет саналады. Жарияланған сандар бұл парақта әдейі көрсетілмеген.",
        "yes": "Иә", "no": "Жоқ", "both": "Бәрі белгіленген (есепке алынбайды)", "invalid": "Жарамсыз",
        "cast": "Барлығы (төртеуінің қосындысы)", "seals": "Пломбалардың нөмірлері", "remarks": "Ескертпелер",
        "signatures": "Топ мүшелерінің қолдары", "observers": "Байқаушылардың қолдары", "time": "Басталды / аяқталды",
        "list": "Учаскелер тізімі", "pages": "парақ", "ballots": "Бюллетеньдер парағы", "round": "Кезең", "ballot": "Бюллетень",
        "missing": "Табылмады", "sum": "Барлығы",
        "pick": "Буманы сақталған ретімен қойып, үстінен бастап санаңыз; аталған бюллетеньде не тұрғанын белгілеңіз. Екі рет "
        "аталған бюллетень екі рет белгіленеді. Буманың ретін өзгертпеңіз.",
    },
    "ru": {
        "title": "Лист пересчёта", "board": "Группа", "station": "Участок", "region": "Территория", "seed": "Зерно (SHA-256)",
        "rule": "Каждый бюллетень из ящика считается один раз. Объявленные числа на листе не указаны намеренно.",
        "yes": "Да", "no": "Нет", "both": "Отмечено всё (не учитывается)", "invalid": "Недействительные",
        "cast": "Всего (сумма четырёх)", "seals": "Номера пломб", "remarks": "Замечания",
        "signatures": "Подписи членов группы", "observers": "Подписи наблюдателей", "time": "Начато / закончено",
        "list": "Список участков", "pages": "листов", "ballots": "Лист бюллетеней", "round": "Раунд", "ballot": "Бюллетень",
        "missing": "Не найден", "sum": "Всего",
        "pick": "Положите пачку в том порядке, в котором она хранится, считайте сверху и отметьте, что стоит в названном "
        "бюллетене. Названный дважды отмечается дважды. Порядок пачки не меняйте.",
    },
    "en": {
        "title": "Recount sheet", "board": "Board", "station": "Station", "region": "Territory", "seed": "Seed (SHA-256)",
        "rule": "Every ballot from the box is counted once. The announced counts are left out of this sheet on purpose.",
        "yes": "Yes", "no": "No", "both": "Every box marked (not counted)", "invalid": "Invalid",
        "cast": "All ballots (the four added up)", "seals": "Numbers of the seals", "remarks": "Remarks",
        "signatures": "Signatures of the board", "observers": "Signatures of observers", "time": "Begun / ended",
        "list": "List of stations", "pages": "sheets", "ballots": "Ballot sheet", "round": "Round", "ballot": "Ballot",
        "missing": "Not found", "sum": "In all",
        "pick": "Lay the pile in the order in which it is kept, count from the top, and tick what the named ballot says. A "
        "ballot that is named twice is ticked twice. Leave the pile in its order.",
    },
}  # fmt: skip

STYLE = """
@page { size: A4; margin: 16mm }
body { font: 12pt/1.4 "DejaVu Sans", "Noto Sans", Arial, sans-serif; color: #000; margin: 0 }
section { break-after: page } section:last-child { break-after: auto }
h1 { font-size: 18pt; margin: 0 0 4mm } h2 { font-size: 26pt; margin: 0 0 2mm; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100%; margin: 5mm 0 } th, td { border: 1px solid #000; padding: 3mm; text-align: left }
td.box { width: 40% } tr.sum th, tr.sum td { border-width: 2px } .small { font-size: 8pt; overflow-wrap: anywhere }
.ticks :is(th, td) { font-weight: 400; font-size: 10pt; padding: 2mm } caption { text-align: left; font-weight: 700 }
thead { display: table-header-group } tr { break-inside: avoid }
"""


def boards(stations: Sequence[Station], count: int) -> list[list[Station]]:
    """Stations shared out so that boards count about as many ballots: largest first, each to the board with the least."""
    shares: list[list[Station]] = [[] for _ in range(count)]
    loads = [0] * count
    for station in sorted(stations, key=lambda one: (-one.cast, one.id)):
        least = loads.index(min(loads))
        shares[least].append(station)
        loads[least] += station.cast
    return [sorted(share, key=lambda one: (one.region, one.id)) for share in shares]


def html(board: int, stations: Sequence[Station], seed_sha256: str, language: str) -> str:
    """The pages of one board: the list of its stations, then a sheet for each."""
    return _page(f"{WORDS[language]['title']} {board}", _board(board, stations, seed_sha256, language), language)


@dataclass(frozen=True, slots=True)
class Pile:
    """What a board looks at in one station: by territory (its name) the ballots to find, as often as they were drawn."""

    station: Station
    parts: Sequence[tuple[str, Sequence[str]]]


def ballot_sheets(
    shares: Sequence[Sequence[Pile]], classes: Sequence[str], seed_sha256: str, number: int, language: str
) -> str:
    """The pages of all boards for a round of single ballots: a row for each ballot, a column for each class to tick.

    `classes` are the form's names of what a ballot can be; "not found" is added. Nothing says what was reported.
    """
    words = {name: escape(text) for name, text in WORDS[language].items()}
    body = ""
    for board, share in enumerate(shares, 1):
        if share:
            body += _cover(board, [one.station for one in share], seed_sha256, words)
            body += "".join(_ballots(board, one, classes, seed_sha256, number, words) for one in share)
    return _page(WORDS[language]["ballots"], body, language)


def _ballots(
    board: int, pile: Pile, classes: Sequence[str], seed_sha256: str, number: int, words: Mapping[str, str]
) -> str:
    names = [*map(escape, classes), words["missing"]]
    boxes, tables = "<td></td>" * len(names), ""
    for title, marks in pile.parts:
        head = "".join(f"<th>{name}</th>" for name in (words["ballot"], *names))
        rows = "".join(f"<tr><th>{escape(mark)}</th>{boxes}</tr>" for mark in marks)
        tables += (
            f'<table class="ticks"><caption>{escape(title)}: {len(marks)}</caption><thead><tr>{head}</tr></thead>'
            f"<tbody>{rows}<tr class=sum><th>{words['sum']}</th>{boxes}</tr></tbody></table>"
        )
    return (
        f"<section><h1>{words['ballots']} · {words['round']} {number} · {words['board']} {board}</h1>"
        f"<h2>{escape(pile.station.id)}</h2><p>{words['region']}: {escape(pile.station.region)}</p><p>{words['pick']}</p>{tables}"
        f'<table>{_others(words)}</table><p class="small">{words["seed"]}: {escape(seed_sha256)}</p></section>'
    )


def together(shares: Sequence[Sequence[Station]], seed_sha256: str, language: str) -> str:
    """The pages of all boards, one after the other; a board without a station has none."""
    body = "".join(_board(board, share, seed_sha256, language) for board, share in enumerate(shares, 1) if share)
    return _page(WORDS[language]["title"], body, language)


def _page(title: str, body: str, language: str) -> str:
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def _board(board: int, stations: Sequence[Station], seed_sha256: str, language: str) -> str:
    words = {name: escape(text) for name, text in WORDS[language].items()}
    cover = _cover(board, stations, seed_sha256, words)
    return cover + "".join(_sheet(board, one, seed_sha256, words) for one in stations)


def _cover(board: int, stations: Sequence[Station], seed_sha256: str, words: Mapping[str, str]) -> str:
    rows = "".join(f"<tr><td>{escape(one.id)}</td><td>{escape(one.region)}</td></tr>" for one in stations)
    return (
        f"<section><h1>{words['board']} {board}: {words['list']}</h1><p>{len(stations)} {words['pages']}</p>"
        f"<table><tr><th>{words['station']}</th><th>{words['region']}</th></tr>{rows}</table>"
        f'<p class="small">{words["seed"]}: {escape(seed_sha256)}</p></section>'
    )


def _sheet(board: int, station: Station, seed_sha256: str, words: Mapping[str, str]) -> str:
    counts = "".join(
        f'<tr{" class=sum" if name == "cast" else ""}><th>{words[name]}</th><td class="box"></td></tr>'
        for name in ("yes", "no", "both", "invalid", "cast")
    )
    return (
        f"<section><h1>{words['title']} · {words['board']} {board}</h1><h2>{escape(station.id)}</h2>"
        f"<p>{words['region']}: {escape(station.region)}</p><p>{words['rule']}</p><table>{counts}</table>"
        f'<table>{_others(words)}</table><p class="small">{words["seed"]}: {escape(seed_sha256)}</p></section>'
    )


def _others(words: Mapping[str, str]) -> str:
    return "".join(
        f'<tr><th>{words[name]}</th><td class="box"></td></tr>'
        for name in ("time", "seals", "remarks", "signatures", "observers")
    )


def browser() -> str | None:
    """The Chromium of this machine, if it has one."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def pdf(page: Path) -> Path | None:
    """The page as PDF beside it; None where there is no Chromium. Raises DauysError where it fails."""
    program = browser()
    if program is None:
        return None
    path = page.with_suffix(".pdf")
    command = [
        program, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={path.resolve()}",
        page.resolve().as_uri(),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise DauysError(
            f"{page}: Chromium took longer than {SECONDS} seconds; print the page from a browser"
        ) from None
    if done.returncode or not path.is_file():
        raise DauysError(f"{page}: Chromium made no PDF; print the page from a browser")
    return path
