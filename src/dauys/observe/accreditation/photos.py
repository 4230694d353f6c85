"""Which photos of observers has the commission, and may this one come in?

One comes in where an observation of the same organisation in the poll's record names it, the bytes have that SHA-256, and they
are a picture within the bounds of the field's form that holds nothing but the picture. It is stored once, beside the record:
people may be on it, so it is published nowhere. Clerks see it; everybody sees its hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa

from dauys.errors import BadInput, DauysError
from dauys.observe.accreditation.entries import is_sha256
from dauys.observe.accreditation.follows import author_faults, unsigned
from dauys.observe.accreditation.known import Stored, accreditation, poll_of
from dauys.observe.accreditation.offer import Offer, read_pass
from dauys.observe.accreditation.pictures import LARGEST, bare, too_large
from dauys.observe.accreditation.quota import QUOTA, Quota
from dauys.observe.accreditation.received import MISSHAPEN, NOT_ALLOWED, in_time, not_ended
from dauys.store.engine import Connection, many

NOT_NAMED, NOT_ITS_BYTES = "O.081", "O.082"
STATUS: Mapping[str, int] = {NOT_ALLOWED: 403, NOT_NAMED: 403, "O.080": 429, "O.110": 413}
"""Of the answer to one that is refused; 422 for every other number."""
BEHIND = timedelta(hours=1)
"""How old a statement may be: it is signed anew each time that the photo is sent."""


@dataclass(frozen=True, slots=True)
class Held:
    """A photo that is here: its kind (`image/jpeg`), its bytes in number, when it came."""

    kind: str
    size: int
    at: datetime


def offered(connection: Connection, poll_id: str, name: str, header: str, at: datetime, quota: Quota = QUOTA) -> Offer:
    """What the signed statement offers, where it may come; nothing of the photo itself is read before.

    Raises BadInput: O.006 unsigned, suspended or otherwise not entitled, O.007 misshapen or dated wrongly, O.081 no observation
    of the organisation names it, O.110 too large, O.080 too many photos of the organisation.
    """
    if not is_sha256(name):
        raise BadInput(
            "a photo is named by its SHA-256 in lower-case hexadecimal",
            field="sha256",
            found=name[:80],
            check=MISSHAPEN,
        )
    offer, statement = read_pass(header)
    if (offer.poll, offer.sha256) != (poll_id, name):
        found, expected = f"{offer.sha256} in {offer.poll}", f"{name} in {poll_id}"
        raise BadInput("the statement is of another photo", found=found, expected=expected, check=MISSHAPEN)
    if why := unsigned(statement, accreditation(connection, poll_id, offer.organisation)):
        raise BadInput(why, field="by", found=statement.by, check=NOT_ALLOWED)
    try:
        in_time(statement, at, BEHIND)
    except DauysError as error:
        raise BadInput(str(error), field="at", check=MISSHAPEN) from None
    known = Stored(connection, poll_of(connection, poll_id))
    if faults := author_faults(statement, known):
        raise BadInput("; ".join(faults), field="by", found=statement.by, check=NOT_ALLOWED)
    not_ended(known.standing(offer.organisation), known.poll, at)
    kind, body = known.said(offer.of) or ("", {})
    if kind != "observation" or body["organisation"] != offer.organisation or name not in body["photos"]:
        raise BadInput(
            f"entry {offer.of} is no observation of {offer.organisation} that names this photo: send the observation first",
            field="of", found=name, check=NOT_NAMED,
        )  # fmt: skip
    if offer.size > LARGEST:
        raise too_large(offer.size)
    if name not in held(connection, poll_id, [name]):
        quota.admit_photo(connection, poll_id, offer.organisation, offer.size)
    return offer


def take(connection: Connection, offer: Offer, data: bytes, at: datetime) -> tuple[Held, bool]:
    """Stores the bytes of what `offered` let in, or finds them here; whether they are new.

    Raises BadInput: O.082 other bytes or more than a picture, O.111 no picture, HEIC or too many pixels.
    """
    kind = _kind_of(offer, data)
    here = held(connection, offer.poll, [offer.sha256]).get(offer.sha256)
    if here is not None:
        return here, False
    row = {
        "poll": offer.poll, "sha256": offer.sha256, "organisation": offer.organisation, "of": offer.of, "kind": kind,
        "size": len(data), "content": data, "at": at,
    }  # fmt: skip
    done = connection.execute(
        sa.text(
            "INSERT INTO observer_photo VALUES (:poll, :sha256, :organisation, :of, :kind, :size, :content, :at) "
            "ON CONFLICT DO NOTHING"  # sent twice at the same time
        ),
        row,
    )
    return Held(kind, len(data), at), done.rowcount == 1


def _kind_of(offer: Offer, data: bytes) -> str:
    found = sha256(data).hexdigest()
    if found != offer.sha256:
        raise BadInput(
            "these are not the bytes of the photo, or not all of them: send it again", field="sha256", found=found,
            expected=offer.sha256, check=NOT_ITS_BYTES,
        )  # fmt: skip
    kind, clean = bare(data)
    if clean != data:
        raise BadInput(
            "the file holds more than the picture (place, comments, another file after its end): a mission sends what it has "
            "stored, which is the picture alone",
            found=f"{len(data):,} bytes", expected=f"{len(clean):,} bytes", check=NOT_ITS_BYTES,
        )  # fmt: skip
    return kind


def held(connection: Connection, poll_id: str, names: Iterable[str]) -> dict[str, Held]:
    """Those of the named photos that are here, by SHA-256."""
    rows = connection.execute(
        sa.text(
            "SELECT sha256, kind, size, at FROM observer_photo WHERE poll = :poll AND sha256 = "
            "ANY(ARRAY(SELECT json_array_elements_text(CAST(:names AS json))))"
        ),
        {"poll": poll_id, "names": many(names)},
    )
    return {row.sha256: Held(row.kind, row.size, row.at) for row in rows}


def content(connection: Connection, poll_id: str, name: str) -> tuple[str, bytes]:
    """Kind and bytes of one photo. Raises BadInput O.083 where it is not here."""
    row = connection.execute(
        sa.text("SELECT kind, content FROM observer_photo WHERE poll = :poll AND sha256 = :name"),
        {"poll": poll_id, "name": name},
    ).one_or_none()
    if row is None:
        raise BadInput("this photo has not been sent", field="photo", found=name[:80], check="O.083")
    return row.kind, bytes(row.content)
