"""manifest.json, the Slack app that people paste: what the code uses is granted, what is subscribed is answered."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from bot.slack import listeners

ROOT = Path(__file__).parent.parent
MANIFEST: dict[str, Any] = json.loads((ROOT / "manifest.json").read_text(encoding="utf-8"))
SCOPES: set[str] = set(MANIFEST["oauth_config"]["scopes"]["bot"])
EVENTS: list[str] = MANIFEST["settings"]["event_subscriptions"]["bot_events"]

HISTORY = {"channels:history", "groups:history"}
READ = {"channels:read", "groups:read"}

# The scopes that each Web API method needs: all of them, for public and private channels alike
# (https://docs.slack.dev/reference/methods, a page for each).
METHODS: dict[str, set[str]] = {
    "auth.test": set(),
    "bookmarks.add": {"bookmarks:write"},
    "bookmarks.edit": {"bookmarks:write"},
    "bookmarks.list": {"bookmarks:read"},
    "bookmarks.remove": {"bookmarks:write"},
    "chat.delete": {"chat:write"},
    "chat.getPermalink": set(),
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.create": {"channels:manage"},
    "conversations.history": HISTORY,
    "conversations.info": READ,
    "conversations.invite": {"channels:manage"},
    "conversations.join": {"channels:join"},
    "conversations.list": READ,
    "conversations.members": READ,
    "conversations.open": {"im:write"},
    "conversations.rename": {"channels:manage"},
    "conversations.replies": HISTORY,
    "conversations.setPurpose": {"channels:manage"},
    "conversations.setTopic": {"channels:manage"},
    "files.completeUploadExternal": {"files:write"},
    "files.delete": {"files:write"},
    "files.getUploadURLExternal": {"files:write"},
    "files.info": {"files:read"},
    "pins.add": {"pins:write"},
    "pins.list": {"pins:read"},
    "pins.remove": {"pins:write"},
    "reactions.add": {"reactions:write"},
    "reactions.get": {"reactions:read"},
    "reactions.remove": {"reactions:write"},
    "users.info": {"users:read"},
    "users.list": {"users:read"},
    "views.open": set(),
    "views.publish": set(),
    "views.push": set(),
    "views.update": set(),
}

# The scope that each event needs (https://docs.slack.dev/reference/events, a page for each).
EVENT_SCOPES: dict[str, set[str]] = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "channel_archive": {"channels:read"},
    "channel_left": {"channels:read"},
    "channel_rename": {"channels:read"},
    "channel_unarchive": {"channels:read"},
    "group_archive": {"groups:read"},
    "group_left": {"groups:read"},
    "group_rename": {"groups:read"},
    "group_unarchive": {"groups:read"},
    "member_joined_channel": READ,
    "member_left_channel": READ,
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "pin_added": {"pins:read"},
    "pin_removed": {"pins:read"},
    "reaction_added": {"reactions:read"},
    "reaction_removed": {"reactions:read"},
    "tokens_revoked": set(),
    "user_change": {"users:read"},
}


def methods_called() -> set[str]:
    """The Web API methods that the client names, as Slack writes them."""
    family = re.compile(r"(auth|chat|conversations|users|files|views|pins|bookmarks|reactions)\.[A-Za-z]+")
    source = ast.parse((ROOT / "bot" / "slack" / "client.py").read_text(encoding="utf-8"))
    said = {node.value for node in ast.walk(source) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in said if family.fullmatch(text)}


def without_subtype(event: str) -> str:
    """The name under which an event arrives: `message.channels` is subscribed, `message` is delivered."""
    return event.partition(".")[0]


def test_every_method_that_the_client_calls_is_covered_by_a_scope() -> None:
    called = methods_called()
    assert "chat.postMessage" in called
    assert called - set(METHODS) == set(), "say in METHODS which scope it needs"
    assert {method: METHODS[method] - SCOPES for method in called if METHODS[method] - SCOPES} == {}


@pytest.mark.parametrize("event", EVENTS)
def test_every_subscribed_event_has_the_scope_it_needs(event: str) -> None:
    assert EVENT_SCOPES[event] - SCOPES == set()


def test_no_scope_is_asked_for_that_nothing_needs() -> None:
    """Beside what methods and events need: `commands`, for the slash command and the shortcuts."""
    needed = {"commands"}.union(*(METHODS[one] for one in methods_called()), *(EVENT_SCOPES[one] for one in EVENTS))
    assert needed == SCOPES


def test_every_subscribed_event_has_a_listener_and_every_listener_a_subscription() -> None:
    assert {without_subtype(event) for event in EVENTS} == {without_subtype(event) for event in listeners.SUBSCRIBED}


def test_the_slash_command_is_the_one_that_scribe_listens_to_and_is_escaped() -> None:
    commands = [(command["command"], command["should_escape"]) for command in MANIFEST["features"]["slash_commands"]]
    assert commands == [(Settings.__dataclass_fields__["command"].default, True)]


def test_the_shortcuts_are_the_ones_that_scribe_listens_to() -> None:
    shortcuts = {(shortcut["type"], shortcut["callback_id"]) for shortcut in MANIFEST["features"]["shortcuts"]}
    assert shortcuts == {("global", listeners.START_INCIDENT), ("message", listeners.ADD_TO_TIMELINE)}


def test_the_app_connects_by_socket_and_takes_forms_and_buttons() -> None:
    settings = MANIFEST["settings"]
    assert settings["socket_mode_enabled"] is True
    assert settings["interactivity"] == {"is_enabled": True}
    assert settings["token_rotation_enabled"] is False
    assert "request_url" not in json.dumps(MANIFEST)


def test_slack_takes_the_manifest_as_it_is() -> None:
    """The limits of https://docs.slack.dev/reference/app-manifest; past them the paste is refused."""
    display, features = MANIFEST["display_information"], MANIFEST["features"]
    assert len(display["name"]) <= 35
    assert len(display["description"]) <= 140
    assert 174 <= len(display["long_description"]) <= 4000
    assert len(features["bot_user"]["display_name"]) <= 80
    assert all(len(shortcut["name"]) <= 24 for shortcut in features["shortcuts"])
    assert all(len(shortcut["description"]) <= 150 for shortcut in features["shortcuts"])
    assert all(len(command["command"]) <= 32 for command in features["slash_commands"])
    assert len(EVENTS) == len(set(EVENTS)) <= 100
    assert len(MANIFEST["oauth_config"]["scopes"]["bot"]) == len(SCOPES)
