"""Reference data beside the repository, for the tests of this folder; skipped with a reason where it is absent."""

from __future__ import annotations

import csv
import gzip
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
GOLDEN = SHARED / "survey-golden"
RUSSIA = SHARED / "russia2020" / "ru2020_referendum_uik.csv.gz"
MEXICO = SHARED / "mexico2018"

Rows = list[dict[str, str]]


def there(path: Path) -> Path:
    """The path; the test is skipped where nothing is there."""
    if not path.exists():
        pytest.skip(f"the reference data are not beside the repository: {path.name}")
    return path


@cache
def rows(path: Path) -> Rows:
    """The rows of a CSV file, plain or gzip."""
    data = there(path).read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "replace")
    return list(csv.DictReader(text.splitlines()))


def column(found: Rows, name: str) -> npt.NDArray[np.float64]:
    return np.array([float(row[name]) for row in found])


@cache
def reference(name: str) -> dict[str, list[float]]:
    """The values of a file of reference estimates, by name."""
    found = {}
    for line in there(GOLDEN / name).read_text(encoding="utf-8").splitlines()[1:]:
        label, *values = line.split("\t")
        found[label] = [float(value) for value in values]
    return found
