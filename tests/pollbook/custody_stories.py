"""How does each planted fault come to light, in the fewest steps? Stories that the search found once, told again in no time.

python tests/pollbook/custody_stories.py        # searches each fault again and writes custody_stories.txt: many minutes
python tests/pollbook/custody_stories.py NAME   # one fault alone, printed
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).parent))
from custody_faults import FAULTS
from custody_machine import Custody

FILE = Path(__file__).with_suffix(".txt")
STEP = re.compile(r"state\.(\w+)\((.*)\)$", re.MULTILINE)
MEMBER = re.compile(r"<\w+\.\w+: ('[\w-]+')>")
"""A member of an enumeration of texts, as it is shown; its text stands for it."""
NO_STEPS = ("nobody_twice_and_nothing_lost", "teardown")
FOUND = re.compile("double use|two places|lost|false alarm|count|another log")
"""What the world says of a breach."""


def stories() -> dict[str, list[str]]:
    """The steps of each fault's story, one call of a rule of `Custody` each."""
    parts = re.split(r"^# (.+)\n", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: steps.split("\n\n")[0].splitlines() for name, steps in zip(parts[1::2], parts[2::2], strict=True)}


def tell(steps: list[str], fault: str = "") -> None:
    """Plays the steps in a world with this fault, or with none; raises what the world finds."""
    machine = type("Custody", (Custody,), {"fault": fault})()
    try:
        for step in steps:
            name, values = _call(step)
            getattr(machine, name)(**values)
            machine.world.check()
    finally:
        machine.teardown()


def _call(step: str) -> tuple[str, dict[str, object]]:
    call = ast.parse(step, mode="eval").body
    assert isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    return call.func.id, {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}


def found(fault: str, examples: int = 3000) -> list[str]:
    """A story that the search comes to, without the steps that it does not need; AssertionError where it finds nothing."""
    machine = type("Custody", (Custody,), {"fault": fault})
    how = settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(machine, settings=how)
    except AssertionError as error:
        steps = list(_steps("\n".join(getattr(error, "__notes__", []))))
    else:
        raise AssertionError(f"the search does not find: {fault}")
    assert breaks(steps, fault), f"the story told again is another one: {steps}"
    for step in reversed(steps[1:]):
        if breaks(fewer := [one for one in steps if one is not step], fault):
            steps = fewer
    return steps


def breaks(steps: list[str], fault: str) -> bool:
    """Whether the fault comes to light in this story, and nothing does without it."""
    try:
        tell(steps)
    except Exception:  # noqa: BLE001 - not a story then, whatever it is
        return False
    try:
        tell(steps, fault)
    except AssertionError as error:
        return FOUND.search(str(error)) is not None
    except Exception:  # noqa: BLE001
        return False
    return False


def _steps(notes: str) -> Iterator[str]:
    for name, values in STEP.findall(MEMBER.sub(r"\1", notes)):
        if name not in NO_STEPS:
            yield f"{name}({values})"


if __name__ == "__main__":
    if sys.argv[1:]:
        print("\n".join(found(sys.argv[1])))
    else:
        told = "\n".join(f"# {fault}\n" + "\n".join(found(fault)) + "\n" for fault in FAULTS)
        FILE.write_text(told, encoding="utf-8")
