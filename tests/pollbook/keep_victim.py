"""A station that checks voters in as fast as it can, and says each number only when the disk has it: to be killed."""

from __future__ import annotations

import sys
from pathlib import Path

from pollbook_sample import MORNING, who

from dauys.pollbook.machine import acts
from dauys.pollbook.machine.keep import open_keep

keep = open_keep(Path(sys.argv[1]), b"k" * 32)
number = len(keep.book.check_ins)
if not keep.book.opened:
    keep.append(acts.do_open(keep.book, "c1", MORNING))
while True:
    event = acts.do_check_in(keep.book, who(number), officer="m1", salt=number.to_bytes(10, "big"), at=MORNING)
    print(keep.append(event).n, flush=True)
    number += 1
