"""The command line: `serve`, `demo`, `replay`, `export`, `import`, `verify`, `backup`, `restore`, `doctor`, `migrate`.

Exit status 0 done, 1 a fault of ours, 2 what was asked cannot be done (said on standard error, with what to type).
"""

from __future__ import annotations

import difflib
import getpass
import os
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click

from bot import __version__, app, backups, chat_exports, logs, scenarios, settings
from bot.attachments import Kept
from bot.core import customers
from bot.core.answers import Heard, Outcome, Recorded
from bot.core.commands import Record
from bot.core.document import CUSTOMER, FORMATS
from bot.core.errors import Refusal, Undelivered, Unrecorded
from bot.core.events import Kind, Numbered
from bot.core.incident import Incident, fold
from bot.core.record import Place
from bot.core.suggest import Suggestion, suggest
from bot.core.times import AHEAD, When, localize
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
    except Unrecorded as failure:
        raise Refused(f"{failure}") from failure
    except BrokenPipeError:  # a reader who has gone, which is click's to handle
        raise
    except OSError as failure:
        which = f"{failure.filename}: " if failure.filename else ""
        raise Refused(f"{which}{failure.strerror or failure}.") from failure


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="scribe")
def cli() -> None:
    """Scribe writes the postmortem while the incident is going on."""


@cli.command()
def serve() -> None:
    """Answer Slack and send what is due, until SIGTERM."""
    with refusing():
        given = settings.read(os.environ)
        as_json = given.log == "json" if given.log else not sys.stderr.isatty()
        logs.start(sys.stderr, as_json=as_json, hidden=given.secrets())
        settings.forget(os.environ)
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
            kept = Kept(store)
            documents = Documents(store, partial(app.compose, press, own=given.templates, kept=kept))
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
                    path = write(folder, one.called, one.page, partial(kept.content, place.key))
                click.echo(str(folder / one.called.json if form == "json" else path))
        finally:
            store.close()


@cli.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.option("--suggest", "only_suggest", is_flag=True, help="Write suggestions.json and record nothing.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Where to write.")
@click.option("--incident", "number", help="The incident into which messages are recorded.")
@click.option("--accept", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Suggestions to record.")
def import_(file: Path, only_suggest: bool, out: Path, number: str | None, accept: Path | None) -> None:
    """Find the entries of a timeline in a Slack export, and record those that you accept.

    FILE is an export: one file with users and messages, a folder or zip as Slack gives it, or the file of one day.
    """
    with refusing():
        if only_suggest == (number is not None) or (only_suggest and accept is not None):
            raise Refusal(
                "Suggest, or record?", "Type scribe import FILE --suggest, or scribe import FILE --incident 42."
            )
        if number is not None and accept is None and not sys.stdin.isatty():
            raise Refusal(
                "Nobody is here to be asked.",
                f"Type scribe import {file} --suggest, look at suggestions.json, and give it with --accept.",
            )
        spoken = chat_exports.read(file)
        if spoken.left_out:
            click.echo(f"scribe: {_count(spoken.left_out, 'message')} without a time left out.", err=True)
        found = suggest(spoken.messages)
        if number is None:
            out.mkdir(parents=True, exist_ok=True)
            path = out / "suggestions.json"
            path.write_text(chat_exports.as_json(found), encoding="utf-8")
            for one in found:
                click.echo(_offered(one, spoken))
            click.echo(f"{_count(len(found), 'suggestion')} from {_count(len(spoken.messages), 'message')}")
            click.echo(str(path))
            return
        given = settings.read(os.environ, need_slack=False)
        wired = app.create(_existing(given), press=Press(inline=True))
        try:
            with wired.store.reading() as tx:
                wanted = _incident_number(number)
                places = [place for place in tx.all_places() if place.number == wanted]
            if not places:
                raise Refusal(f"There is no incident {wanted}.", "Type scribe export --all to see every one.")
            Importing(wired, places[0], spoken, found).record(
                chat_exports.read_accepted(accept) if accept is not None else None
            )
        finally:
            wired.close()


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--reseal", is_flag=True, help="The secret was lost or changed: seal every incident with the one of now.")
def verify(file: Path | None, reseal: bool) -> None:
    """Check that nothing in the record was changed behind the program's back.

    FILE is a backup to look at instead, which stays as it is.
    """
    with refusing():
        if file and reseal:
            raise Refusal("A backup stays as it is.", "Restore it first, then type scribe verify --reseal.")
        given = settings.read(os.environ, need_slack=False)
        if reseal:
            _must_not_be_served(_existing(given))
        if file:
            store = app.file_at(file, app.secret_of_backup(given, file), look_only=True)
        else:
            store = app.record_at(_existing(given), app.secret_of(given, anew=reseal))
        path = file or given.database
        with closing(store):
            found = store.check(thorough=True)
            if found.closed:
                raise Refusal(f"{path} cannot be opened.", "Type it as the user that runs Scribe.")
            if found.damage:
                raise Refusal(f"{path} is damaged, or no database: {found.damage}.", "Restore a backup.")
            if found.newer:
                newer = ", ".join(found.newer)
                raise Refusal(f"{path} was written by a newer Scribe (it has {newer}).", "Install that version.")
            if found.blank:
                raise Refusal(
                    f"{path} is no record of Scribe's: it holds none of its tables.", "Name the file that is one."
                )
            incidents, events, findings = store.verify()
            if reseal and all(one.seal for one in findings):
                click.echo(f"{path}: {_count(store.reseal(), 'incident')} sealed with the secret of now.")
                return
    _tell(findings)
    if findings:
        remedy = "take another backup" if file else f"restore a backup made before{_or_reseal(findings)}"
        raise Fault(f"{_wrong(findings)} in {path}; {remedy}.")
    click.echo(
        f"{path}: {_count(incidents, 'incident')} with {_count(events, 'event')}, all as they were recorded. "
        "(One who has both the database and SCRIBE_SECRET could still have rewritten them.)"
    )


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the record into FILE while scribe serve goes on, and check the copy."""
    with refusing():
        given = settings.read(os.environ, need_slack=False)
        secret = app.secret_of(_existing(given))
        beside = settings.beside(file)
        with closing(app.record_at(given, secret)) as store:
            kept = (lambda: None) if given.secret else partial(backups.keep, beside, secret + b"\n")
            copied = backups.back_up(store, file, partial(app.file_at, secret=secret), kept)
    click.echo(f"{file}: {_held(copied)}, checked.")
    if given.secret:
        click.echo("SCRIBE_SECRET is not in it: keep its value too, elsewhere. Without it no link and no seal holds.")
    else:
        click.echo(f"{beside}: the secret, which belongs to it. Who has both can make links and seals of their own.")
    _tell(copied.findings)
    if copied.findings:
        raise Fault(f"{_wrong(copied.findings)} in the record, and so in its copy: type scribe verify.")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--anyway", is_flag=True, help="Even if something in it was changed, or its secret is lost.")
def restore(file: Path, anyway: bool) -> None:
    """Put the backup FILE where SCRIBE_DATABASE says, if there is no database yet."""
    with refusing():
        given = settings.read(os.environ, need_slack=False)
        secret = app.secret_of_backup(given, file, must=not anyway)
        beside = settings.beside(given.database)
        kept = (lambda: None) if given.secret or not secret else partial(backups.keep, beside, secret + b"\n")
        opened = partial(app.file_at, secret=secret)
        copied = backups.restore(file, given.database, opened, app.now(), anyway=anyway, before=kept)
    _tell(copied.findings)
    if copied.findings and not anyway:
        raise Fault(
            f"{_wrong(copied.findings)} in {file}, and nothing was restored. Take another backup, or this one all the "
            "same with --anyway."
        )
    click.echo(f"{given.database}: {_held(copied)}, restored from {file}.")
    if copied.migrated:
        click.echo(f"Its schema was brought up to date: {', '.join(copied.migrated)}.")
    if waiting := copied.holdings.unsent:
        click.echo(
            f"{_count(waiting, 'message')} waited when the backup was made. scribe serve sends what Slack does not "
            "show yet; a private answer may come twice."
        )
    click.echo("What was recorded after the backup is not in it. Documents: scribe export --all writes them again.")


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


# ---- import --------------------------------------------------------------------------------------


class Importing:
    """Messages of an export on their way into the record of an incident.

    They are recorded by the person at the command line, told apart by the name of their account; author and message are
    kept with each entry.
    """

    def __init__(self, wired: app.App, place: Place, spoken: chat_exports.Export, found: Sequence[Suggestion]) -> None:
        self.wired, self.place, self.spoken = wired, place, spoken
        self.found = {one.id: one for one in found}
        self.messages = {one.id: one for one in spoken.messages}
        self.channel = spoken.channel or place.channel
        account = _account()
        self.heard = Heard(place.team, place.channel, f"cli-{account}", "", user_name=f"{account} (command line)")

    def record(self, accepted: Sequence[chat_exports.Accepted] | None) -> None:
        """Records what was accepted, or asks about one suggestion after the other."""
        unknown = [one.ts for one in accepted or () if one.ts not in self.messages]
        if unknown:
            raise Refusal(f"The export has no message {', '.join(unknown[:5])}.", "Give the export it came from.")
        ahead = [one.ts for one in accepted or () if one.at > self.wired.clock() + AHEAD]
        if ahead:
            raise Refusal(f"The time of {', '.join(ahead[:5])} lies ahead.", "Change “at” in the suggestions.")
        incident = self._incident()
        captured = {entry.event.said_in: entry.number for entry in incident.entries.values() if entry.live}
        recorded = skipped = refused = 0
        for one in self._asked(captured) if accepted is None else accepted:
            said_in = f"{self.channel}/{one.ts}"
            if said_in in captured:
                click.echo(f"  {one.ts} is recorded already, as entry {captured[said_in]}")
                skipped += 1
                continue
            outcome = self._record(one, said_in)
            if isinstance(outcome, Recorded):
                entry = next(event for event in outcome.happened if isinstance(event, Numbered))
                captured[said_in] = entry.entry
                click.echo(f"  {one.ts} → entry {entry.entry}, {entry.kind.value.replace('_', ' ')}")
                recorded += 1
            else:
                click.echo(f"scribe: {one.ts}: {getattr(outcome, 'message', 'not recorded')}", err=True)
                refused += 1
        click.echo(f"{self.place.name}: {recorded} recorded, {skipped} recorded before, {refused} refused")
        if refused:
            raise Refusal(f"{_count(refused, 'message')} could not be recorded.", "Change what is said above.")

    def _incident(self) -> Incident:
        with self.wired.store.reading() as tx:
            return fold(tx.events(self.place.key), self.place.number)

    def _record(self, one: chat_exports.Accepted, said_in: str) -> Outcome:
        message, suggestion = self.messages[one.ts], self.found.get(one.ts)
        kind = chat_exports.RECORDED_AS[one.kind]
        if one.kind == "cause":
            kind = Kind.NOTE if self._incident().live(Kind.TRIGGER) else Kind.TRIGGER
        known_as = self.spoken.names.get(message.author, "")
        now = self.wired.clock()
        with self.wired.store.writing() as tx:
            tx.learn_person(self.place.team, self.heard.user, name=self.heard.user_name, zone=None, now=now)
            if message.program and message.author:  # Slack's users.info knows no programs
                tx.learn_person(self.place.team, message.author, name=known_as or message.author, zone=None, now=now)
            elif message.author:
                tx.know(self.place.team, message.author, known_as)
        at, approx = one.at.astimezone(UTC), False
        if suggestion is not None and abs(suggestion.at - at) < timedelta(seconds=1):  # a file has whole seconds
            at, approx = suggestion.at, suggestion.approx
        command = Record(
            kind=kind,
            text=one.text,
            when=When(at, message.zone, approx=approx, zone_typed=True),
            said_in=said_in,
            author=message.author,
        )
        heard = replace(self.heard, origin=f"import:{said_in}:{kind.value}:{now.timestamp():.6f}")
        return self.wired.scribe.handle(command, heard, incident=self.place.number, confirmed=True)

    def _asked(self, captured: Mapping[str, int]) -> Iterator[chat_exports.Accepted]:
        """Each suggestion that a person at the terminal accepts."""
        click.echo("Record it? y yes, n no, q stop, or another kind (note, action, dead_end, …)")
        for one in self.found.values():
            if f"{self.channel}/{one.id}" in captured:
                continue
            click.echo(_offered(one, self.spoken))
            while True:
                answer = click.prompt("  [y/n/q/kind]", default="n", show_default=False).strip().lower()
                if answer in ("y", "n", "q") or answer in chat_exports.RECORDED_AS:
                    break
                click.echo(f"  Kinds: {', '.join(chat_exports.RECORDED_AS)}")
            if answer == "q":
                return
            if answer != "n":
                yield chat_exports.Accepted(one.id, one.kind if answer == "y" else answer, one.at, one.text)


def _account() -> str:
    """The name of the account at the command line."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in many containers
        return "somebody"


def _offered(one: Suggestion, spoken: chat_exports.Export) -> str:
    """A suggestion as a line: time with zone, kind, who, the first words."""
    at = localize(one.at, one.zone)
    words = textwrap.shorten(one.text, 90, placeholder=" …")
    who = spoken.names.get(one.author, one.author)
    return f"  {at:%Y-%m-%d %H:%M} {at:%z}  {one.kind.replace('_', ' '):<10}  {who}: {words}"


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


def _tell(findings: Sequence[Any]) -> None:
    """Each thing that was found wrong with the record, on standard error."""
    for found in findings:
        event = f", event {found.seq}" if found.seq else ""
        click.echo(f"{found.incident}{event}: {found.problem}", err=True)


def _wrong(findings: Sequence[Any]) -> str:
    return "1 thing is wrong" if len(findings) == 1 else f"{len(findings)} things are wrong"


def _or_reseal(findings: Sequence[Any]) -> str:
    """What else can be done where the chains are sound and the secret is another one."""
    another = "; if the secret was lost or changed on purpose, type scribe verify --reseal"
    return another if all(one.seal for one in findings) else ""


def _held(copied: backups.Copied) -> str:
    held = copied.holdings
    latest = f", the last of {held.latest:%Y-%m-%d %H:%M} UTC" if held.latest else ""
    size = f"{copied.size / 1_000_000:.1f} MB"
    return f"{_count(held.incidents, 'incident')} with {_count(held.events, 'event')}{latest}, {size}"


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


def _must_not_be_served(given: settings.Settings) -> None:
    """A `serve` that runs would go on sealing with the secret that it read when it started."""
    with closing(app.file_at(given.database, b"", look_only=True)) as store:
        if store.is_served():
            raise Refusal(f"scribe serve is running on {given.database}.", "Stop it first.")


def _incident_number(text: str) -> int:
    plain = text.casefold().removeprefix("inc-").lstrip("#")
    if not plain.isdecimal():
        raise Refusal(f"“{text}” is no incident number.", "Type a number such as 42.")
    return int(plain)
