"""How do the end-to-end tests use Dauys? As a new user would: the command, in a folder of their own."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

from dauys.cli.main import main
from dauys.record.note import SigningKey
from forked_dauys import Dauys

REPOSITORY = Path(__file__).resolve().parents[2]
SMALL = REPOSITORY / "tests/end_to_end/small"
RUSSIA = REPOSITORY / "tests/end_to_end/russia2020"
SHARED = REPOSITORY.parent / "shared/data"

STATE = ["dauys/kz/2022-referendum", "70147", "SRkBkEgmaSJwT0R1aZpv+t+GRj+7ky11ZrF8nSVaie8="]
"""Origin, size and root of the record of kz/2022-referendum: the same on every machine, until the record says more."""

SMALL_STATE = ["dauys/test/small", "52", "k1FSKIqZ/Rqb3QTZM3DV2h9cC9jcRgcAQbyGQXuS9Is="]
"""Origin, size and root of the record of the small poll, with the keys of `known_keys`: undisturbed and killed alike."""


def command(folder: Path, *args: str | Path, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `dauys ARGS` in `folder`, with its data there, and checks the exit code."""
    with TemporaryFile("w+", encoding="utf-8") as out, TemporaryFile("w+", encoding="utf-8") as err:
        running = Dauys(folder, *args, env=environ(folder) | environment, stdout=out.fileno(), stderr=err.fileno())
        running.wait(timeout=600)
        out.seek(0)
        err.seek(0)
        done = subprocess.CompletedProcess(running.args, running.wait(), out.read(), err.read())
    return checked(done, code)


def checked(done: subprocess.CompletedProcess[str], code: int) -> subprocess.CompletedProcess[str]:
    assert done.returncode == code, f"{' '.join(done.args)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def answer(folder: Path, *args: str | Path, code: int = 0) -> Any:
    """The JSON answer of a command."""
    return json.loads(command(folder, *args, "--json", code=code).stdout)


def newcomer(folder: Path, *args: str | Path) -> Any:
    """The JSON answer of a command that Python comes to from nothing, as it does for a new user."""
    line = [sys.executable, "-m", "dauys", *map(str, args), "--json"]
    done = subprocess.run(
        line, cwd=folder, env=environ(folder), capture_output=True, text=True, timeout=600, check=False
    )
    return json.loads(checked(done, 0).stdout)


def told(folder: Path, *args: str | Path, code: int = 0) -> tuple[Any, str]:
    """The JSON answer and the remarks of a command called in this process, where a test is not about the process.

    Starting one takes longer than most of them work.
    """
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        for name in [name for name in os.environ if name.startswith("DAUYS_")]:
            patch.delenv(name)
        patch.setenv("DAUYS_HOME", str(folder / ".dauys"))
        with pytest.raises(SystemExit) as ended:
            main([*map(str, args), "--json"])
    assert ended.value.code == code, f"dauys {' '.join(map(str, args))}: {out.getvalue()}\n{err.getvalue()}"
    return json.loads(out.getvalue() or "null"), err.getvalue()


def environ(folder: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DAUYS_")}
    return inherited | {"DAUYS_HOME": str(folder / ".dauys"), "PYTHONUNBUFFERED": "1"}


def known_keys(folder: Path) -> None:
    """Keys for the small poll that are the same in every test, so that its record is, too."""
    keys = folder / ".dauys/keys"
    keys.mkdir(parents=True)
    SigningKey.from_seed("dauys/test/small", b"\x03" * 32).save(keys / "test-small.log.key")
    SigningKey.from_seed("commission", b"\x04" * 32).save(keys / "test-small.commission.key")


def start_and_kill(folder: Path, poll: str | Path, moment: str, server: bool) -> None:
    """Runs a poll and kills it with -9 as soon as it has said `moment`; with `server`, its whole database server too."""
    night = Dauys(folder, "run", poll, env=environ(folder), stderr=subprocess.PIPE)
    assert night.stderr is not None
    heard: list[str] = []
    for line in night.stderr:
        heard.append(line)
        if moment in line:
            break
    else:
        pytest.fail(f"the night ended before {moment!r}: {''.join(heard[-3:])}")
    os.kill(night.pid, signal.SIGKILL)
    assert night.wait(timeout=30) == -signal.SIGKILL
    night.stderr.close()
    if server:
        postmaster = int((folder / ".dauys/postgres/postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)


def independent(bundle: Path, *args: str) -> tuple[bool, set[str]]:
    """What the second verifier says: whether all is well, and the numbers of the checks that failed."""
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "tests/independent_verifier.py"), str(bundle), *args],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    body = json.loads(done.stdout)
    assert done.returncode == (0 if body["ok"] else 1)
    return body["ok"], {check["id"] for check in body["checks"] if not check["ok"]}


def copy_of(bundle: Path, folder: Path) -> Path:
    """A copy of a bundle to plant faults in."""
    return Path(shutil.copytree(bundle, folder / "bundle"))
