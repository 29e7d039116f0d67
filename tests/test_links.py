"""Signed links: what is minted is read, nothing else is, and the receipt of a document names the link that is good."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from bot.core.record import Place
from bot.exporters import LinkExporter, names
from bot.links import LONGEST, SALT, Link, Links

SECRET = b"0123456789abcdef0123456789abcdef"
LINKS = Links(SECRET, "https://scribe.example")
LINK = Link("T0SCRIBE", 42, 3)
TOKEN = LINKS.token(LINK)
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def signed(said: Any, *, secret: bytes = SECRET, salt: str = SALT, hashed: Any = hashlib.sha256) -> str:
    """A token as somebody makes it who knows how it is done."""
    how = {"key_derivation": "hmac", "digest_method": hashed}
    return URLSafeSerializer(secret, salt=salt, signer_kwargs=how).dumps(said)


# ---- what is read --------------------------------------------------------------------------------


def test_what_was_minted_is_read() -> None:
    assert LINKS.read(TOKEN) == LINK


@given(st.text("TE0123456789ABCDEFXYZ", min_size=1, max_size=24), st.integers(0, 10**9), st.integers(0, 10**4))
def test_every_link_is_read_as_it_was_minted(team: str, number: int, generation: int) -> None:
    link = Link(team, number, generation)
    assert LINKS.read(LINKS.token(link)) == link


def test_a_link_is_the_same_whenever_and_wherever_it_is_minted() -> None:
    assert Links(SECRET).token(LINK) == TOKEN
    assert len({LINKS.token(Link("T1", number, generation)) for number in range(9) for generation in range(9)}) == 81


def test_a_token_says_workspace_number_and_generation_and_nothing_else() -> None:
    payload = TOKEN.split(".")[0]
    assert base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)) == b'["T0SCRIBE",42,3]'


def test_an_address_needs_no_escapes_and_is_not_long() -> None:
    assert LINKS.url("T0SCRIBE", 42, 3) == f"https://scribe.example/p/{TOKEN}/"
    assert set(TOKEN) <= set(BASE64 + ".")
    assert len(LINKS.token(Link("T0123456789", 10**6, 10**3))) < 90 < LONGEST


# ---- what is not ---------------------------------------------------------------------------------


def test_a_token_with_one_bit_changed_is_not_ours() -> None:
    raw = TOKEN.encode()
    changed = [raw[:at] + bytes([raw[at] ^ (1 << bit)]) + raw[at + 1 :] for at in range(len(raw)) for bit in range(8)]
    assert [one for one in changed if LINKS.read(one.decode("latin-1")) is not None] == []


def test_a_token_with_one_sign_changed_put_in_or_left_out_is_not_ours() -> None:
    """Base64 leaves spare bits in the last sign, and its decoders pass over signs that they do not know."""
    places = range(len(TOKEN))
    changed = {TOKEN[:at] + sign + TOKEN[at + 1 :] for at in places for sign in BASE64}
    changed |= {TOKEN[:at] + sign + TOKEN[at:] for at in [*places, len(TOKEN)] for sign in "=.!~ \n\x00A"}
    changed |= {TOKEN[:at] + TOKEN[at + 1 :] for at in places}
    assert [one for one in changed - {TOKEN} if LINKS.read(one) is not None] == []


@pytest.mark.parametrize(
    "token",
    [
        signed(["T0SCRIBE", 42, 3], secret=b"another secret"),
        signed(["T0SCRIBE", 42, 3], salt="itsdangerous"),
        signed(["T0SCRIBE", 42, 3], salt=""),
        signed(["T0SCRIBE", 42, 3], hashed=hashlib.sha1),
        TOKEN.split(".")[0],
        TOKEN.split(".")[0] + ".",
        "." + TOKEN.split(".")[1],
        signed(["T0SCRIBE", 43, 3]).split(".")[0] + "." + TOKEN.split(".")[1],
    ],
)
def test_what_somebody_else_signed_is_not_ours(token: str) -> None:
    assert LINKS.read(token) is None


@pytest.mark.parametrize(
    "said", [[], ["T0SCRIBE"], ["T0SCRIBE", 42], ["T0SCRIBE", "42", 3], [1, 42, 3], {"team": "T0SCRIBE"}, None, "x"]
)
def test_something_else_that_is_signed_with_our_secret_is_no_link(said: Any) -> None:
    assert LINKS.read(signed(said)) is None


def test_a_team_that_is_long_enough_to_be_packed_is_read_all_the_same() -> None:
    assert LINKS.read(signed(["T" * 90, 42, 3])) == Link("T" * 90, 42, 3)


def test_a_token_that_is_far_too_long_is_not_looked_at() -> None:
    noise = "".join(hashlib.sha512(bytes([n])).hexdigest() for n in range(3))
    assert LINKS.read(signed([noise, 42, 3])) is None


@given(st.text())
def test_no_text_is_a_token(text: str) -> None:
    assert LINKS.read(text) is None
    assert LINKS.read(f"{text}.{text}") is None


# ---- the receipt ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    document: bytes = b"# Checkout fails\n"
    annex: bytes = b"the timeline"
    json: bytes = b"{}"
    svg: bytes = b"<svg/>"
    png: bytes = b""


def test_the_receipt_of_a_document_names_the_link_that_is_good_now() -> None:
    place = Place(
        7, "T0SCRIBE", 42, "C1", False, 9, "0" * 64, "Checkout", "resolved", 1, datetime(2026, 11, 21, tzinfo=UTC)
    )
    called = names(42, "Checkout", 2)
    revoked = {7: 0}
    exporter = LinkExporter(revoked.__getitem__, LINKS.url)
    first = exporter.export(Page(), place, called)
    assert first == {"link": LINKS.url("T0SCRIBE", 42, 0), "name": "0042-checkout.r2.md"}
    assert exporter.export(Page(), place, called) == first
    revoked[7] = 1
    assert exporter.export(Page(), place, called)["link"] == LINKS.url("T0SCRIBE", 42, 1)
