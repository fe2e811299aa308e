"""What examples/github has to make of hours of GH Archive, found by the plainest means.

    github.py FOLDER      an object: types, the count of raw events by type; activity and commits, summaries as in rows.py;
                          pushed, the number of commits in all pushes; sequences, by user the answer of the sequence activity
"""

import collections
import datetime
import glob
import gzip
import json
import os
import sys

import rows
from xxh64 import xxh64

KINDS = {"PushEvent": "push", "WatchEvent": "star", "ForkEvent": "fork", "IssuesEvent": "issue",
         "PullRequestEvent": "pull_request"}
SHOWN = ["ts", "event_type", "repo", "action", "number", "title", "commits", "changed_lines"]
COMMON = ["user_id", "ts", "seen_at", "event_type", "event_key", "revision"]
ACTIVITY = [*COMMON, "event_id", "login", "repo_id", "repo", "org", "ref", "commits", "new_commits", "action", "fork",
            "number", "title", "labels", "is_bug", "additions", "deletions", "merged", "changed_lines"]


def events(folder):
    for path in sorted(glob.glob(os.path.join(folder, "*.json.gz"))):
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            yield from map(json.loads, file)


def system(event, kind, name):
    time = datetime.datetime.strptime(event["created_at"], "%Y-%m-%dT%H:%M:%SZ")
    micros = int(time.replace(tzinfo=datetime.timezone.utc).timestamp()) * 1_000_000
    return {"user_id": event["actor"]["id"], "ts": micros, "seen_at": micros, "event_type": kind,
            "event_key": xxh64(name), "revision": 0}


def features(kind, payload):
    if kind == "push":
        return {"ref": payload["ref"], "commits": payload["size"], "new_commits": payload["distinct_size"]}
    if kind == "star":
        return {"action": payload["action"]}
    if kind == "fork":
        return {"fork": payload["forkee"]["full_name"]}
    if kind == "issue":
        labels = [label["name"] for label in payload["issue"]["labels"]]
        return {"action": payload["action"], "number": payload["issue"]["number"], "title": payload["issue"]["title"],
                "labels": labels, "is_bug": any("bug" in label.lower() for label in labels)}
    pull = payload["pull_request"]
    return {"action": payload["action"], "number": pull["number"], "title": pull["title"],
            "additions": pull["additions"], "deletions": pull["deletions"],
            "merged": payload["action"] == "closed" and pull["merged"],
            "changed_lines": pull["additions"] + pull["deletions"]}


def activity(event):
    kind, payload = KINDS.get(event["type"]), event["payload"]
    if kind and (kind != "push" or payload["size"] > 0):
        row = system(event, kind, event["id"])
        row |= {"event_id": event["id"], "login": event["actor"]["login"], "repo_id": event["repo"]["id"],
                "repo": event["repo"]["name"], "org": event.get("org", {}).get("login"), **features(kind, payload)}
        yield {column: row.get(column) for column in ACTIVITY}


def commits(event):
    if event["type"] != "PushEvent":
        return
    for place, commit in enumerate(event["payload"]["commits"]):
        if commit["distinct"]:
            message = commit["message"]
            yield system(event, "commit", event["id"] + "/" + commit["sha"]) | {
                "push_id": event["id"], "repo_id": event["repo"]["id"], "repo": event["repo"]["name"],
                "sha": commit["sha"], "message": message, "position": place,
                "is_merge": message.startswith("Merge "), "message_length": len(message)}


def sequence(found):
    """The newest 200 of a user's events, of them at most 100 pushes, oldest first."""
    taken, pushes = [], 0
    for row in sorted(found, key=lambda row: (row["ts"], row["event_type"], row["event_key"]), reverse=True):
        if row["event_type"] == "push":
            pushes += 1
            if pushes > 100:
                continue
        taken.append({name: row[name] for name in SHOWN})
    return taken[:200][::-1]


def main():
    types, users, stored, pushed = collections.Counter(), collections.defaultdict(list), ([], []), 0
    for event in events(sys.argv[1]):
        types[event["type"]] += 1
        if event["type"] == "PushEvent":
            pushed += len(event["payload"]["commits"])
        for row in activity(event):
            stored[0].append(row)
            users[row["user_id"]].append(row)
        stored[1].extend(commits(event))
    busiest = sorted(users, key=lambda user: (-len(users[user]), user))
    print(json.dumps({
        "types": types, "pushed": pushed, "activity": rows.summary(stored[0]), "commits": rows.summary(stored[1]),
        "sequences": {user: sequence(users[user]) for user in busiest[:40] + busiest[-40:]}}))


main()
