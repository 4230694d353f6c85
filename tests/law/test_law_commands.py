"""`dauys law`: the three commencement days, the traps of 2022, drafts, and the facts of a record, through the commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dauys.cli.main import main
from dauys.record.checkpoint import Checkpoint
from dauys.record.checkpoint import sign as sign_checkpoint
from dauys.record.entry import Entry
from dauys.record.note import SigningKey
from dauys.record.tiles import write_tiles

BEFORE, JUNE, DECEMBER, JANUARY, ELECTIONS = "2022-06-07", "2022-06-08", "2022-12-31", "2023-01-01", "2023-01-19"
EVENT = "referendum-2022.published"


class Said:
    """What a command answered."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def law(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*args: object) -> Said:
        with pytest.raises(SystemExit) as caught:
            main(["law", *map(str, args)])
        out, err = capsys.readouterr()
        return Said(int(caught.value.code or 0), out, err)

    return run


def test_a_rule_in_json_has_the_seven_members(law: Any) -> None:
    said = law("rule", "senate.size", "--on", BEFORE, "--json")
    body = said.json
    assert said.code == 0
    assert {name: body[name] for name in ("key", "on", "value", "unit", "cite", "status", "since")} == {
        "key": "senate.size",
        "on": BEFORE,
        "value": 49,
        "unit": "count",
        "cite": "Const. 50(2)",
        "status": "enacted",
        "since": "2019-03-23",
    }
    assert law("rule", "senate.size", "--on", JUNE, "--json").json["value_since"] == JUNE


@pytest.mark.parametrize(
    ("key", "on", "value"),
    [
        # not on 8 June: the Senate's quota, the party thresholds, the Senate's bill power
        ("senate.presidential_quota", BEFORE, 15),
        ("senate.presidential_quota", JUNE, 15),
        ("senate.presidential_quota", JANUARY, 15),
        ("senate.presidential_quota", ELECTIONS, 10),
        ("party.min_members", BEFORE, 20000),
        ("party.min_members", JUNE, 20000),
        ("party.min_members", "2022-11-05", 5000),
        ("party.initiative_group", BEFORE, 1000),
        ("party.initiative_group", JUNE, 1000),
        ("party.initiative_group", "2022-11-05", 700),
        ("senate.bill_power", JUNE, "adopts"),
        ("senate.bill_power", DECEMBER, "adopts"),
        ("senate.bill_power", JANUARY, "approves"),
        # 49 is the total, not the elected part
        ("senate.size", BEFORE, 49),
        ("senate.elected_seats", BEFORE, 34),
        ("senate.size", JUNE, 55),
        ("senate.size", ELECTIONS, 50),
        # two sources disagree on regional akims: the adopted article 87(4) decides
        ("president.dismiss_regional_akim", JUNE, True),
        ("president.remove_district_and_rural_akim", JUNE, False),
    ],
)
def test_the_traps(law: Any, key: str, on: str, value: object) -> None:
    said = law("rule", key, "--on", on, "--json")
    assert (said.code, said.json["value"]) == (0, value)


def test_the_print_of_1_january_2023_has_both_15_and_10_senators(law: Any) -> None:
    said = law("show", "50(2)", "--on", JANUARY)
    now, _, later = said.out.partition("enacted, and begins later:")
    assert "15 deputies appointed by the President" in now and "10 deputies" not in now
    assert "10 deputies appointed by the President" in later and f"from {ELECTIONS}" in later
    body = law("show", "art_50__para_2", "--on", JANUARY, "--lang", "ru", "--json").json
    assert "15 депутатов" in body["provisions"][0]["text"] and "10 депутатов" in body["later"][0]["after"]
    assert body["later"][0]["day"] == ELECTIONS
    assert law("show", "50(2)", "--on", BEFORE, "--json").json["later"] == []  # not even enacted


def test_no_citation_of_the_address_goes_by_its_headings() -> None:
    """The headings jump from SIXTH to EIGHTH: a citation by number would name another section."""
    folder = Path(__file__).parents[2] / "src/dauys/jurisdictions/kz"
    for path in [*folder.rglob("parameters/**/*.yaml"), folder / "facts.yaml"]:
        for word in ("SIXTH", "SEVENTH", "EIGHTH"):
            assert word not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize(
    ("one", "two", "provisions", "rules"),
    [(BEFORE, JUNE, 50, 50), (DECEMBER, JANUARY, 37, 43), ("2023-01-18", ELECTIONS, 3, 24), (JUNE, "2022-06-13", 0, 0)],
)
def test_the_commencement_days(law: Any, one: str, two: str, provisions: int, rules: int) -> None:
    said = law("diff", one, two, "--json")
    assert (len(said.json["texts"]), len(said.json["rules"])) == (provisions, rules)
    for change in said.json["texts"]:
        assert change["effects"] and change["causes"], change["id"]
    assert all(change["causes"] for change in said.json["rules"])
    assert said.json["works"] == {"constitution": "paraphrase"}


def test_a_difference_reads_word_by_word_with_its_cause(law: Any) -> None:
    out = law("diff", "2023-01-18", ELECTIONS).out
    assert "[-15-]{+10+} deputies appointed by the President" in out
    assert "because of 50(2); mazhilis-8.elections, 2023-01-19" in out
    assert "senate.size: 55 -> 50" in out and "paraphrase" in out
    assert "[-15-]{+10+} депутатов" in law("diff", "2023-01-18", ELECTIONS, "--lang", "ru").out
    assert "[-15-]{+10 депутат," in law("diff", "2023-01-18", ELECTIONS, "--lang", "kk").out


def test_why(law: Any) -> None:
    out = law("explain", "senate.presidential_quota", "--on", JUNE).out
    assert "not 10 (Const. 50(2), 99(3), enacted): begins on 2023-01-19" in out
    out = law("explain", "art_50__para_2", "--on", ELECTIONS).out
    assert "10   [/akn/kz/act/law/2022-06-08/amendment, 50(2)]" in out and "from 2023-01-19" in out
    body = law("explain", "статья 83-1", "--on", JUNE, "--lang", "ru", "--json").json
    assert [one["id"] for one in body["words"]] == [f"art_83-1__para_{number}" for number in range(1, 5)]
    assert {one["effect"] for one in body["words"]} == {"83-1"}
    body = law("explain", "senate.size", "--on", ELECTIONS, "--json").json
    assert body["inputs"] == {"senate.elected_seats": 40, "senate.presidential_quota": 10}


def test_unknown_is_said_and_is_a_no(law: Any) -> None:
    said = law("rule", "senate.consent_majority", "--on", JUNE)
    assert said.code == 1 and said.out.startswith("cannot say: law not loaded") and "unknown" in said.out
    assert law("rule", "senate.consent_majority", "--on", JUNE, "--json").json["status"] == "unknown"


@pytest.mark.parametrize(
    "args",
    [
        ("rule", "senate.size", "--on", "2026-07-01"),
        ("show", "art_50", "--on", "2026-07-01"),
        ("show", "art_50", "--on", "2019-03-22"),
        ("diff", "2026-06-30", "2026-07-01"),
        ("explain", "senate.size", "--on", "2026-07-01"),
    ],
)
def test_where_no_law_is_loaded(law: Any, args: tuple[str, ...]) -> None:
    said = law(*args)
    assert said.code == 1 and "cannot say: law not loaded" in said.out
    assert "cannot say: law not loaded" in law(*args, "--json").json["answer"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("rule", "senat.size", "--on", JUNE), "near: senate.size"),
        (("rule", "senate.size", "--on", "8 June"), "does not match the format"),
        (("rule", "senate.size"), "Missing option '--on'"),
        (("show", "art_5", "--on", JUNE), "articles held"),
        (("show", "83-1", "--on", BEFORE), "articles held"),
        (("show", "art_50", "--on", JUNE, "--lang", "de"), "'de' is not one of"),
        (("show", "art_50", "--on", JUNE, "--work", "code"), "there are: constitution"),
        (("diff", JUNE, BEFORE), "not in order"),
        (("check", "--pack", "ch"), "no law as data"),
        (("check", "--facts", "nowhere"), "there is no bundle"),
        (("preview", "nowhere.yaml", "--on", JUNE), "nowhere.yaml"),
    ],
)
def test_bad_input_is_one_message(law: Any, args: tuple[str, ...], message: str) -> None:
    said = law(*args)
    assert said.code == 2 and message in said.err and "Traceback" not in said.err and said.out == ""


def test_the_pack_agrees(law: Any) -> None:
    said = law("check", "--json")
    assert said.code == 0 and said.json["ok"] is True and said.json["disagreements"] == []
    assert said.json["numbers"]["stated"] == said.json["numbers"]["of_rules"] + said.json["numbers"]["of_no_rule"]
    assert law("check").out.endswith("text and rules agree\n")


DRAFT_LAW = """
law: /akn/kz/act/law/2025-01-01/draft
of: /akn/kz/act/constitution/1995-08-30/constitution
title: {kk: жоба, ru: проект, en: draft}
status: reconstructed
languages: [kk, ru, en]
effects:
  - id: d1
    op: replace_words
    target: art_50__para_2
    commences: draft.adopted
    cite: draft article 1
    en: {old: 10 deputies, new: 12 deputies}
    ru: {old: 10 депутатов, new: 12 депутатов}
    kk: {old: 10 депутат, new: 12 депутат}
"""
DRAFT_RULES = """
rules:
  senate.presidential_quota: {value: 12, since: draft.adopted, cite: draft article 1, status: draft}
"""


@pytest.fixture
def drafts(tmp_path: Path) -> tuple[Path, Path]:
    one, two = tmp_path / "law.yaml", tmp_path / "rules.yaml"
    one.write_text(DRAFT_LAW, encoding="utf-8")
    two.write_text(DRAFT_RULES, encoding="utf-8")
    return one, two


def test_a_draft_is_previewed_and_its_gaps_are_named(law: Any, drafts: tuple[Path, Path]) -> None:
    alone = law("preview", drafts[0], "--on", "2025-01-01", "--json").json
    assert alone["assumed"] == [{"event": "draft.adopted", "day": "2025-01-01"}]
    assert [change["id"] for day in alone["days"] for change in day["texts"]] == ["art_50__para_2"]
    assert {one["where"] for one in alone["disagreements"]} == {"art_50__para_2"}  # the rule still says 10
    assert alone["open_cases"] is None and "no cases" in alone["remark"]
    both = law("preview", *drafts, "--on", "2025-01-01", "--json").json
    changed = {change["key"]: change["after"]["value"] for day in both["days"] for change in day["rules"]}
    assert changed["senate.presidential_quota"] == 12 and changed["senate.size"] == 52
    assert both["disagreements"] == []
    out = law("preview", *drafts, "--on", "2025-01-01").out
    assert "[-10-]{+12+} deputies" in out and "senate.size: 50 -> 52" in out and "no cases" in out
    assert law("rule", "senate.size", "--on", "2025-02-01", "--json").json["value"] == 50  # nothing was adopted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("target: art_50__para_2", "target: art_5__para_2"), "effect d1 has no target"),
        (("old: 10 deputies", "old: 15 deputies"), "effect d1 finds its words in 0 places"),
        (("languages: [kk, ru, en]", "languages: [en]"), "unknown key"),
        (("    kk: {old: 10 депутат, new: 12 депутат}\n", ""), "not written in: kk"),
        (("of: /akn/kz/act/constitution/1995-08-30/constitution", "of: /akn/kz/act/x"), "a work that is not here"),
        (("effects:", "rules: {}\neffects:"), "unknown key"),
    ],
)
def test_a_bad_draft_law(law: Any, drafts: tuple[Path, Path], change: tuple[str, str], message: str) -> None:
    drafts[0].write_text(DRAFT_LAW.replace(*change), encoding="utf-8")
    said = law("preview", drafts[0], "--on", "2025-01-01")
    assert said.code == 2 and message in said.err and "law.yaml" in said.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("value: 12", "value: twelve"), "rules.yaml"),
        (("senate.presidential_quota", "senate.quota"), "there is no rule"),
        (("draft.adopted", EVENT), "not pending"),
        (("status: draft", "status: maybe"), "rules.yaml"),
    ],
)
def test_bad_draft_rules(law: Any, drafts: tuple[Path, Path], change: tuple[str, str], message: str) -> None:
    drafts[1].write_text(DRAFT_RULES.replace(*change), encoding="utf-8")
    said = law("preview", drafts[1], "--on", "2025-01-01")
    assert said.code == 2 and message in said.err


def bundle(folder: Path, *publications: dict[str, Any], publishes: bool = True, tamper: bool = False) -> Path:
    """A record with the poll's entry, two declarations (entry 1 is not final, entry 2 says adopted), and publications."""
    key = SigningKey.generate("dauys/test")
    said: dict[str, Any] = {"publishes": {"event": EVENT, "day": JUNE, "cite": "x"}} if publishes else {}
    bodies: list[tuple[str, str, dict[str, Any]]] = [("poll", "poll", said)]
    for stage, outcome in (("preliminary", "undetermined"), ("final", "adopted")):
        contests = [{"contest": "charter", "decision": {"outcome": outcome}}]
        bodies.append(("declaration", f"declaration/{stage}", {"stage": stage, "contests": contests}))
    bodies += [("publication", f"publication/{body['event']}", body) for body in publications]
    at = "2022-06-08T00:00:00+06:00"
    entries = [
        Entry("kz/2022-referendum", kind, name, at, "commission", body).to_bytes() for kind, name, body in bodies
    ]
    tree = write_tiles(folder, entries)
    root = b"\0" * 32 if tamper else tree.root()
    (folder / "checkpoint").write_text(sign_checkpoint(Checkpoint("dauys/test", tree.size, root), key))
    (folder / "keys.json").write_text(json.dumps({"log": str(key.vkey), "witnesses": [], "checkpoints": []}))
    return folder


def published(day: str, because: int = 2) -> dict[str, Any]:
    return {"event": EVENT, "day": day, "cite": "Const. 91(1)", "because": because}


def test_the_law_follows_the_record(law: Any, tmp_path: Path) -> None:
    same = bundle(tmp_path, published(JUNE))
    said = law("show", "art_15", "--on", JUNE, "--facts", same)
    assert said.code == 0 and "The death penalty is prohibited" in said.out and EVENT in said.err
    assert law("check", "--facts", same).code == 0


def test_another_day_of_publication_is_another_day_of_law(law: Any, tmp_path: Path) -> None:
    later = bundle(tmp_path, published("2022-06-20"))
    assert "may be set by law" in law("show", "art_15", "--on", JUNE, "--facts", later).out
    assert "prohibited" in law("show", "art_15", "--on", "2022-06-20", "--facts", later).out
    assert law("rule", "death_penalty", "--on", JUNE, "--facts", later, "--json").json["value"] != "prohibited"


def test_where_the_result_is_turned_nothing_begins(law: Any, tmp_path: Path) -> None:
    turned = bundle(tmp_path)
    said = law("diff", BEFORE, "2025-01-01", "--facts", turned, "--json")
    assert said.json["texts"] == [] and f"does not say that {EVENT} happened" in said.err
    assert EVENT not in said.out
    assert law("rule", "mazhilis.size", "--on", "2025-01-01", "--facts", turned, "--json").json["value"] == 107
    assert law("check", "--facts", turned).code == 0


@pytest.mark.parametrize(
    ("publications", "options", "message"),
    [
        ([published("June")], {}, "not a day"),
        ([{"event": EVENT, "day": JUNE, "because": 2}], {}, "not a publication"),
        ([published(JUNE, because=1)], {}, "a publication without a result"),
        ([published(JUNE, because=9)], {}, "a publication without a result"),
        ([published(JUNE)], {"tamper": True}, "not those that the checkpoint commits to"),
        ([], {"publishes": False}, "sets nothing off in the law"),
    ],
)
def test_a_bad_record(
    law: Any, tmp_path: Path, publications: list[dict[str, Any]], options: dict[str, bool], message: str
) -> None:
    said = law("check", "--facts", bundle(tmp_path, *publications, **options))
    assert said.code == 2 and message in said.err and "Traceback" not in said.err
