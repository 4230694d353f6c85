"""The protocol form of the Kazakh referendum law, and what a malformed form file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from dauys.errors import BadInput
from dauys.law.form import Form, form_of, read_form
from dauys.law.packs import JURISDICTIONS, load_form

PATH = JURISDICTIONS / "kz" / "forms" / "referendum-protocol.yaml"
GOOD = {
    "eligible": 1000, "delivered": 1010, "received": 700, "cancelled": 310, "mobile_requests": 20, "mobile_ballots": 20,
    "participated": 690, "yes": 500, "no": 150, "invalid": 30, "not_counted": 10,
}  # fmt: skip
BROKEN = [
    ({"yes": 501}, ["F.101"]),
    ({"received": 680, "cancelled": 330}, ["F.102"]),
    ({"eligible": 1000, "received": 1001, "cancelled": 9}, ["F.103"]),
    ({"cancelled": 311}, ["F.104"]),
    ({"delivered": 1011, "cancelled": 311}, ["W.110"]),
    ({"mobile_requests": 19}, ["F.107"]),
    ({"eligible": 3001}, ["W.111"]),
    ({"mobile_requests": 700, "mobile_ballots": 691}, ["F.109"]),
]


def test_the_form_has_the_numbers_of_article_30_and_its_options() -> None:
    form = load_form("kz/referendum-protocol")
    printed = {field.name: field.number for field in form.fields if field.number}
    assert printed == {
        "eligible": "1", "received": "2", "participated": "3", "yes": "4", "no": "4", "invalid": "5", "not_counted": "6",
    }  # fmt: skip
    assert form.options == ("yes", "no")
    assert form.required == tuple(printed)
    assert set(form.names) == set(GOOD)
    assert form.field("participated").role == "base"
    assert [one.number for one in form.identities if not one.warns] == [f"F.10{n}" for n in (1, 2, 3, 4, 7, 9)]
    assert [one.number for one in form.identities if one.warns] == ["W.110", "W.111"]  # by the list before the voting


@pytest.mark.parametrize(("change", "numbers"), BROKEN)
def test_each_identity_is_broken_alone_by_a_planted_fault(change: dict[str, int], numbers: list[str]) -> None:
    form = load_form("kz/referendum-protocol")
    assert form.broken(GOOD) == ()
    assert [identity.number for identity in form.broken(GOOD | change)] == numbers


def test_identities_of_optional_fields_apply_only_where_they_are_given() -> None:
    form = load_form("kz/referendum-protocol")
    given = {name: GOOD[name] for name in form.required}
    assert [i.number for i in form.identities if i.applies_to(given)] == ["F.101", "F.102", "F.103", "W.111"]
    assert form.broken(given) == ()


def test_the_record_holds_the_whole_form() -> None:
    form = load_form("kz/referendum-protocol")
    assert Form.from_json(form.to_json()) == form
    with pytest.raises(BadInput, match="the poll entry: missing: form"):
        Form.from_json({}, "the poll entry")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("role: base", "role: basis", "found 'basis'; expected one of: register, ballots, base"),
        ("name: cancelled", "name: received", "listed twice"),
        ("received <= eligible", "received <= elligible", "a field that the form does not have; found 'elligible'"),
        ("received <= eligible", "received =< eligible", "cannot be read as a relation"),
        ("number: F.102", "number: F.101", "this number is used twice"),
        ("number: F.102", "number: 102", "the number of a check, like F.101"),
        ("status: paraphrase", "status: guess", "one of: enacted, draft"),
        ("status: paraphrase", "", "missing: status"),
    ],
)
def test_a_malformed_form_is_told_with_file_and_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = PATH.read_text()
    path = tmp_path / "form.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(BadInput) as refused:
        read_form(path)
    assert message in str(refused.value)
    assert refused.value.file == str(path)
    assert refused.value.line is not None


def test_forms_of_other_shapes_need_no_code() -> None:
    from dauys.law.files import parse_yaml

    form = form_of(
        parse_yaml("""
form: x/three
cite: nowhere
status: draft
fields:
  - {name: valid, role: base, labels: {kk: а, ru: б, en: c}}
  - {name: red, role: option, labels: {kk: а, ru: б, en: c}}
  - {name: green, role: option, labels: {kk: а, ru: б, en: c}}
  - {name: blue, role: option, labels: {kk: а, ru: б, en: c}}
identities: []
""")
    )
    assert form.options == ("red", "green", "blue")
    assert form.field("red").number is None
