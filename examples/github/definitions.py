"""Sequences over GH Archive's events: what each person pushed, starred, forked, opened and closed."""

from seqline import Counter, Derive, EventType, Gap, Sequence, Session, Source

log = Source(
    "gharchive", path="{date}-*.json.gz", user="actor.id", ts="created_at", id="id", type="type", lateness="1d",
    fields={
        "id": "string",
        "type": "string",
        "created_at": "timestamp[rfc3339]",
        "actor.id": "int64",
        "actor.login": "string",
        "repo.id": "int64",
        "repo.name": "string",
        "org.login": "string",
        "payload.action": "string",
        "payload.ref": "string",
        "payload.size": "int32",
        "payload.distinct_size": "int32",
        "payload.commits[].sha": "string",
        "payload.commits[].message": "string",
        "payload.commits[].distinct": "bool",
        "payload.forkee.full_name": "string",
        "payload.issue.number": "int64",
        "payload.issue.title": "string",
        "payload.issue.comments": "int32",
        "payload.issue.labels[].name": "string",
        "payload.pull_request.number": "int64",
        "payload.pull_request.title": "string",
        "payload.pull_request.merged": "bool",
        "payload.pull_request.additions": "int64",
        "payload.pull_request.deletions": "int64",
    },
)

# What every event of the activity dataset has.
WHERE_AND_WHO = {
    "event_id": "id",
    "login": "actor.login",
    "repo_id": "repo.id",
    "repo": "repo.name",
    "org": "org.login",
}


def activity(name, kind, columns, where="true", enrich=()):
    return EventType(
        name, source=log, owner="examples", retention="730d", dataset="activity",
        where="type == '%s' && (%s)" % (kind, where), columns={**WHERE_AND_WHO, **columns}, enrich=enrich)


push = activity("push", "PushEvent", {
    "ref": "payload.ref",
    "commits": "payload.size",
    "new_commits": "payload.distinct_size",
}, where="payload.size > 0")

star = activity("star", "WatchEvent", {"action": "payload.action"})

fork = activity("fork", "ForkEvent", {"fork": "payload.forkee.full_name"})

issue = activity("issue", "IssuesEvent", {
    "action": "payload.action",
    "number": "payload.issue.number",
    "title": "payload.issue.title",
    "labels": "payload.issue.labels[].name",
    "is_bug": "payload.issue.labels.name.exists(label, label.matches('(?i)bug'))",
})

pull_request = activity("pull_request", "PullRequestEvent", {
    "action": "payload.action",
    "number": "payload.pull_request.number",
    "title": "payload.pull_request.title",
    "additions": "payload.pull_request.additions",
    "deletions": "payload.pull_request.deletions",
    "merged": "payload.action == 'closed' && payload.pull_request.merged",
}, enrich=[Derive("changed_lines", "additions + deletions")])

# A push becomes one record per commit that is new; the commit's hash tells the records of a push apart.
commit = EventType(
    "commit", source=log, owner="examples", retention="730d", dataset="commits",
    where="type == 'PushEvent' && payload.commits.distinct",
    explode="payload.commits", explode_key="payload.commits[].sha",
    columns={
        "push_id": "id",
        "repo_id": "repo.id",
        "repo": "repo.name",
        "sha": "payload.commits[].sha",
        "message": "payload.commits[].message",
        "position": "element_index",
    },
    enrich=[
        Derive("is_merge", "message.startsWith('Merge ')"),
        Derive("message_length", "size(message)"),
    ])

Sequence(
    "activity", owner="examples", stage="production", events=[push, star, fork, issue, pull_request],
    max_length=200, caps={push: 100}, window="90d",
    columns=["ts", "event_type", "repo", "action", "number", "title", "commits", "changed_lines"],
    derive=[
        Counter("events_1h", window="1h"),
        Counter("lines_1d", "sum", "changed_lines", window="1d"),
        Session("session", gap="30m"),
        Gap("since_push", where="event_type == 'push'"),
    ],
    freshness="5m", completeness="99% after 1d")

Sequence(
    "interests", owner="examples", events=[star, fork], max_length=50, where="!repo.endsWith('.github.io')",
    columns=["ts", "event_type", "repo_id", "repo"])

Sequence(
    "commits", owner="examples", events=[commit], max_length=500, window="365d",
    columns=["ts", "repo", "sha", "message", "is_merge"],
    derive=[Counter("merges", where="is_merge")])
