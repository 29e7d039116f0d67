"""The forms of action items: a new one, a change of one, and why one is dropped. Pure."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.core import times
from bot.core.commands import AddTask, ChangeTask, DropTask
from bot.core.decide import Speaker, decide
from bot.core.errors import Refusal
from bot.core.events import Category
from bot.core.incident import REDACTED, Incident, Task
from bot.slack.forms.pieces import (
    INPUT,
    JSON,
    Filled,
    Form,
    Given,
    Occasion,
    Saying,
    asked,
    boxes,
    chosen,
    modal,
    option,
    shown,
    somebody,
    typed,
)
from bot.slack.payloads import Malformed, clip, escape

ADD = "add_task"
CHANGE = "change_task"
DROP = "drop_task"

PUBLIC = "public"
OWNER = 80
LONGEST_URL = 2_000

CATEGORIES = {
    Category.PREVENT: "Prevents it",
    Category.DETECT: "Finds it sooner",
    Category.MITIGATE: "Ends it sooner",
    Category.PROCESS: "How we work",
}


def number_in(what: str) -> int:
    """The number of the action item that a line names: T3."""
    found = re.match(r"#?t(\d{1,9})\b", what.strip(), re.IGNORECASE)
    return int(found[1]) if found else 0


def view(occasion: Occasion) -> JSON:
    """The form of an action item: of a new one, or of the one that the line names."""
    assert occasion.incident is not None
    if number := number_in(occasion.what):
        return _change(occasion, _known(occasion.incident, number))
    decide(occasion.incident, AddTask(text="–"), Speaker(""), occasion.now, confirmed=True)
    fields = [asked("text", "What is to be done?", typed()), *_fields(_by_default(occasion))]
    return modal(ADD, "Add an action item", "Add", fields, occasion.about)


def _by_default(occasion: Occasion) -> str:
    """What holds where nobody picks a date."""
    assert occasion.incident is not None
    severity = occasion.incident.severity or 0
    days = occasion.days.get(severity, 0)
    if not days:
        return ""
    by = times.localize(occasion.now, occasion.zone).date() + timedelta(days=days)
    why = f"SEV{severity}" if severity else "no severity set"
    return f"Without a date it is expected by {by:%-d %B %Y} ({why}: {days} days)."


def _fields(hint: str = "", task: Task | None = None) -> list[JSON]:
    owner, due = somebody(), {"type": "datepicker"}
    if task is not None and task.due:
        due["initial_date"] = task.due.isoformat()
    categories = [option(words, category.value) for category, words in CATEGORIES.items()]
    kind = chosen(categories, task.category.value if task and task.category else "")
    public = option("Customers may read it", PUBLIC)
    readers = boxes([public]) | ({"initial_options": [public]} if task is not None and task.public else {})
    new = "" if task is None else "another "
    return [
        asked("person", f"Who is {new}owner?" if new else "Who does it?", owner, optional=True),
        asked("owner", "Or which team?", typed(most=OWNER, lines=False), optional=True),
        asked("due", "By when?", due, hint, optional=True),
        asked("category", "What is it for?", kind, optional=True),
        asked("readers", "Readers", readers, optional=True),
    ]


def _known(incident: Incident, number: int) -> Task:
    """The action item with that number. Raises Refusal."""
    decide(incident, ChangeTask(task=number), Speaker(""), incident.happened[-1].recorded_at)
    return incident.tasks[number]


def _change(occasion: Occasion, task: Task) -> JSON:
    assert occasion.incident is not None
    entry = occasion.incident.entries[task.entry]
    text = REDACTED if entry.redacted else entry.text
    fields: list[JSON] = [
        shown(f"*T{task.number}* {escape(clip(text, 300))} · owner: {escape(clip(task.owner, 80) or '–')}")
    ]
    about = occasion.about | {"task": task.number, "seen": len(task.history)}
    if not entry.redacted and len(text) <= INPUT:
        fields.append(asked("text", "What is to be done?", typed(text), optional=True))
    url = {"type": "url_text_input"} | ({"initial_value": task.url} if task.url else {})
    fields += [*_fields(task=task), asked("url", "Where does a tracker have it?", url, optional=True)]
    return modal(CHANGE, f"Change T{task.number}", "Change", fields, about)


def read(given: Given) -> Filled:
    """A new action item."""
    person, team = _owner(given)
    command = AddTask(
        text=given.needed("text", "Say what is to be done."),
        owner=team,
        person=person,
        category=_category(given),
        due=given.day("due"),
        public=given.has("readers", PUBLIC),
    )
    return Filled((Saying(command, "text"),), given.about("channel"), given.number("number"))


def read_change(given: Given) -> Filled:
    """What of an action item is another: only that is recorded."""
    number, seen = given.number("task"), given.number("seen")
    said: list[Saying] = []
    person, team = _owner(given)
    if person or team:
        said.append(Saying(ChangeTask(task=number, owner=team, person=person), "person"))
    due, category = given.day("due"), _category(given)
    if due and due.isoformat() != given.first("due"):
        said.append(Saying(ChangeTask(task=number, due=due), "due"))
    if category and category.value != given.first("category"):
        said.append(Saying(ChangeTask(task=number, category=category), "category"))
    if (public := given.has("readers", PUBLIC)) != (given.first("readers") == PUBLIC):
        said.append(Saying(ChangeTask(task=number, public=public), "readers"))
    if (url := given.text("url").strip()) and url != given.first("url"):
        said.append(Saying(ChangeTask(task=number, url=url), "url"))
    if (text := given.text("text").strip()) and text != given.first("text").strip():
        said.append(Saying(ChangeTask(task=number, text=text, whole=f"T{number} {text}"), "text"))

    def still(incident: Incident) -> None:
        task = _known(incident, number)
        if len(task.history) != seen:
            raise Refusal(
                f"T{number} was changed meanwhile by somebody else.", "Copy what you typed, and open the form again."
            )

    return Filled(tuple(said), given.about("channel"), given.number("number"), still if said else None)


def _owner(given: Given) -> tuple[str, str]:
    """Handle and name of the owner: a person, else a team."""
    person, team = given.text("person"), " ".join(given.text("owner").split())
    return (person, given.called(person)) if person else ("", clip(team, OWNER))


def _category(given: Given) -> Category | None:
    said = given.text("category")
    if said not in {"", *Category}:
        raise Malformed("category is none that the form offers")
    return Category(said) if said else None


def drop_view(occasion: Occasion) -> JSON:
    """The form that asks why an action item is dropped."""
    assert occasion.incident is not None
    number = number_in(occasion.what)
    decide(occasion.incident, DropTask(task=number, why="–"), Speaker(""), occasion.now)
    entry = occasion.incident.entries[occasion.incident.tasks[number].entry]
    text = REDACTED if entry.redacted else entry.text
    fields = [shown(f"*T{number}* {escape(clip(text, 300))}"), asked("why", "Why will it not be done?", typed())]
    return modal(DROP, f"Drop T{number}", "Drop", fields, occasion.about | {"task": number})


def read_drop(given: Given) -> Filled:
    """Why an action item is dropped."""
    command = DropTask(task=given.number("task"), why=given.needed("why", "Say why it will not be done."))
    return Filled((Saying(command, "why"),), given.about("channel"), given.number("number"))


FORM = Form(ADD, view, read)
CHANGED = Form(CHANGE, view, read_change)
DROPPED = Form(DROP, drop_view, read_drop)
