"""How long things took: the metrics of POSTMORTEM.md S23, in seconds and in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.document import Metric, Metrics
from bot.core.events import Kind
from bot.core.incident import Incident
from bot.core.wording import counted, minute, until_long


def measure(incident: Incident) -> Metrics:
    """The lengths that the record knows. Impact and the end count only once they are over; nothing is guessed."""
    windows, onset, found = incident.windows(), incident.onset, incident.detection
    acknowledged = next(iter(incident.live(Kind.ACK)), None)
    over = incident.resolution
    ended = windows[-1].end if windows else None
    return Metrics(
        impact=_seconds(incident.impact(ended)) if ended else None,
        detect=_between(onset, found.at if found else None),
        acknowledge=_between(found.at if found else onset, acknowledged.at if acknowledged else None),
        mitigate=_between(onset, ended),
        resolve=_between(onset, over.at if over else None),
        windows=len(windows),
    )


def _between(start: datetime | None, end: datetime | None) -> int | None:
    return _seconds(minute(end) - minute(start)) if start and end else None


def _seconds(d: timedelta) -> int:
    return int(d.total_seconds())


def after(seconds: int, *, what: str = "the start") -> str:
    """ "1 h 45 min after the start", "at the start", "5 min before the start" """
    d = timedelta(seconds=abs(seconds))
    if d < timedelta(minutes=1):
        return f"at {what}"
    return f"{until_long(d)} {'after' if seconds > 0 else 'before'} {what}"


def in_words(metrics: Metrics) -> tuple[Metric, ...]:
    """Every metric with its label; an unknown one has an empty value."""
    windows = f" in {counted(metrics.windows, 'window')}" if metrics.windows > 1 else ""
    acknowledge = "Time to acknowledge, from detection" if metrics.detect is not None else "Time to acknowledge"
    return (
        Metric("Users were affected for", _value(metrics.impact) + (windows if metrics.impact is not None else "")),
        Metric("Time to detect", _value(metrics.detect)),
        Metric(acknowledge, _value(metrics.acknowledge)),
        Metric("Time to mitigate", _value(metrics.mitigate)),
        Metric("Time to resolve", _value(metrics.resolve)),
    )


def _value(seconds: int | None) -> str:
    if seconds is None:
        return ""
    if seconds < 0:
        return f"{until_long(timedelta(seconds=-seconds))} before it began"
    return until_long(timedelta(seconds=seconds))
