"""Phrases that blame, and pasted secrets: tables of what is pointed out and of look-alikes that are not."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.language import RULES, Phrase, blaming, secrets

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "incidents"
PAGE = (ROOT / "docs" / "blameless.md").read_text(encoding="utf-8")

PEOPLE = (
    "Bob Smith",
    "@ada",
    "Ada Lovelace",
    "Zoë Bäcker",
    "łukasz",
    "jose_comms",
    "Will Turner",
    "Al",
    "Database On-call",
    "Priya Nair",
    "@tom",
    "Tom Becker",
    "marcus",
    "Ines",
    "Jean-Luc Picard",
    "o.k.",
    "Karim Haddad",
    "@sofia.r",
    "Sofia Rossi",
    "Wei",
    "June Park",
    "dmitri",
    "Olu Adeyemi",
    "Petra",
    "@sam.k",
    "Sam King",
    "Hiro Tanaka",
    "lina",
)


def words(text: str) -> list[str]:
    return [phrase.words for phrase in blaming(text, PEOPLE)]


# --- what is pointed out ----------------------------------------------------------------------------------------------

BLAMING = [
    # the verdict that ends the search
    "root cause: human error",
    "Root cause was operator error during the failover.",
    "just plain user error, nothing to see here",
    "PEBKAC, closing",
    "cause: mistake by the on-call engineer",
    "somebody fat-fingered the weight in the LB config",
    "fat finger on the prod console",
    "Fat‑fingered hostname in the drain command",
    # words that judge
    "The deploy was careless",
    "a careless copy/paste took out the feature flags",
    "gross negligence if you ask me",
    "sloppy config review on the platform side",
    "reckless push on a friday evening",
    "that was a stupid thing to run on a primary",
    "which idiot turned off the alert",
    "the vendor's support is incompetent",
    "honestly a rookie mistake",
    "silly mistake in the cron line, sorry",
    "basic error in the terraform plan",
    "it was irresponsible to ship this without a flag",
    "dev team was too lazy to write the rollback",
    "poor judgement on the rollout time",
    "bad judgment call from ops",
    "ops dropped the ball on the cert renewal",
    "I screwed up the replication slot",
    "we really messed things up with the second restart",
    "botched the migration again",
    # memory, duty, care
    "Bob forgot to renew the cert",
    "because @ada forgot the WHERE clause",
    "forgot to re-enable the pager after maintenance",
    "someone forgot the feature flag in prod",
    "he'd forgotten to drain the node first",
    "the engineer failed to follow the runbook",
    "failed to follow the change procedure",
    "The on-call failed to check the replica lag before the failover",
    "Bob didn’t check which host he was on",
    "she never tested the restore",
    "the reviewer neglected to look at the second file",
    "nobody bothered to read the alert",
    "merged without even looking",
    "the on-call ignored the page for 20 minutes",
    "Zoë missed the first alert",
    "blindly copied the command from the wiki",
    "the PR was rubber-stamped",
    "engineers need to be more careful on the primaries",
    "wasn't paying attention to the prompt",
    "lack of attention during the handover",
    # hindsight
    "they should have known the replica was empty",
    "Bob should have checked the host name first",
    "you should’ve paged the DBAs at 02:00",
    "ops should of tested the backup",
    "This should have been caught in review",
    "should have rolled back straight away",
    "could have been avoided if Bob had read the runbook",
    "This could have been prevented.",
    "if only we had tested the restore",
    "had the on-call looked at the graph we would have been up an hour earlier",
    "none of this would have happened with a second reviewer",
    "this should never have happened",
    "the timeout obviously should be lower than the LB's",
    "all he had to do was press the button",
    "it was obvious to anyone that the disk was full",
    "anyone would have noticed 100 % CPU",
    # looking for somebody guilty
    "whose fault is this?",
    "it's his fault the table is gone",
    "My fault.",
    "Bob is to blame for the data loss",
    "I blame the on-call for this one",
    "who the hell approved this?",
    "who broke prod",
    "whoever pushed this has no clue what they are doing",
    "what was he thinking, running that at noon",
    "how could anyone miss that alert",
    "Bob needs more training on postgres",
    "she knew better",
    "someone should be fired for this",
    # a person as the cause
    "Bob deleted the database",
    "bob dropped the users table at 03:02",
    "caused by Bob",
    "the outage was caused by @ada's deploy",
    "Ada Lovelace broke checkout with the 14:02 deploy",
    "@ada took down payments",
    "łukasz brought the whole site down",
    "jose_comms misconfigured the status page",
    "Zoë Bäcker pushed a bad config to all edge nodes",
    "Bob merged the untested change",
    "Bob ran the clean-up on the wrong host",
    "ada restarted the wrong node",
    "production database was deleted by Bob",
    "Bob's change broke login for everybody",
    "root cause: Bob",
    "down because of Bob again, wiped the primary himself, Bob's mistake",
    "the new guy broke production",
    "outage triggered by Will",
    "Bob is responsible for the outage.",
    "Al deployed to prod without asking",
    "Bob keeps breaking the build",
    # written before the rules were tried on them
    "this happened because Hiro rushed the change",
    "the outage is on Petra",
    "Tom accidentally deleted the production bucket while cleaning up",
    "Marcus typo'd the security group and locked us all out",
    "the intern took prod down",
    "Priya rebooted the wrong box",
    "someone clearly didn't test this",
    "the outage could have been avoided with a bit of care",
    "whoever wrote this alert should be ashamed",
    "tom pushed straight to master without review and everything fell over",
    "Human mistake during the maintenance.",
    "the DBA made a mistake",
    "Marcus was not careful enough when he edited the zone file",
    "why didn't anyone check the backups??",
    "you had one job",
    "the network team screwed us again",
    "Priya should not have restarted it during peak",
    "Ines simply forgot about the second region",
    "the engineer on shift overlooked the warning in the plan output",
    "he didn't follow the procedure",
    "they failed to communicate the change to support",
    "QA failed to catch the regression",
    "lack of discipline in the platform team",
    "a moron could have seen this coming",
    "It was marcus' fault",
    "Tom introduced a bug in the retry loop",
    "the outage is due to Tom's config change",
    "we should have known better",
    "we should have tested that before going live",
    "the contractor misconfigured the firewall",
    "inexperienced on-call made it worse",
    "jean-luc broke dns",
    "@tom nuked the staging AND prod db",
    "careless mistake while on the phone",
    "Root cause: Marcus did not read the migration notes",
    "this was avoidable had he asked",
    "the operator typed the wrong command because he was not paying attention",
    "if Priya hadn't merged that PR we would all be asleep",
    "ops never checks the dashboards",
    "nobody thought to look at the disk",
    "complete incompetence from the vendor",
    "Ines caused this by rotating the key early",
    "shame on whoever approved it",
    "blame marcus",
    "the on-call engineer did nothing for 15 minutes",
    "Tom messed up the rollout",
    "stupidly, the flag was flipped by hand",
    "we all know who did this",
    "you shouldn't have touched the primary",
    "dmitri dropped prod",
    "June forgot to page anyone",
    "karim's PR took down search",
    "Sofia applied the wrong terraform workspace",
    "typical, the frontend guys never tell us about releases",
    "total carelessness",
    "not sure why Wei thought that was a good idea",
    "the DBAs should have been watching the disk",
    "it was clearly human error on our side",
    "someone fat fingered a route",
    "Wei wiped the cluster by accident",
    "June pushed an untested hotfix and broke login",
    "the database got deleted by dmitri",
    "the failure of the on-call to escalate cost us an hour",
    "Root cause - Karim",
    "this is Sofia's fault",
    "Karim deleted customer data in the EU",
    "operations ignored three warnings",
    "the on-call failed to acknowledge the page in time",
    "he should have asked before restarting",
    "if someone had just looked at the dashboard",
    "Wei leaked the token in a public repo",
    "developer error",
    "due to negligence the backups were off",
    "Sofia failed to notice the replica lag",
    "we should not have trusted the script",
    "stupid mistake by me",
    "the release manager approved it without reading the diff",
    "another careless deploy from the payments team",
    "how did anyone think this would work",
    "June misread the graph and failed over the wrong region",
    "whose bright idea was it to deploy at 5pm",
    "the technician unplugged the wrong cable because he was careless",
    "I should have double checked the host",
    "my own stupidity",
    "an inexperienced admin ran it",
    "Wei's typo brought down the whole network",
    "they never test anything",
    "blaming Sofia is easy but she really did break it",
    "the engineer did not bother to read the docs",
    "everyone could see this coming except ops",
    "idiotic default from whoever set this up",
    "this outage was 100% preventable",
    "clearly should have been rolled back at once",
    "June never checked the backups",
    "human failure in the change process",
    "Hiro accidentally removed the prod database",
    "lina merged a broken migration",
    "the dev forgot a semicolon in the nginx config",
    "sam took the API offline by mistake",
    "Petra should have known better",
    "platform team failed to test the rollback",
    "root cause was a careless edit of the zone file",
    "operator error, plain and simple",
    "who on earth runs this at peak time",
    "we could have avoided this if Olu had read the ticket",
    "Sam didn't read the runbook",
    "lack of care by the release team",
    "the oncall person ignored the alarms",
    "Olu caused the outage",
    "somebody screwed up the DNS records",
    "Lina, you broke the build again",
    "obviously should have been tested in staging first",
    "it was a dumb mistake",
    "support neglected to tell the customers",
    "the incident was due to human failure",
    "why did nobody check the certificate",
    "if the reviewer had paid attention this would not have been merged",
    "Sam broke it, Petra fixed it",
    "incompetent handling by the hosting company",
    "fat-fingering a prefix list should not be possible but Olu managed it",
]

MISSED = [
    # sarcasm, names that nobody handed over, and turns of phrase that are facts as often as blame
    "pretty sure this is on Ines",
    "This is what happens when nobody reads the docs",
    "the developer who wrote this had no idea how sessions work",
    "dmitri did it again",
    "it's on the storage team for not monitoring the volume",
    "nobody on the team took responsibility",
    "Karim was warned and did it anyway",
    "the SRE misconfigured the load balancer",
    "he should never have had access",
    "network admin typed the wrong VLAN, typical",
    "great work bob, as always",
    "thanks Bob, love being up at 3",
    "Carol deleted the database",
    "two left hands, that team",
]

# --- look-alikes ------------------------------------------------------------------------------------------------------

INNOCENT = [
    # what systems do
    "The health check failed at 03:12.",
    "health check failed to follow redirects",
    "the probe failed to check the certificate chain",
    "certbot failed to verify the domain",
    "kubelet failed to read the secret",
    "The deploy of 14:02 broke checkout",
    "The migration broke production",
    "caused by a bad config push at 14:02",
    "A cron job deleted the database",
    "the failover took down payments for 40 s",
    "a stuck lock is to blame for the slow queries",
    "the memory leak was the culprit",
    "The provider caused the outage",
    "The leader election forgot the old epoch",
    "the client ignored the Retry-After header",
    "the job never checked the exit status",
    "the alert should have fired at 2 % but the threshold was 20 %",
    "the standby should have been promoted by 03:20",
    "Timeout should have been 5s, was 50s",
    "retries should just work now",
    "page fault in the kernel log, then a segfault",
    "restarted with default settings, fault tolerance is back",
    "git blame points at a change from 2019",
    "sloppy quorum was on, so writes were accepted",
    "images are lazy-loaded, the page looks empty at first",
    "lazy evaluation hid the error",
    "user error rate is up to 5 %",
    "Human error handling in the form was changed last week",
    "the forgot-password flow returns 500",
    "Forgot password mails are not sent",
    "she forgot her password and cannot log in to the bastion",
    "the replica missed the alert threshold by 2 s",
    "negligible impact on the EU region",
    "stupid question: is the cache warm yet?",
    "kubernetes operator failed to reconcile",
    "timestamps in the export are messed up",
    "connection pool is screwed into the old config map",
    "Redis refused to start",
    "API refused to accept the token",
    # what roles did, as facts
    "an engineer removed the directory on the wrong host",
    "The removal was run on db1, the live primary, instead of on db2.",
    "The on-call deleted the data directory on db1",
    "One argument was wrong: far more servers were removed than intended",
    "a command run by accident deleted all worker nodes",
    "removed by mistake in a refactoring weeks earlier",
    "the account was queued for removal by mistake",
    "someone set max_connections to 8000 a year ago",
    "the on-call did not see the page, the phone was in do-not-disturb",
    "the reviewer could not see the second file, the diff was collapsed",
    "Nobody had seen the failure mails",
    "no one owned backup testing",
    "We did not test restores.",
    "Restores had not been tested for a year",
    "The runbook did not name the script",
    "a customer pushed a valid configuration that met the conditions",
    # what people did, by name, to help
    "Bob deleted the stale lock file, the queue drains again",
    "Ada restarted db1",
    "@ada rolled back to 8.16.1",
    "Ada found the cause: a missing index",
    "cause: Ada found a missing index on orders",
    "Bob wiped the data directory on db2 so that basebackup starts clean",
    "Ada took down the maintenance page",
    "Bob brought down the error rate by draining eu-west",
    "Zoë took db2 out of rotation",
    "Ada took the site down for maintenance at 03:30",
    "Ada broke the query into two",
    "Bob broke down the timeline for the call",
    "Bob killed the long query",
    "Ada dropped the temp table",
    "Bob removed the primary from rotation",
    "Bob pushed the fix for the bad config",
    "Ada reverted the broken commit",
    "Bob noticed the wrong host within a second and stopped the command",
    "Thanks to Bob we found it in minutes",
    "because Ada was on call we had the dump at once",
    "escalated to Bob because Ada did not answer",
    "Ada did not see any errors after 03:20",
    "Bob did not find anything odd in the audit log",
    "Ada has not checked db2 yet",
    "failover triggered by Ada at 03:12",
    "rollback started by Bob",
    "Ada is responsible for the status page during this incident",
    "responsible: Bob",
    "problem: Ada cannot reach the bastion, can you look",
    "it was Ada who found the leak",
    "this is Ada, taking over from Bob",
    "Bob's change of 14:02 was rolled back",
    "Ada's dashboard shows the drop",
    "did will restart it? will deleted rows come back?",
    "al the nodes are up again (typo: all)",
    # plans, hopes, talk
    "we should fail over now",
    "we should just roll back, any objections?",
    "we should have 3 replicas by 04:00",
    "we should have the fix out in 10 minutes",
    "you should have received an invite to the call",
    "everyone should have read access now",
    "should have been 5 not 50",
    "Load is clearly up",
    "you just need to restart the pod",
    "don't forget to page the network team",
    "do not forget to unsilence the alert",
    "the right to be forgotten job is stuck",
    "it could have been worse",
    "it could have happened in any region",
    "What could have caused this?",
    "who is on call?",
    "who deployed last?",
    "who owns the billing queue",
    "Whoever is awake, please join the bridge",
    "how hard is it to fail over to eu-west?",
    "had anyone seen this before?",
    "be careful with db1, it is nearly full",
    "please pay attention to the lag graph",
    "a more careful rollout in stages",
    "Make it obvious which host a shell is on",
    "Public statement blaming problems of the telecom links.",
    "my mistake, it was 03:12 and not 03:21",
    "the model needs retraining after the schema change",
    "alert fired and was acked",
    "we let the queue drain",
    # blamelessness, denied blame, other people's words, code
    "This review is blameless.",
    "not your fault, nothing stopped you",
    "it's nobody's fault",
    "this was not human error",
    "Human error is never a root cause.",
    "we look for causes, not whose fault it was",
    "let us talk about the system instead of blaming Bob",
    "the customer wrote “you are careless with our data”",
    'the ticket says "whose fault is this"',
    "the tweet read 'they should have known', 4k likes",
    "> Bob deleted the database",
    "log says `user error: forgot to pass --host`",
    "```\nerror: operator error, stupid input\n```",
    # written before the rules were tried on them
    "Priya scaled the workers from 4 to 12, lag is falling",
    "Tom is paging the DBA",
    "marcus: can you check the mistakes topic, there are 300 poison messages",
    "The load balancer caused a second spike at 04:10",
    "Error budget for checkout is gone",
    "Marcus and Ines are looking at DNS",
    "The certificate should have been renewed by cert-manager on 1 May",
    "cert-manager did not renew the certificate because the issuer was missing",
    "The pager app failed to notify the on-call",
    "Ines failed over the database to eu-west at 03:20",
    "Tom's laptop died, Priya takes over",
    "Priya broke quorum on purpose to force a new election",
    "Marcus deleted three crash-looping pods",
    "Tom dropped the connection limit to 50",
    "tests failed: should have returned 200 but got 503",
    "We could have lost data, the WAL saved us",
    "Nobody was hurt",
    "It was obvious from the graph that latency rose at 14:02",
    "Disk should have filled up at 05:00, cleaned logs",
    "Ines disabled the bad feature flag",
    "marcus restored the wrong-region backup to a scratch host to compare",
    "A guard had been removed in a refactoring",
    "The vendor pushed a broken build",
    "Config was changed without review because the approval bot was down",
    "rm -rf ran against the wrong mount",
    "An operator entered the wrong capacity; the tool did not ask for confirmation",
    "customers blame us on Twitter",
    "it might have been caused by the kernel upgrade",
    "Priya ruled out DNS",
    "Tom tested the restore, 42 min",
    "Tom did not restart anything",
    "Ines: never seen this error before",
    "I ran that on db1",
    "I should be back in 5",
    "you should see the page now",
    "they should be able to log in again",
    "Ada from support should have the list of customers by noon",
    "who can approve the rollback?",
    "why did the check not fire?",
    "The alert was ignored by the router because of a silence",
    "missed the SLO by 3 minutes",
    "The scheduler missed two heartbeats",
    "Rollback failed, trying again",
    "We took down the site at 23:50 so that nobody could write",
    "The site was taken down by the DDoS",
    "Marcus wiped the cache on all edge nodes",
    "Tom removed the broken node from the pool",
    "Ines killed the backup job, it was saturating the disk",
    "the script deleted the old backups as designed",
    "o.k. this is working, o.k. to close?",
    "Priya overwrote the config on canary with the last good one",
    "the password reset queue is stuck",
    "the fault was traced to a line card",
    "Responders were careful to snapshot first",
    "Tom will be paying more attention to the lag graph while I sleep",
    "someone please check the logs",
    "Marcus exposed the metrics port on the bastion",
    "Tom added the wrong-host check to the wrapper",
    "Priya merged the hotfix without waiting for the full suite, decided by lead",
    "We never tested the standby with real traffic",
    "Wei is draining eu-1",
    "June: disk at 91 %, adding a volume",
    "dmitri confirmed that the backup from 02:00 restores",
    "Sofia's theory: connection leak in the pool",
    "karim deployed 4.2.1 to canary",
    "Karim enabled maintenance mode",
    "the new version should have been out at 04:00, delayed",
    "retry storm caused by the client library",
    "Sofia deleted the duplicate DNS record",
    "dmitri removed the failing node from the load balancer",
    "dmitri dropped privileges of the app user",
    "June wiped and rebuilt web-03",
    "Wei cleared the queue of poison messages",
    "the bad config had been merged on Tuesday",
    "Wei reverted her change",
    "June took over as lead from dmitri",
    "Sofia brought search back online",
    "Sofia brought down the old cluster once traffic was at zero",
    "Karim caught the regression in staging",
    "errors stopped after Karim restarted the proxy",
    "no human was involved, the autoscaler did it",
    "Human approval is required for this step",
    "checkout broke at 14:02",
    "search was broken by the index rebuild",
    "the fault is on the carrier's side",
    "the carrier admitted fault",
    "fault injected on purpose as part of the drill",
    "customer says it is our fault, credit them",
    "Is this the same as last week?",
    "we ought to tell support",
    "should we have two people on the call?",
    "I would have expected 200 here",
    "this would have paged if the threshold was 5 %",
    "nothing could have been restored from that bucket",
    "guard rails caught the wrong host name",
    "the tool does not check which host it runs on",
    "nobody was paged because the escalation policy was empty",
    "nobody answered at the carrier",
    "the pipeline allows merging without review",
    "change was deployed without a canary",
    "cause: the on-call laptop could not reach the VPN",
    "engineer on call confirmed recovery",
    "the mistake in the docs is fixed",
    "error: token expired, user must log in again",
    "errors by region: eu 40 %, us 2 %",
    "the error of the estimate was 20 %",
    "ignore the pages from staging please",
    "missed call from PagerDuty",
    "the watchdog killed the database process",
    "the OOM killer killed production's sidekiq",
    "Chaos monkey shut down two nodes",
    "systemd restarted the wrong unit",
    "a script applied the wrong label to all pods",
    "The wrong certificate was served",
    "a person on the bridge asked for numbers",
    "training data is stale",
    "on-call handover: Wei to June",
    "June 2021 data deleted by retention job",
    "May be caused by DNS",
    "We knew the replica was behind",
    "Hiro removed the faulty disk from db3",
    "lina merged the revert",
    "nginx forgot nothing, the config was never reloaded",
    "sam took the API docs page offline",
    "Petra asked the platform team for a second pair of eyes",
    "platform team tested the rollback twice",
    "edit of the zone file at 09:12 removed the MX record",
    "the operator pod crashed with an error",
    "peak time traffic doubles at 18:00",
    "Olu read the ticket, the customer sees 403",
    "outage page is up, Petra owns it",
    "Sam read the runbook: step 4 no longer exists",
    "careful: the release team is still deploying",
    "alarms were silenced during maintenance",
    "load balancer was misconfigured by the automation",
    "Olu found what caused the outage",
    "DNS records are back",
    "access was revoked at 11:00",
    "the build is broken since commit 3f1c9ab",
    "test in staging first, then prod",
    "no mistake in the numbers, it really is 40 %",
    "support told the customers at 10:15",
    "the change was rushed by a deadline on Friday",
    "failure of the primary PSU",
    "certificate check passed",
    "VLAN 210 was configured on the wrong port",
    "the reviewer approved with comments",
    "Sam fixed it, Petra verified",
    "the hosting company confirmed a power failure",
    "prefix list allowed /8 instead of /18",
    # other languages pass unremarked
    "Das hätte man wissen müssen, Bob hat die Datenbank gelöscht",
]


def test_phrases_that_blame_are_pointed_out() -> None:
    assert [text for text in BLAMING if not words(text)] == []
    assert [words(text) for text in MISSED] == [[]] * len(MISSED)
    assert len(set(BLAMING)) == len(BLAMING) >= 60
    assert len(BLAMING) / (len(BLAMING) + len(MISSED)) >= 0.9


def test_look_alikes_are_left_alone() -> None:
    assert {text: words(text) for text in INNOCENT if words(text)} == {}
    assert len(set(INNOCENT)) == len(INNOCENT) >= 80


def test_the_page_has_the_rules_and_the_figures() -> None:
    rows = re.findall(r"^\| ([^|`]+) \| `([^`]+)` \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert [name for name, _, _ in rows] == [rule.name for rule in RULES]
    rules = {rule.why + rule.instead: rule.name for rule in RULES}
    for name, said, instead in rows:
        assert [rules[find.why + find.instead] for find in blaming(said, PEOPLE)] == [name]
        assert words(instead) == []
    innocent = PAGE[PAGE.index("## What is not") : PAGE.index("## How often")]
    assert {text: words(text) for text in re.findall("`([^`]+)`", innocent) if words(text)} == {}
    assert f"{len(BLAMING)} of {len(BLAMING) + len(MISSED)} are found" in PAGE
    assert f"0 alarms on {len(INNOCENT)} sentences" in PAGE


# --- how it is pointed out --------------------------------------------------------------------------------------------


def test_a_find_says_where_it_stands_why_and_what_to_say_instead() -> None:
    assert blaming("03:12 cause: @ada’s deploy; Human error.", PEOPLE) == (
        Phrase(
            start=6,
            end=26,
            words="cause: @ada’s deploy",
            why="It names a person as the cause. Somebody else would have done the same in that place; the question "
            "is what made it possible.",
            instead="Name the change, the system or the missing guard as the cause.",
        ),
        Phrase(
            start=28,
            end=39,
            words="Human error",
            why="It ends the search where it should begin: people err every day, and something let this one through.",
            instead="Say what was done and what allowed it: “the command ran on db1; both prompts look alike”.",
        ),
    )


def test_of_overlapping_finds_the_longest_stands() -> None:
    assert words("it was a rookie mistake") == ["rookie mistake"]
    assert words("Bob should have known better") == ["should have known better"]


def test_every_rule_finds_something_and_explains_itself() -> None:
    found = {phrase.why + phrase.instead for text in BLAMING for phrase in blaming(text, PEOPLE)}
    assert [rule.name for rule in RULES if rule.why + rule.instead not in found] == []
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert [rule.name for rule in RULES if blaming(rule.why) or blaming(re.sub("“.*?”", "", rule.instead))] == []
    assert [rule.instead for rule in RULES if blaming(rule.instead.replace("“", "").replace("”", ""))] == []


def test_spelling_quotes_case_markup_and_line_ends_do_not_matter() -> None:
    assert words("BOB DIDN´T CHECK") == words("Bob didn't\ncheck".upper().replace("\n", " ").replace("'", "´"))
    assert words("**Bob** deleted the *production* database") == ["Bob** deleted the *production* database"]
    assert words("a lapse in judgment; poor judgement") == ["lapse in judgment", "poor judgement"]
    assert words("they failed to realise, we failed to realize") == ["they failed to realise", "we failed to realize"]
    assert words("the on-call failed\nto follow the runbook") == ["the on-call failed\nto follow"]
    assert words("human\u00a0error, fat\u2011fingered") == ["human\u00a0error", "fat\u2011fingered"]


def test_a_paragraph_or_a_quote_is_not_reached_across() -> None:
    assert words("On the call: Bob\n\nbroke: checkout") == []
    assert words("Bob “Bobby” broke checkout") == []


def test_a_person_is_known_by_display_name_first_name_and_handle() -> None:
    for name in ("Zoë Bäcker", "zoë", "@Zoë", "Jean-Luc", "@sofia.r", "Al"):
        assert words(f"{name} broke login") == [f"{name} broke"]
    assert blaming("Zoe\u0308 broke login", ["Zoë Bäcker (she/her)"]) != ()
    assert blaming("Bäcker broke login", ["Zoë Bäcker"]) == ()


def test_only_people_who_are_handed_over_are_people() -> None:
    assert blaming("Carol broke login", PEOPLE) == ()
    assert blaming("Carol broke login", ["Carol"]) != ()
    assert blaming("Bob broke login") == ()


def test_names_of_roles_and_programs_are_no_people() -> None:
    roles = ["Database On-call", "infra-1", "prod-eng-2", "SRE Lead", "Platform Engineer A", "incident-bot", "GitHub"]
    assert [role for role in roles if blaming(f"{role} deleted the database", roles)] == []


def test_a_name_that_is_an_everyday_word_counts_with_a_capital_or_an_at_sign() -> None:
    names = ["Will Turner", "max"]
    assert blaming("max caused by the limit, will broke", names) == ()
    assert [phrase.words for phrase in blaming("@max caused it", names)] == ["@max caused"]
    assert [phrase.words for phrase in blaming("Will broke login", names)] == ["Will broke"]


# --- the texts of real incidents --------------------------------------------------------------------------------------


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str) and " " in node:
        yield node


def stories() -> Iterator[tuple[list[str], list[str]]]:
    """Of each file the texts, and everybody who is named as author, owner or member."""
    for path in sorted(EXAMPLES.iterdir()):
        raw = path.read_text(encoding="utf-8")
        story = json.loads(raw) if path.suffix == ".json" else yaml.safe_load(raw)
        people = re.findall(r'^\s*(?:- )?(?:by|owner|"name"|"real_name"): "?([^"\n]+?)"?,?$', raw, re.MULTILINE)
        yield list(strings(story)), people


def test_the_texts_of_real_incidents_raise_one_alarm_and_no_secret() -> None:
    texts = named = 0
    alarms, found = [], []
    for lines, people in stories():
        texts += len(lines)
        named += len(people)
        alarms += [(phrase.words, line) for line in lines for phrase in blaming(line, people)]
        found += [line for line in lines if secrets(line)]
    assert texts > 1300
    assert "more than 1300 texts" in PAGE
    assert named >= 300
    assert alarms == [("should have been anticipated", "The condition should have been anticipated.")]  # hindsight
    assert found == []


# --- secrets ----------------------------------------------------------------------------------------------------------

# Put together here, so that no scanner takes this file for a leak.
LETTERS = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"
SECRET = {
    "AKIA" + "Q3EGRT5K7WVX2MNB": "AKIA…",
    "ghp" + "_" + LETTERS[:36]: "ghp_…",
    "github" + "_pat_" + LETTERS[:22] + "_" + LETTERS: "github_pat_…",
    "glpat" + "-" + LETTERS[:20]: "glpat-…",
    "xoxb" + "-123456789012-" + LETTERS[:24]: "xox…",
    "xapp" + "-1-A0123-" + LETTERS[:24]: "xox…",
    "npm" + "_" + LETTERS[:36]: "npm_…",
    "pypi" + "-AgEIcHlwaS5vcmc" + LETTERS: "pypi-…",
    "sk" + "_live_" + LETTERS[:24]: "sk_live_…",
    "AIza" + LETTERS[:35]: "AIza…",
    "hvs" + "." + LETTERS[:24]: "hvs.…",
    "sk" + "-proj-" + LETTERS: "sk-…",
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0." + LETTERS: "eyJ…",
    "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA" + LETTERS + "\n-----END RSA PRIVATE KEY-----": (
        "-----BEGIN PRIVATE KEY-----…"
    ),
}
IN_CONTEXT = {  # the text, and what of it is the secret
    "password: Winter2024!": "Winter2024!",
    "db password is hunter22, try it": "hunter22",
    "password for orders-db is hunter2": "hunter2",
    "the password for the orders-db is now hunter2!": "hunter2!",
    "export PGPASSWORD=letmein": "letmein",
    "DB_PASSWORD='Tr0ub4dor&3'": "Tr0ub4dor&3",
    '{"password": "s3cr3tPass"}': "s3cr3tPass",
    "pwd = 12345678": "12345678",
    "passphrase: c0rrect.horse!battery": "c0rrect.horse!battery",
    "token=9f86d081884c7d659a2f": "9f86d081884c7d659a2f",
    "api_key: 7Hq29dLmZ01xT": "7Hq29dLmZ01xT",
    "client_secret=Zm9vYmFyMTIzNDU2": "Zm9vYmFyMTIzNDU2",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY1234567890": "wJalrXUtnFEMI/K7MDENG/bPxRfiCY1234567890",
    "vault login --token s3cretT0ken99": "s3cretT0ken99",
    "postgres://app:Pa55word@db1.example:5432/prod": "Pa55word",
    "redis://:q8Wd0m@cache:6379": "q8Wd0m",
    "curl -H 'Authorization: Bearer abc123def456ghi789'": "abc123def456ghi789",
    "Authorization: Basic dXNlcjpwYXNzd29yZA==": "dXNlcjpwYXNzd29yZA==",
    "sent bearer 0123456789abcdef0123456789 along": "0123456789abcdef0123456789",
    "mysql -u root -pS3cret99 -h db1": "S3cret99",
    "curl -u admin:Gr33nTea https://ci.example": "Gr33nTea",
    "DefaultEndpointsProtocol=https;AccountKey=" + LETTERS + "==;": LETTERS + "==",
}
NO_SECRET = [
    "password reset mails are not sent",
    "password: reset by the support team",
    "the password was changed at 14:05",
    "the password for orders-db is rotated",
    "the token for checkout was expired",
    "password is wrong according to the log",
    "password=expired",
    "PASSWORD=${DB_PASSWORD}",
    "password: [redacted]",
    "password: ********",
    "password: <your password>",
    "password=os.environ['DB_PASSWORD']",
    "password: see OPS-1234",
    "password: OPS-12345",
    "password: 2026-11-21 rotated",
    "passwords: argon2id, rehashed",
    "password: argon2id",
    "password=/run/secrets/db_password1",
    "password: ada@example.org asked for a new one",
    "the token expired at 03:12",
    "token: revoked",
    "token bucket: 1200 per second",
    "token=get_token()",
    "max_tokens=4096",
    "token: 9 of 12 are revoked",
    "secret scanning: 1 new alert in environments",
    "secret: tls-cert-2026",
    "kubernetes secret: db-credentials-v2",
    "secret=CP_GITHUB_ACTIONS_WRITER2",
    "token: v1.2.3-beta4",
    "secret was rotated by the platform team",
    "api key: rotated",
    "private key was not exposed",
    "somebody pasted -----BEGIN PRIVATE " + "KEY----- and nothing else",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkq\n-----END CERTIFICATE-----",
    "commit 3f1c9ab7d2e4f6a8b0c1d3e5f7a9b1c3d5e7f901 is live",
    "request 550e8400-e29b-41d4-a716-446655440000 failed",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "https://grafana.example:3000/d/abc?orgId=1",
    "postgres://user:password@host/db",
    "https://github.com/acme/app/pull/41205",
    "git@github.com:acme/app.git",
    "curl -u $USER:$PASS https://ci.example",
    'curl -H "Authorization: token ghp_XXXXXXXXXXXXXXXX" https://api.github.com/user',
    "AKIA" + "IOSFODNN7EXAMPLE",
    "mkdir -p /var/lib/postgresql",
    "ssh -p 2222 bastion",
    "the bearer of bad news",
    "basic authentication-endpoint-v2 is down",
    "ticket SK-12345, task-1234567890123456789012345678901234",
    "pwd: /var/opt/gitlab/postgresql/data9",
    "DELETE /api/v1/tokens/1234567890abcdef -> 404",
]


@pytest.mark.parametrize(("secret", "mark"), SECRET.items(), ids=[*SECRET.values()])
def test_a_secret_is_known_by_its_shape(secret: str, mark: str) -> None:
    text = f"here it is: {secret} , use it"
    (found,) = secrets(text)
    assert (text[found.start : found.end], found.words) == (secret, mark)


@pytest.mark.parametrize(("text", "secret"), IN_CONTEXT.items())
def test_a_secret_is_known_by_what_stands_before_it(text: str, secret: str) -> None:
    (found,) = secrets(text)
    assert text[found.start : found.end] == secret
    assert secret not in found.words + found.why + found.instead


def test_what_talks_of_secrets_is_none() -> None:
    assert {text: [one.words for one in secrets(text)] for text in NO_SECRET if secrets(text)} == {}


def test_a_secret_is_found_in_code_and_in_quotes_too() -> None:
    assert len(secrets("`password: Winter2024!` and “token=9f86d081884c7d659a2f”")) == 2


def test_a_find_of_a_secret_says_what_to_do() -> None:
    assert secrets("db password: hunter22") == (
        Phrase(
            start=13,
            end=21,
            words="password…",
            why="This looks like what belongs to “password”. Everybody who reads this channel or the document can "
            "use it.",
            instead="redact <n>, and change it where it is used: it may have been copied already.",
        ),
    )


# --- any text ---------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [*"\n\t*'\"`>@-.:;,ꙮ|", "Bob", "@ada", "Zoë Bäcker", " ", "  ", "’", "“", "```", "the engineer", "should", "have",
     "had", "not", "forgot", "to", "broke", "caused by", "who", "human", "error", "deleted the", "database", "password",
     "=", "token is", "eyJ", "-----BEGIN", "PRIVATE KEY-----", "://", "ghp_", "bearer", "x1Y2z3" * 9]
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(PIECES | st.text(max_size=12), max_size=250).map(lambda pieces: " ".join(pieces)[:4000]))
@example("Bob " * 1000)
@example("\U0001f600 Bob broke it " * 200)
@example("İ ﬁ ŉ Bob broke it")
def test_any_text_is_read_and_finds_lie_in_order_within_it(text: str) -> None:
    for finds in (blaming(text, PEOPLE), secrets(text)):
        ends = [0]
        for find in finds:
            assert ends[-1] <= find.start < find.end <= len(text)
            ends.append(find.end)
    assert all(text[find.start : find.end] == find.words for find in blaming(text, PEOPLE))


@pytest.mark.parametrize("piece", ["he ", "had Bob ", "' '", "-p eyJaaaaaaaa.", "password="])
def test_time_grows_with_the_length_and_not_faster(piece: str) -> None:
    def taken(length: int) -> float:
        text = (piece * length)[:length]
        spent = []
        for _ in range(2):
            start = time.process_time()
            blaming(text, PEOPLE)
            secrets(text)
            spent.append(time.process_time() - start)
        return min(spent)

    taken(10)
    assert taken(8000) < 8 * 4 * max(taken(1000), 0.001)  # with the square of the length it would be 64 times
