"""Can a mission be run from the browser alone, from set-up to a report, and does every page stand in every language?"""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

from compared_world import CONTEST, World, protocol
from mission_world import desk

NIGHT = datetime.fromisoformat("2022-06-05T23:30:00+06:00")
PAGES = ("", "/setup", "/sample", "/people", "/field", "/estimate", "/compare", "/indicators", "/audit", "/report")


def test_a_mission_from_the_first_minute_to_the_report(tmp_path: Path) -> None:
    world = World(per_area=3).count()
    here = desk(tmp_path / "m", world, NIGHT).set_up()
    here.post("/en/sample/freeze")
    here.post("/en/sample/commit", allocation="proportional", strata="area", n="34", seed="")
    here.post("/en/sample/draw")
    drawn = here.get("/en/sample/drawn").json()["stations"]
    people = "name\n" + "".join(f"Observer {n}\n" for n in range(len(drawn)))
    here.post("/en/people/list", files={"file": ("people.csv", people.encode())})
    here.post("/en/people/even")
    table = io.StringIO()
    rows = csv.writer(table)
    fields = list(protocol(world.stations[drawn[0]]))
    rows.writerow(["station", "observer", "written", *fields])
    for n, station in enumerate(drawn):
        values = protocol(world.stations[station])
        if n == 0:  # one copy differs from what was published
            values |= {"yes": values["yes"] - 3, "no": values["no"] + 3}
        written = (NIGHT - timedelta(minutes=3 * n + 1)).isoformat()
        rows.writerow([station, here.keep.mission.assigned[station][0], written, *values.values()])
    taken = here.post(
        "/en/field/import",
        files={"file": ("copies.csv", table.getvalue().encode())},
        act="take",
        path=f"protocol/{CONTEST}",
    )
    assert taken.status_code == 200 and len(here.keep.mission.reports) == 34
    here.post("/en/field")  # all that are in order; the others one by one
    for report in [one for one in here.keep.mission.reports.values() if one.standing == "new"]:
        here.post("/en/field/report", n=str(report.n), act="verify", note="")
    coverage = here.get("/en/coverage.json").json()
    assert coverage["stages"]["verified"] == 34 and len(coverage["areas"]) == 17
    for lang in ("kk", "ru", "en"):
        for path in PAGES if lang == "en" else PAGES[1:4]:
            page = here.get(f"/{lang}{path}")
            assert page.status_code == 200 and f'<html lang="{lang}">' in page.text, (lang, path)
            assert f'href="/{lang}/report"' in page.text, "the whole menu"
    assert 0 < here.get("/en/estimate.json").json()["estimate"] < 1
    said = here.get("/en/compare").text
    assert drawn[0] in said
    written_up = here.get("/en/report").text
    assert drawn[0] in written_up and "event" in written_up, (
        "the report names the station that differs, and where it comes from"
    )
