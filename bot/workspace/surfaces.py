"""Web API: views.*: modals and the home tab.

Knows that a trigger lives three seconds and opens one modal, that three modals are the highest stack, and that a hash
protects against two writers (docs.slack.dev/surfaces/modals).
"""

from __future__ import annotations

from datetime import timedelta

from .arguments import Args, Method, method
from .conversations import person
from .limits import check_view
from .model import Json, SlackError, Trigger, View
from .state import State, refuse

TRIGGER_LIFE = timedelta(seconds=3)
STACK = 3


def _trigger(ws: State, args: Args) -> Trigger:
    trigger = ws.triggers.get(args.text("trigger_id"))
    if trigger is None:
        raise refuse("invalid_trigger_id")
    if trigger.used:
        raise refuse("exchanged_trigger_id")
    if ws.now() - trigger.issued > TRIGGER_LIFE:
        raise refuse("expired_trigger_id")
    return trigger


def _open(ws: State, args: Args) -> Json:
    trigger = _trigger(ws, args)
    given = args.json("view", "invalid_arguments")
    check_view(given, "modal")
    _unique(ws, given, None)
    trigger.used = True
    if trigger.view is not None and ws.modals.get(trigger.user):
        return {"view": ws.view_json(push(ws, trigger.user, given, trigger.channel))}
    view = _made(ws, trigger.user, given, channel=trigger.channel)
    ws.modals[trigger.user] = [view]
    ws.note("form", trigger.user, trigger.channel, view=view)
    return {"view": ws.view_json(view)}


def _push(ws: State, args: Args) -> Json:
    trigger = _trigger(ws, args)
    given = args.json("view", "invalid_arguments")
    check_view(given, "modal")
    _unique(ws, given, None)
    if not ws.modals.get(trigger.user):
        raise refuse("not_found")
    view = push(ws, trigger.user, given, trigger.channel)
    trigger.used = True
    return {"view": ws.view_json(view)}


def push(ws: State, user: str, given: Json, channel: str | None) -> View:
    """Lay a modal upon the one that a person sees."""
    stack = ws.modals[user]
    if len(stack) >= STACK:
        raise refuse("push_limit_reached")
    view = _made(ws, user, given, channel=channel, below=stack[-1])
    stack.append(view)
    ws.note("form", user, channel, view=view)
    return view


def _update(ws: State, args: Args) -> Json:
    view = ws.stored_views.get(args.text("view_id"))
    if args.has("external_id"):
        wanted = args.text("external_id")
        view = next((one for one in ws.stored_views.values() if one.given.get("external_id") == wanted), None)
    if view is None or (view.type == "modal" and view not in ws.modals.get(view.user, [])):
        raise refuse("not_found")
    given = args.json("view", "invalid_arguments")
    check_view(given, "home" if view.type == "home" else "modal")
    if args.has("hash") and args.text("hash") != view.hash:
        raise refuse("hash_conflict")
    _unique(ws, given, view)
    change(ws, view, given)
    return {"view": ws.view_json(view)}


def change(ws: State, view: View, given: Json) -> None:
    """Put other content into a view that is open."""
    view.given = given
    view.hash = _hash(ws)


def _publish(ws: State, args: Args) -> Json:
    user = person(ws, args.text("user_id"))
    given = args.json("view", "invalid_arguments")
    check_view(given, "home")
    view = ws.homes.get(user.id)
    if view is None:
        view = ws.homes[user.id] = _made(ws, user.id, given)
    elif args.has("hash") and args.text("hash") != view.hash:
        raise SlackError("hash_conflict")
    else:
        change(ws, view, given)
    return {"view": ws.view_json(view)}


def _made(ws: State, user: str, given: Json, *, channel: str | None = None, below: View | None = None) -> View:
    view_id = ws.new_id("V")
    root = below.root if below else view_id
    view = View(view_id, user, given, _hash(ws), root, below.id if below else None, channel)
    ws.stored_views[view_id] = view
    return view


def _hash(ws: State) -> str:
    return f"{int(ws.now().timestamp())}.{ws.digest('view hash', 8)}"


def _unique(ws: State, given: Json, mine: View | None) -> None:
    name = given.get("external_id")
    if name and any(one.given.get("external_id") == name and one is not mine for one in ws.stored_views.values()):
        raise refuse("duplicate_external_id")


METHODS: dict[str, Method] = {
    "views.open": method(_open, "", "trigger_id view"),
    "views.publish": method(_publish, "", "user_id view"),
    "views.push": method(_push, "", "trigger_id view"),
    "views.update": method(_update, "", "view_id|external_id view"),
}
