"""Does the documentation of the command line hold? Its examples run here; help texts, options and JSON keys are compared.

One folder for each page, as its reader has it; the commands run in this process, through the same entry point.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from doc_pages import DOCS, REPOSITORY, Command, all_commands, blocks, commands, read, table_after

from dauys.cli.main import COMMANDS, main, tree
from dauys.store import embedded
from prepared_store import prepare_store
from site_client import SiteClient

pytestmark = [pytest.mark.database, pytest.mark.xdist_group("docs")]

E2E = "tests/end_to_end/"
PAPER = "tests/polls/test_paper_and_withdrawals.py"
MISSION = "tests/observe/test_mission_command.py"
TWO = "tests/end_to_end/test_two_stations.py"
COVERED = {
    # the nation's night takes half a minute: the end-to-end tests run it
    "./dauys run kz/2022-referendum": (E2E + "conftest.py", '"kz/2022-referendum"'),
    "./dauys verify out/kz/2022-referendum --key 'dauys/kz/2022-referendum+...'": (
        E2E + "test_kazakhstan_2022.py",
        '"verify", kazakhstan.bundle',
    ),
    # the record of the nation's night: a record of the same shape is made for the test
    "./dauys law check --facts out/kz/2022-referendum": ("tests/law/test_law_commands.py", '"check", "--facts"'),
    # what stays up until it is stopped, and what talks to it
    "./dauys run kz/2022-referendum --serve": (E2E + "test_served.py", '"--serve"'),
    "./dauys run kz/2022-referendum --serve --speed 100": (E2E + "test_served.py", '"--speed"'),
    "./dauys run kz/2022-referendum --witness 'mission+...'": (E2E + "test_served.py", '"--witness"'),
    "./dauys verify https://": (E2E + "test_served.py", '"verify", served.record'),
    "./dauys witness https://": (E2E + "test_served.py", '"witness", served.record'),
    "./dauys serve": ("tests/end_to_end/test_served.py", '"serve", "--port", "0"'),
    # a poll of the reader's own: the same commands run here on tests/end_to_end/small and its copy test/live
    "./dauys open polls/charter": ("tests/docs/test_doc_commands.py", '"open", "live"'),
    "./dauys account anna --first": ("docs/running.md", "./dauys account anna --first\naccount anna"),
    "./dauys declare charter/2026 preliminary": ("tests/docs/test_doc_commands.py", '"declare", LIVE, "preliminary"'),
    "./dauys declare charter/2026 final --close": (
        "tests/docs/test_doc_commands.py",
        '"declare", LIVE, "final", "--close"',
    ),
    "./dauys verify out/charter/2026": ("tests/docs/test_doc_commands.py", '"verify", "out/test/live"'),
    "./dauys annul charter/2026": ("tests/docs/test_doc_commands.py", '"annul", LIVE'),
    # a centre and two stations: in one test, with few voters
    "./dauys roll synthetic nation.csv --poll tests/end_to_end/small": (TWO, '"roll", "synthetic", "nation.csv"'),
    "./dauys roll import nation.csv --poll tests/end_to_end/small": (TWO, '"roll", "import", "nation.csv"'),
    "./dauys roll approve 1 --by boris": (TWO, '"roll", "approve", "1"'),
    "./dauys open tests/end_to_end/small": (TWO, '"open", str(SMALL)'),
    "./dauys roll freeze test/small": (TWO, '"roll", "freeze", "test/small"'),
    "./dauys pollbook packages test/small": (TWO, '"packages"'),
    "./dauys station enrol packages/": (TWO, '"station", "enrol", f"packages/'),
    "./dauys pollbook envelopes test/small": ("tests/polls/test_pollbook_envelopes.py", '"envelopes", POLL, *at'),
    "./dauys pollbook not-lost test/village": ("tests/polls/test_list_and_rehearsal.py", '"not-lost", POLL, "A-1"'),
    "./dauys pollbook print test/village": ("tests/polls/test_lost_list.py", '"pollbook", "print", POLL, "A-1"'),
    "./dauys pollbook paper test/village": (PAPER, '"paper", POLL, "A-1"'),
    "./dauys pollbook paper-undo test/village": (PAPER, '"paper-undo", POLL, "A-1"'),
    "./dauys station --folder": (E2E + "test_station_browser.py", '"station", "--port", "0"'),
    "./dauys mission serve --folder mission --host": (MISSION, 'Served(keep, "127.0.0.1", 0'),
    "./dauys mission serve --folder mission --witness": (MISSION, 'Served(keep, "127.0.0.1", 0, 1, "adil"'),
    "./dauys mission serve --folder mission --clock": (MISSION, "moment(CLOCK)"),
    "./dauys mission serve --folder mission": (MISSION, '"mission", "serve"'),
    "./dauys station --host": ("tests/pollbook/test_station_command.py", "Served(keep, folder, "),
}
"""Examples that do not run as they stand: the beginning of the command, and the file and text that show where it is tried."""

LIVE = "test/live"
GROUPS = {
    name: list(group.commands)
    for name in COMMANDS
    if isinstance(group := tree.get_command(click.Context(tree), name), click.Group)
}
"""Commands that have commands of their own."""
NAMES = ["", *COMMANDS, *(f"{name} {command}" for name, commands in GROUPS.items() for command in commands)]


class Ran:
    """What the examples of one page answered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.json: dict[str, Any] = {}
        self.examples = 0

    def run(self, args: list[str], environment: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Exit code, standard output, standard error of `dauys ARGS` in the folder."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            patch.delenv("DAUYS_DATABASE_URL", raising=False)
            patch.setenv("DAUYS_HOME", str(self.folder / ".dauys"))
            for name, value in (environment or {}).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main(args)
        return int(str(ended.value.code)), out.getvalue(), err.getvalue()

    def example(self, command: Command) -> None:
        """Runs an example and compares its exit code and what it shows; `...` stands for anything."""
        words = shlex.split(command.line)
        environment = dict(word.split("=", 1) for word in words[: words.index("./dauys")])
        args = words[words.index("./dauys") + 1 :]
        code, out, err = self.run(args, environment)
        self.examples += 1
        assert code == command.code, f"{command.line}: {code}\n{out}\n{err}"
        if command.output:
            shown = ".*".join(map(re.escape, command.output.split("...")))
            assert re.fullmatch(shown, out.strip(), re.DOTALL), f"{command.line} answers otherwise:\n{out}"
        if "--json" in args:
            name = " ".join(args[: 1 + (args[0] in GROUPS)]) + (" --dry-run" if "--dry-run" in args else "")
            self.json.setdefault("error" if code == 2 else name, json.loads(out))

    def page(self, path: Path) -> None:
        """Everything that runs on a page, in order."""
        for block in blocks(path):
            match block.mark:
                case ("file", name):
                    (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (self.folder / name).write_text(block.text)
                case ("runs", "python" | "sh" as language):
                    self._script(language, block.text)
                case ("runs", *_):
                    for command in commands(block):
                        self.example(command)

    def _script(self, language: str, text: str) -> None:
        if language == "python":
            station(self.folder)
        args = [sys.executable, "-c", text] if language == "python" else ["sh", "-ec", text]
        done = subprocess.run(args, cwd=self.folder, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr


def station(folder: Path) -> None:
    """What a reader saves before checking a proof by hand: station.json and checkpoint, from the site."""
    with client(folder) as site:
        twin = site.get("/en/polls/test/small/stations/A1-03.json")
        (folder / "station.json").write_bytes(twin.content)
        (folder / "checkpoint").write_bytes(site.get("/record/test/small/checkpoint").content)


def client(folder: Path) -> Any:
    """The site over the folder's database."""

    from dauys.polls.keys import keys_of
    from dauys.polls.opening import load_poll
    from dauys.publish.record_routes import record_router
    from dauys.stations.routes import desk_router
    from dauys.store.engine import open_store
    from dauys.web.app import create_app

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAUYS_DATABASE_URL", raising=False)
        engine = open_store(folder / ".dauys")

    def keys(poll: str) -> Any:
        with engine.connect() as connection:
            return keys_of(load_poll(connection, poll), folder / ".dauys/keys")

    routers = [record_router(engine, keys), desk_router(engine, seal=lambda poll: keys(poll).commission)]
    return SiteClient(create_app(engine, routers, folder / "maps"), base_url="http://127.0.0.1:8040")


@pytest.fixture(scope="module")
def workplace() -> Iterator[Path]:
    """A reader's folder with the repository's tests in it. Not pytest's own: the path of a socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="dauys") as name:
        (Path(name) / "tests").symlink_to(REPOSITORY / "tests")
        prepare_store(Path(name) / ".dauys")
        yield Path(name)
        embedded.stop(Path(name) / ".dauys")


@pytest.fixture(scope="module")
def reference(workplace: Path) -> Ran:
    """The examples of docs/commands.md, run."""
    ran = Ran(workplace)
    ran.page(DOCS / "commands.md")
    return ran


def test_the_examples_of_the_commands_page_run(reference: Ran) -> None:
    # what stays up answers once and goes on: tests/end_to_end/test_served.py stops it; a station needs its package and code:
    # tests/end_to_end/test_two_stations.py and tests/pollbook/test_station_command.py; paper needs a station that was lost:
    # tests/polls/test_paper_and_withdrawals.py
    elsewhere = {
        "serve", "mission serve", "station", "station enrol", "station envelopes", "station pin", "station print", "pollbook paper",
        "pollbook paper-undo", "pollbook not-lost", "pollbook print",
    }  # fmt: skip
    assert set(reference.json) | elsewhere >= {name for name in NAMES if name and _has(name, "--json")} | {"error"}


@pytest.mark.parametrize("page", ["verify.md", "running.md", "rules.md", "law.md", "polls.md"])
def test_the_examples_of_other_pages_run(workplace: Path, page: str) -> None:
    _forget(workplace)
    ran = Ran(workplace)
    ran.page(DOCS / page)
    assert ran.examples > 2
    if page == "running.md":
        _one_evening(ran)


def _forget(workplace: Path) -> None:
    """A new reader: another database on the same server."""
    from dauys.store.engine import open_store

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAUYS_DATABASE_URL", raising=False)
        engine = open_store(workplace / ".dauys")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    engine.dispose()
    shutil.rmtree(workplace / "out", ignore_errors=True)
    shutil.rmtree(workplace / ".dauys/keys", ignore_errors=True)
    shutil.rmtree(workplace / ".dauys/witness", ignore_errors=True)


def _one_evening(ran: Ran) -> None:
    """docs/running.md: a poll that is opened, filled over HTTP with the page's own curl lines, annulled, declared, proven."""
    folder = ran.folder
    shutil.copytree(REPOSITORY / "tests/end_to_end/small", folder / "live")
    described = (folder / "live/poll.yaml").read_text().partition("\nprotocols:")[0].replace("test/small", LIVE)
    (folder / "live/poll.yaml").write_text(described + '\nreports: ["12:00"]\n')
    assert ran.run(["open", "live"])[0] == 0
    token = json.loads(ran.run(["account", "bot", "--token", "--json"], {"DAUYS_PASSWORD": "a long pass phrase"})[1])[
        "token"
    ]
    answers = []
    with client(folder) as site:
        for request in curls():
            sent = {"json": json.loads(request["json"])} if "json" in request else {}
            if "file" in request:
                sent = {"content": (REPOSITORY / "tests/end_to_end/small/protocols.csv").read_bytes()}
                request["url"] = request["url"].replace(".csv.gz", ".csv")
            url = request["url"].replace("/test/small/", f"/{LIVE}/")
            answer = site.post(url, headers={"Authorization": f"Bearer {token}"}, **sent)
            assert answer.status_code == 200, (request, answer.text)
            answers.append(answer.json())
    assert [list(answer) for answer in answers].count(["receipts"]) == 3
    assert answers[-1]["receipts"][0]["state"] == "accepted"  # the correction took it out of quarantine
    annulled = ["annul", LIVE, "--station", "A1-04", "--contest", "river", "--reason", "seal", "--cite", "art. 32"]
    assert ran.run(annulled)[0] == 0
    assert ran.run(["declare", LIVE, "preliminary"])[0] == 0
    assert ran.run(["declare", LIVE, "final", "--close"])[0] == 0
    code, said, _ = ran.run(["verify", "out/test/live"])
    assert code == 0, said


def curls() -> list[dict[str, str]]:
    """The POST requests that docs/running.md shows as curl lines: url and `json` or `file`."""
    found = []
    for block in blocks(DOCS / "running.md"):
        for line in re.split(r"^(?=curl )", block.text, flags=re.MULTILINE) if block.language == "sh" else ():
            if not line.startswith("curl "):
                continue
            words = shlex.split(line.replace("\\\n", " "))
            request = {"url": words[-1]}
            for option, value in pairwise(words):
                request |= {"--json": {"json": value}, "--data-binary": {"file": value}}.get(option, {})
            found.append(request)
    assert len(found) == 4
    return found


def test_every_command_shown_runs_here_or_is_run_elsewhere() -> None:
    unknown, used = [], set()
    for command in all_commands():
        line = command.line.partition("./dauys")
        if command.runs or not line[1]:
            continue
        starts = [start for start in COVERED if (line[1] + line[2]).startswith(start)]
        used.update(starts)
        if not starts:
            unknown.append(f"{command.page}: {command.line}")
    assert unknown == [], "mark them with <!-- runs -->, or say in COVERED where they are tried"
    assert used == set(COVERED), "no page shows these any more"


@pytest.mark.parametrize("start", COVERED)
def test_what_runs_elsewhere_is_there(start: str) -> None:
    name, text = COVERED[start]
    own = name.endswith(Path(__file__).name)  # COVERED itself quotes it once
    found = (REPOSITORY / name).read_text(encoding="utf-8").count(text)
    assert found > own, f"{name} no longer tries {start}"


def _command(name: str) -> click.Command:
    found: click.Command | None = tree
    for step in name.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), step)
    assert found is not None
    return found


def _has(name: str, option: str) -> bool:
    return any(option in parameter.opts for parameter in _command(name).params)


@pytest.mark.parametrize("name", NAMES)
def test_help_is_quoted_as_it_is(name: str) -> None:
    quoted = {
        " ".join(block.mark[1:]): block.text for block in blocks(DOCS / "commands.md") if block.mark[:1] == ("help",)
    }
    os.environ.setdefault("COLUMNS", "80")
    args = [*name.split(), "--help"]
    said = CliRunner().invoke(tree, args, prog_name="dauys", terminal_width=78).output
    assert quoted[name] == said, "refresh it: .venv/bin/python docs/build.py help"


def test_every_command_has_a_section_with_its_exit_codes() -> None:
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##)", read("commands.md"), re.DOTALL | re.MULTILINE))
    assert set(COMMANDS) <= set(sections)
    for name in COMMANDS:
        assert "Exit codes: 0" in sections[name], name


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """The paths of a JSON value's keys: `a.b`, `c[].d`, `e[]`."""
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from leaves(member, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member, f"{path}[]")
        if not value:
            yield f"{path}[]"
    else:
        yield f"{path}." if value == {} else path


@pytest.mark.parametrize("name", sorted(re.findall(r"^<!-- json (.+) -->$", read("commands.md"), re.MULTILINE)))
def test_json_keys_are_documented_one_by_one(reference: Ran, name: str) -> None:
    documented = table_after(read("commands.md"), f"json {name}")
    patterns = {key: _pattern(key) for key in documented}
    found = set(leaves(reference.json["decide" if name == "decision" else name]))
    for path in found:
        # a list or object that happens to be empty says nothing about its members
        empty = path.endswith(("[]", "."))
        known = any(p.fullmatch(path) or (empty and key.startswith(path)) for key, p in patterns.items())
        assert known, f"{name}: {path} is not documented"
    if name != "error":
        for key, pattern in patterns.items():
            assert any(pattern.fullmatch(path) for path in found), f"{name}: there is no {key}"


def _pattern(key: str) -> re.Pattern[str]:
    whole = r"(?:[.\[].*)?" if key.split(".")[-1] == "decision" else ""
    return re.compile(
        re.sub(r"<\w+>", r"[^\\s\\[\\]]+", re.escape(key).replace(r"\<", "<").replace(r"\>", ">")) + whole
    )
