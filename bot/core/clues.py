"""What messages of an incident say: the table of clues by which `suggest.py` weighs them. English.

A row is worth points for a kind of entry, or against all. The words are those that people use in any incident; none is
there for the sake of one channel (docs/suggestions.md says how that was checked). Sentences come in small letters,
without code, links and emoji.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Clue:
    """A row of the table: its name, the points, the kind it speaks for ("" for none), the words.

    `opening`: the words begin a sentence. `unless`: rows above, or kinds, that silence it where they were found. Of
    several rows for a kind the best one counts.
    """

    name: str
    points: int
    kind: str
    words: re.Pattern[str]
    opening: bool = False
    unless: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()

    def only(self, patterns: Iterable[str]) -> Clue:
        """The row with some of its patterns."""
        kept = tuple(patterns)
        return replace(self, words=re.compile(rf"(?:{'|'.join(kept)})"), patterns=kept)


def _clue(
    name: str, points: int, kind: str, *patterns: str, opening: bool = False, unless: tuple[str, ...] = ()
) -> Clue:
    return Clue(name, points, kind, re.compile(rf"(?:{'|'.join(patterns)})"), opening, frozenset(unless), patterns)


def _forms(words: str) -> tuple[str, str]:
    """Past and -ing of regular verbs; a trailing + doubles the last letter (stop+)."""
    past, going = [], []
    for word in words.split():
        base = word.rstrip("+")
        doubled = base + base[-1] if word.endswith("+") else base
        stem = base[:-1] if base.endswith("e") else doubled
        past.append(f"{base[:-1]}ied" if re.search(r"[^aeiou]y$", base) else f"{stem}ed")
        going.append(f"{doubled if not base.endswith('e') else base[:-1]}ing")
    return "|".join(past), "|".join(going)


_REGULAR = _forms(
    "restart reboot revert disable enable kill stop+ start move rotate deploy redeploy patch block unblock scale"
    " increase decrease raise lower reduce clear flush drain switch reroute redirect remove delete purge create "
    "add copy"
    " restore import export merge push ship+ change update upgrade downgrade apply attach detach mount unmount replace"
    " swap+ revoke renew reissue reset+ invalidate expire pause resume suspend trigger launch terminate isolate"
    " quarantine reinstall install configure adjust tune bump+ cap+ throttle limit drop+ truncate reindex "
    "rebuild promote"
    " demote failover evict cordon uncordon taint resize migrate transfer sync synchronise synchronize rename recreate"
    " release toggle roll bypass bounce cycle unplug+ replug+ reseat connect disconnect reload retry requeue replay"
    " reprocess backfill dedupe recover lock unlock hold halt cancel abort schedule whitelist allowlist blacklist"
    " denylist ban+ fix hotfix mitigate destroy snapshot capture dump upload download pull provision allocate free"
    " release extend correct rerun refresh warm clean log+ collect generate request order unpack unzip+ extract load"
    " close open turn recycle override enforce harden wipe scrub+ archive repoint deactivate activate withdraw publish"
)
PAST = (
    rf"(?:{_REGULAR[0]}|ran|reran|took|set|put|shut|cut|brought|made|got rid|built|rebuilt|undid|redid|rewrote|froze"
    r"|threw|unset|reset|failed over|withdrew|unpublished|taken (?:out|down|off|offline)|put back|shut down|"
    r"brought (?:up|back|down)|rebuilt|withdrawn|undone|rewritten|frozen|sped up|spun up|sent|stood up|"
    r"went back to|re-?(?:ran|enabled|"
    r"started|deployed|applied|added|created|issued|imaged|synced|balanced|opened|routed|tried|loaded|generated|built))"
)
GOING = (
    rf"(?:{_REGULAR[1]}|running|rerunning|taking|setting|putting|shutting|cutting|bringing|making|building|rebuilding"
    r"|undoing|rewriting|freezing|failing over|sending|rolling|spinning up|withdrawing|rsyncing|dumping|tarring|writing"
    r"|re-?(?:running|enabling|starting|deploying|applying|adding|creating|issuing|imaging|syncing|balancing|opening"
    r"|routing|trying|loading|generating))"
)
_LOOKING = (
    r"(?:looking|going|digging|searching|checking|combing|reading|grepping|reviewing|inspecting|analy[sz]ing|comparing"
    r"|investigating|testing|trying|working|verifying|tracing|profiling|scanning|auditing|querying|bisecting|debugging)"
)
_WHO = r"(?:customers?|users?|clients?|people|merchants?|partners?|tenants?|students?|patients?|citizens?|departments?)"
_THING = (
    r"(?:service|site|website|web ?site|app|api|page|login|checkout|dashboard|portal|db|database|server|node|cluster"
    r"|network|vpn|dns|queue|replica|primary|master|secondary|host|gateway|build|pipeline|job|cache|disk|switch|link|"
    r"connection|backup|everything|all|it|they|prod|production|traffic|region)s?"
)
_AUX = r"(?:has been|have been|had been|is being|are being|being|was|were|is|are|is now|are now|has now been|got|gets)"
_SUBJECT = r"(?:i|we|i have|we have|i've|we've|i just|we just|i had|we had|i'm|we're|i am|we are|am|have|has|had)"

COMES_AGAIN = "it comes again"

_NOT_DONE = (
    r"(?:looking|going|checking|watching|joining|leaving|thinking|wondering|hoping|having|being|nothing|anything|"
    r"something|"
    r"everything|morning|evening|during|following|according|interesting|including|waiting|starving|dropping|"
    r"seeing|getting|"
    r"feeling|guessing|suspecting|speaking|talking|asking|listening|typing|coming|heading|eating|sleeping|"
    r"sitting|staying|"
    r"saying|sounding|considering|assuming|regarding|thing|king|ring|bring|string|spring|ping|meeting|boring|"
    r"amazing|worrying|"
    r"driving|planning|missing|failing|remaining|monitoring|finding|building|warning|timing|billing|logging|"
    r"training|testing|"
    r"agreed|confirmed|noticed|seemed|interested|tired|needed|wanted|liked|hoped|joined|missed|supposed|worried|"
    r"related|"
    r"indeed|need|feed|speed|seed|used|expected|asked|looked|sounded|thought|believed|guessed|wished|loved|hated|"
    r"scared|"
    r"relieved|surprised|embarrassed|ashamed|confused|wondered|feared|assumed|suspected|exceed|proceed|succeed|"
    r"embed|shared|"
    r"finished|lagged|failed|crashed|hundred|unrelated|based|bored|excited|talked|discussed|seemed|happened|died|"
    r"expired|"
    r"noted|acked|acknowledged|hung|red|bed|fed|led|named|called|limited|detailed|unused|advanced|unexpected|"
    r"estimated)\b"
)

CLUES: tuple[Clue, ...] = (
    # somebody saw it
    _clue(
        "trouble is reported", 3, "detection",
        r"^(?:also |now |still )?(?:seeing|noticing|getting reports|receiving reports)\b",
        rf"\b{_WHO} (?:are |is |have |has |all )?(?:report|complain|say|see|get|unable|can(?:'t|not)|could(?:n't|"
        rf" not))",
        r"\b(?:reports?|complaints?|tickets?) (?:of|about|from|that|are coming|coming|piling)\b",
        r"\b(?:messages?|posts?|tweets?|mails?|questions?|threads?|chatter|people) .{0,40}\b(?:about|saying|"
        r"asking|that)\b"
        r".{0,60}\b(?:block|fail|error|slow|down|broken|reject|not work|can't|cannot)",
        r"\b(?:is|are) reporting\b", r"\breported (?:that|by|an?)\b",
        r"\b(?:alert|alarm|monitor|pager)s? (?:has |have |just |is |are )?(?:fired|firing|went off|triggered|"
        r"going off)\b",
        r"\b(?:just )?(?:got|been|was|were) (?:paged|alerted)\b(?! to)",
        r"\b(?:is|are|gets?|getting|becoming) (?:\w+ )?(?:unstable|flaky|unhealthy|sluggish)\b",
        r"\breports\b.{0,30}\bthat\b",
    ),
    _clue(
        "trouble is seen", 2, "detection",
        r"\b(?:we|i)(?: a|')?(?:re|m)? (?:also |now |still )?(?:seeing|getting|noticing)\b",
        r"\b(?:noticed|spotted|discovered|stumbled)\b",
        r"\b(?:more|higher|lower|slower|worse|less) than (?:usual|normal)\b",
        r"\b(?:requests?|logins?|payments?|calls|builds?|jobs?|queries|uploads?|mails?|orders?|pages?) (?:are |"
        r"is |being |are "
        r"being |get |getting )?(?:blocked|rejected|refused|dropped|denied|throttled|failing|timing out|lost|"
        r"delayed)\b",
        r"\bthere (?:is|are|'s) (?:an? |some |several |many )?(?:\w+ ){0,3}(?:error|problem|issue|outage|spike|"
        r"secret|leak"
        r"|credential|key|failure|alert)",
        rf"\b{_THING} (?:is|are|seems?|appears?|went|has gone|looks?) (?:to be )?(?:completely |totally |all )?"
        r"(?:down|unreachable|unavailable|unresponsive|broken|failing|dead|offline|stale|slow|timing out|"
        r"returning|throwing"
        r"|not (?:working|responding|loading|reachable|available)|hanging|stuck)\b",
        r"\b(?:throwing|returning|serving|spitting|giving) (?:\w+ ){0,3}(?:[45]\d\ds?|[45]xx|errors?|timeouts?|"
        r"exceptions?)\b",
        r"\b(?:load|cpu|latency|errors?|error rates?|lag|queues?|memory|traffic|response times?|"
        r"failures?)\b.{0,15}\b(?:up|high|"
        r"higher|rising|climbing|spiking|growing|increasing|through the roof|exploding)\b(?! to date)",
        r"\bdown (?:since|for)\b",
        r"\b(?:is|are|has|have) (?:all |just |completely )?(?:stopped|frozen|vanished|died|disappeared)\b",
        r"\b(?:something|anything) (?:is |'s )?(?:wrong|off|odd|weird|up) with\b",
        r"\b(?:spam|attack|flood|abuse|ddos|scraping|brute.force)\w*\b.{0,40}\b(?:again|us|our|hitting|from)\b",
    ),
    _clue(
        "an alarmed opening", 2, "detection",
        r"^(?:hang on|uh[- ]oh|hold on|wait,|hmm?,|oh no,|something(?:'s| is) (?:wrong|off|up))\b",
    ),
    _clue(
        "word from outside", 5, "detection",
        r"\b(?:wrote|messaged|dm'?d|mailed|called|pinged|told|tells|writes) (?:me|us)\b(?! (?:back|to|later|how|where|"
        r"he|she))",
        r"\b(?:just )?got an? (?:dm|mail|e-?mail|call|message|report|ping) (?:from|that|about|saying)\b",
        r"^just got an? (?:call|mail|message)\b",
        r"\b(?:defaced|hacked|hijacked)\b(?!.*\?)", r"^wake up\b",
    ),
    _clue(
        "something new comes up", 4, "detection",
        r"^(?:hm+|uh|um|huh|argh|ouch|hang on|hold on|guys|folks|wait|oh)[\s.,!…-]+(?!no\b|ok|yes|right|that'?s|the|"
        r"it|i\b|"
        r"you|we\b|oh\b|and\b|so\b|nice)(?:\S+ ){3,}\S+",
        r"\b(?:turn(?:s|ed)? out|found|find|see|spotted) (?:that )?(?:an?|some|about|around|~) ?.{0,40}\b(?:unknown|"
        r"foreign|strange|"
        r"suspicious|unexpected|dropped|missing|thrown away|lost)\b",
    ),
    _clue(
        COMES_AGAIN, 3, "detection",
        r"^(?:another|a second|the next|one more) (?:one|report|ticket|wave|batch|case|spike|alert)\b",
        r"\b(?:it's|it is|they are|they're) back\b(?=.*(?:error|spam|alert|again|\d))",
        r"\b(?:errors?|latency|alerts?|failures?|load|lag)\b.{0,20}\b(?:up|high|rising|back) again\b",
        r"\b(?:woken|woke) (?:up )?(?:by|because)\b",
        r"\b(?:errors?|error rates?|latency|p9\d|failures?|load)\b.{0,30}\b(?:gone|going|went) up\b",
        r"\bhere (?:we go |we are )?again:",
    ),
    # who was called
    _clue(
        "somebody is called", 3, "escalation",
        r"\b(?:paged|paging|escalat(?:ed|ing)|called in|calling in|pulled in|pulling in|looped in|looping in|woke|rang"
        r"|brought in|bringing in|getting hold of|phoned|ringing|rung)\b(?! out)",
        r"\b(?:called|calling) (?:@|the |their |our |up |in )",
        r"\b(?:i|we) (?:have |just )?(?:called|phoned|texted) (?!it|this|off|that)",
        r"\b(?:this is|it's|it is|calling it|making (?:it|this)) (?:now |at least )?(?:an? )?(?:sev|p)[ -]?\d\b",
        r"\bi(?:'ll| will)? run (?:it|this)\b",
        r"\b(?:declar(?:ed|ing)|raising|raised|opened|opening|treating (?:this|it) as) (?:this |"
        r"it )?(?:as )?(?:an? |the )?"
        r"(?:major |security |formal )?(?:incident|outage|emergency|p[0-4]|sev ?-?[0-5]|war ?room)",
        r"\b(?:incident commander|i(?:'m| am) (?:the )?(?:ic|commander|lead))\b",
        r"\b(?:opened|raised|filed|created|logged) (?:an? )?(?:\w+ ){0,3}(?:ticket|case|support request) (?:with|"
        r"at|to)\b",
        r"\b(?:on the (?:phone|line|call) (?:with|to)|in (?:contact|touch) with|got hold of|talking to|"
        r"spoke (?:to|with))\b",
        r"^(?:major |new )?(?:incident|outage|sev ?-?\d|p\d)[.:,!] ",
        r"\bi(?:'ll)? (?:take|do|have) (?:comms|lead|command)\b",
        r"\b@?\w+ is (?:the )?(?:ic|lead|incident lead|commander|incident commander)\b",
        r"\bneeds? (?:help|more (?:people|hands|eyes)|another pair|an? (?:\w+ )?(?:expert|engineer|dba|specialist))\b",
        r"\b(?:making|made|granted|granting|gave|giving) @\S+ (?:an? |the )?(?:\w+ )?(?:owner|admin|access|rights?)",
        r"\b(?:joined|joins|is joining|are joining) (?:as|too|us|the (?:call|bridge|incident))\b",
    ),
    _clue(
        "help is asked for", 4, "escalation",
        r"\bneed (?:an?|some|more|your|any|urgent) ?(?:\w+ )?(?:engineers?|hands|help|dba|owner|eyes|people|expert|"
        r"somebody|someone)\b",
        r"\b(?:anyone|anybody|someone|somebody|is there (?:anyone|somebody)) .{0,20}\b(?:awake|around|available|"
        r"online|reachable)\b",
        r"\bcan (?:an?|some) (?:\w+ )?(?:engineer|dev|admin|person|expert|dba|sre)\b",
        r"\b(?:i'm |i am |just )?(?:mailing|e-?mailing|calling|ringing|phoning|texting|messaging) (?!it\b|this|that|"
        r"customers|"
        r"users|all|everyone|off|back)\S+",
        r"\b(?:coordinating|leading|commanding)\b.{0,12}\b(?:here|this|now|incident)\b|\bi(?:'m| am) coordinating\b",
        r"\b(?:sev|p|priority)[ -]?[0-2]\b.{0,20}\b(?:declared|opened|created|is up|raised|called)\b",
        r"\b(?:it|this) is (?:now )?an? (?:\w+ )?incident\b",
        r"\bincident (?:\S+ )?(?:is )?(?:declared|opened)\b",
        r"\bi need help\b|\bneed help (?:to|with|finding)\b|\bhelp (?:is )?(?:needed|wanted)\b",
        r"\b(?:contacting|contacted|writing to|wrote to|mailing|mailed) (?:the )?\S+(?: \S+)? (?:support|security|"
        r"abuse|team|on-?call)\b",
        r"\bgetting (?:more people|others|everyone) (?:in|on)\b",
    ),
    _clue(
        "others are told within", 2, "escalation",
        r"\b(?:informed|informing|notified|notifying|alerted|alerting|contacted|contacting|pinged|pinging|"
        r"ringing|asked|reached out to|asking) (?:the )?(?:\w+ ){0,2}"
        r"(?:on-?call|dbas?|manager|management|director|cto|ciso|ceo|legal|vendor|provider|registrar|isp|security|"
        r"privacy|regulator|authorit(?:y|ies)|police|fire brigade|leadership|duty|aws|google|azure|microsoft|"
        r"cloudflare|support team|team|hosting|"
        r"data ?cent(?:re|er))\b",
    ),
    # what was told
    _clue(
        "customers are told", 4, "update",
        r"\b(?:status ?page|statuspage|status site|status (?:account|banner|message|post|blog))\b.{0,30}"
        r"\b(?:up|updated|posted|says|set|live|published|out|yellow|red|green|changed)\b",
        r"\b(?:updated|posted|published|put|set|updating|posting|changed|wrote|sent|added)\b.{0,50}"
        r"\b(?:status ?page|status site|statuspage|status|banner|twitter|tweet|blog|mastodon|linkedin|facebook|notice|"
        r"announcement|statement|e-?mail|mail|newsletter|slack channel|#\S+)\b",
        r"\b(?:tweeted|tweet (?:is )?(?:out|sent)|announced|announcement (?:is )?(?:out|sent|posted)|press release"
        r"|(?:e-?mail|mail|message|notice|newsletter|comms?)(?: to [^.]{1,40})? (?:is |are |has |have |was )?"
        r"(?:been )?(?:out|sent|gone out|posted))\b",
        rf"\b(?:told|informed|e-?mailed|mailed|notified|warned|wrote to|replied to|answered|writing to|telling|"
        rf"letting)\b"
        rf".{{0,30}}\b(?:all |our |the |affected )?(?:\w+ )?(?:{_WHO}|support|finance|board|director|reviewers?|reviews"
        r"|press|public|regulator|stakeholders?|business|sales|authors?|reporters?|researchers?|publishers?|"
        r"senders?|shops?|stores?|branch(?:es)?|offices?|crews?|"
        r"drivers?|schools?|hospitals?|sites|staff|service teams?|teams|everyone|everybody|banks?|managers?"
        r"|customer (?:care|service|success))\b",
        r"^(?:posted|tweeted|announced|published|sent|status|status page|comms?)(?: (?:on|to) \w+)?: ",
        r"\b(?:support|(?:service )?teams|customers|users|stakeholders|management|everyone)\b.{0,20}"
        r"\b(?:has|have|had|was|were) (?:all )?(?:been )?(?:told|informed|notified|updated|e-?mailed)\b",
    ),
    _clue(
        "it is published", 5, "update",
        r"\b(?:post|blog|article|statement|faq|notice|advisory|announcement|bulletin) (?:is |are )?(?:now )?(?:live|"
        r"up|out|public|online)\b",
        r"\bavailable to (?:all|every|our)\b", r"^(?:sent|posted|announced)(?: (?:it|this))? (?:to|in|on) #\S+",
        r"^announced:", r"\b(?:is|are) published\b",
    ),
    _clue(
        "a colour is shown", 4, "update",
        r"\b(?:going|goes|gone|went|set to|turned|turning|flipped to|is|back to|stays?) (?:to )?(?:red|yellow|amber|"
        r"orange)\b",
        r"\bstatus\b.{0,20}\b(?:red|yellow|amber|orange|green)\b", r"^(?:we are |going |now )?back (?:to|on) green\b",
        r"\b(?:told|promised) (?:the world|everyone|everybody|them all)\b",
        r"\b(?:post-?mortem|write-?up|report|advisory|blog ?post|faq|status post)\b.{0,25}\b(?:is |was )?(?:out|"
        r"published|online|public|"
        r"closed)\b",
        r"\b(?:closed|closing) (?:the )?(?:\w+ )?(?:post|entry|notice|banner)\b",
        r"\b(?:statement|circular|notice|communication|bulletin|press (?:note|release))\b.{0,15}\b(?:is |was |"
        r"has been )?(?:released|issued|out"
        r"|published|sent)\b",
        r"\b(?:all|every|the) (?:\w+ )?(?:members?|customers?|users?|managers?|teams?|brokers?|partners?|"
        r"participants?|clients?|shops?|stores?) "
        r"(?:have been |has been |were |was |are )?(?:intimated|informed|told|notified|know)\b",
        r"\b(?:dashboard|icons?|status(?:es)?) (?:can be|are being|is being) (?:updated|set) again\b",
        r"\bposted\b.{0,6}\b(?:that|we)\b",
    ),
    _clue(
        "a place where customers read", 3, "update",
        r"\b(?:status ?page|status site|statuspage|twitter|banner|tweet|mastodon|linkedin)\b(?!.{0,20}\b(?:says|"
        r"is|was|are|shows|of)\b)",
    ),
    _clue(
        "an announcement", 3, "update",
        r"^(?:[^.]{0,20})?\bwe (?:are|have been|continue|have) (?:currently |now |still )?"
        r"(?:investigating|experiencing|identified|aware|working|performing|monitoring)\b",
        r"\b(?:post|blog|article|statement|faq|notice|advisory) (?:is |are )?(?:now )?(?:live|up|out|public)\b",
        r"\bwe (?:plan|intend) to (?:re)?(?:deploy|start|restart|switch|release|roll|open)\b",
        r"\bavailable to (?:all|every|our)\b",
        r"\bapologi[sz]e for\b",
        r"\b(?:sorry for the|any) inconvenience\b",
        r"\bpublic (?:doc|document|notes?|call|stream)\b",
        r"\blive ?-?stream(?:ing)?\b", r"\bhashtag\b",
    ),
    _clue("to everybody", 1, "update", r"@(?:channel|here|everyone|all)\b .{15,}"),
    # what was thought
    _clue(
        "a way out is proposed", 3, "hypothesis",
        r"\bwe could (?!not|n't|see|reproduce)\w+ \w+", r"\bwhat if (?:we|it|the)\b", r"\bhow about (?:we|the|a)\b",
        r"\bwould (?:also )?(?:fit|match)\b",
    ),
    _clue(
        "a guess in so many words", 5, "hypothesis",
        r"\b(?:my|our|working|current|best) (?:guess|theory|hypothesis|bet)\b",
        r"^(?:proposal|hypothesis|theory|guess)[:,]",
        r"\b(?:are|is) (?:we|it|this|somebody|someone) (?:being |under |maybe )?(?:attack\w*|ddos\w*|hacked|a ddos|"
        r"breached)\b",
        r"\bdoes (?:that|this|it) mean\b.{8,}", r"^let's (?:do|try|use|pull|kill) .{6,}\?$",
        r"^could (?:they|somebody|someone|it) have\b", r"\bi think (?:what|that what|the reason)\b",
        r"\b(?:i'd|i would) say\b(?! (?:yes|no|so|we|it's (?:fine|ok)))", r"\blooks? to (?:me|us) like\b",
    ),
    _clue(
        "a guess", 3, "hypothesis",
        r"\b(?:could|might|may) (?:it |this |that |they )?(?:also )?(?:be|have been|have|be caused|explain)\b",
        r"\b(?:maybe|perhaps|presumably) (?:\w+ )?\w+s\b", r"\w (?:maybe|perhaps|presumably|possibly) \w+",
        r"\bi (?:suspect|guess it|bet|reckon|assume)\b",
        r"\bi think (?!so\b|we (?:can|should|are (?:good|done|ok|fine))|i\b|not\b)\w+ \w+",
        r"\bthat would (?:do|explain|cause|fit|match)\b|\bwould (?:do that|explain)\b",
        r"^so .{15,}\?$",
        r"\bsmells? (?:like|of)\b",
        r"^then (?:it|this|that) (?:is|must|was) ", r"\b(?:suspecting|suspicion|hypothesis|theory|my guess|hunch)\b",
        r"\b(?:maybe|perhaps|possibly|probably|presumably) (?:it'?s? |this |that |is |was |due|because|related|"
        r"caused|an? "
        r"|the |we |from |they |some)",
        r"\b(?:thinking|i think|we think|feels like|smells like|sounds like) (?:it'?s? |it is |it was |this is |"
        r"that is |"
        r"it may|it might|the |an? |\w+ (?:is|was|are|were) )(?!good|fine|ok|great|better)",
        r"\b(?:looks?|seems?|appears?) (?:like |as if |to be )(?:it |this |they |we |that )?(?:is |was |might |"
        r"may |could |"
        r"be |an? |the )?(?:caused|related|due|because|\w+ing|the|an?|result|from)",
        r"\b(?:pretty|fairly|quite|almost|very|rather) sure (?:it|this|that|the|we)\b", r"\bmy (?:guess|money|bet)\b",
        r"\b(?:must|has to|have to) be (?:the|an?|some|our|that|because)\b",
        r"\bwhat about the\b",
        r"\bwonder(?:ing)? (?:if|whether)\b(?! (?:we|i) should)",
        r"\bis (?:probably|likely|perhaps|maybe)\b", r"\blikely (?:the|an?|due|caused|because|from)\b",
    ),
    # what did not work
    _clue(
        "it was not that", 4, "dead_end",
        r"\b(?:ruled out|rules? (?:it|that|this) out|ruling out|red herring|false (?:lead|alarm|positive|trail)|"
        r"dead end)\b",
        r"^(?:so |ok |and |it'?s |it is |it was |that'?s |thats |also |definitely |apparently )*not (?:the|that|"
        r"it|this|"
        r"us|a|an|our|related|caused|because|due|from|dns)\b",
        r"\b(?:it|that|this)(?:'s| is| was| wasn't| isn't)(?: not|n't)? (?:the problem|it\b|the cause|related|that\b|"
        r"our (?:problem|change|fault|deploy))",
        r"\b(?:wasn't|isn't|is not|was not) (?:it|that|the (?:cause|problem|culprit|reason|issue)|us|related|"
        r"to blame)\b",
        r"\bso not (?:that|it|the)\b",
        r"\bnothing (?:suspicious|unusual|wrong|odd|there|in (?:the|there)|to see|found)\b",
        r"\b(?:dismissed|unrelated to)\b",
    ),
    _clue(
        "it did not help", 4, "dead_end",
        r"\bno (?:luck|effect|change|difference|improvement|joy|dice|success|go|result|avail|use)\b",
        r"\b(?:did(?:n't| not)|does(?:n't| not)|has(?:n't| not)|have(?:n't| not)|not) (?:seem to |really )?"
        r"(?:help|work|change|fix|make a|come up|came up|start|solve|take|stick|do anything|improve|complete|"
        r"succeed)\w*\b",
        r"\b(?:still|again) (?:\w+ ){0,2}(?:broken|failing|fails|down|the same|same|refuses|refusing|stuck|oom|"
        r"throwing|"
        r"crashing|hangs?|hanging|seeing|getting|errors|nothing|happening|works\?|there|on)\b(?=.*)",
        r"\b(?:hangs?|hung|fails?|failed|crash(?:es|ed)|stop(?:ped|s)|breaks?|broke|dies|died|stuck|froze|"
        r"freezes|full|back) again\b(?! now)",
        r"\bso (?:no|not)\b[.! ]*$",
        r"\b(?:same (?:error|result|problem|thing|behaviou?r|issue|story)|nope|no use|in vain|useless)\b",
        r"\b(?:tried|attempted|trying)\b.{0,80}(?:[:,;]| but | and it |→|->|\.\.\.|…) ?(?:no|not|nothing|nope|"
        r"fail\w*|same|"
        r"error|denied|rejected|refus\w+|[45]\d\d|still|timeout|times out|hangs?|stuck|empty)\b",
    ),
    _clue(
        "it is not enough", 4, "dead_end",
        r"\bnot (?:nearly |quite |really |at all )?enough\b", r"\bmakes? (?:it|things) worse\b",
        r"\bhelp(?:s|ed)? (?:a bit|a little|only|very little)\b.{0,20}\b(?:but|not|only)\b",
        r"\b(?:estimate|assumption|idea|theory|guess|plan|number|extrapolation)s? (?:is|was|were|are) (?:just |"
        r"completely |all )?(?:wrong|"
        r"out|off|nonsense|rubbish|useless|dead)\b",
        r"\b(?:errors?|load|lag|latency|rate)\b.{0,25}\b(?:stays?|stayed|remains?|(?:is|are) still) (?:\w+ )?(?:high|"
        r"there|up|the same)\b",
        r"\b(?:won't|wouldn't|will not) (?:let|accept|start|come up|take|load|boot|connect|open)\b",
        r"\bthere (?:is|are) no (?:\w+ ){0,2}(?:snapshots?|backups?|dumps?|cop(?:y|ies)|logs?|runbook|docs?|access|"
        r"replicas?|way)\b",
        r"\bno help\b(?! needed)",
        r"\b(?:hangs?|stuck|failing|fails?) (?:just |exactly )?(?:the same|silently|too|as before)\b",
        r"\b(?:logs?|backups?|dumps?|bucket|folder|table|s3)\b.{0,20}\b(?:nothing|no \w+) (?:in|at all)\b|"
        r"\bnothing in the\b",
        r"^(?:we |i |one )?(?:still )?(?:can't|cannot|can not|couldn't) (?!be\b|help|wait|sleep|believe|see|remember|"
        r"say|tell|complain|imagine|look|"
        r"read|even|find the|sign|log ?in to \w+ (?:site|app))\w+ \w+",
        r"\bmakes? no (?:dent|difference|change)\b", r"\bexplains nothing\b", r"\bout of reach\b", r"\bunable to \w+",
        r"\b(?:say|says|report|reports|claim|claims) (?:\w+ )?(?:they're|they are|it's|it is|itself|"
        r"themselves) (?:\w+ )?(?:healthy|fine|ok)\b",
        r"\b(?:console|panel|dashboard|jira|wiki|bastion|vpn|ssh|admin\w*|runbooks?|bitbucket|gitlab|grafana|"
        r"build (?:system|box|server)|"
        r"ci)\b.{0,25}\b(?:does not|doesn't|don't|do not|won't|not) (?:load|answer|open|respond|come up|reachable|"
        r"let)\b",
        r"\b(?:hosts?|boxes|servers?|\w+) (?:is|are) (?:untouched|unaffected|clean)\b(?! (?:now|again|since|for))",
        r"\bno (?:attack|trace of|sign of (?:an? )?attack)\b",
    ),
    _clue(
        "it cannot be done", 4, "dead_end",
        r"\b(?:could(?:n't| not)|cannot|can't|unable to|failed to|was not able to|are not able to|"
        r"not possible to) (?:\w+ )?"
        r"(?:rotate|revoke|restore|start|connect|deploy|roll|fail|bring|reach|log|access|restart|get|apply|run|"
        r"mount|recover"
        r"|use|find|migrate|ssh|delete|remove|promote|replicate|switch|update)\b",
        unless=("trouble is reported",),
    ),
    _clue(
        "it was looked at, and it is fine", 3, "dead_end",
        r"\b(?:looks?|seems?) (?:all |perfectly |totally |completely )?(?:fine|ok|okay|clean|innocent|healthy|"
        r"normal)\b(?! (?:now|again|here))",
        r"\b(?:is|are) (?:innocent|unaffected|not involved|healthy too|normal too)\b",
        r"^(?:no|nope)[:,.] (?:\w+ ){2,}",
        r"\b(?:unchanged|no better|same as before)\b",
    ),
    _clue(
        "it was never there", 3, "dead_end",
        r"(?<!we )(?<!they )(?<!must )(?<!should )(?<!i )\b(?:never|nobody ever|no one ever|"
        r"nothing ever) (?!mind|again|done|seen|liked|heard)\w+",
        r"\b(?:errors? out|bails? out|gives? up|dies|died|times? out|blows? up) (?:right|immediately|straight|"
        r"again|after|at|with|on)\b",
    ),
    _clue(
        "there is no way in", 3, "dead_end",
        r"\b(?:locked out|no access|access denied|permission denied|no permission|not allowed to)\b",
        r"\b(?:don't|do not|doesn't|does not) have (?:access|permission|the rights?|rights?)\b",
        r"\b(?:creds|credentials|accounts?|logins?|tokens?) (?:is |are |was |were )?(?:locked|disabled|expired|gone)\b",
    ),
    _clue(
        "it failed", 4, "dead_end",
        r"\b(?:refuses|refused|refusing|rejects?|rejected|rejecting|complains|complaining) (?:to|our|the|that|it|"
        r"about|with)\b",
        r"\b(?:migration|restore|replication|backup|rollback|failover|deploy(?:ment)?|rollout|upgrade|copy|sync|"
        r"job|fix|"
        r"revert|pg_\w+|dump|renewal|reload|reboot|restart|build) (?:\w+ )?(?:is |are |has |"
        r"was )?(?:just )?(?:stuck|hangs?|"
        r"hanging|failed|fails|failing|aborted|crashed|errors? out|errored|silently|empty|missing|rejected|not)\b",
        r"\b(?:and|but) (?:it |they |that )?(?:still|again)\b(?!.*\b(?:good|fine|works?\b(?!\?)))",
        r"\b(?:backups?|snapshots?|dumps?|bucket) (?:is|are|do not|don't|does not|doesn't) (?:\w+ )?(?:empty|"
        r"exist|there|missing"
        r"|useless|no use)\b",
    ),
    # what made it better
    _clue(
        "it is fine", 3, "mitigation",
        r"\ball (?:is )?(?:good|fine|well|ok|okay|green|quiet)\b(?! now)",
        r"\bno .{1,40}\bany ?more\b",
        r"\bno longer\b",
        r"\b(?:is|are) (?:all |now |back )*(?:on|in|up|good|fine|reachable|available|serving)\b.{0,40}\bagain[.!]*$",
        r"\b(?:queues?|lag|load|errors?|latency|backlog|rate|ratio|count|traffic)\b.{0,15}\b(?:goes down|"
        r"going down|coming down|draining|"
        r"shrinking|decreasing|falling|dropping|improving)\b",
        r"^\S+(?: \S+){0,2} (?:runs|works|is running|are running)[.! ]*$",
        r"\bnormal\b.{0,20}\bagain\b", r"\bno repeat of\b",
        r"\b(?:has|have) (?:calmed|settled|quietened|quieted) down\b",
        r"\ball (?:\w+ )?\w+s (?:are |is )?(?:fine|normal|good|ok|healthy)\b",
        r"\b(?:times?|rates?|levels?|latency|latencies|values|figures|numbers) (?:are|is) (?:all )?(?:normal|fine|"
        r"good)\b",
        r"\b(?:database|db|site|service|server|app|api|cluster|portal|\w+server)s? (?:is|are) (?:back )?up again\b",
    ),
    _clue(
        "it is better", 4, "mitigation",
        r"\b(?:back (?:up(?! the)|online|to normal|in service|again|at|to \d|on)\b|"
        r"(?<!way )(?<!going )(?<!goes )(?<!is )up again|online again|(?:is|are|'s) (?:now )?back\b"
        r"(?! in \d))",
        r"\b(?:recovered|recovering|recovers|have stopped|has stopped|stopped (?:failing|throwing|crashing)"
        r"|subsid(?:ed|ing)|cleared up|dropp(?:ed|ing) to (?:zero|0|normal)|down to (?:zero|0|normal))\b",
        r"\b(?:works?|working|reachable|responding|serving|healthy|stable|loading|fine|green|normal|"
        r"flowing) (?:again|now)\b",
        r"\b(?:now|again) (?:works?|working|reachable|responding|serving|healthy|stable|normal|fine|green|"
        r"get(?:s|ting)? "
        r"(?:accessdenied|40[13]|blocked|denied))\b",
        r"\b(?:fix|workaround|hotfix|patch|rollback|mitigation|bypass|block) (?:is |are |has been )?(?:now )?"
        r"(?:live|in place|deployed|out|rolled out|complete|done|applied|everywhere|in effect)\b",
        r"\b(?:errors?|error rates?|5\d\ds?|5xx|latency|queues?|load|failures?|crash(?:es)?|lag|timeouts?|"
        r"rate)\b.{0,25}"
        r"\b(?:zero|gone|baseline|back to|normal|stopped|cleared|flat|disappeared|at 0)\b",
        r"\b(?:go|goes|going|went|get|gets) through (?:again|now|fine)\b",
        r"\b\w+ (?:works|prints|loads|boots|answers)!",
        r"\b(?:is|are) (?:instant|fast|quick|snappy) (?:again|now)\b",
        r"\b(?:got it|that did it|that (?:did the trick|fixed it|works|worked|helped)|it works|works!|worked!?$|"
        r"success!)",
        r"\b(?:mitigated|restored|unblocked|lifted|contained|stopped the bleeding|no longer (?:works|valid|possible"
        r"|failing|affected|blocked))\b",
        r"\b(?:is|are) (?:accessible|available|reachable|usable) (?:again|now|to)\b",
    ),
    _clue(
        "people can do it again", 4, "mitigation",
        r"\b(?:is|are|was|were) (?:now )?(?:halted|paused|suspended|isolated|quarantined|contained|fenced)\b",
        r"\b\w+ (?:is |are )?(?:now )?live(?: again| now)?[.!]*$",
        r"\b(?:is|are) (?:all|both) (?:normal|ok|green|good)\b",
        r"\bcan (?:\w+ ){1,3}again\b",
        r"\b(?:terminate|kill|fix|hotfix|patch|rule|block|switch|change) is (?:now )?(?:out|live|in)\b",
    ),
    _clue(
        "a part is back", 4, "mitigation",
        r"\b(?:partly|partially|mostly) (?:back|up|restored|recovered|working)\b",
        r"\bmost (?:of )?.{0,30}\b(?:went away|are gone|is gone|disappeared)\b",
        r"\b(?:has|have|there is|there's|is) enough (?:capacity|nodes|room|space)\b",
        r"\b(?:trading|segment|market|payments?|orders?|sales?|traffic|writes?|signups?|\w+&\w+)\b.{0,30}\b(?:halted|"
        r"closed|stopped|paused)\b(?! by)",
        r"\bso (?:that )?(?:people|users|authors|customers|everyone|everybody|folks|clients|shops|teams) can\b",
        r"\bserving[.! ]*$", r"\bhas the capacity\b", r"\bat 100 ?%.{0,4}\b(?:done|complete|now)\b",
        r"\b(?:ssh|access|egress|ports?|keys?|traffic|accounts?|tokens?|logins?)\b.{0,12}\b(?:closed|removed|blocked|"
        r"locked|revoked|cut)\b"
        r".{0,30}\b(?:closed|removed|blocked|blocking|locked|revoked|cut)\b",
        r"\b(?:is|are) ours again\b", r"\b(?:extended )?session (?:is )?(?:started|on|open)\b",
        r"\b(?:are|is) (?:being )?served\b", r"\bthey (?:all )?serve\b",
        r"\benough \S+(?: \S+){0,2} (?:to serve|are up|is up)\b",
        r"\b(?:are|is) (?:all )?(?:back|restored) (?:in|on|with|from)\b", r"\bin sync\b",
    ),
    _clue(
        "the faulty thing is off", 3, "mitigation",
        r"\b(?:took|taken|taking) (?:\S+ ){0,4}(?:down|offline)\b",
        r"\b(?:pulled|killed|kill) (?:the |is )?(?:plug|fired|executed|switch)\b", r"\blocked down\b",
        r"\b(?:is|are) reverted\b",
        r"\b(?:excluded|excluding|exempted|whitelisted|allowlisted) (?:the |those |these )?(?:\w+ )?rules?\b",
        r"\b(?:gone|removed|withdrawn|pulled) from the (?:registry|store|site|index|internet|web)\b",
        r"\b(?!badge|power|camera|mic|lights?|heating)\w+(?:'s| is| are) (?:now )?off\b(?! (?:by|the|today|this|on|"
        r"tomorrow|until|work))",
        r"\brollback\b(?!.{0,20}\b(?:fail\w*|stuck|not|hangs|plan|script|tomorrow)\b|.*\?)",
        r"\bcan(?:'t|not| no longer) be (?:\w+ )?(?:loaded|used|reached|installed|downloaded|opened)\b.{0,12}",
        r"^(?!i\b|we\b|they\b|it\b|also\b|and\b|then\b|just\b|have\b|had\b|has\b|am\b|so\b|who\b|accidentally\b|"
        r"someone\b|somebody\b)[\w.-]+ "
        r"(?:has |have )?(?:removed|deleted|took down|blocked|revoked|disabled|unpublished) ",
        r"\b(?:old|previous) (?:\w+ )?(?:version|hardware|release|image|build|config|code) (?:is )?back\b",
        r"\b(?:turned|switched|flipped|switching|turning|took|flag) (?:\w+ ){0,5}off\b",
        r"\b(?:rolled|rolling) (?:it |that |this |the \w+ |\w+ )?back\b",
        r"\bback(?:ed|ing) (?:it |that |this )?out\b",
        r"\brevert(?:ed|ing)\b(?!.{0,30}(?:still|not|no ))",
        r"\b(?:has|have|is|are) power\b",
    ),
    # the end
    _clue(
        "it is over", 5, "resolution",
        r"\b(?:all clear|all[- ]good now|(?:incident|outage|issue|problem|this|it|that) (?:is |was |has been |"
        r"now |'s )?(?:now )?"
        r"(?:really |all |fully |completely )?(?:over\b(?! the| to| a)|closed|resolved|done|fixed|solved))\b",
        r"\b(?:closing|closed|close|resolving|resolve|ending|concluding) (?:the |this |our |"
        r"out )?(?:\w+ )?(?:incident|p[0-4]"
        r"|sev ?[0-5]|outage|bridge|this|it|out)\b",
        r"\b(?:calling|call|consider(?:ing)?|marking|declaring|declared|marked) (?:it|this|the incident|that|the \w+)"
        r"(?: as)? (?:done|resolved|over|closed|fixed|solved|finished|ended)\b",
        r"\b(?:everything|all (?:systems|services|users|nodes)|fully) (?:is |are |has been |"
        r"have been )?(?:\w+ )?(?:resolved|recovered|"
        r"verified|restored|operational|resolves|back to normal)\b",
        r"\b(?:standing|stand) down\b",
        r"\bcalling it\b",
        r"\b(?:wrapping|winding) (?:this |it |things )?(?:up|down)\b",
        r"(?:^|, |\. |! )(?:closing|resolving|resolved|closed)\b[.! ]*$",
        r"\bwe(?:'re| are) (?:done|all clear|out of the woods)\b",
        r"\bcalling (?:this|it|that)(?: one| a day| off)?(?:[.!,]|$)",
        r"^(?:done|all done|resolved|closing|closed|over)[.!,]*$",
        r"\ball systems (?:are )?(?:ok|okay|normal|go|green)\b",
        r"\bnow it is (?:really )?over\b",
        r"\bhas been (?:fully )?(?:resolved|removed|remediated)\b",
    ),
    _clue(
        "nothing else is wrong", 5, "resolution",
        r"\b(?:nothing else|no other|nobody else|no more) (?:\w+ )?(?:is |are )?(?:off|affected|missing|broken|"
        r"wrong|hit|impacted)\b",
        r"\b(?:operating|working|running|trading) (?:as )?(?:normally|expected|usual)\b",
        r"\bnormal (?:\w+ )?is (?:on|back|running|restored)\b",
        r"\bevery(?:thing|where|body)\b.{0,40}\b(?:normal|fine|checked|verified|works|good|again)\b",
        r"\b(?:again|back|on) (?:everywhere|globally|worldwide|in all \w+|for (?:all|everyone))\b",
        r"\bno others?\b(?! (?:way|option|choice|idea))", r"\bfull (?:capacity|service|recovery)\b",
        r"\bnothing like (?:this|that|before|earlier)\b",
    ),
    # why
    _clue(
        "it is this, because", 3, "cause",
        r"^(?:it's|it is|that's|that is) (?:the|our|an?|because) .*(?:,|because|as soon as|whenever|when|which|"
        r"every time)",
        r"\bbecause (?:of|the|we|it|our|they|an?|nobody|no)\b",
    ),
    _clue(
        "how it came about", 4, "cause",
        r"\b(?:that|this|which)(?:'s| is| was) (?:how|why|the (?:door|thing (?:behind|that)|reason|bug|trigger))\b",
        r"\bthe way in (?:was|is)\b", r"\bwhich is why\b",
        r"\b(?:what|that) (?:trips|tripped|triggers|triggered|kills|killed|broke|breaks) (?:it|this|us)\b",
        r"\b(?:was|were) never (?:changed|rotated|updated|removed|renewed|switched on|enabled|tested|replaced)\b",
        r"\b(?:only )?(?:ever )?(?:sees?|saw) (?:only )?the (?:load balancer|proxy|gateway)\b",
        r"\b(?:way |far |much )?too (?:small|low|short|few|strict|aggressive|big|large|high)\b.{0,12}\bso\b",
        r"\btook out\b.{0,40}\b(?:too|as well|instead|also)\b",
        r"\b(?:more|others?) than (?:i|we) (?:wanted|meant|intended|asked)\b",
        r"\bi (?:just |have )?(?:did|ran|typed|executed|applied|deleted|removed) (?:that|it|this) (?:on|in|against)\b",
        r"\bmis(?:typed|read|clicked|configured|judged|matched|placed|spel[lt]t?|understood|counted|labelled)\b",
        r"\b(?:wasn't|weren't|was not|were not|hadn't been) (?:rotated|updated|renewed|removed|changed|deployed|"
        r"tested|enabled|switched|set|"
        r"replaced|migrated|covered|closed)\b",
        r"\binstead of [a-z]+[-_]?\d+\b", r"\bso (?:small|low|few|big|strict|slow|large|many) that\b",
        r"^here it is[.:,!]",
        r"\b(?:input|argument|command|parameter|selector|filter|path|scope) (?:was|is) wrong\b",
        r"\b(?:we|i) (?:missed|forgot|overlooked|mixed up)\b(?! (?:you|it|that|this|the (?:bus|train|call)))",
        r"\bnot (?:in|on) (?:test|staging|dev\w*|the test\w*)\b", r"\binstead of (?:on|in) ",
        r"\bone (?:regex|rule|argument|setting|flag|line|query|config)\b.{0,40}\b(?:backtracks|until|wrong)\b",
    ),
    _clue(
        "the reason", 4, "cause",
        r"\b(?:root cause|the cause|caused by|because of|due to|turns out|turned out|culprit|the reason|what happened"
        r"|explains|triggered by|led to|resulted in)\b",
        r"\b(?:was|were|is) (?:us|me|my (?:fault|mistake|change|script)|our own)\b", r"\bi (?:broke|messed|screwed)\b",
        r"\bnobody (?:took|renewed|removed|noticed|updated|told|changed)\b",
        r"\b(?:misconfigured|hard-?coded|forgotten|left over)\b",
        r"\bfound (?:it|the (?:cause|problem|reason|culprit|bug|issue))\b",
        r"\b(?:expired|got suspended|was suspended|never ran|did not run|never arrived|tripped|lapsed)\b",
        r"\b(?:mistake|typo|fat-?fingered|wrong context|by accident|accidentally|wrong (?:host|server|machine|"
        r"window|terminal|box|keys?|"
        r"environment|"
        r"database|cluster|argument|node))\b",
        r"\b(?:rolled out|pushed|deployed|merged|replayed|changed|released|upgraded|enabled|updated|applied|"
        r"removed|deleted|"
        r"failed|ran|started) (?:\w+ ){0,6}at \d",
    ),
    # what was done
    _clue(
        "something was done", 3, "action",
        rf"(?:{_SUBJECT} ){{0,3}}(?:{PAST})\b", rf"(?:{_SUBJECT} ){{0,3}}(?:{GOING})\b(?= \S+)(?!,)",
        r"(?:trying|attempting) to (?!find out|understand|reproduce|see|remember|reach|figure)\w+",
        r"using (?:an?|the|our) .{0,40}\b(?:as|for)\b",
        rf"(?:{_SUBJECT} ){{1,3}}(?:rolled|rolling)\b", r"(?:rolled|rolling) (?:back|out|forward)\b",
        rf"(?:{_SUBJECT} )?(?:started|starting|began|beginning) (?:to |with )?\w+",
        opening=True,
    ),
    _clue(
        "somebody does something", 2, "action",
        rf"\b{_AUX} (?:now |all |already |just )?{PAST}\b",
        rf"\b(?:i|we|i've|we've|they|@\S+) (?:have |just |also )*{PAST}\b",
        rf"\b(?:i am|i'm|we are|we're|@\S+ is) (?:now |just |also |already )?{GOING}\b",
        rf", {GOING} ",
        rf", {PAST} ",
        rf"\b(?:and|then) {PAST}\b",
        rf"\b{PAST}[.!]*$",
        rf"^\S+ (?:\S+ ){{0,4}}{PAST}\b",
    ),
    _clue(
        "somebody looks into it", 2, "action",
        rf"(?:{_SUBJECT} ){{0,3}}{_LOOKING} (?:at |into |through |for |on |in |if |whether |with )?(?:\S+ ){{1,}}\S+",
        opening=True,
    ),
    _clue(
        "an operation", 3, "action",
        r"\b(?:rollback|deploy(?:ment)?|redeploy(?:ment)?|rollout|release|migration|restore|failover|copy|"
        r"reindex|rebuild|sync|"
        r"upgrade|import|restart|reboot|backfill|purge|drain|snapshot|backup|build|switchover|rotation|"
        r"maintenance)\b.{0,40}"
        r"\b(?:is |are |has |was )?(?:now )?(?:complete[d]?|done|finished|started|running|through|in progress|"
        r"under ?way|"
        r"triggered|kicked off|begun)\b",
        r"(?:^|: )(?:temporary|temp|emergency|quick|interim) (?!question)\w+",
    ),
    _clue("a finding is announced", 3, "note", r"^(?:found|confirmed|verified|result|fact):"),
    _clue(
        "others did it", 4, "note",
        r"^(?:and |from there |there |then |that one |after that |so )*(?:they|the attackers?|intruders?|whoever) "
        r"(?!said|reported|told|complained)(?:\w+ed|went|got|took|came|left|sat|made|put|had|used|copied)\b",
        r"^[^.:]{3,60}: (?:they|the attackers?|somebody) \w+", r"^attackers? \w+ed\b",
    ),
    _clue(
        "it is told in order", 4, "note",
        r"^(?:on )?(?:the )?\d{1,2}(?:st|nd|rd|th)?(?: of)? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\b",
        r"^(?:i |we )?(?:ran|did) (?:an? |the |another )?(?:\w+ )?(?:check|scan|query|test|diff|search|"
        r"count)\b(?!.*\brunning\b)",
    ),
    _clue("what a check gave", 4, "note", r"^(?:checked|compared|tested|searched|scanned|went through) [^:]{3,90}: \w"),
    _clue(
        "it is in trouble", 3, "note",
        r"\b(?:out of (?:memory|disk|space|connections)|exhausted|crash-?loop\w*|saturated|under ?water|maxed out|"
        r"overloaded)\b",
        r"\b(?:feels?|suffers?) (?:it )?(?:too|as well)\b", r"\b(?:is|are) (?:also|as well) (?:hit|affected)\b",
        r"\b(?:crawls|crawling|snail)\b", r"\bstill (?:restoring|copying|loading|rebuilding|catching up)\b",
        r"\blag(?:s|ging)? by\b", r"\b(?:delay|lag|backlog|queue) (?:grows|is growing|builds)\b",
        r"\bno .{0,30}\bthat we (?:can|could) (?:find|see)\b",
    ),
    _clue(
        "a report", 2, "note",
        r"^(?:first|initial|current|interim|latest|quick|short|full|here(?:'s| is| are)|attached) ?(?:the |"
        r"an? )?(?:\w+ )?"
        r"(?:list|summary|overview|status|numbers?|figures?|results?|graph|screenshot|findings|analysis|report|"
        r"logs?|dump)\b",
        r"\bthere (?:is|are|was|were) (?:an? |some |no |many |\d|two |three |several )",
    ),
    _clue(
        "something was done, in other words", 2, "action",
        rf"(?:{_SUBJECT} )?(?!{_NOT_DONE})[a-z-]{{3,}}(?:ed|ing) (?!by\b|\d|is\b|are\b|was\b|process|service|job|"
        rf"queue|time|"
        rf"rate|ratio|team|server|error|issue|loop|system|page|line)\S+",
        opening=True,
    ),
    _clue(
        "we did", 2, "action",
        rf"\b(?:i|we|i've|we've|i have|we have|they|i also|we also) (?:just |now |also |"
        rf"already )?(?!{_NOT_DONE})[a-z-]{{3,}}ed\b",
    ),
    _clue(
        "a change is proposed", 2, "action",
        r"\b(?:pr|pull request|merge request|patch|fix) (?:\w+ ){0,4}(?:is )?(?:now )?(?:up|open|opened|ready|"
        r"merged|approved)\b",
    ),
    _clue(
        "a decision", 3, "action",
        r"\b(?:decid(?:ed|ing)|decision:|decision (?:is|was)|we(?:'ve| have)? agreed|agreed to|"
        r"the plan is(?: to)?|plan:|new plan|going with|"
        r"go(?:ing)? (?:ahead|for) with|opted|we(?:'ll| will) (?:go|stick|proceed) with)\b(?! (?:is|are|was) (?:also|"
        r"in|on))",
        r"\bdid the same\b",
        r"^(?:then |so |ok(?:ay)? |right |alright )+we (?:take|use|go|do|restore|keep|stay|move|switch|roll|stop|"
        r"start|wait)\b",
    ),
    _clue(
        "a way is found", 3, "action",
        r"\b(?:found|have|got) (?:an?|another|the) (?:\w+ )?(?:way|route|path|bypass|trick|workaround) (?:to|in|"
        r"around|past)\b",
        r"^(?:i'm |i am |we're |we are )?in (?:via|through)\b",
        r"\b(?:looking|checking) (?:into (?:it|this)|whether|if)\b",
        r"\b(?:all|of|the) (?:\w+ )?(?:restores?|copies|imports?|migrations?|rollouts?) (?:are|is) running\b",
        r"^(?:plan|decision|decided|agreed)(?: is)?:",
    ),
    _clue(
        "a call is opened", 2, "action",
        r"\b(?:call|bridge|war ?room|zoom|meet|hangout) (?:is )?(?:open|up|started)\b",
        r"\bmoving (?:this )?to (?:the )?(?:#|incident)",
    ),
    # what is seen
    _clue(
        "it is finished", 4, "note",
        r"^(?:both|all|everything|all of them|they are|they're|it's|it is) (?:are |is |now |all )?(?:gone|"
        r"deleted|back|green|rotated|"
        r"revoked|removed|restored|replaced|patched|restarted|blocked|healthy)\b",
    ),
    _clue(
        "a figure", 2, "note",
        r"\b\d[\d.,]*\s?(?:%|percent|per cent|k\b|m\b|gb|mb|tb|kb|ms|s\b|seconds?|minutes?|mins?|hours?|hrs?|h\b|"
        r"rps|qps|req|"
        r"requests?|users?|customers?|rows?|errors?|times|connections?|hosts?|nodes?|pods?|servers?|projects?|"
        r"tickets?|calls?"
        r"|[kmg]b(?:ps|/s)|[kmg]bit(?:/s)?|queries|messages|objects|transactions?|payments?|orders?|accounts?|"
        r"events?|files?|vms?|replicas?|services?)",
        r"\b\d+ (?:of|out of|/) \d+\b", r"\b\d[\d.,]*k? ?(?:→|->|to) ?\d",
    ),
    _clue(
        "a finding", 2, "note",
        r"\b(?:i|we) (?:can |could |do )?(?:now )?(?:see|found|confirmed|know|learned|reproduced?|lost)\b",
        r"\b(?:can|could) reproduce\b",
        r"\b(?:confirmed|confirms|confirm(?:ing)?|verified|found|identified|identifies)\b(?!.*\bidentify\b)",
        r"\b(?:logs?|graphs?|traces?|dashboard|metrics?|whois|dig|top|panel|audit|output|stack ?trace) (?:\w+ )?"
        r"(?:shows?|says?|points?|has|have|is|are|contains?|lists?)\b",
        r"\b(?:points? to|shows? (?:that|us|only|the|an?|data)|comes? back with|is being used|are being used|"
        r"taken|full)\b",
        r"\b(?:ago|since|between) \d",
        r"\b(?:expired|exhausted|saturated|maxed|overloaded|out of (?:memory|disk|space|connections)|oom|"
        r"corrupt\w*|missing|"
        r"lost|leaked|exposed|compromised|unreachable|nxdomain|crash(?:es|ing|loop\w*)|failing|spik(?:e|es|ed|"
        r"ing)|dropping|"
        r"rising|climbing|growing|falling|lagg?(?:ing)?|backlog|degraded|affected)\b",
        r"\b(?:is|are) (?:gone|empty|done|complete|finished|ready|valid|invalid|public)\b",
        r"\b(?:both|all|everything) (?:gone|done|deleted|back|green|rotated)\b",
        r"\bonly \w+",
        r"\b(?:fell over|fell behind|went down|collapsed|ran out|overflowed|filled up|gave out|blew up|ran full)\b",
        r"\b(?:it is|it's) (?:an? |the )(?!joke|day|good|nice)\w+ ", r"\bpassed\b", r"\bgot through\b",
    ),
    _clue("somebody is quoted", 1, "note", r"\b(?:says?|said|according to|tells? us):? "),
    # what is talk
    _clue(
        "small talk", -4, "",
        r"^(?:hi|hey|hello|good (?:morning|evening|night|luck|work|job)|morning|evening|gn8?|welcome|bye|cheers)\b"
        r"(?!,? (?:\w+ )*(?:team|all),? \w+ \w+ \w+)",
        r"^(?:reminder|psa|fun fact|disclaimer|actions?|action items?|lessons?)\b:?",
        r"\b(?:iirc|afaik|about to|i (?:want|wanted|need|needed))\b",
        r"^(?:is|are|does|did|do|who|how|which|has) (?:the|it|this|that|you|we|they|there|anyone|anybody|"
        r"somebody|someone|your|our|an?|i|"
        r"much|many|long|is|wants|has|writes|owns|knows)\b",
        r"\b(?:lol|haha\w*|hehe|rofl|lmao|joke|kidding|yay|woo+|w00t|wow|omg|jesus|ugh|ouch|phew|damn|wtf|oops|"
        r"noo+|yikes)\b",
        r"\b(?:thanks|thank you|thx|ty|kudos|well done|great (?:work|job|teamwork)|nice (?:work|one|find|catch|"
        r"job)|good catch"
        r"|congrat\w*|props|sorry in advance|fingers crossed)\b",
        r"\b(?:lunch|coffee|tea|pizza|food|snacks?|beers?|breakfast|dinner|hungry|starving|tired|asleep|sleep|"
        r"bed|nap|dog|cat|"
        r"kids?|nursery|school run|weekend|holiday|weather|music|birthday|cake|scones|brb|afk|bbl|commute|train|"
        r"dentist)\b",
        unless=("help is asked for", "a guess in so many words"),
    ),
    _clue(
        "logistics", -3, "",
        r"\b(?:join(?:ing)? (?:in|the|now|shortly|you)|call link|meeting link|bridge link|dial in|invite|"
        r"calendar|workshop"
        r"|standup|stand-up|retro|post-?mortem|write-?up|rca\b|notes? (?:are|is) in|(?:on|in) my way|on site in|laptop|"
        r"hard stop|have to (?:go|leave|run)|leaving (?:at|now|for)|dropping off|on hold|who(?:'s| is) (?:in|on|"
        r"taking)|"
        r"stepping (?:out|away)|shift|sign(?:ing)? off|logging off|heading (?:home|out)|take over|taking over|"
        r"hand ?over|scribe|volunteer|eta)\b",
        r"\bback in \d|\bin \d+ ?(?:min|m\b|h\b|hour)",
    ),
    _clue(
        "what shall be", -3, "",
        r"\b(?:i|we|they|you|he|she|it|that|this)(?:'ll| will|'d| would| should| shall| could| need to| want to|"
        r" have to| must)\b"
        r"(?! not\b| see\b)",
        r"\b(?:i|we|you) can\b(?! (?:now |also )?(?:see|read|reproduce|confirm|reach|not|access|log))",
        r"\bwill\b(?! not\b)",
        r"\b(?:gonna|going to|tomorrow|next (?:week|month|time|steps?|sprint|:)|later|afterwards|follow-?ups?|"
        r"todo|to-do|"
        r"action items?|let's|let us|let me|lets|planned for|planning to|until further|some day|once (?:we|it|this))\b",
        r"^(?:next|plan for|todo|idea|proposal)\b", r"\b(?:if|when) (?:we|you|someone|somebody|i|it)\b",
        r"\b(?:ticket|issue|pr|pull request) (?:is )?(?:open|up|filed) (?:for|if|to)\b", r"\bno rush\b",
        unless=("update", "a way out is proposed", "a decision", "a guess in so many words"),
    ),
    _clue("an interim word", -2, "", r"\b(?:so far|for now|not yet|still (?:waiting|looking|checking|on hold))\b"),
    _clue(
        "a request", -3, "",
        r"\b(?:please|pls|plz|kindly|can (?:you|someone|somebody|anyone|we)|could (?:you|someone|somebody|anyone|"
        r"we)|would you|"
        r"anyone|any(?:body)? (?:know|idea|news|update)|do (?:we|you)|did (?:we|you)|should (?:we|i)|shall (?:we|i))\b",
        r"^(?:tell|ask|give|stay|keep|wait|go|look|check|try|ping|send|remember|use|read|have|see)\b",
        unless=("help is asked for",),
    ),
    _clue(
        "an opinion", -3, "",
        r"\b(?:no idea|not sure|don't know|dunno|i think so|sounds (?:good|like a plan)|makes sense|"
        r"agree(?:d)?\b(?! to)|"
        r"i guess$|i guess[.!]|i (?:feel|hope|wish|love|hate|like|remember|thought|believe)|of course|"
        r"fair enough|good (?:point|idea|question)|"
        r"no blame|not your fault|my bad|i'm (?:not kidding|glad|happy|scared)|fine by me|lgtm|why (?:is|are|do|did)|"
        r"(?:it|that) sucks|easy|scary|crazy|insane|terrible|awesome|amazing|never (?:done|seen|liked)|interesting)\b",
        r"\b(?:last (?:year|month|autumn|summer|spring|winter|time)|back in the|used to|years ago|months ago|"
        r"a (?:year|month) ago|in (?:autumn|summer))\b",
        r"^(?:great|nice|cool|perfect|good|excellent|right|true|indeed|exactly|same|yes|yep|yeah|no|ok|okay|sure|"
        r"ack|done|roger|"
        r"ready|on it|looking|checking|watching|agreed|correct|understood|copy|go|wait|hm+|oh|ah|"
        r"fyi)[.!, ]*(?:\w+)?[.! ]*$",
        unless=("a guess", "a guess in so many words"),
    ),
)  # fmt: skip
