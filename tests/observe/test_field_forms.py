"""Are answers read as the forms of a mission ask them, and is a faulty form refused with its line?"""

from __future__ import annotations

from pathlib import Path

import pytest
from field_world import COPY, poll
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.observe.field.forms import load_forms, protocol_form, read_answers, read_forms


@given(st.dictionaries(st.sampled_from([*COPY, "picture", "x"]), st.text(max_size=12)))
@settings(max_examples=60, deadline=None)
def test_answers_are_read_or_refused_with_a_number(typed: dict[str, str]) -> None:
    form = protocol_form(poll(), poll().contests[0])
    try:
        values = read_answers(form, typed)
    except BadInput as fault:
        assert fault.check in ("O.107", "O.108", "O.109") and fault.field
    else:
        assert {"participated", "yes", "no"} <= set(values) <= set(COPY) and all(
            isinstance(v, int) for v in values.values()
        )


def test_what_is_asked_only_if(tmp_path: Path) -> None:
    arrival = load_forms()["arrival"]
    assert read_answers(arrival, {"arrived": "6:40", "admitted": "ИӘ", "refused_why": "x"}) == {
        "arrived": "06:40", "admitted": True,
    }  # fmt: skip
    with pytest.raises(BadInput, match=r"refused_why"):
        read_answers(arrival, {"arrived": "6:40", "admitted": "no"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- form: a\n  colour: red\n", "line 2"),
        ("- form: protocol\n", "missing"),
        (FORM := "- form: a\n  names: {kk: a, ru: a, en: a}\n  when: any\n  words: []\n  fields:\n", "nothing|a list"),
        (FORM + "    - {name: n, kind: number, labels: {kk: a, ru: a, en: a}}\n", "line 6.*unknown value"),
        (FORM + "    - {name: n, kind: choice, labels: {kk: a, ru: a, en: a}}\n", "a choice has options"),
        (FORM + "    - {name: n, kind: text, only_if: {field: m, is: 'yes'}, labels: {kk: a, ru: a, en: a}}\n", "no earlier"),
        (FORM + "    - {name: n, kind: count, labels: {kk: a, en: a}}\n", "missing: ru"),
    ],
)  # fmt: skip
def test_a_faulty_form_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "forms.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=said):
        read_forms(path)
