"""Signed links: mint and read. A link says whose incident it shows, its number and its generation, and nothing else.

Knows how a link is signed and how its address is put together. Must not know what lies behind it, nor which generation
is good now: taking a link back is an event of the incident, and whoever opens a link compares.

A link does not expire. Whoever has it may read; nobody who lacks the secret can make one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeSerializer

SALT = "scribe.links"
"""Keeps these signatures apart from whatever else is signed with the same secret."""

LONGEST = 200
"""Characters of the longest token that is looked at: ours have about 70."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says. `generation` counts how often the incident's link had been taken back when it was minted."""

    team: str
    number: int
    generation: int


class Links:
    """Mints and reads links. `address` is where people reach this server, without a slash at its end."""

    def __init__(self, secret: bytes, address: str = "") -> None:
        self._address = address
        self._signer = URLSafeSerializer(
            secret, salt=SALT, signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
        )

    def token(self, link: Link) -> str:
        """The signed token of a link: the same link gives the same token."""
        return self._signer.dumps([link.team, link.number, link.generation])

    def url(self, team: str, number: int, generation: int) -> str:
        """The address at which the document of an incident is read."""
        return f"{self._address}/p/{self.token(Link(team, number, generation))}/"

    def read(self, token: str) -> Link | None:
        """What a token says, if it is signed here and written exactly as it was minted; None for anything else.

        Decoders pass over signs that are no base64 and over the spare bits of the last one, so that one link would have
        many spellings; only the one that was minted counts.
        """
        if len(token) > LONGEST or not token.isascii():
            return None
        try:
            found = self._signer.loads(token)
        except BadData:
            return None
        match found:
            case [str(team), int(number), int(generation)]:
                link = Link(team, number, generation)
                return link if self.token(link) == token else None
            case _:
                return None
