"""What a revision of a document changed: the entries that came, and those that were corrected or taken out since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core import events as ev


@dataclass(frozen=True, slots=True)
class Changes:
    """Numbers of entries that were added, corrected, taken out, redacted; tasks ("T3") and sections that were changed.

    `marks` counts everything else that can be seen: roles, questions, the title, the zone. False when nothing was.
    """

    added: tuple[int, ...] = ()
    corrected: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    redacted: tuple[int, ...] = ()
    tasks: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    destroyed: tuple[str, ...] = ()
    marks: int = 0

    def __bool__(self) -> bool:
        return self != Changes()


UNSEEN = ev.SharedTo | ev.Approved | ev.Published | ev.LinkRevoked | ev.ChannelOpened | ev.NudgesSet
"""Events that change no sentence of the document."""


def between(happened: Sequence[ev.Event], told: int) -> Changes:
    """What the events after event `told` changed. `happened` are all events of the incident, in order.

    What came and went in between is not told of.
    """
    undone = {one.seq for one in happened[told:] if isinstance(one, ev.Undone)}
    added: set[int] = set()
    corrected: set[int] = set()
    removed: set[int] = set()
    redacted: set[int] = set()
    tasks: set[int] = set()
    sections: set[str] = set()
    destroyed: set[str] = set()
    marks = 0
    for seq, one in enumerate(happened[told:], start=told + 1):
        if seq in undone:
            continue
        match one:
            case ev.Numbered():
                added.add(one.entry)
            case ev.Removed():
                removed.add(one.entry)
            case ev.Redacted():
                redacted.add(one.entry)
            case ev.TextCorrected() | ev.KindCorrected() | ev.TimeCorrected():
                corrected.add(one.entry)
            case ev.TaskChanged() | ev.TaskDone() | ev.TaskDropped() | ev.TaskReopened():
                tasks.add(one.task)
            case ev.SectionWritten():
                sections.add(one.section)
            case ev.Undone() if one.seq <= told:
                earlier = happened[one.seq - 1]
                if isinstance(earlier, ev.Numbered):
                    removed.add(earlier.entry)
                else:
                    marks += 1
            case ev.WordsDestroyed():
                destroyed.add(one.what)
            case _ if isinstance(one, ev.Undone | UNSEEN):
                pass
            case _:
                marks += 1
    return Changes(
        added=tuple(sorted(added - removed)),
        corrected=tuple(sorted(corrected - added - removed)),
        removed=tuple(sorted(removed - added)),
        redacted=tuple(sorted(redacted)),
        tasks=tuple(f"T{number}" for number in sorted(tasks)),
        sections=tuple(sorted(sections)),
        destroyed=tuple(sorted(destroyed)),
        marks=marks,
    )
