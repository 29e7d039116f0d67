"""Phrases that blame, and pasted secrets: found and explained, never rewritten (POSTMORTEM.md, rule 7).

Knows English, British and American, and nothing else: a text in another language passes unremarked. Knows neither the
incident nor its entries: whoever calls hands over a text and the names of the people in it. Must not decide what is
done with a find; that is the author's business.

Systems and roles act: "the deploy broke checkout" and "an engineer removed the directory on the wrong host" are how
facts are written down. What is pointed out is a person by name as the cause, a word that judges somebody, and
hindsight. Quoted speech, quoted lines and code are evidence and are left alone, and so is what is denied ("not your
fault").

The rules are the table `RULES`, a row each. A pattern is a regular expression that ignores case, with three
liberties: a blank stands for a few blanks (in a lookbehind, whose length is fixed, it is written `\\x20`), `<…>` for a
list of words from `_WORDS`, and `<name>` for a person of the incident. Every repetition is bounded, so the time grows
with the length of the text and not faster.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Phrase:
    """What was found: `start` and `end` count characters of the text, `words` is what may be shown of them.

    For a phrase that blames, `words` are those characters. For a secret they are only the mark of its kind (`ghp_…`): a
    warning that repeats the secret spreads it.
    """

    start: int
    end: int
    words: str
    why: str
    instead: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table: what is pointed out, why, and what to say instead."""

    name: str
    pattern: str
    why: str
    instead: str


# --- lists of words ---------------------------------------------------------------------------------------------------

_PERSON = "ꙮ"
"""Names are replaced by runs of this letter before the rules look. It is a letter, so word boundaries hold, and it
stands in one manuscript of the fifteenth century, so it is in no note."""

_EVIDENCE = "|"
"""What quoted speech and code are replaced by: no rule looks for it, so no phrase reaches across."""

_WORDS = {
    "name": rf"\b{_PERSON}++",
    # How roles are called. No "operator" and no "manager": too many programs are called so.
    "role": (
        r"(?:engineers?|developers?|devs?|on-?calls?|sres?|dbas?|sysadmins?|admins?|administrators?|responders?"
        r"|reviewers?|authors?|colleagues?|co-?workers?|interns?|juniors?|contractors?|employees?|teammates?|guys?"
        r"|folks|person|people|team|ops|operations|qa|support|commander|lead|staff)"
    ),
    # Whoever a person can be called, by name or not.
    "one": (
        r"(?:<name>|\b(?:he|she|you|someone|somebody|everyone|everybody|(?:(?:the|an?|our|your|that|this|some"
        r"|any) (?:[\w-]{1,20} )?)?<role>(?: (?:on (?:shift|duty|call|site)|in charge|at the time))?))"
    ),
    # A person by name, a pronoun that stands for one, or somebody called by a lack of years.
    "named": (
        r"(?:<name>|\b(?:he|she|you|(?:the|our|an?|some|that) (?:new (?:guy|hire|joiner|starter|kid)|interns?"
        r"|trainees?|apprentice|contractors?|junior(?: [\w-]{1,20})?|noob|newbie|rookie)))"
    ),
    "adverb": (
        r"(?:(?:also|again|just|simply|actually|accidentally|inadvertently|probably|apparently|then|really|totally"
        r"|completely|clearly|obviously|basically|once|single-handedly|somehow|easily|definitely|properly|carefully"
        r"|even|always|at least|surely|never|not|only|maybe|literally|all|both|manually) ){0,3}"
    ),
    # Between a person and what the person did: "Bob had", "she's also", "the engineer who".
    "did": r"(?:'(?:s|d|ve))? (?:(?:has|have|had|who|who has|who had|that) )?<adverb>",
    "acted": (
        r"(?:known|noticed|checked|double[- ]checked|tested|seen (?:this|that|it|the)|caught|read(?![- ](?:access"
        r"|only|permission|replica))|followed|asked|told|called|paged|escalated|reviewed|verified|realised|realized"
        r"|thought|waited|stopped|done(?! (?:by|in|at)\b)|spotted|looked|listened|anticipated|foreseen|considered"
        r"|understood|paid|communicated|warned|informed|rolled|reverted|confirmed|remembered|backed|acted|reacted"
        r"|responded|documented|monitored|announced|planned|questioned|bothered|run(?! out\b)|used|touched|pushed"
        r"|merged|deployed|approved|been (?:more )?(?:careful|aware|looking|watching|paying|testing|checking"
        r"|monitoring|paranoid|vigilant|attentive|quicker|faster))\b"
    ),
    "act": (
        r"(?:follow|check|double-check|notice|verify|test|read|review|escalate|communicate|tell|inform|ask|confirm"
        r"|look|realise|realize|see|spot|understand|consider|think|act|react|consult|update|document|monitor"
        r"|anticipate|foresee|catch|validate|ensure|make sure|know|back|warn|report|announce|hand|stick|adhere|comply"
        r"|heed|listen|care|recogni[sz]e|mention|respond|page|call|roll|ack|acknowledge|set|enable|disable|configure"
        r"|renew)"
    ),
    "change": (
        r"(?:(?:bad|broken|buggy|latest|last|untested|new|stupid|own|config|configuration|database"
        r"|schema) ){0,2}(?:changes?|deploy(?:ment)?s?|commits?|prs?|pull request|merge|push|patch|migration|script"
        r"|config|code|query|rollout|release|hot-?fix|fix|command|edit|update|refactor(?:ing)?|branch|upgrade|rule"
        r"|terraform)"
    ),
    "outage": (
        r"(?:outage|incident|downtime|failures?|breakage|mess|data loss|problem|errors?|bugs?|crash(?:es)?|regression"
        r"|typo|leak|breach|misconfiguration|disaster)"
    ),
    "guilt": (
        r"(?:fault|mistakes?|mess|screw-?ups?|fuck-?ups?|blunders?|negligence|stupidity|oversight|typos?|carelessness"
        r"|incompetence|sloppiness|laziness)"
    ),
    # What is harmed when it goes away; other things may well have been removed to help.
    "victim": (
        r"(?:(?:(?:the|our|all|whole|entire|complete|production|prod|live|primary|main|master|customers?'?"
        r"|users?) ){0,4}(?:database|db|data(?: dir(?:ectory)?)?|backups?|cluster|bucket|everything|production|prod"
        r"|primary)|(?:(?:the|our) )?(?:production|prod|live|customers?|users?|orders?|accounts?|main) tables?)"
    ),
    "service": (
        r"(?:(?:the|our|whole|entire|all|of|production|prod) ){0,3}(?:production|prod|site|website|checkout|payments?"
        r"|everything|us|services?|api|cluster|database|db|platform|logins?|network|app|dns)"
    ),
    "ends": r"(?= {0,3}(?:$|[.,;!?)\n]))",
    "begins": r"(?:^|(?<=[.!?;:,(\n–—-])|(?<=[.!?;:,(\n–—-]\x20))",
}

# --- the table --------------------------------------------------------------------------------------------------------

_NAMES_A_PERSON = (
    "It names a person as the cause. Somebody else would have done the same in that place; the question is what "
    "made it possible."
)
_JUDGES = "It judges a person. Whoever fears a verdict tells less the next time, and the record gets poorer."
_ENDS_THE_SEARCH = "It ends the search where it should begin: people err every day, and something let this one through."
_HINDSIGHT = "This is hindsight: it measures people by what was only known afterwards."
_LOOKS_FOR_GUILT = "It looks for somebody guilty instead of what made it possible."

RULES: tuple[Rule, ...] = (
    Rule(
        "human error",
        r"\b(?:human (?:error|mistake|failure|failing)s?|(?:operator|pilot|developer|engineer|admin"
        r"|programmer) errors?|user error)\b(?! (?:rates?|counts?|budgets?|logs?|messages?|pages?|reports?|handling"
        r"|codes?|metrics?)\b)(?! (?:is|was) (?:not|never)\b)"
        r"|\b(?:pebkac|finger trouble|layer[ -]8 (?:problem|issue|error))\b"
        r"|\b(?:error|mistake|blunder|negligence|failure) (?:by|of|on the part of) (?:<name>|the <role>\b)"
        r"|<one><did>(?:made|makes) (?:an?|the|that|this|another|the same|some) (?:[\w-]{1,20} )?(?:mistake|error)s?\b",
        _ENDS_THE_SEARCH,
        "Say what was done and what allowed it: “the command ran on db1; both prompts look alike”.",
    ),
    Rule(
        "fat finger",
        r"\bfat[- ]?finger(?:s|ed|ing)?\b",
        _ENDS_THE_SEARCH,
        "Say what was entered and what accepted it: “one argument was wrong and the tool did not ask”.",
    ),
    Rule(
        "careless",
        r"\b(?:careless(?:ly|ness)?|slopp(?:y|ily|iness)(?! quorum)|reckless(?:ly|ness)?|negligen(?:t|tly|ce)"
        r"|thoughtless(?:ly|ness)?|inattenti(?:ve|veness|on)|complacen(?:t|cy)|irresponsib(?:le|ly|ility)"
        r"|unprofessional(?:ly)?|amateur(?:s|ish)|incompeten(?:t|ce|tly)|clueless|laziness|too lazy|half-?assed"
        r"|slapdash|wil?lful(?:ly)?|inexcusabl[ey]|unforgivabl[ey])\b"
        r"|<one> (?:is|was|are|were|got) <adverb>lazy\b(?![ -](?:load|eval|init))",
        _JUDGES,
        "Say what was done, and what the person could see at that moment.",
    ),
    Rule(
        "stupid",
        r"\b(?:beginner'?s?|schoolboy|rookie|elementary|silly|basic|unforced|embarrassing) (?:mistake|error)s?\b"
        r"|\b(?:stupid(?:ity|ly)?|foolish(?:ly)?)\b(?! (?:questions?|simple|easy|fast|amounts?|high|low|slow|large"
        r"|long|big|small|expensive)\b)"
        r"|\b(?:idiots?|idiotic|morons?|moronic|imbeciles?|dumb-?ass|clowns|muppets?|noobs?|n00bs?|newbies?"
        r"|rookies?)\b|\b(?:so|pretty|really|just|plain) dumb\b"
        r"|\bdumb (?:mistake|move|thing|idea|decision|error)\b",
        _JUDGES,
        "Say what was done and which result was not expected.",
    ),
    Rule(
        "unfit",
        r"\b(?:should|ought to) (?:know|have known) better\b"
        r"|\bshould've known better\b"
        r"|(?:<one>|\bthey) (?:knew|knows?) better\b(?! than)"
        r"|\b(?:inexperienced|untrained|unqualified) <role>\b"
        r"|\bout of (?:his|her|their|your) depth\b"
        r"|\b(?:(?:it's|is) (?:just )?|lacks? |basic )common sense\b"
        r"|\b(?:no (?:idea|clue)|(?:does not|doesn't|did not|didn't|don't) know) what (?:<one>|they) (?:is|was|are"
        r"|were) doing\b"
        r"|(?:<one>|\b(?:who|they)) (?:has|have|had) no (?:idea|clue) how (?:[\w-]{1,20} ){1,3}works?\b"
        r"|\bany (?:competent|decent|sane|half-decent|good|real|serious) <role>\b",
        _JUDGES,
        "Say which knowledge was not at hand, and where it could have been found at that moment.",
    ),
    Rule(
        "forgot",
        r"(?:<one>|\b(?:i|we|they))<did>(?:forgot(?:ten)?|forgets)\b(?! (?:(?:the|my|your|his|her|their) )?password)"
        r"|\bforgot(?:ten)? to\b"
        r"|<begins>forgot\b(?![ -](?:(?:the|my|your|his|her|their) )?password)",
        "It makes memory the cause. A step that must be remembered will be left out again.",
        "Say which step was not done and what could remind of it: “the flag stayed on; nothing resets it”.",
    ),
    Rule(
        "bothered",
        r"\b(?:(?:did not|didn't|never|hadn't|had not) (?:even )?bother(?:ed)? to|(?:could not|couldn't) be bothered"
        r"|(?:nobody|no one|no-one) (?:even )?bothered|(?:nobody|no one|no-one) (?:ever (?:reads|checks|tests)|cares"
        r"|thinks|listens|thought (?:to|of|about))|without (?:even )?thinking|without even (?:looking|checking|asking"
        r"|reading|testing)|(?:approved|merged|deployed|shipped|pushed"
        r"|clicked)(?: [\w-]{1,20}){0,3} without (?:reading|looking|asking))\b",
        _JUDGES,
        "Say what was not done and what else was going on at that time.",
    ),
    Rule(
        "failed to",
        r"(?:<one>|\bi)<did>(?:failed|neglected|omitted) to <adverb><act>\b"
        r"|\b(?:they|we) (?:failed|neglected) to <adverb>(?:communicate|tell|inform|escalate|announce|warn|ask|notice"
        r"|reali[sz]e|think|learn)\b"
        r"|\b(?:failed|neglected|failure) to (?:follow|stick to|adhere to|obey) (?:(?:the|our|any|a|change|deploy"
        r"|deployment|release|review|standard|correct|proper|agreed|established|documented"
        r"|incident) ){0,4}(?:runbooks?|procedures?|process|checklists?|instructions|playbooks?|guidelines?|policy)\b"
        r"|\b(?:failed|neglected|failure) to read (?:the )?(?:runbooks?|instructions|playbooks?|checklists?"
        r"|procedures?)\b|\bneglected to\b",
        "It measures a person by a duty. That a check failed says something about a system; that a person failed does "
        "not.",
        "Say what was done instead and why that seemed right, or what was missing: “the alert had no link to the "
        "runbook”.",
    ),
    Rule(
        "did not",
        r"(?:<name>|\b(?:he|she|you|someone|somebody)) <adverb>(?:did not|didn't|never|had not|hadn't|doesn't"
        r"|does not) <adverb>(?:follow|read|check|double-check|test|verif[yi]|bother|think|thought|listen"
        r"|pay attention|ask|tell|told|review|escalate|back up|announce|warn|care"
        r"|communicate)\w{0,3}\b(?![^.;\n]{0,40}\b(?:yet|any|anything|anyone)\b)"
        r"|(?:<one>|\bthey) never (?:checks?|reads?(?! replicas?)|tests?|reviews?|listens?|learns?|looks?|cares?"
        r"|thinks?|asks?|follows?|tells?)\b"
        r"|<one><did>(?:did nothing|sat on (?:it|this|the)|slept through (?:it|this|the (?:page|alert|alarm|call)))\b",
        "It points at a person for what was left undone.",
        "Say which step was not taken, and what would have shown that it was needed.",
    ),
    Rule(
        "ignored",
        r"<one><did>(?:ignored|disregarded|overlooked|brushed off)\b"
        r"|(?:<name>|\b(?:he|she))<did>missed (?:[\w-]{1,20} ){0,3}(?:alerts?|pages?|warnings?|alarms?|e-?mails?"
        r"|signs?|steps?|messages?|notices?|notifications?)\b"
        r"|<named> (?:simply |just )?refused to\b",
        "It says what went on in a person's head, which only that person knows.",
        "Say what the alert or message looked like and what else came in at that time.",
    ),
    Rule(
        "blindly",
        r"\bblindly (?:copied|pasted|copy-pasted|merged|approved|followed|ran|trusted|deployed|applied|accepted"
        r"|clicked)\b|\brubber-?stamp(?:ed|ing)\b",
        _JUDGES,
        "Say what the step showed and what it did not show.",
    ),
    Rule(
        "not careful",
        r"\b(?:be|been|being) (?:a (?:bit|little|lot) )?(?:more|extra) (?:careful|vigilant|attentive|diligent|mindful"
        r"|conscientious|professional)\b"
        r"|\bpay (?:more|closer|better) attention\b"
        r"|\b(?:not|\w{2,6}n't) (?:been )?pay(?:ing)? (?:enough )?attention\b"
        r"|\black of (?:attention|care|diligence|discipline|judge?ment|common sense|professionalism|competence|focus"
        r"|caution)\b"
        r"|\blapse (?:of|in) (?:attention|concentration|judge?ment)\b"
        r"|\b(?:poor|bad) judge?ment\b"
        r"|\b(?:was|were)(?:n't| not) (?:being |very |really )?careful\b"
        r"|\b(?:bit|little|modicum|minimum) (?:more )?of (?:care|attention|thought|diligence)\b",
        "Care cannot be ordered. A measure that asks people to try harder changes nothing.",
        "Say what would catch the same slip: a prompt, a limit, a check, a second pair of eyes.",
    ),
    Rule(
        "punish",
        r"<one> (?:should|must|needs to|has to|ought to) be (?:fired|sacked|disciplined|punished|reprimanded"
        r"|held accountable|retrained)\b"
        r"|<named> (?:needs?|requires?) (?:more |better )?(?:re)?training\b"
        r"|\bretrain(?:ing)? (?:of )?(?:<name>|the <role>\b)"
        r"|\bheads (?:will|must|should) roll\b|\bdisciplinary\b"
        r"|\bhold (?:<name>|(?:him|her|the <role>)) accountable\b|\bshame on\b"
        r"|\bshould be ashamed\b",
        "A postmortem learns; it does not sentence.",
        "Say which guard was missing, and who builds it (todo).",
    ),
    Rule(
        "idiom",
        r"\b(?:dropp(?:ed|ing) the ball|asleep at the (?:wheel|switch)|caught napping|screw-ups?|cock-ups?|fuck-?ups?"
        r"|botched|bungled|blew it|let (?:us|the team|everyone|everybody) down(?!-)|went (?:rogue|cowboy)|cowboy(?:s"
        r"|ing)?|had one job)\b"
        r"|(?:<one>|\bthey)<did>screwed (?:us|it|this|everything|me)\b"
        r"|(?:<one>|\b(?:i|we|they))<did>(?:messed|screwed|fucked|cocked|stuffed|effed) (?:[\w-]{1,20} ){0,3}up\b"
        r"|<begins>(?:messed|screwed|fucked|cocked) (?:[\w-]{1,20} ){0,3}up\b",
        _JUDGES,
        "Say what was done and what happened then.",
    ),
    Rule(
        "fault",
        r"\bwhose (?:[\w-]{1,20} )?(?:fault|mistake|mess|idea)\b"
        r"|(?:<name>'s?|\b<role>'s?|\b(?:his|her|your)) (?:[\w-]{1,20} )?<guilt>\b"
        r"|\b(?:my|their) (?:own |damn |bloody )?fault\b"
        r"|\b(?:fault|mistake|doing) of (?:<name>|the <role>\b)"
        r"|\b(?:all|entirely|squarely) on <name><ends>|\bguilty party\b"
        r"|(?:<one>|\bi|\bthey)(?: (?:is|was|are|were|am|be)|'s|'re|'m) (?:[\w-]{1,20} )?(?:at fault|to blame|guilty"
        r"|the culprit)\b"
        r"|(?<!git\x20)\bblam(?:e|ed|es|ing) (?:it |this )?(?:on )?(?:<name>|(?:him|her|them|you|me)\b|the <role>\b)"
        r"|\bwho(?:'s| is| was| do we| should we| can we)? (?:to )?blame\b"
        r"|\bpin (?:this|it) on\b",
        _LOOKS_FOR_GUILT,
        "Ask what made it possible, not who did it.",
    ),
    Rule(
        "who did it",
        r"\bwho (?:the (?:hell|fuck|heck)|on earth) [\w']{1,20}"
        r"|\bwho (?:broke|caused|screwed|messed|fucked)\b"
        r"|\bwho(?:ever)? did this\b"
        r"|\b(?:we all know|everyone knows|everybody knows) who\b"
        r"|\bwhoever (?:broke|thought|caused|messed|screwed|is responsible|(?:wrote|approved|pushed|merged|configured"
        r"|deployed) (?:this|that))\b",
        _LOOKS_FOR_GUILT,
        "Ask which change it was and when: “what went out between 14:00 and 14:10?”",
    ),
    Rule(
        "what were they thinking",
        r"\bwhat (?:was|were) (?:<one>|they) thinking\b"
        r"|\bthought (?:that|this|it) (?:was|is|would be) an? (?:good|great|bright|brilliant|clever) idea\b"
        r"|\b(?:everyone|everybody|anyone|anybody) could (?:see|have seen) (?:this|that|it) coming\b"
        r"|\bhow hard (?:can|could) it be\b"
        r"|\bhow (?:could|can|did) (?:<one>|anyone|anybody|they) (?:be so|not|miss|forget|let|do|think|merge|approve"
        r"|deploy|overlook)\b"
        r"|\bwhy (?:did(?:n't| not)?|does(?:n't)?) (?:<one>|nobody|no one|anyone|anybody"
        r"|they) (?:not )?<adverb><act>\b",
        "It is a verdict in the shape of a question.",
        "Ask what it looked like to the person at that moment.",
    ),
    Rule(
        "should have",
        r"(?:<one>|\b(?:i|we|they|nobody|no one|anyone|anybody)) <adverb>(?:should|ought to)(?:n't| not"
        r"| never)?(?:'ve| <adverb>have| of) <adverb><acted>"
        r"|(?:<named>|\b(?:i|we|they)) (?:should|ought to)(?:n't| not| never)(?:'ve| have"
        r"| of) (?:ever )?(?:[a-z]{2,20}ed|been [a-z]{2,20}|done|gone|run|let|put|left|made|taken|given|sent|set"
        r"|begun)\b"
        r"|(?:<name>|\b(?:he|she)) should(?:'ve| have| of) (?!(?:received|arrived|joined|landed|finished"
        r"|needed)\b)[a-z]{2,20}ed\b"
        r"|<named> could(?:'ve| have) (?:just|at least|simply|easily) <acted>"
        r"|\b(?:anyone|anybody) (?:could|would) have (?:seen|noticed|spotted|known|caught)\b"
        r"|\b(?:should|ought to)(?:n't| not| never)?(?:'ve| <adverb>have| of) <adverb>(?:known\b"
        r"|been <adverb>(?:noticed|caught|spotted|anticipated|foreseen|checked|tested|reviewed|known|avoided"
        r"|prevented|escalated|told|informed|questioned|verified|double-checked|obvious|communicated|documented"
        r"|considered|expected|picked up)\b)"
        r"|<begins>(?:(?:really|probably|obviously|clearly|i guess) )?(?:should(?:n't)?(?:'ve| have| of)"
        r"|shoulda) <adverb><acted>",
        _HINDSIGHT,
        "Say what was visible at that time, and write what shall be different as a measure (improve, todo).",
    ),
    Rule(
        "if only",
        r"\b(?:could|would|might)(?:'ve| <adverb>have| of) (?:been )?<adverb>(?:been )?(?:avoided|prevented"
        r"|averted)(?: (?:if|had)\b| by <name>|<ends>)"
        r"|\b(?:easily|entirely|completely|totally|perfectly|was|were)(?: [\w%]{1,12}){0,2} (?:avoidable"
        r"|preventable)\b"
        r"|\bif (?:only )?(?:<one>|i|we|they)(?: had| hadn't|'d)(?: not)? <adverb><acted>"
        r"|\bhad (?:<one>|i|we|they) <adverb><acted>(?![^.;\n]{0,80}\?)"
        r"|\bnone of (?:this|it|that) would have happened\b"
        r"|\b(?:this|that|it) (?:should|would|could)(?:(?:n't| not) have(?: ever)?| never have| have never) happened\b",
        _HINDSIGHT,
        "Say what would catch it the next time, as a measure (improve, todo).",
    ),
    Rule(
        "clearly should",
        r"\b(?:just|simply|obviously|clearly) should(?:n't)?\b(?! (?:we|i|you)\b)"
        r"|\bshould (?:obviously|clearly)\b|\bshould (?:just|simply) have\b"
        r"|\ball (?:<one>|they|i|we) (?:had|needed) to do\b"
        r"|\b(?:blindingly|painfully|bloody) obvious\b"
        r"|\bobvious to (?:anyone|anybody|everyone|everybody)\b",
        "It makes easy afterwards what was not easy then.",
        "Say what was known at that time, and by whom.",
    ),
    Rule(
        "a person broke it",
        r"<named><did>(?:broken?(?! (?:down|out|off|up|in|into|through|even|(?:the|a) (?:news|lock|tie"
        r"|loop))\b)(?![^.;\n]{0,40}\b(?:into|on purpose|deliberately|as (?:agreed|planned))\b)|caused|misconfigured"
        r"|mis-?typed|mis-?clicked|typo'?e?d|bricked|borked|hosed|nuked|trashed|wrecked|ruined|corrupted|leaked"
        r"|mishandled|misread|misjudged|mismanaged|crashed (?=<service>\b)|mixed up|blew (?:up|away))(?!\w)"
        r"|<name> (?:keeps|is always|always) (?:break|forgett?|caus|screw)(?:s|es|ing)\b",
        _NAMES_A_PERSON,
        "Name the change or the system: “the deploy of 14:02 broke checkout”.",
    ),
    Rule(
        "a person took it down",
        r"<named><did>(?:(?:took|taken|brought|knocked) (?:down|offline) (?!(?:[\w-]{1,20} ){0,2}(?:page|banner"
        r"|notice|post|status|canary|replicas?|staging|nodes?|old|secondary|notes|call|rotation|alerts?|latency|load"
        r"|rate|errors|usage|memory|cpu|time|cost|number|test|beta)\b)[\w-]{1,30}(?: [\w-]{1,30})?|(?:took|taken"
        r"|brought|knocked|pulled|tore) <service> (?:down|out|offline)\b(?! (?:for|to|so|while|until|on purpose"
        r"|deliberately|as)\b))",
        _NAMES_A_PERSON,
        "Name the change or the system: “the restart of the proxy took payments down”.",
    ),
    Rule(
        "a person deleted it",
        r"<named><did>(?:deleted|removed|dropped|wiped|erased|purged|destroyed|killed|overwrote|overwritten|truncated"
        r"|formatted|rm -rf'?e?d|unplugged|shut down|exposed) <victim>(?= {0,3}(?:$|[.,;:!?)\n–—-]|(?:on|in|of|at|and"
        r"|by|instead|again|because|while|when|without|this|last|yesterday|today|accidentally"
        r"|with)\b))(?![^.;\n]{0,60}\b(?:so|as (?:agreed|decided|planned)|on purpose|deliberately|for (?:the"
        r"|a) (?:rebuild|resync|restore)|staging|test|sandbox|scratch|dev|te?mp|old|stale|canary)\b)",
        _NAMES_A_PERSON,
        "Name what was run: “the clean-up deleted the database; it asked for no confirmation”.",
    ),
    Rule(
        "a person did it wrong",
        r"<named><did>(?:pushed|merged|deployed|shipped|released|applied|committed|approved|rolled out|introduced"
        r"|wrote|uploaded|published|enabled|added|ran) (?:(?:the|an?|some|that|this|another|really|very"
        r"|completely) ){0,3}(?:bad|broken|wrong|faulty|buggy|untested|unreviewed|incorrect|stupid|bug|regression"
        r"|typo)\b(?!-)"
        r"|<named><did>(?:deleted|removed|dropped|restarted|rebooted|stopped|killed|typed|entered|picked|chose|chosen"
        r"|clicked|edited|changed|rotated|restored|used|executed|wiped|copied|pasted|selected|disabled"
        r"|failed over) (?:(?:the|an?|that|this) )?wrong\b(?!-)"
        r"|<named><did>(?:ran|run|executed|typed|deleted|removed|deployed|pushed|applied|restarted|rebooted|dropped"
        r"|stopped|entered|issued|started|restored|pasted|wiped) (?:[\w./~-]{1,30} ){0,6}(?:on|to|in|from|at|against"
        r"|into) the wrong\b(?!-)"
        r"|<named><did>(?:ran|pushed|merged|deployed|shipped|released|applied|committed|changed|rolled out|edited"
        r"|restarted) (?:[\w./~-]{1,30} ){0,7}without (?:an? |any |even )?(?:review|test|check|ask|tell|approv|read"
        r"|backup|back-up|permission|announc)\w{0,5}\b",
        _NAMES_A_PERSON,
        "Leave the name out and say what let it through: “the change went out untested; the pipeline allows that”.",
    ),
    Rule(
        "by a person",
        r"\b(?:caused|broken|misconfigured|leaked|corrupted|screwed up|messed up) by (?:<name>(?:'s <change>\b)?"
        r"|the (?:[\w-]{1,20} )?<change> (?:of|from|by) <name>)"
        r"|\b<service> (?:(?:is|was|were|got) )?(?:taken down|brought down|knocked out|taken out) by <name>"
        r"|\b<outage> (?:(?:is|was|were|been) )?(?:triggered|started|created|introduced) by <name>"
        r"|\b<victim> (?:(?:is|was|were|been|got) )?<adverb>(?:deleted|removed|dropped|wiped|erased|destroyed"
        r"|overwritten|truncated) by <name>",
        _NAMES_A_PERSON,
        "Name the change or the system: “caused by the configuration of 14:02”.",
    ),
    Rule(
        "a person is the cause",
        r"\b(?:root cause|cause|culprit|reason|problem)(?: (?:for|of)(?: [\w-]{1,20}){1,3})?(?: ?[:=–—-]{1,2} ?"
        r"| (?:is|was|were) )(?:(?:probably|clearly|again|once|obviously|all) ){0,2}<name>(?:'s <change>\b"
        r"|(?= {0,3}(?:$|[.!;)])))"
        r"|\b(?:because of|due to|owing to|down to) <name>(?:'s <change>\b|<ends>)"
        r"|\b(?:it|this|that)(?: was| is|'s) (?:all|clearly|obviously|definitely) <name><ends>"
        r"|<name> (?:is|was) (?:(?:solely|directly|personally|clearly) )?responsible for (?:(?:the|this|that|all"
        r"|another) (?:[\w-]{1,20} )?<outage>|this|it)<ends>"
        r"|\b(?:this|it|that) (?:all )?happened because <name>"
        r"|\b<outage> (?:is|was) (?:all )?on <name><ends>"
        r"|<name> (?:is|was) (?:(?:clearly|obviously) )?the (?:root cause|cause|culprit|problem|reason)\b",
        _NAMES_A_PERSON,
        "Name the change, the system or the missing guard as the cause.",
    ),
    Rule(
        "a person's change broke it",
        r"(?:<name>'s?|\b(?:his|her|your)) <change> (?:(?:has|had) )?<adverb>(?:broken?|caused|took (?:down|out)"
        r"|taken (?:down|out)|brought down|crashed|corrupted|ruined|blew up|knocked out|wrecked|(?:killed"
        r"|took) <service>|triggered (?:the|this|an) <outage>|introduced (?:the|this|a) <outage>)\b",
        _NAMES_A_PERSON,
        "Name the change by its time or number: “the deploy of 14:02 broke checkout”.",
    ),
)

_DENIED = re.compile(
    r"(?:\bnot|n't|\bnever|\bnobody's|\bno one's|\bno-one's|\brather than|\binstead of|\bno|\bwithout"
    r"|\bcannot)(?: {1,9}(?:a|an|the|your|my|his|her|their|really|about|any|that|necessarily|simply|to"
    r"|us)){0,2} {0,9}$",
    re.IGNORECASE,
)
_BEFORE = 60  # characters in which a denial is looked for


# --- finding ----------------------------------------------------------------------------------------------------------

_Found = TypeVar("_Found")


def blaming(text: str, people: Collection[str] = ()) -> tuple[Phrase, ...]:
    """The phrases of a text that blame, in order and without overlap; `people` are display names and handles.

    A display name of several words is known by its first word too. Names of roles ("Database On-call") are no people.
    """
    read = _with_names_hidden(_plain(text), _known(frozenset(people)))
    found = [
        (match.start(), match.start() + len(match[0].rstrip()), rule)
        for rule in RULES
        for match in _compiled(rule.pattern).finditer(read)
        if not _DENIED.search(read, max(0, match.start() - _BEFORE), match.start())
    ]
    return tuple(Phrase(start, end, text[start:end], rule.why, rule.instead) for start, end, rule in _longest(found))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    while tag := re.search(r"<(\w+)>", pattern):
        pattern = pattern.replace(tag[0], _WORDS[tag[1]])
    return re.compile(re.sub(r" (?![{?])", " {1,9}", pattern).replace(" ?", " {0,9}"), re.IGNORECASE)


def _longest(found: Iterable[tuple[int, int, _Found]]) -> list[tuple[int, int, _Found]]:
    """What is left when the longer one of two that overlap stands; in order."""
    kept: list[tuple[int, int, _Found]] = []
    taken: set[int] = set()
    for start, end, what in sorted(found, key=lambda one: (one[0] - one[1], one[0])):
        if taken.isdisjoint(range(start, end)):
            taken.update(range(start, end))
            kept.append((start, end, what))
    return sorted(kept, key=lambda one: one[0])


# --- what the rules read ----------------------------------------------------------------------------------------------
# Each step keeps every character in its place, so that a find in what is read is a find in the text.

_SIGNS = str.maketrans(
    dict.fromkeys("‘’ʼ′´", "'")
    | dict.fromkeys("“”„‟«»", '"')
    | dict.fromkeys("‐‑", "-")
    | dict.fromkeys("\t\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000*", " ")
    | dict.fromkeys(map(chr, range(0x2000, 0x200C)), " ")
    | {_PERSON: "o"}
)
_QUOTED = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]+`"
    r'|"[^"\n]+"'
    r"|(?<![\w'])'(?=\S)[^'\n]+(?:'(?=\w)[^'\n]+){0,3}'(?![\w'])|^ {0,3}(?:>|&gt;)[^\n]*",
    re.DOTALL | re.MULTILINE,
)
_WRAPPED = re.compile(r"(?<!\n)\n(?!\n)")


def _plain(text: str) -> str:
    """The text with typographic signs as plain ones, wrapped lines joined, and evidence struck out."""
    return _WRAPPED.sub(" ", _QUOTED.sub(lambda quote: _EVIDENCE * len(quote[0]), text.translate(_SIGNS)))


_TOKEN = re.compile(r"[^\s,;:!?()\[\]{}<>\"/\\|–—…=+]+")
_ASIDE = re.compile(r"[(\[{|/,–—]| - ")
_AROUND = "@'.-_"


def _several(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ROLE_WORDS = _several(
    "admin administrator analyst author bot commander contractor coordinator dba dev developer devops duty eng "
    "engineer engineering infra intern lead manager maintainer office officer oncall on-call operations operator ops "
    "owner platform primary reviewer scribe secondary security service sre support sysadmin team "
    "alerts ci github gitlab jenkins monitoring pager pagerduty reminders root status twitter"
)
"""The last word of a display name that is no person's: of a role, or of a program that posts."""
_ALSO_WORDS = _several(
    "ace art ash bill case cat chase chip core dash dawn dev drew earl eve faith frank gene grace grant hope ivy jade "
    "joy june kit mac mark max may miles norm page pat pen penny ray red rich rob robin rod root rose ruby rusty sandy "
    "sky sol spike star sue summer trace van ward will win"
)
"""First names that are everyday words: in small letters they are taken for the word."""


def _words(name: str) -> tuple[str, ...]:
    return tuple(word for token in _TOKEN.findall(name) if (word := _key(token)))


def _key(token: str) -> str:
    """How a word is looked up: composed, without case, without signs around it and without a possessive."""
    return unicodedata.normalize("NFC", token.strip(_AROUND).removesuffix("'s")).casefold()


@lru_cache(maxsize=16)
def _known(people: frozenset[str]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """The names, as words without case, by their first word; of those with the same first word the longest is first."""
    names: set[tuple[str, ...]] = set()
    for person in people:
        words = _words(_ASIDE.split(person.translate(_SIGNS).strip(), maxsplit=1)[0])
        if not words or _is_role(words):
            continue
        names |= {words, words[:1]} if len(words[0]) > 1 else {words}
    known: dict[str, tuple[tuple[str, ...], ...]] = {}
    for name in sorted(names, key=lambda words: (-len(words), words)):
        known[name[0]] = (*known.get(name[0], ()), name)
    return known


def _is_role(words: tuple[str, ...]) -> bool:
    """Whether a name says what somebody is: its last word that is no number or single letter is a role's."""
    parts = [part for word in words for part in (word, *re.split(r"[-_.]", word)) if len(part) > 1 and part.isalpha()]
    return not parts or parts[-1] in _ROLE_WORDS or words[-1] in _ROLE_WORDS


def _with_names_hidden(text: str, known: dict[str, tuple[tuple[str, ...], ...]]) -> str:
    if not known:
        return text
    pieces: list[str] = []
    done = 0
    tokens = list(_TOKEN.finditer(text))
    keys = [_key(token[0]) for token in tokens]
    for at, token in enumerate(tokens):
        if token.start() < done:
            continue
        for name in known.get(keys[at], ()):
            last = at + len(name) - 1
            if tuple(keys[at : last + 1]) != name or not _apart_by_blanks(text, tokens[at : last + 1]):
                continue
            start, end = _bounds(token)[0], _bounds(tokens[last])[1]
            if len(name) == 1 and _may_be_a_word(name[0], text[start:end], token[0]):
                continue
            pieces += [text[done:start], _PERSON * (end - start)]
            done = end
            break
    return "".join([*pieces, text[done:]])


def _bounds(token: re.Match[str]) -> tuple[int, int]:
    """Where the name in a token stands: from the @, to the last letter before a possessive."""
    word = token[0]
    inner = word.strip(_AROUND)
    start = word.find(inner)
    end = start + len(inner.removesuffix("'s"))
    return token.start() + (start - 1 if start and word[start - 1] == "@" else start), token.start() + end


def _apart_by_blanks(text: str, tokens: list[re.Match[str]]) -> bool:
    return all(text[a.end() : b.start()].isspace() for a, b in pairwise(tokens))


def _may_be_a_word(name: str, written: str, token: str) -> bool:
    """Whether a name that is an everyday word, or very short, stands there in small letters and without an @."""
    return (name in _ALSO_WORDS or len(name) < 3) and "@" not in token and not written[:1].isupper()


# --- secrets ----------------------------------------------------------------------------------------------------------

_SPREADS = "Everybody who reads this channel or the document can use it."
_REDACT = "redact <n>, and change it where it is used: it may have been copied already."


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a kind of credential looks like. The secret is the pattern's group, or all of it; `mark` may be shown."""

    what: str
    mark: str
    pattern: str


_SHAPES: tuple[_Shape, ...] = (
    _Shape("an AWS access key", "AKIA…", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _Shape("a GitHub token", "ghp_…", r"(?<![A-Za-z0-9_])gh[opsur]_[A-Za-z0-9]{36,255}"),
    _Shape("a GitHub token", "github_pat_…", r"(?<![A-Za-z0-9_])github_pat_[A-Za-z0-9_]{22,255}"),
    _Shape("a GitLab token", "glpat-…", r"(?<![A-Za-z0-9_])gl(?:pat|dt|rt|cbt|ptt|ft)-[A-Za-z0-9_.-]{20,255}"),
    _Shape("a Slack token", "xox…", r"(?<![A-Za-z0-9])(?:xox[abeoprs](?:\.xox[bp])?|xapp)-[A-Za-z0-9-]{10,255}"),
    _Shape(
        "a Slack webhook",
        "hooks.slack.com/…",
        r"(?<=hooks\.slack\.com/)((?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,255})",
    ),
    _Shape("an npm token", "npm_…", r"(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _Shape("a PyPI token", "pypi-…", r"(?<![A-Za-z0-9])pypi-AgE[A-Za-z0-9_-]{40,255}"),
    _Shape("a payment key", "sk_live_…", r"(?<![A-Za-z0-9])[sr]k_live_[A-Za-z0-9]{16,255}"),
    _Shape("a Google API key", "AIza…", r"(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    _Shape("a SendGrid key", "SG.…", r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}"),
    _Shape("a Vault token", "hvs.…", r"(?<![A-Za-z0-9.])hv[sb]\.[A-Za-z0-9_-]{24,255}"),
    _Shape("an API key", "sk-…", r"(?<![A-Za-z0-9_-])sk-(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{32,255}"),
    _Shape("a signed token (JWT)", "eyJ…", r"(?<![A-Za-z0-9_-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
    _Shape("an age key", "AGE-SECRET-KEY-1…", r"AGE-SECRET-KEY-1[A-Z0-9]{50,64}"),
    _Shape(
        "a private key",
        "-----BEGIN PRIVATE KEY-----…",
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----\s{0,9}(?:[A-Z][\w-]{1,20}:"
        r" [^\n]{0,100}\s{1,4}){0,4}[A-Za-z0-9+/=]{16}[A-Za-z0-9+/=\s]*(?:-----END [A-Z0-9 ]{0,60}-----)?",
    ),
    _Shape("an account key", "AccountKey=…", r"(?i:(?:Account|SharedAccess)Key=)([A-Za-z0-9+/]{30,100}={0,2})"),
    _Shape(
        "a password in an address",
        "user:…@",
        r"(?<=://)[^\s/:@'\"<>]{0,64}:(?!(?:pass(?:word|wd)?|pwd?|secret|user)@)([^\s/@'\"<>]{3,128})@[\w\[]",
    ),
    _Shape(
        "an authorization header",
        "Authorization: …",
        r"(?i:authorization[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?(?:bearer|basic|token)[ \t]{1,3})([\w.~+/=-]{8,4000})",
    ),
    _Shape("a bearer token", "Bearer …", r"(?i:\bbearer[ \t]{1,3})(?=[A-Za-z._~+/=-]{0,200}\d)([\w.~+/=-]{20,4000})"),
    _Shape(
        "a password on a command line",
        "-p…",
        r"\b(?:mysql(?:dump|admin)?|mariadb(?:-dump)?)\b[^\n|;]{0,120}? -p([^\s'\"<$-][^\s'\"<]{4,64})",
    ),
    _Shape(
        "a password on a command line",
        "-u user:…",
        r"\bcurl\b[^\n|;]{0,200}? (?:-u|--user)[ =]?['\"]?[^\s:'\"]{1,64}:([^\s'\"<$][^\s'\"<]{3,128})",
    ),
)

_NAMED = re.compile(
    r"(?P<key>pass(?:word|wd|phrase|code)|\bpwd|secret|token|(?:api|access|secret|private"
    r"|auth)[_-]?key)[\"']?(?P<sign>[ \t]{0,3}(?::=|=>|[:=])[ \t]{0,3}"
    r"|[ \t]{1,3}(?:(?:for|of|to|on)[ \t]{1,3}(?:the[ \t]{1,3})?[\w./@-]{1,64}[ \t]{1,3})?"
    r"(?:is|was)(?:[ \t]{1,3}now)?[ \t]{1,3})"
    r"[\"'`*]{0,2}(?P<value>[^\s\"'`<>|,;]{6,200})|--(?P<option>password|passwd|token|secret"
    r"|api-key)[ \t]{1,3}[\"']?(?P<given>[^\s\"'`<>|,;-][^\s\"'`<>|,;]{5,200})",
    re.IGNORECASE,
)
_STANDS_IN = re.compile(
    r"^\$[A-Za-z_{(]|^\w{1,60}\(|^[%{\[(/~.]|://|xxxx|\*\*\*|…|\.\.\.|redacted|EXAMPLE$|placeholder|^your[_-]|[\[({]$"
    r"|^[\w.+-]{1,64}@[\w-]{1,64}\.[a-z]{2,}$",
    re.IGNORECASE,
)
"""A path, an address, a variable, a call or a blank where the secret would stand."""
_LABEL = re.compile(
    r"^(?:[a-z]{1,20}\d{0,3}(?:[-_.:/](?:[a-z]{1,20}\d{0,3}|\d{1,4}))+|v?\d+(?:\.\d+)+[\w.-]{0,20})$", re.IGNORECASE
)
"""What a thing is called, not what opens it: `tls-cert-2026`, `CP_ACTIONS_WRITER`, `v1.2.3`."""
_TICKET = re.compile(r"^[A-Z]{2,10}-\d{1,7}$")
_METHOD = re.compile(r"^(?:sha|md|argon|pbkdf|base|utf|oauth|saml|aes|rsa|ed|hs|rs|es)-?\d{1,5}\w{0,3}$", re.IGNORECASE)
_STATES = _several(
    "changed correct disabled empty enabled encrypted expired false filtered forbidden hidden incorrect invalid leaked "
    "locked masked missing mismatch necessary needed optional public required revoked rotated stored string undefined "
    "unknown unset updated wrong"
)


def secrets(text: str) -> tuple[Phrase, ...]:
    """What looks like a pasted credential, in order and without overlap; `words` never hold the secret itself.

    Looks everywhere, in code and in quotes too. A hash or a UUID alone is no secret, nor is what merely talks of one
    ("the token expired").
    """
    found = [
        (*match.span(match.lastindex or 0), (shape.what, shape.mark))
        for shape in _SHAPES
        for match in _exactly(shape.pattern).finditer(text)
        if not _stands_in(match[match.lastindex or 0])
    ]
    for match in _NAMED.finditer(text):
        group = "value" if match["value"] else "given"
        key, value = match["key"] or match["option"], match[group].rstrip(".)]:")
        if _is_value(key.casefold(), match["sign"] or "", value):
            start = match.start(group)
            found.append((start, start + len(value), (f"what belongs to “{key}”", f"{key}…")))
    return tuple(
        Phrase(start, end, mark, f"This looks like {what}. {_SPREADS}", _REDACT)
        for start, end, (what, mark) in _longest(found)
    )


@cache
def _exactly(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _stands_in(value: str) -> bool:
    return len(set(value.casefold())) < 4 or _STANDS_IN.search(value) is not None


def _is_value(key: str, sign: str, value: str) -> bool:
    """Whether what follows `password:` or `token=` is a value and not the next word of a sentence."""
    if len(value) < 6 or _stands_in(value) or any(shape.match(value) for shape in (_TICKET, _METHOD)):
        return False
    letters, digits = any(map(str.isalpha, value)), any(map(str.isdigit, value))
    if key.startswith("p") and key != "private_key":  # a password: people choose these
        signs = any(not sign.isalnum() and sign not in "-_'’/" for sign in value[:-1])
        assigned = sign == "=" and value.isalpha() and value.casefold() not in _STATES
        return (letters and (digits or signs)) or assigned or value.isdecimal()
    return letters and digits and len(value) >= 8 and not _LABEL.match(value)
