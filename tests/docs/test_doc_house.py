"""Are the documents whole? Check numbers, links, the README's shape, the built site; and what the house forbids in files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from doc_pages import DOCS, PAGES, REPOSITORY, anchors, blocks, read

from dauys.cli.main import COMMANDS
from dauys.law.packs import form_names, load_form
from dauys.pollbook.rules.channels import LIST, NAMES, SETTINGS
from dauys.publish.verify import CHECKS
from dauys.stations.catalogue import catalogue, checks_of

LONGEST = 400
LARGEST_PICTURE, ALL_PICTURES = 300 << 10, 1200 << 10


def tracked() -> list[Path]:
    """The files of the repository, and those that are about to be."""
    args = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(args, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout: which files belong to the project is not known")
    return [REPOSITORY / name for name in done.stdout.split("\0") if name and (REPOSITORY / name).is_file()]


def row(text: str, number: str) -> str:
    """The row of a table that begins with a number."""
    rows = [line for line in text.splitlines() if line.startswith(f"| {number} |")]
    assert len(rows) == 1, f"{number} stands in {len(rows)} rows"
    return rows[0]


def test_every_check_of_protocols_is_documented_in_three_languages() -> None:
    text = read("checks.md")
    for number, check in catalogue().items():
        line = row(text, number)
        for language in ("kk", "ru", "en"):
            assert check.title[language] in line and check.text[language] in line, (number, language)


def test_every_identity_of_the_forms_is_documented_in_three_languages() -> None:
    text = read("checks.md")
    for name in form_names():
        form = load_form(name)
        section = text.partition(f"## Identities of the form `{form.id}`")[2].partition("\n## ")[0]
        for identity in form.identities:
            line = row(section, identity.number)
            for label in (*identity.labels.values(), str(identity.relation), identity.cite):
                assert label in line, (name, identity.number, label)
            assert identity.number in checks_of(form)


def test_every_check_of_the_verifier_is_documented_in_order() -> None:
    rows = re.findall(r"^\| (V\.\d\d) \| ([^|]+) \| ([^|]+) \|$", read("verify.md"), re.MULTILINE)
    assert [(number, what) for number, what, _ in rows] == list(CHECKS.items())
    assert all(len(meaning) > 40 for _, _, meaning in rows)


def test_links_lead_somewhere() -> None:
    faults = []
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"!?\[[^\]]*\]\(([^)\s]+)\)", text):
            if "://" in target:
                continue
            name, _, anchor = target.partition("#")
            linked = (path.parent / name).resolve() if name else path
            if not linked.is_file():
                faults.append(f"{path.name}: {target}")
            elif anchor and anchor not in anchors(linked.read_text(encoding="utf-8")):
                faults.append(f"{path.name}: {target} (no such heading)")
    assert faults == []


def test_files_that_documents_name_are_there() -> None:
    """Paths in backticks below src, tests and docs."""
    for path in PAGES:
        for name in re.findall(r"`((?:src|tests|docs)/[\w./-]+)`", path.read_text(encoding="utf-8")):
            assert "NAME" in name or (REPOSITORY / name).exists(), f"{path.name}: {name}"


def test_the_readme_has_its_parts_in_order() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    opening = text.partition("\n\n")[2].partition("\n\n")[0]
    sentences = re.findall(r"[^.]+(?:\.\d|[^.])*\.(?=\s|$)", opening)
    assert len(sentences) == 3, sentences
    picture, _, rest = text.partition("\n\n")[2].partition("\n\n")[2].partition("\n\n")
    assert re.fullmatch(r"!\[[^\]]+\]\(docs/pictures/site\.png\)", picture)
    assert rest.startswith("## Two commands")
    console = [block for block in blocks(REPOSITORY / "README.md") if block.language == "console"]
    assert [line.split()[1] for line in console[0].text.splitlines()] == ["./dauys", "./test"]
    assert len(console) == 1
    jobs = rest.partition("| you are | you want to | start here |")[2]
    assert [person for person in ("citizen", "commission", "observer", "developer") if person not in jobs] == []


def test_commands_that_text_names_exist() -> None:
    for path in PAGES:
        for name in re.findall(r"`(?:\./)?dauys ([a-z]+)\b", path.read_text(encoding="utf-8")):
            assert name in COMMANDS, f"{path.name}: dauys {name}"


def test_pictures_are_small_and_shown() -> None:
    pictures = sorted((DOCS / "pictures").glob("*.png"))
    sizes = {picture.name: picture.stat().st_size for picture in pictures}
    assert sizes and max(sizes.values()) <= LARGEST_PICTURE and sum(sizes.values()) <= ALL_PICTURES, sizes
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert f"pictures/{picture.name}" in read("index.md")


def test_the_docs_build_is_strict_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    args = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(args, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    built = {page.stem for page in tmp_path.glob("*.html")}
    assert {path.stem for path in DOCS.glob("*.md")} <= built
    for page in tmp_path.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe)[^>]*src=[\"']([^\"']+)|<link[^>]*href=[\"']([^\"']+)", text)
        assert [name for pair in loaded for name in pair if "//" in name] == [], page.name
    for style in tmp_path.rglob("*.css"):
        assert not re.search(r"(?:url\([\"']?|@import [\"'])(?:https?:)?//", style.read_text(encoding="utf-8")), style


def test_no_file_of_the_source_is_too_long() -> None:
    texts = [path for path in (REPOSITORY / "src").rglob("*.py") if path.is_file()]
    long = {
        str(path.relative_to(REPOSITORY)): n for path in texts if (n := len(path.read_text().splitlines())) > LONGEST
    }
    assert long == {}


def test_no_file_names_a_machine_or_a_registry() -> None:
    """Paths of somebody's machine and hosts of package registries have no place in the project."""
    places = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/"]
    hosts = [
        "pypi." + "org",
        "pythonhosted" + ".org",
        "npmjs" + ".",
        "unpkg" + ".com",
        "jsdelivr" + ".net",
        "crates" + ".io",
    ]
    words = re.compile("|".join([rf"(?<![\w.]){re.escape(place)}" for place in places] + [re.escape(h) for h in hosts]))
    found = []
    for path in tracked():
        if path.suffix in (".png", ".gz", ".parquet"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if words.search(line):
                found.append(f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_every_way_to_vote_and_its_settings_are_documented() -> None:
    rows = dict(
        re.findall(r"^\| `([a-z-]+)` \|[^|]*\|([^|]*)\|$", read("polls.md").partition("## Ways to vote")[2], re.M)
    )
    assert rows.keys() == {*NAMES[1:], LIST}
    for name in NAMES[1:]:
        assert {word for word in re.findall(r"`([a-z]+)`", rows[name]) if word in _ALL} == set(
            SETTINGS.get(name, ())
        ), name


_ALL = {setting for settings in SETTINGS.values() for setting in settings}
