"""Which losses were tried, and how many receipts were looked at again? Said at the end, also where the tests ran in other processes."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints what the cluster tests recorded as `said`, in the order in which they ran."""
    reports = [one for outcome in ("passed", "failed") for one in terminalreporter.stats.get(outcome, ())]
    said = [
        text
        for one in reports
        if "tests/cluster/" in one.nodeid and one.when == "call"
        for name, text in one.user_properties
        if name == "said"
    ]
    if said:
        terminalreporter.section("cluster")
        for text in said:
            terminalreporter.line(f"cluster: {text}")
