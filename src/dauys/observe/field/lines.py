"""What does a line of text say, as an observer types it into a short message? A forgiving parser, and one answer to each line.

    KZ10-0123 PROTOCOL YES 512 NO=88, INV 3 ELIGIBLE 1000 PART 603 ISSUED 603 NOTCOUNTED 0 #17 code ABCDE-23456

In any order: the station, what the line is (a protocol where it does not say), fields and their numbers, the observer (#id) and
the code on his paper. Words may be Kazakh, Russian or English, cut short, glued to their numbers, in capitals or not, in letters
of the other alphabet that look alike; in numbers O is 0 and l is 1. Before all that a gateway may put the moment and the
sender's number. What is not understood is never guessed: the line is refused whole, and the answer says which word.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path

from dauys.errors import BadInput
from dauys.law.files import read_yaml
from dauys.observe.field.alike import Named, compared, digits_of, named_in
from dauys.observe.field.forms import FULL_WIDTH, PROTOCOL, Field, Form, form_of, load_forms
from dauys.observe.field.intake import Incoming, poll_of, take
from dauys.observe.known.model import Mission, Observer
from dauys.observe.known.official import Official
from dauys.observe.known.reports import Report
from dauys.observe.office.door import CODE_COST, normal
from dauys.observe.office.visit import Keeping
from dauys.registers.poll import Poll

LONGEST_LINE, MOST_LINES = 2_000, 2_000

_TOKEN = re.compile(r"[0-2]?\d[:.][0-5]\d(?!\d)|#?[\w'’|]+(?:[-–][\w'’|]+)*")
_TIME = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)")
_MOMENT = re.compile(r"\s*(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)\s+")
_SENDER = re.compile(r"\s*(\+\d[\d ()-]{5,18}\d)\s*[:;,]?\s+")
_GLUED = re.compile(r"([^\W\d_]+)(\d[\dOoОоlI|]*)|(\d[\dOoОоlI|]*)([^\W\d_]+)")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a number of a line, and where it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to one line: taken as a report (`there`: it was there already), or what is wrong."""

    number: int
    line: str
    report: Report | None = None
    there: bool = False
    fault: BadInput | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """The vocabulary of lines.yaml, by what a word means."""

    marks: Mapping[str, str]
    fields: Mapping[str, tuple[str, ...]]
    answers: Mapping[str, str]


def take_lines(keep: Keeping, text: str, at: datetime, official: Official | None = None) -> list[Answered]:
    """Takes in what it can of a text of lines; an answer for each that is not blank. Raises BadInput O.115 for too many."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > MOST_LINES:
        message = "these are too many lines at once"
        raise BadInput(message, found=len(lines), expected=f"at most {MOST_LINES:,}", check="O.115")
    answers: list[Answered] = []
    mission, taken = keep.mission, set[int]()
    first, named = mission.size, named_in(mission)
    for number, line in lines:
        try:
            report = take(keep, read_line(line, mission, official, named), at, official)
            answers.append(Answered(number, line, report, there=report.n < first or report.n in taken))
            taken.add(report.n)
        except BadInput as fault:
            answers.append(Answered(number, line, fault=fault))
    return answers


def read_line(line: str, mission: Mission, official: Official | None = None, named: Named | None = None) -> Incoming:
    """What a line says. `named`: of the same mission, made once for many lines.

    Raises BadInput: O.115 for what cannot be read, O.116 for a wrong code, and those of answers.
    """
    named = named or named_in(mission)
    if len(line) > LONGEST_LINE:
        raise _fault("the line is too long", line[:40], f"at most {LONGEST_LINE:,} characters")
    written = sender = ""
    if found := _MOMENT.match(line):
        written, line = found[1], line[found.end() :]
    if found := _SENDER.match(line):
        sender, line = "".join(filter(str.isdecimal, found[1])), line[found.end() :]
    plain = _plain(line.replace("№", "#"))
    tokens = [Token(found[0], found.start(), found.end()) for found in _TOKEN.finditer(plain)]
    code, tokens = _take_code(tokens)
    observer, tokens = _take_observer(tokens, named, sender)
    station, tokens = _take_station(tokens, named)
    _check_code(observer, code)
    poll = poll_of(mission, official)
    form, contest, tokens = _take_form(tokens, poll)
    answers = _answers(tokens, form, plain)
    told = json.dumps([observer.id, station, form.id, contest, sorted(answers.items()), written])
    key = "sms:" + hashlib.sha256(told.encode()).hexdigest()[:32]
    return Incoming(key, observer.id, station, form.id, answers, "sms", contest, written)


def _plain(text: str) -> str:
    """The text with its compatible signs as plain ones; what only looks like a digit (a small or a ringed 2) stays as it is."""

    def odd(char: str) -> bool:
        return (
            ord(char) not in FULL_WIDTH
            and not char.isascii()
            and bool(re.search("[0-9]", unicodedata.normalize("NFKC", char)))
        )

    return "".join(
        "".join(run) if is_odd else unicodedata.normalize("NFKC", "".join(run)) for is_odd, run in groupby(text, odd)
    )


def _take_code(tokens: list[Token]) -> tuple[str, list[Token]]:
    """The code after its word, in one piece or in two."""
    for n, token in enumerate(tokens[:-1]):
        if _words().marks.get(compared(token.text)) == "code":
            code = _code(tokens[n + 1].text)
            if len(code) == 5 and n + 2 < len(tokens) and len(_code(tokens[n + 2].text)) == 5:
                return code + _code(tokens[n + 2].text), tokens[:n] + tokens[n + 3 :]
            return code, tokens[:n] + tokens[n + 2 :]
    raise BadInput("the line has no code", field="code", expected="code and the letters on your paper", check="O.116")


def _code(text: str) -> str:
    """A code as it was meant; it has no letters of the other alphabet."""
    return normal(text.upper().translate(str.maketrans("АВЕКМНРСТУХ", "ABEKMHPCTYX")))


def _check_code(observer: Observer, code: str) -> None:
    """Raises BadInput O.116 unless it is the observer's code (office.door.mark_of)."""
    salt, _, expected = observer.secret.partition(":")
    found = hashlib.scrypt(
        code.encode("utf-8", "replace")[:800], salt=bytes.fromhex(salt) or b"nobody", n=CODE_COST, r=8, p=1
    )
    if not hmac.compare_digest(found.hex(), expected):
        raise BadInput("the code is not that of the observer", field="code", found=observer.id, check="O.116")


def _take_observer(tokens: list[Token], named: Named, sender: str) -> tuple[Observer, list[Token]]:
    for n, token in enumerate(tokens):
        if token.text.startswith("#"):
            return _observer(token.text[1:], named), tokens[:n] + tokens[n + 1 :]
        if _words().marks.get(compared(token.text)) == "observer" and n + 1 < len(tokens):
            return _observer(tokens[n + 1].text.lstrip("#"), named), tokens[:n] + tokens[n + 2 :]
    if (called := named.caller(sender)) is None:
        raise BadInput(
            "the line does not say who sends it", field="observer", expected="# and the observer's id", check="O.115"
        )
    return called, tokens


def _observer(typed: str, named: Named) -> Observer:
    if (found := named.observer(typed)) is None:
        raise BadInput("the mission has no such observer", field="observer", found=typed, check="O.102")
    return found


def _take_station(tokens: list[Token], named: Named) -> tuple[str, list[Token]]:
    """The station of the sample that a run of at most three tokens names. A bare number is one only where it stands first, or
    after the word for it."""
    for n, token in enumerate(tokens):
        announced = _words().marks.get(compared(token.text)) == "station"
        begin = n + 1 if announced else n
        for length in (3, 2, 1):
            run = tokens[begin : begin + length]
            typed = "-".join(one.text for one in run)
            found = named.station(typed)
            numeric = typed.isdecimal() and not announced and n > 0
            if len(run) == length and found is not None and not numeric:
                return found, tokens[:n] + tokens[begin + length :]
        if announced and begin < len(tokens):
            raise BadInput("the station is not in the sample", field="station", found=tokens[begin].text, check="O.105")
    found_first = tokens[0].text if tokens else ""
    raise BadInput("no station of the sample is named", field="station", found=found_first, check="O.105")


def _take_form(tokens: list[Token], poll: Poll | None) -> tuple[Form, str, list[Token]]:
    name, rest = PROTOCOL, tokens
    for n, token in enumerate(tokens):
        if (said := _forms().get(compared(token.text))) is not None:
            name, rest = said, tokens[:n] + tokens[n + 1 :]
            break
    contest = ""
    if name == PROTOCOL and poll is not None:
        contests = {compared(one.id): one.id for one in poll.contests}
        for n, token in enumerate(rest):
            if (named := contests.get(compared(token.text))) is not None:
                contest, rest = named, rest[:n] + rest[n + 1 :]
                break
        contest = contest or (poll.contests[0].id if len(poll.contests) == 1 else "")
    return form_of(name, poll, contest), contest, rest


def _answers(tokens: list[Token], form: Form, plain: str) -> dict[str, str]:
    """The answers that words and values give, in whichever order each pair stands. Raises BadInput O.115."""
    vocabulary = _vocabulary(form)
    texts = {field.id for field in form.fields if field.kind == "text"}
    parts: list[tuple[Field | None, str]] = []
    for n, token in enumerate(tokens):
        field = _keyword(token.text, vocabulary)
        if field is not None and field.id in texts:
            parts += [(field, ""), (None, _rest(plain, token.end, tokens[n + 1 :]))]
            break
        parts += _parts(token.text, vocabulary)
    first, last = (parts[0], parts[-1][0]) if parts else ((None, ""), None)
    backwards = first[0] is None and digits_of(first[1]) is not None and last is not None and last.kind == "count"
    return _pair(reversed(parts) if backwards else parts, form)


def _rest(plain: str, start: int, following: list[Token]) -> str:
    """The text from here to the last word that belongs to nothing else."""
    return plain[start : following[-1].end].strip(" :=-") if following else ""


def _parts(text: str, vocabulary: Mapping[str, Field]) -> Iterator[tuple[Field | None, str]]:
    """Keywords and values of one token: `YES`, `512`, `YES512`, `YES-512`."""
    if _TIME.fullmatch(text) or (digits_of(text) is not None and any(map(str.isdecimal, text))):
        yield None, text
    elif re.search("[-–]", text) and compared(text) not in vocabulary:
        for part in re.split("[-–]", text):
            yield from _parts(part, vocabulary)
    elif (field := _keyword(text, vocabulary)) is not None:
        yield field, text
    elif (glued := _GLUED.fullmatch(text)) is not None and _keyword(glued[1] or glued[4], vocabulary) is not None:
        for part in filter(None, glued.groups()):
            yield from _parts(part, vocabulary)
    else:
        yield None, text


def _pair(parts: Iterable[tuple[Field | None, str]], form: Form) -> dict[str, str]:
    answers: dict[str, str] = {}
    waits: Field | None = None
    for field, text in parts:
        if waits is not None and waits.kind == "yes" and _answer(text) is not None:
            _set(answers, waits, _answer(text) or "")
            waits = None
        elif field is not None:
            if waits is not None and waits.kind == "yes":
                _set(answers, waits, "yes")
            elif waits is not None and waits.id != field.id:
                raise _fault(f"nothing stands after {waits.id}", text, "its number")
            waits = field
        else:
            taker = waits or _unnamed(text, form, answers)
            if taker is None:
                raise _fault(
                    "nothing says what this is", text, ", ".join(one.id for one in form.fields if one.kind != "photo")
                )
            _set(answers, taker, _value(taker, text))
            waits = None
    if waits is not None and waits.kind != "yes":
        raise _fault(f"nothing stands after {waits.id}", "the end of the line", "its number")
    if waits is not None:
        _set(answers, waits, "yes")
    return answers


def _unnamed(text: str, form: Form, answers: Mapping[str, str]) -> Field | None:
    """The field of a value that no word stands before: the form's first time, or a choice that has it."""
    for field in form.fields:
        if field.id in answers:
            continue
        if field.kind == "time" and _TIME.fullmatch(text):
            return field
        if field.kind == "choice" and _option(field, text) is not None:
            return field
    return None


def _value(field: Field, text: str) -> str:
    if field.kind == "count":
        digits = digits_of(text)
        if digits is None:
            raise _fault(f"{field.id} is a number", text, "a whole number")
        return digits
    if field.kind == "choice":
        return _option(field, text) or text
    return text


def _option(field: Field, text: str) -> str | None:
    for option in field.options:
        if compared(text) in {compared(word) for word in (option.id, *option.words)}:
            return option.id
    return None


def _set(answers: dict[str, str], field: Field, value: str) -> None:
    if answers.setdefault(field.id, value) != value:
        raise _fault(f"{field.id} is said twice, differently", value, answers[field.id])


def _answer(text: str) -> str | None:
    return _words().answers.get(compared(text))


def _keyword(text: str, vocabulary: Mapping[str, Field]) -> Field | None:
    """The field that a word means: whole, or its first three letters or more where only one field begins so."""
    key = compared(text)
    if key in vocabulary:
        return vocabulary[key]
    if any(map(str.isdecimal, text)) or len(key) < 3:  # the 1 of PART1 is no letter
        return None
    found = {field.id: field for word, field in vocabulary.items() if word.startswith(key)}
    return next(iter(found.values())) if len(found) == 1 else None


def _vocabulary(form: Form) -> dict[str, Field]:
    common = _words().fields if form.id == PROTOCOL else {}
    return {
        compared(word): field
        for field in form.fields
        if field.kind != "photo"
        for word in (*common.get(field.id, ()), *field.words, field.id)
    }


@cache
def _forms() -> Mapping[str, str]:
    words = {compared(word): form.id for form in load_forms().values() for word in (form.id, *form.words)}
    return words | {compared(word): PROTOCOL for word in ("protocol", "протокол", "хаттама")}


@cache
def _words() -> Words:
    parts = read_yaml(Path(__file__).parent / "lines.yaml").mapping(("marks", "fields", "answers"))

    def by_word(name: str) -> dict[str, str]:
        return {compared(word.text()): key.text() for key, value in parts[name].entries() for word in value.items()}

    fields = {key.text(): tuple(word.text() for word in value.items()) for key, value in parts["fields"].entries()}
    return Words(by_word("marks"), fields, by_word("answers"))


def _fault(message: str, found: str, expected: str) -> BadInput:
    return BadInput(message, found=found, expected=expected, check="O.115")
