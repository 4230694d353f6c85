"""An estimate with its variance beside R's `survey`, on the same file; and thousands of samples of a past vote.

Both sides read the CSV, build the stratified design with finite-population correction and take the ratio with its standard error:
"from the file" is all of that, "from arrays" is without the reading (our read_sheet, R's read.csv). Ours may take a tenth of R's
time. R does its turns between ours, in one process that is started once. Where R or its `survey` is not there, apt installs them
when this runs as root; otherwise there is nothing beside ours, and it is said.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.timing import Line, peak_mib
from dauys.observe.estimates.design import design_of
from dauys.observe.estimates.estimate import Estimate, ratio
from dauys.observe.night.sheet import read_sheet
from dauys.observe.sample.allocation import shared
from dauys.observe.sample.draw import by_stratum
from dauys.observe.sample.frame import Columns, read_frame
from dauys.observe.sample.simulate import simulate

STATIONS, STRATA = 10_000, 20
COLUMNS = {"y": ["yes"], "x": ["in_box"], "strata": ["region"], "fpc": ["all"]}
VOTE = Path(__file__).resolve().parents[2] / "shared/data/russia2020/ru2020_referendum_uik.csv.gz"

R = """
suppressMessages(library(survey))
a <- commandArgs(TRUE)
turns <- file("stdin", "r")
while (length(readLines(turns, 1)) == 1) {
  gc()
  t0 <- proc.time()[["elapsed"]]
  s <- read.csv(a[1])
  t1 <- proc.time()[["elapsed"]]
  d <- svydesign(id=~1, strata=~region, fpc=~all, data=s)
  r <- svyratio(~yes, ~in_box, d)
  e <- c(coef(r), SE(r))
  t2 <- proc.time()[["elapsed"]]
  cat(sprintf("%.6f %.6f %.15g %.15g\\n", t2 - t0, t2 - t1, e[1], e[2]))
  flush(stdout())
}
"""


def measure(quick: bool) -> list[Line]:
    """The estimate, from the file and from arrays; and the simulation."""
    repeats = 5 if quick else 15
    with tempfile.TemporaryDirectory(prefix="dauys") as name:
        path = Path(name) / "sample.csv"
        _write(path)
        ours, theirs, found = _turns(path, repeats)
    job = f"estimate: {STATIONS:,} stations x {STRATA} strata"
    if not theirs:
        print("estimate: R with the package survey is not here: nothing to compare with", file=sys.stderr)
    lines = []
    for place, what in enumerate(("from the file", "from arrays")):
        mine = [turn[place] for turn in ours]
        name, peer, most = ("R survey", [turn[place] for turn in theirs], 0.1) if theirs else ("itself", mine, None)
        lines.append(Line(f"{job}, {what}", mine, name, peer, most, 0.02))
    if theirs:
        assert np.allclose([found.estimate, found.se], theirs[-1][2:], rtol=1e-9), "the two do not agree"
    return [*lines, *_simulation(quick)]


def _write(path: Path) -> None:
    random = np.random.default_rng(1)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("station", "region", "yes", "in_box", "all"))
        for n in range(STATIONS):
            box = int(random.integers(50, 2500))
            out.writerow((f"S{n:05}", f"R{n % STRATA:02}", int(box * random.beta(6, 3)), box, 4800 + n % STRATA))


def _turns(path: Path, repeats: int) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]], Estimate]:
    """Seconds from the file and from arrays, turn by turn, ours and R's (which adds its estimate); R's is empty without R."""
    ours: list[tuple[float, ...]] = []
    theirs: list[tuple[float, ...]] = []
    peer = _peer(path)
    for turn in range(repeats + 1):
        start = time.perf_counter()
        sheet = read_sheet(path, COLUMNS)
        read = time.perf_counter()
        design = design_of(len(sheet), strata=sheet.texts["strata"], population=sheet.numbers["fpc"])
        found = ratio(design, sheet.numbers["y"], sheet.numbers["x"])
        end = time.perf_counter()
        said = _ask(peer) if peer is not None else ()
        if turn:
            ours.append((end - start, end - read))
            theirs += [said] if said else []
    if peer is not None:
        peer.communicate()
    return ours, theirs, found


def _ask(peer: subprocess.Popen[str]) -> tuple[float, ...]:
    """One turn of R: seconds from the file, seconds without reading, estimate, standard error."""
    assert peer.stdin is not None and peer.stdout is not None
    peer.stdin.write("\n")
    peer.stdin.flush()
    return tuple(map(float, peer.stdout.readline().split()))


def _peer(path: Path) -> subprocess.Popen[str] | None:
    """R, waiting for its turns; None where there is none."""
    if not _has_survey() and os.geteuid() == 0 and shutil.which("apt-get"):
        install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends r-cran-survey"
        subprocess.run(["sh", "-c", install], capture_output=True, check=False)
    if not _has_survey():
        return None
    script = path.with_suffix(".R")
    script.write_text(R, encoding="utf-8")
    return subprocess.Popen(["Rscript", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _has_survey() -> bool:
    if shutil.which("Rscript") is None:
        return False
    done = subprocess.run(["Rscript", "-e", "library(survey)"], capture_output=True, check=False)
    return done.returncode == 0


def _simulation(quick: bool) -> list[Line]:
    if not VOTE.exists():
        print("estimate: no shared/data/russia2020 beside the repository: no simulation", file=sys.stderr)
        return []
    listed = read_frame(VOTE, Columns(("region", "tik", "uik"), ("region",), "voters", "yes", "in_box"))
    assert listed.sizes is not None
    keep = set(np.flatnonzero(listed.sizes > 0).tolist())
    places = [[place for place in members if place in keep] for members in by_stratum(listed).values()]
    sizes = [len(members) for members in places]
    counts = shared(1000, sizes, sizes)
    seconds, plain, all_found = [], [], []
    for turn in range(2 if quick else 5):
        start = time.perf_counter()
        all_found.append(simulate(listed, places, counts, f"bench {turn}"))
        middle = time.perf_counter()
        _one_by_one(listed.parts, listed.wholes, places, counts, 100)
        seconds.append(middle - start)
        plain.append((time.perf_counter() - middle) * 20)
    coverage, width = (np.mean([getattr(one, name) for one in all_found]) for name in ("coverage", "mean_width"))
    said = f"coverage {100 * coverage:.1f} %, mean width {100 * width:.2f} points"
    job = f"simulation: 2,000 samples of 1,000 of {sum(sizes):,} stations ({said})"
    return [Line(job, seconds, "numpy, sample by sample (100, x 20)", plain, most_seconds=10, peak=peak_mib())]


def _one_by_one(y: object, x: object, places: list[list[int]], counts: list[int], samples: int) -> None:
    """The least that anyone would write: numpy's generator and one ratio with its variance for each sample."""
    ys, xs = np.asarray(y), np.asarray(x)
    random, members = np.random.default_rng(1), [np.array(one) for one in places]
    for _ in range(samples):
        drawn = [random.choice(one, n, replace=False) for one, n in zip(members, counts, strict=True)]
        weights = [len(one) / n for one, n in zip(members, counts, strict=True)]
        whole = sum(w * xs[d].sum() for w, d in zip(weights, drawn, strict=True))
        share = sum(w * ys[d].sum() for w, d in zip(weights, drawn, strict=True)) / whole
        sum(
            len(one) ** 2 * (1 - n / len(one)) / n * np.var(ys[d] - share * xs[d], ddof=1)
            for one, n, d in zip(members, counts, drawn, strict=True)
        )
