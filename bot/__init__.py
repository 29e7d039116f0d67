"""Scribe: the postmortem is written while the incident is going on."""

__version__ = "0.1.0"
