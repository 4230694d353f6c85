"""`dauys verify`: checks a published bundle without a database."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dauys.cli.main import answer, one_line, say
from dauys.errors import BadInput
from dauys.publish.verify import Check
from dauys.publish.verify import verify as verify_bundle
from dauys.record.note import VerifierKey
from dauys.record.tiles import folder_fetch
from dauys.record.witness_run import http_fetch


@click.command()
@click.argument("bundle")
@click.option("--key", help="The log's key as the commission printed it. Without it, the key in the bundle is taken.")
@click.option("--witness", "witnesses", multiple=True, help="A witness's key that you trust; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
def verify(bundle: str, key: str | None, witnesses: tuple[str, ...], as_json: bool) -> int:
    """Check BUNDLE: a folder, or an address (http://host/record/POLL). Exits with 1 when a check fails.

    Recounts and decides again from the record alone, and says which check failed, by number (docs/checks.md).
    """
    remote = bundle.startswith(("http://", "https://"))
    if not remote and bundle.lower().endswith(".zip") and Path(bundle).is_file():
        raise BadInput(
            "this is a packed bundle: unpack it first", found=bundle, expected="the folder that comes out of it"
        )
    if not remote and not Path(bundle).is_dir():
        raise BadInput("there is no bundle", found=bundle, expected="a folder that `dauys run` wrote, or an address")
    for given in (*([] if key is None else [key]), *witnesses):
        VerifierKey.parse(given)  # a key that was mistyped, or left empty, judges nobody
    checks = verify_bundle(http_fetch(bundle) if remote else folder_fetch(Path(bundle)), key, witnesses, _progress)
    ok = all(check.ok for check in checks)
    answer({"ok": ok, "checks": [check.to_json() for check in checks]}, as_json, as_text(checks))
    return 0 if ok else 1


def as_text(checks: list[Check]) -> str:
    """One line a check; the faults of a failed one below it."""
    lines = []
    for check in checks:
        note = f" ({one_line(str(check.found))})" if check.ok and check.found is not None else ""
        lines.append(f"{'ok  ' if check.ok else 'FAIL'} {check.id} {check.what}{note}")
        if not check.ok:
            lines += [f"       {one_line(str(fault))}" for fault in check.found]
            lines += [f"       expected: {one_line(str(check.expected))}"] if check.expected is not None else []
    failed = [check.id for check in checks if not check.ok]
    lines.append(
        f"NOT PROVEN: {', '.join(failed)}" if failed else "proven: everything published follows from the record"
    )
    return "\n".join(lines)


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        say(f"\r{done:,} of {of:,} entries" + ("\n" if done == of else ""), end=False)
