"""The strict reader: every malformed file gives one message with its file and line."""

from __future__ import annotations

from datetime import date, time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.law import files
from dauys.law.files import Node, parse_yaml, read_yaml

PARSERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]


@pytest.fixture(params=PARSERS)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The test runs with PyYAML's own parser and with libyaml."""
    monkeypatch.setattr(files, "PARSER", request.param)
    return request.param


def tree(text: str, parser: Any) -> object:
    """What a text says, with lines; the place of the refusal where it is refused."""

    def told(node: yaml.Node) -> object:
        line, nothing = node.start_mark.line, node.tag.endswith(":null")  # parsers differ in where nothing stands
        if isinstance(node, yaml.ScalarNode):
            return None if nothing else (line, node.value, bool(node.style))
        if isinstance(node, yaml.MappingNode):
            return line, [(told(key), told(value)) for key, value in node.value]
        return line, [told(item) for item in node.value]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "PARSER", parser)
        try:
            return told(parse_yaml(text).raw)
        except BadInput as error:
            return error.message.partition(":")[0]


@pytest.mark.usefixtures("parser")
def test_values_are_read_from_their_text() -> None:
    node = parse_yaml("yes: no\nn: 12\nq: 2/3\nd: 2022-06-05\nt: 07:00\nb: true\nl: {kk: а, ru: б, en: c}\ns: [x, y]\n")
    parts = node.mapping(required=("yes", "n", "q", "d", "t", "b", "l", "s"))
    assert parts["yes"].text() == "no"  # YAML 1.1 would make it False
    assert parts["n"].integer(at_least=0, at_most=12) == 12
    assert parts["q"].fraction() == Fraction(2, 3)
    assert parts["d"].date() == date(2022, 6, 5)
    assert parts["t"].time() == time(7)  # YAML 1.1 would make it 420
    assert parts["b"].boolean() is True
    assert parts["l"].labels() == {"kk": "а", "ru": "б", "en": "c"}
    assert [item.text() for item in parts["s"].items()] == ["x", "y"]
    assert parts["s"].items()[1].field == "s[2]"
    assert parts["d"].line == 4


MALFORMED = [
    ("a: 1\nb: 2\nc: 3\n", lambda n: n.mapping(("a", "b")), 3, "unknown key; found 'c'; expected one of: a, b"),
    ("a: 1\n", lambda n: n.mapping(("a", "b")), 1, "missing: b"),
    ("a: 1\nb: 2\na: 3\n", lambda n: n.mapping(("a", "b")), 3, "written twice (first on line 1)"),
    ("- 1\n", lambda n: n.mapping(("a",)), 1, "found 'a list'; expected a mapping"),
    ("a: 1\n", lambda n: n.items(), 1, "expected a list"),
    ("a:\n  b: 1\n", lambda n: n.mapping(("a",))["a"].text(), 2, "expected a text"),
    ("a:\n", lambda n: n.mapping(("a",))["a"].text(), 1, "nothing is written here"),
    ("\na: 2022-02-30\n", lambda n: n.mapping(("a",))["a"].date(), 2, "not a day; found '2022-02-30'"),
    ("a: 5 June\n", lambda n: n.mapping(("a",))["a"].date(), 1, "YYYY-MM-DD"),
    ("a: 25:00\n", lambda n: n.mapping(("a",))["a"].time(), 1, "HH:MM"),
    ("a: 0.5\n", lambda n: n.mapping(("a",))["a"].fraction(), 1, "an exact fraction like 1/2"),
    ("a: 1/0\n", lambda n: n.mapping(("a",))["a"].fraction(), 1, "an exact fraction like 1/2"),
    ("a: 1,000\n", lambda n: n.mapping(("a",))["a"].integer(), 1, "a whole number"),
    ("a: '7'\n", lambda n: n.mapping(("a",))["a"].integer(), 1, "a whole number"),
    ("a: -1\n", lambda n: n.mapping(("a",))["a"].integer(at_least=0), 1, "a whole number, at least 0"),
    ("a: yes\n", lambda n: n.mapping(("a",))["a"].boolean(), 1, "one of: true, false"),
    ("a:\n  kk: а\n  ru: б\n", lambda n: n.mapping(("a",))["a"].labels(), 2, "missing: en"),
    ("a: ''\n", lambda n: n.mapping(("a",))["a"].text(), 1, "nothing is written here"),
    ("a: x\nb: [1, 2\n", lambda n: n, 3, "not readable as YAML"),
    ("a: 1\nb: !!python/name:os.system x\n", lambda n: n, 2, "the tag tag:yaml.org,2002:python/name:os.system is"),
    ("a: 1\nb: !mine {c: 1}\n", lambda n: n, 2, "the tag !mine is not used here"),
    ("a: 1\nb: *x\n", lambda n: n, 2, "aliases are not used here"),
    ("a: &x [*x]\n", lambda n: n, 1, "aliases are not used here"),
    ("x: 1\na: {b: 1, <<: {c: 2}}\n", lambda n: n.mapping(("x", "a"))["a"].mapping("b"), 2, "unknown key; found '<<'"),
    ("a: 1\nb: " + "[" * 5000 + "\n", lambda n: n, 2, "nested too deeply"),
    ("a: 1\n" + "- " * 70 + "\n", lambda n: n, 2, "not readable as YAML"),
    ("- " * 70 + "1\n", lambda n: n, 1, "nested too deeply"),
    ("\n".join(" " * n + "a:" for n in range(70)) + "\n", lambda n: n, 65, "nested too deeply"),
    ("a: &x 1\nb: *x\n", lambda n: n, 2, "aliases are not used here"),
    ("a: 1\n---\nb: 2\n", lambda n: n, 2, "not readable as YAML"),
    ("a: 1\nb: \x07\n", lambda n: n, 2, "a character that no text has"),
    ("# nothing\n", lambda n: n, None, "the file is empty"),
    ("? {a: 1}\n: 2\n", lambda n: n.entries(), 1, "expected a text"),
]


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(("text", "read", "line", "message"), MALFORMED)
def test_each_malformed_file_gives_one_message_with_file_and_line(tmp_path: Path, text, read, line, message) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        read(read_yaml(path))
    assert refused.value.file == str(path)
    assert refused.value.line == line
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xef\xbb\xbfa: 1\n", "byte order mark"),
        ("a: жоқ\n".encode("utf-16"), "UTF-16"),
        (b"a: 1\n" + "b: нет\n".encode("cp1251"), "line 2: wrong encoding"),
    ],
)
def test_wrong_encodings_are_named(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "rule.yaml"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=message):
        read_yaml(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(BadInput, match="cannot be read"):
        read_yaml(tmp_path)


@pytest.mark.skipif(len(PARSERS) < 2, reason="PyYAML was built without libyaml")
def test_both_parsers_read_the_packs_alike() -> None:
    paths = list((Path(files.__file__).parents[1] / "jurisdictions").rglob("*.yaml"))
    assert len(paths) > 300
    for path in paths[::9]:
        text = path.read_text(encoding="utf-8")
        assert tree(text, PARSERS[0]) == tree(text, PARSERS[1]), path


PIECES = st.lists(st.sampled_from([*"a1:-?[]{},&*!|>'\"#%~ \n", ": ", "- ", "\n  ", "null", "да"]), max_size=14)


@pytest.mark.skipif(len(PARSERS) < 2, reason="PyYAML was built without libyaml")
@given(PIECES.map("".join))
@settings(max_examples=80)
def test_both_parsers_read_any_text_alike(text: str) -> None:
    ours, theirs = (tree(text, parser) for parser in PARSERS)
    assert ours == theirs or isinstance(ours, str) or isinstance(theirs, str)


def test_json_data_has_the_same_view() -> None:
    node = Node.of({"a": 1, "b": [True, "x"], "c": {"yes": "1/2"}}, "the poll entry")
    parts = node.mapping(required=("a", "b", "c"))
    assert parts["a"].integer() == 1
    assert parts["b"].items()[0].boolean() is True
    assert parts["c"].mapping(("yes",))["yes"].fraction() == Fraction(1, 2)
    with pytest.raises(BadInput, match="the poll entry, field a: wrong type"):
        parts["a"].items()
    with pytest.raises(BadInput, match="whole numbers, texts"):
        Node.of({"a": 0.5})


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        node = parse_yaml(text, "x.yaml")
        node.mapping(required=("rule",), optional=("a",))["rule"].text()
    except BadInput as error:
        assert str(error).startswith("x.yaml")
