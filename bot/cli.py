"""The command line: `scribe serve`, `demo`, `replay`, `export`, `verify`, `migrate`.

Exit status 0 done, 1 a fault of ours, 2 what was asked cannot be done (said on standard error, with what to type).
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click

from bot import __version__, app, scenarios, settings
from bot.core.document import FORMATS, TEMPLATES
from bot.core.errors import Refusal, Undelivered
from bot.exporters import named, write
from bot.press import Press
from bot.resources import resources
from bot.workspace.stage import NotAccepted, Stage, play

DEMO = "examples/incidents/13-moj-2026-waf-false-positives.yaml"


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
        _known_template(template)
        document, _ = _replayed(scenarios.read(scenario), out, "Replaying")
    click.echo(str(document))


@cli.command()
@click.argument("number", type=str, required=False)
@click.option("--all", "everything", is_flag=True, help="Every incident.")
@click.option("--format", "form", default="md", show_default=True, help="md or json.")
@click.option("--template", default="default", show_default=True, help="The form of the document.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to write (default: SCRIBE_EXPORT_DIR).")
def export(number: str | None, everything: bool, form: str, template: str, out: Path | None) -> None:
    """Write the document of an incident, as Markdown or JSON."""
    with refusing():
        _known_template(template)
        if form not in FORMATS:
            raise Refusal(f"There is no format “{form}”.", f"Formats: {', '.join(FORMATS)}.")
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
            for place in places:
                with store.reading() as tx:
                    stored = tx.stored(place.key)
                    people = tx.names_in(stored)
                    latest = tx.latest_revision(place.key)
                revision = latest.revision if latest else 1
                page, called = app.compose(press, place, stored, people, revision)
                folder = out or given.export_dir
                path = write(folder, called, page)
                click.echo(str(path if form == "md" else folder / called.json))
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


def _replayed(story: scenarios.Scenario, out: Path, label: str) -> tuple[Path, str]:
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
            page, called = app.compose(stage.press, place, stored, people, revision, called=named(story.slug))
            document = write(out, called, page)
            transcript = stage.workspace.transcript(channel=channel, zone=story.zone)
            (out / "transcript.txt").write_text(transcript, encoding="utf-8")
        finally:
            stage.close()
    return document, transcript


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _seed(slug: str) -> int:
    return int.from_bytes(slug.encode(), "big")


def _files(slug: str) -> tuple[str, ...]:
    called = named(slug)
    return called.annex, called.json, called.picture


def _known_template(name: str) -> None:
    if name not in TEMPLATES:
        raise Refusal(f"There is no template “{name}”.", f"Templates: {', '.join(TEMPLATES)}.")


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
