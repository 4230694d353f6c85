"""requirements/setup.sh: two set-ups at once, one that fails or is killed, and a lock that changed, take no environment away."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

SETUP = Path(__file__).parent.parent / "requirements" / "setup.sh"

# Stands for Python's `venv` and pip, which need half a minute: pip waits while a file `slow` is there, and fails with `fail`;
# with `full` what is written after it cannot be written.
PYTHON = f"""#!/bin/sh
[ "$1 $2" = "-m venv" ] || exec "{sys.executable}" "$@"
echo made >> made
mkdir -p "$3/bin" && cat > "$3/bin/python" <<'END'
#!/bin/sh
case "$1 $2" in
"-m pip") touch pip; while [ -e slow ]; do sleep 0.02; done; [ ! -e full ] || mkdir -p "${{0%/bin/python}}/dauys.pth"; [ ! -e fail ];;
*) echo "${{0%/bin/python}}";;
esac
END
chmod +x "$3/bin/python"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("# nothing\n", "utf-8")
    python = tmp_path / "python"
    python.write_text(PYTHON, "utf-8")
    python.chmod(0o755)
    return tmp_path


def start(folder: Path, called: Path | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["sh", "-euc", f'. "{SETUP}"; until ensure_venv .venv a.txt=--flag; do :; done; echo "$venv"'],
        cwd=folder,
        env={**os.environ, "PYTHON": "./python", "PWD": str(called or folder)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def set_up(folder: Path) -> tuple[int, str, str]:
    one = start(folder)
    out, said = one.communicate(timeout=60)
    return one.returncode, out.strip(), said


def wait_for(path: Path) -> None:
    for _ in range(1000):
        if path.exists():
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} did not come")


def made(folder: Path) -> int:
    return (folder / "made").read_text("utf-8").count("made")


def test_it_is_made_once_and_found_again(folder: Path) -> None:
    (folder / ".venv").mkdir()  # an empty folder is no set-up
    code, venv, said = set_up(folder)
    assert code == 0 and said.count("setting up") == 1
    assert (folder / ".venv").readlink() == Path(venv)
    assert (folder / venv / "dauys.pth").read_text("utf-8").strip() == str(folder / "src")
    assert set_up(folder) == (0, venv, "")
    assert made(folder) == 1


def test_the_second_of_two_at_once_waits_and_uses_what_the_first_made(folder: Path) -> None:
    (folder / "slow").touch()
    first = start(folder)
    wait_for(folder / "made")
    second = start(folder)
    assert second.stderr is not None and "another command is setting up; waiting" in second.stderr.readline()
    (folder / "slow").unlink()
    venv, _ = first.communicate(timeout=60)
    again, said = second.communicate(timeout=60)
    assert (first.returncode, second.returncode, again, said) == (0, 0, venv, "")
    assert made(folder) == 1


def test_a_changed_lock_leaves_the_old_environment_to_what_runs_from_it(folder: Path) -> None:
    _, old, _ = set_up(folder)
    (folder / "a.txt").write_text("# something else\n", "utf-8")
    (folder / "fail").touch()
    code, _, said = set_up(folder)
    assert code == 2 and "could not install a.txt" in said
    assert (folder / ".venv").readlink() == Path(old) and (folder / old / ".ready").exists()
    (folder / "fail").unlink()
    code, new, said = set_up(folder)
    assert code == 0 and new != old and f"{old} is of an earlier set-up" in said
    assert (folder / ".venv").readlink() == Path(new) and (folder / old / ".ready").exists()


def test_after_a_kill_the_next_waits_for_what_outlives_it_and_makes_it_whole(folder: Path) -> None:
    (folder / "slow").touch()
    first = start(folder)
    wait_for(folder / "pip")
    first.kill()
    assert first.wait(timeout=60) != 0
    second = start(folder)
    assert second.stderr is not None and "another command is setting up; waiting" in second.stderr.readline()
    (folder / "slow").unlink()
    venv, _ = second.communicate(timeout=60)
    assert second.returncode == 0 and (folder / venv.strip() / ".ready").exists()
    assert made(folder) == 2


def test_a_folder_of_before_is_used_while_it_fits_and_never_removed(folder: Path) -> None:
    _, venv, _ = set_up(folder)
    (folder / ".venv").unlink()
    (folder / venv).rename(folder / ".venv")
    assert set_up(folder) == (0, ".venv", "")
    (folder / "a.txt").write_text("# something else\n", "utf-8")
    code, new, said = set_up(folder)
    assert code == 0 and new != ".venv" and "delete it when nothing runs from it" in said
    assert (folder / ".venv" / ".ready").exists() and not (folder / ".venv").is_symlink()
    assert not list(folder.glob(".venv-link*"))


def test_what_cannot_be_written_to_its_end_is_no_set_up(folder: Path) -> None:
    (folder / "full").touch()
    code, _, said = set_up(folder)
    assert code == 2 and "could not finish .venv-" in said
    assert not list(folder.glob(".venv*/.ready")) and not (folder / ".venv").is_symlink()
    (folder / "full").unlink()
    assert set_up(folder)[0] == 0


def test_a_folder_of_somebody_else_says_who_sets_it_up(folder: Path) -> None:
    (folder / ".venv-lock").mkdir()  # nothing is written into it, by root neither
    code, _, said = set_up(folder)
    assert code == 2 and "cannot write into" in said and "Traceback" not in said


def test_a_link_by_which_the_folder_was_called_may_go(folder: Path) -> None:
    link = folder.parent / "by-a-link"
    link.symlink_to(folder)
    venv = start(link, link).communicate(timeout=60)[0].strip()
    assert (folder / venv / "dauys.pth").read_text("utf-8").strip() == str(folder / "src")
