"""Which earlier incidents are like one that begins: by the words of title and services, rare words counting more.

Knows words and weights. Must not know where incidents are kept, or who may see which: it gets those that may be seen.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.events import Kind
from bot.core.incident import Incident, Status

MOST = 2
"""So many are shown."""
COMPARED = 500
"""So many earlier incidents, the newest, are looked at."""
LEAST = 4.0
"""What a pair must reach to be shown: about a word of both titles that few incidents have."""
SHARED_BY = 0.4
"""A word that more than this part of the incidents has tells none of them apart, once there are `FEW` with it."""
FEW = 5
NAMED = 2

WEIGHTS: dict[str, float] = {"title": 3.0, "services": 4.0, "cause": 1.5, "impact": 1.0}
"""How much a word counts, by where the earlier incident has it."""

PLACES: dict[str, str] = {
    Kind.SERVICES.value: "services",
    Kind.IMPACT.value: "impact",
    Kind.CAUSE.value: "cause",
    Kind.TRIGGER.value: "cause",
}
"""In which place the words of an event of this name stand."""

_WORD = re.compile(r"[^\W_](?:[\w.-]*[^\W_])?")
_PLAIN = frozenset(
    """
    about after again all also and any are because been before being both but can cannot could did does down during each
    few for from had has have her his how into its just like many may more most much new nobody none not now off only
    other our out over own people same she should since some such than that the their them then there these they this
    those through too under until very was were what when where which while who why will with within without you your
    affected alert alerts broken cause caused customer customers degraded down drop dropped elevated error errors fail
    failed failing fails failure failures high impact incident incidents increase increased intermittent issue issues
    large latency low missing outage outages partial partially problem problems rate rates request requests return
    returned returning returns see sees service services severe slow slowly some spike system test timeout timeouts
    timing total unable unavailable unknown user users working wrong
    """.split()  # noqa: SIM905 - as words, they can be read
)
"""Words that most incidents have, whatever they are about."""


@dataclass(frozen=True, slots=True)
class Known:
    """An earlier incident as it can be compared: what it says, by the places of `WEIGHTS`."""

    number: int
    said: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like an earlier incident is: its number, the points, and the words that they share, the rarest first."""

    number: int
    points: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Precedent:
    """What is shown of an earlier incident: when it began, what fixed it ("" where nobody said), whether it is over."""

    number: int
    title: str
    began: datetime
    fixed: str
    over: bool


def words(text: str) -> dict[str, str]:
    """The words of a text that tell something, as they are compared, each with its first spelling there."""
    found: dict[str, str] = {}
    for spelled in _WORD.findall(text):
        word = spelled.casefold()
        if len(word) < 3 or word in _PLAIN or word.isdigit():
            continue
        found.setdefault(_stem(word), spelled)
    return found


def _stem(word: str) -> str:
    """One form for "payment" and "payments"."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def rank(title: str, services: Iterable[str], earlier: Sequence[Known]) -> list[Likeness]:
    """The earlier incidents that are like one with this title and these services, the most similar first.

    Of two that are equally so the newer (of higher number) comes first.
    """
    sought = words(" ".join([title, *services]))
    if not sought or not earlier:
        return []
    held = [(one.number, _weighed(one, sought.keys())) for one in earlier]
    having = Counter(word for _, found in held for word in found)
    common = {word for word, count in having.items() if count > max(FEW, SHARED_BY * len(earlier))}
    rarity = {word: math.log(1 + len(earlier) / count) for word, count in having.items() if word not in common}
    enough = LEAST if len(earlier) >= FEW else 0.0  # of a few, no word can be called rare
    found = []
    for number, weighed in held:
        points = {word: weight * rarity[word] for word, weight in weighed.items() if word in rarity}
        total = sum(points.values())
        named = any(weighed[word] >= WEIGHTS["title"] for word in points)
        if named and total >= enough:
            shared = sorted(points, key=lambda word: (-points[word], word))
            found.append(Likeness(number, total, tuple(sought[word] for word in shared[:NAMED])))
    return sorted(found, key=lambda one: (-one.points, -one.number))


def _weighed(one: Known, sought: Iterable[str]) -> dict[str, float]:
    """The sought words that an incident has, each with the weight of the best place in which it has them."""
    wanted = set(sought)
    found: dict[str, float] = {}
    for place, texts in one.said.items():
        for word in words(" ".join(texts)).keys() & wanted:
            found[word] = max(found.get(word, 0.0), WEIGHTS[place])
    return found


def as_it_stands(incident: Incident) -> Known:
    """What an incident says now: corrected, and without what was removed or destroyed."""

    def texts(*kinds: Kind) -> list[str]:
        return [one.text for one in incident.live(*kinds) if not one.redacted]

    return Known(
        incident.number,
        {
            "title": [incident.title],
            "services": [name for name, _ in incident.services()],
            "cause": texts(Kind.CAUSE, Kind.TRIGGER),
            "impact": texts(Kind.IMPACT),
        },
    )


def precedent(incident: Incident) -> Precedent | None:
    """What is shown of an earlier incident; None for a drill, and for what turned out to be none."""
    if incident.drill or incident.status in {Status.CANCELLED, Status.DUPLICATE} or incident.onset is None:
        return None
    told = [incident.latest(kind) for kind in (Kind.FIX, Kind.MITIGATED)]
    helped = [one for one in incident.live(Kind.MITIGATION, Kind.ACTION) if one.worked][-1:]
    fixed = next((one.text for one in [*told, *helped] if one and one.text and not one.redacted), "")
    return Precedent(incident.number, incident.title, incident.onset, fixed, not incident.is_open)
