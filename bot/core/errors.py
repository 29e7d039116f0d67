"""The ways in which something can be refused or fail.

ScribeError
├── Refusal        the person can put it right: what was wrong, then what to type
│   └── Question   the person has to choose between lines before anything is recorded
├── Undelivered    the outside world said no; the outbox decides whether to try again
└── Unrecorded     the disk said no: nothing of the request is kept; whoever runs Scribe can put it right

Anything else that is raised is a defect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


class ScribeError(Exception):
    """The root of the tree above."""


class Refusal(ScribeError):
    """What a person asked cannot be done, and how it can.

    `message` says what was wrong, `hint` what to type instead (plain text, may be empty), `field` names the form field
    that it concerns. `form` is the line that opens a form in which it can be filled in, "" where there is none.
    """

    def __init__(self, message: str, hint: str = "", field: str = "", form: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field
        self.form = form

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to go on: a button's label and the whole line of the /incident language that it stands for.

    An empty line stands for the line that was typed. `confirmed` says that the line has been asked about and shall be
    recorded as it is; `undoes` is the number of the event that the choice takes back instead. Where `typed` is given,
    the line is the one that was typed with `instead` in its place.
    """

    label: str
    line: str
    confirmed: bool = False
    undoes: int = 0
    typed: str = ""
    instead: str = ""

    def within(self, line: str) -> Choice | None:
        """The choice written out for the line that was typed, None where what it would replace is not in there."""
        if not self.typed:
            return self
        before, found, after = line.partition(self.typed)
        written = f"{before}{self.instead}{after}"
        return replace(self, line=written, typed="", instead="") if found else None


class Question(Refusal):
    """Nothing is recorded yet: the person is asked which of several lines was meant."""

    def __init__(self, message: str, choices: tuple[Choice, ...], hint: str = "", field: str = "") -> None:
        super().__init__(message, hint, field)
        self.choices = choices

    def within(self, line: str) -> Question:
        """The same question, its choices written out for the line that was typed."""
        choices = tuple(written for one in self.choices if (written := one.within(line)))
        return Question(self.message, choices, self.hint, self.field)


class Undelivered(ScribeError):
    """The outside world did not take what was sent.

    `permanent` says that another try cannot help; `retry_after` is in seconds; `uncertain` says that it may have
    arrived all the same (a connection that broke after the request had been sent). `code` is the other side's own word
    for it ("not_in_channel"), empty where it had none.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        uncertain: bool = False,
        code: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.retry_after = retry_after
        self.uncertain = uncertain
        self.code = code


class Unrecorded(ScribeError):
    """The record cannot be written, or not be read: of the request nothing is kept.

    `reason` says why, as part of a sentence and for everybody; `remedy` who can do what. `detail` is the words of the
    one who refused, for the log.
    """

    def __init__(self, reason: str, remedy: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}{f' ({self.detail})' if self.detail else ''}. {self.remedy}"
