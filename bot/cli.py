"""The command line: `scribe serve`, `demo`, `replay`, `export`, `verify`, `doctor`, `migrate`.

Exit status 0 done, 1 a fault of ours, 2 what was asked cannot be done (said on standard error, with what to type).
"""

from __future__ import annotations

import difflib
import logging
import os
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click

from bot import __version__, app, scenarios, settings
from bot.core import customers
from bot.core.document import CUSTOMER, FORMATS
from bot.core.errors import Refusal, Undelivered
from bot.core.incident import fold
from bot.core.record import Place
from bot.doctor import Finding, Level
from bot.documents import Documents
from bot.exporters import named, write, write_one
from bot.press import Press
from bot.resources import resources
from bot.workspace.stage import NotAccepted, Stage, play

DEMO = "examples/incidents/13-moj-2026-waf-false-positives.yaml"


COLOURS = {Level.OK: "green", Level.UNCHECKED: "cyan", Level.WARNING: "yellow", Level.PROBLEM: "red"}
WIDEST = 110
"""Columns: longer lines are hard to follow."""


ALONE = ("html", "csv")
"""Formats of one file, which are written without the others."""


class Fault(click.ClickException):
    """A defect: exit status 1."""

    exit_code = 1

    def show(self, file: object = None) -> None:
        click.echo(f"scribe: {self.format_message()}", err=True)


class Refused(click.ClickException):
    """What was asked cannot be done: exit status 2."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(f"scribe: {self.format_message()}", err=True)


@contextmanager
def refusing() -> Iterator[None]:
    """Turns what the rooms raise into an exit status and a sentence."""
    try:
        yield
    except Refusal as refusal:
        raise Refused(str(refusal)) from refusal
    except settings.Problems as problems:
        raise Refused(f"the settings are not right:\n  {str(problems).replace(chr(10), chr(10) + '  ')}") from problems
    except NotAccepted as refusal:
        raise Refused(str(refusal)) from refusal
    except Undelivered as failure:
        raise Fault(failure.message) from failure
    except OSError as failure:
        if failure.filename is None:  # no file's doing: a reader who has gone, which is click's to handle
            raise
        raise Refused(f"{failure.filename}: {failure.strerror}.") from failure


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="scribe")
def cli() -> None:
    """Scribe writes the postmortem while the incident is going on."""


@cli.command()
def serve() -> None:
    """Answer Slack and send what is due, until SIGTERM."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with refusing():
        given = settings.read(os.environ)
        wired = app.create(given)
        try:
            path = "/slack/events" if given.signing_secret else ""
            app.serve(wired, lambda address: click.echo(f"Scribe {__version__} listens on {address}{path}"))
        except OSError as failure:
            raise Refused(
                f"{given.host}:{given.port} cannot be listened on: {failure.strerror}. Set PORT or HOST to others."
            ) from failure


@cli.command()
@click.argument("scenario", type=click.Path(path_type=Path), required=False)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("out/demo"), show_default=True, help="Where to write."
)
def demo(scenario: Path | None, out: Path) -> None:
    """Tell a real incident line by line and look at the draft; needs no Slack account."""
    with refusing():
        story = scenarios.read(scenario or resources(DEMO))
        click.secho(f"Scribe {__version__} – a real incident, told as it happened", bold=True)
        click.echo(
            f"“{story.title}”: {len(story.lines)} lines by {len(story.people)} roles, each a signed slash command into "
            "the real app, kept in SQLite.\n"
        )
        document, transcript = _replayed(story, out, "Telling the incident")
    click.secho("\nThe channel, as people saw it", bold=True)
    click.echo(transcript)
    click.secho("The draft that Scribe posted", bold=True)
    click.echo(document.read_text(encoding="utf-8"))
    click.secho("Where it lies", bold=True)
    for path in (document, *(document.with_name(n) for n in _files(story.slug)), out / "transcript.txt"):
        click.echo(f"  {path}")
    click.secho("\nWhat to do next", bold=True)
    click.echo(
        "  Another incident:       scribe demo examples/incidents/01-gitlab-2017-database-deletion.yaml\n"
        "  Run it in your Slack:   see “Run it” in README.md (paste manifest.json, set two values, scribe serve)\n"
        "  What people can type:   the table in README.md, or /incident help"
    )
    click.echo(str(document))


@cli.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Where to write.")
@click.option("--template", default="default", show_default=True, help="The form of the document.")
def replay(scenario: Path, out: Path, template: str) -> None:
    """Replay a scenario file; the last line of output is the path of its document."""
    with refusing():
        own = _own_templates(os.environ)
        _known_template(template, own)
        document, _ = _replayed(scenarios.read(scenario), out, "Replaying", template, own)
    click.echo(str(document))


@cli.command()
@click.argument("number", type=str, required=False)
@click.option("--all", "everything", is_flag=True, help="Every incident.")
@click.option("--format", "form", default="md", show_default=True, help="md, html, json or csv.")
@click.option("--template", default="default", show_default=True, help="The form of the document.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to write (default: SCRIBE_EXPORT_DIR).")
@click.option("--diff", nargs=2, type=int, metavar="REV REV", help="Show what differs between two revisions instead.")
def export(
    number: str | None, everything: bool, form: str, template: str, out: Path | None, diff: tuple[int, int] | None
) -> None:
    """Write the document of an incident: Markdown, one HTML file, JSON or CSV.

    Or show what differs between two of its revisions.
    """
    with refusing():
        _known_template(template, _own_templates(os.environ))
        if form not in FORMATS:
            raise Refusal(f"There is no format “{form}”.", f"Formats: {', '.join(FORMATS)}.")
        if template == CUSTOMER and form != "md":
            raise Refusal(f"Customers get no {form}: it holds the whole record.", "Use --format md.")
        if everything == (number is not None):
            raise Refusal("Which incident?", "Type scribe export 42, or scribe export --all.")
        given = settings.read(os.environ, need_slack=False)
        store, press = app.open_store(_existing(given)), Press(inline=True)
        try:
            with store.reading() as tx:
                places = tx.all_places()
            if number is not None:
                wanted = _incident_number(number)
                places = [place for place in places if place.number == wanted]
                if not places:
                    raise Refusal(f"There is no incident {wanted}.", "Type scribe export --all for every one.")
            documents = Documents(store, partial(app.compose, press, own=given.templates))
            if diff is not None:
                if number is None:
                    raise Refusal("Which incident?", "Type scribe export 42 --diff 1 2.")
                click.echo(_difference(store, documents, places[0], diff, template), nl=False)
                return
            for place in places:
                approved = _approved_for_customers(store, place) if template == CUSTOMER else None
                if template == CUSTOMER and approved is None:
                    unread = Refusal(
                        f"Nobody has approved what customers will read of {place.name}.",
                        f"Type {given.command} draft customer in its channel.",
                    )
                    if not everything:
                        raise unread
                    click.echo(f"scribe: {unread}", err=True)
                    continue
                with store.writing() as tx:  # what leaves under a number never says something else later
                    place = tx.by_key(place.key) or place
                    revision, _ = tx.revise(place, place.seq)
                    tx.pin(place.key, revision)
                also = (form,) if form in ALONE else ()
                upto, known_as = approved or place.seq, 0 if approved else revision
                one = documents.at(place.key, upto, known_as, template=template, also=also)
                folder = out or given.export_dir
                if form in ALONE:
                    path = write_one(folder, getattr(one.called, form), getattr(one.page, form))
                else:
                    path = write(folder, one.called, one.page)
                click.echo(str(folder / one.called.json if form == "json" else path))
        finally:
            store.close()


@cli.command()
def verify() -> None:
    """Check that nothing in the record was changed behind the program's back."""
    with refusing():
        given = settings.read(os.environ, need_slack=False)
        store = app.open_store(_existing(given))
        try:
            incidents, events, findings = store.verify()
        finally:
            store.close()
    for found in findings:
        click.echo(f"{found.incident}, event {found.seq}: {found.problem}", err=True)
    if findings:
        wrong = "1 thing is wrong" if len(findings) == 1 else f"{len(findings)} things are wrong"
        raise Fault(f"{wrong} in {given.database}; restore it from a backup made before.")
    click.echo(
        f"{given.database}: {_count(incidents, 'incident')} with {_count(events, 'event')}, all as they were recorded. "
        "(One who has both the database and SCRIBE_SECRET could still have rewritten them.)"
    )


@cli.command()
@click.option("--resend", is_flag=True, help="Put what could not be delivered back into the outbox.")
def doctor(resend: bool) -> None:
    """Check this installation, and say what to do about what is wrong."""
    given, wrong = _as_far_as_right(os.environ)
    counts = dict.fromkeys(Level, 0)
    with refusing():
        for found in app.examine(given, wrong, os.environ, resend=resend):
            counts[found.level] += 1
            click.echo(_shown(found))
    click.echo()
    others = [_count(counts[Level.WARNING], "warning")] * bool(counts[Level.WARNING])
    others += [f"{counts[Level.UNCHECKED]} not checked"] * bool(counts[Level.UNCHECKED])
    besides = f" ({', '.join(others)})" if others else ""
    if counts[Level.PROBLEM]:
        raise Refused(f"{_count(counts[Level.PROBLEM], 'problem')}{besides}. Begin with the first one.")
    click.echo(f"No problem{besides}.")


@cli.command()
def migrate() -> None:
    """Bring the database's schema up to date (serve does it too)."""
    with refusing():
        given = settings.read(os.environ, need_slack=False)
        store = app.store_at(given)
        try:
            applied = store.migrate()
        finally:
            store.close()
    click.echo(f"{given.database}: " + (f"applied {', '.join(applied)}." if applied else "up to date."))


def main() -> None:
    """Runs the command line. A defect shows its traceback and exits with 1, as Python does."""
    cli(prog_name="scribe")


# ---- pieces --------------------------------------------------------------------------------------


def _replayed(
    story: scenarios.Scenario, out: Path, label: str, template: str = "default", own: Path | None = None
) -> tuple[Path, str]:
    """Plays a story on a stage and writes what came of it; gives the document's path and the transcript."""
    with tempfile.TemporaryDirectory(prefix="scribe-") as folder:
        stage = Stage(
            Path(folder), story.lines[0].at - timedelta(seconds=1), press=Press(inline=True), seed=_seed(story.slug)
        )
        try:
            with click.progressbar(length=len(story.lines), label=label, file=sys.stderr) as bar:
                channel = play(stage, story, lambda done, of: bar.update(1))
            with stage.app.store.reading() as tx:
                place = tx.in_channel(stage.workspace.team, channel.id)
                assert place is not None
                stored = tx.stored(place.key)
                people = tx.names_in(stored)
                latest = tx.latest_revision(place.key)
            revision = latest.revision if latest else 1
            called = named(story.slug)
            page, _ = app.compose(
                stage.press, place, stored, people, revision, template=template, called=called, own=own
            )
            document = write(out, called, page)
            transcript = stage.workspace.transcript(channel=channel, zone=story.zone)
            (out / "transcript.txt").write_text(transcript, encoding="utf-8")
        finally:
            stage.close()
    return document, transcript


def _difference(store: Any, documents: Documents, place: Place, revisions: tuple[int, int], template: str) -> str:
    """What differs between two revisions of a document, as a unified diff; the texts are those of today's record."""
    texts, names = [], []
    for number in revisions:
        with store.reading() as tx:
            found = tx.revision(place.key, number)
            latest = tx.latest_revision(place.key)
        if found is None:
            last = latest.revision if latest else 0
            raise Refusal(
                f"{place.name} has no revision {number}.",
                f"It has revisions 1 to {last}." if last else "Nothing of it was posted or exported yet.",
            )
        one = documents.at(place.key, found.upto, found.revision, template=template)
        texts.append(one.page.document.decode().splitlines(keepends=True))
        names.append(one.called.document)
    return "".join(difflib.unified_diff(texts[0], texts[1], names[0], names[1], n=1))


def _as_far_as_right(environment: Mapping[str, str]) -> tuple[settings.Settings, tuple[settings.Problem, ...]]:
    """The settings, with the default in place of each that is wrong, and what is wrong."""
    try:
        return settings.read(environment), ()
    except settings.Problems as found:
        names = {one.name for one in found.problems}
        right = {name: value for name, value in environment.items() if name not in names}
        return settings.read(right, need_slack=False), found.problems


def _shown(found: Finding) -> str:
    """A finding as lines: how serious, about what, and what it is; below it what to do."""
    width = min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)
    indent = " " * 31

    def wrapped(mark: str, text: str) -> str:
        return textwrap.fill(
            text,
            width,
            initial_indent=indent + mark,
            subsequent_indent=indent + " " * len(mark),
            break_long_words=False,
            break_on_hyphens=False,
        )

    lines = [wrapped("", found.words), *(wrapped("- ", one) for one in found.details)]
    lines += [wrapped("→ ", found.remedy)] if found.remedy else []
    level = click.style(f"{found.level.value:<12}", fg=COLOURS[found.level], bold=found.level is Level.PROBLEM)
    return f"  {level} {found.about:<16}{chr(10).join(lines).removeprefix(indent)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _seed(slug: str) -> int:
    return int.from_bytes(slug.encode(), "big")


def _files(slug: str) -> tuple[str, ...]:
    called = named(slug)
    return called.annex, called.json, called.picture


def _own_templates(environment: Mapping[str, str]) -> Path | None:
    """The folder of templates of one's own: the one setting that a replay heeds."""
    name = "SCRIBE_TEMPLATES"
    said = {name: environment[name]} if name in environment else {}
    return settings.read(said, need_slack=False).templates


def _known_template(name: str, own: Path | None) -> None:
    known = app.templates(own)
    if name not in known:
        raise Refusal(f"There is no template “{name}”.", f"Templates: {', '.join(known)}.")


def _approved_for_customers(store: Any, place: Place) -> int | None:
    """Which state of the record customers may read."""
    with store.reading() as tx:
        return customers.approved(fold(tx.events(place.key), place.number))


def _existing(given: settings.Settings) -> settings.Settings:
    if not given.database.exists():
        raise Refusal(
            f"There is no database at {given.database}.", "Set SCRIBE_DATABASE to the file that scribe serve uses."
        )
    return given


def _incident_number(text: str) -> int:
    plain = text.casefold().removeprefix("inc-").lstrip("#")
    if not plain.isdecimal():
        raise Refusal(f"“{text}” is no incident number.", "Type a number such as 42.")
    return int(plain)
