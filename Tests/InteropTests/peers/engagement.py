"""The rows that examples/engagement has to store, found by the plainest means.

    engagement.py FOLDER      an object: dataset -> summary as in rows.py

FOLDER holds what generate.py wrote: raw/*/*.ndjson and items.ndjson.
"""

import bisect
import glob
import json
import os
import sys

import rows
from xxh64 import xxh64

FEATURES = {
    "engagements": ["action", "item_id", "visible_ms", "position", "dwell_ms", "board", "surface", "device", "country",
                    "category", "embedding", "is_mobile"],
    "searches": ["query", "results", "surface", "device", "country", "is_mobile", "found_nothing"],
}


def raw_events(folder):
    """The lines that are whole, with their user and time."""
    for path in sorted(glob.glob(os.path.join(folder, "raw", "*", "*.ndjson"))):
        with open(path, encoding="utf-8") as file:
            for line in file:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if isinstance(event, dict) and type(event["ts"]) is int and type(event["user"]["id"]) is int:
                    yield event


def candidates(event):
    """(event type, id, whether its filter holds, features) of every record that an event may become."""
    kind, payload, name = event["type"], event["payload"], event["event_id"]
    if kind == "feed_view":
        for place, item in enumerate(payload["items"]):
            features = {"item_id": item["id"], "visible_ms": item["visible_ms"], "position": place}
            yield "impression", "%s/%d" % (name, place), item["visible_ms"] >= 1000, features
    elif kind == "click":
        yield "click", name, payload["dwell_ms"] >= 1000, payload
    elif kind == "save":
        yield "save", name, True, payload
    elif kind == "search":
        features = {**payload, "found_nothing": payload["results"] == 0}
        yield "search", name, len(payload["query"]) > 0, features


def winners(folder):
    """Of each event the highest revision, of equal ones the first seen."""
    best = {}
    for event in raw_events(folder):
        for kind, name, holds, features in candidates(event):
            rank = (event["rev"], -event["received_at"])
            known = best.get((kind, name))
            if known is None or rank > known[0]:
                best[kind, name] = (rank, holds, event, features)
    return ((kind, name, event, features) for (kind, name), (_, holds, event, features) in best.items() if holds)


def items(folder):
    """item -> its rows by time: [(created, category, embedding)]"""
    table = {}
    with open(os.path.join(folder, "items.ndjson"), encoding="utf-8") as file:
        for row in map(json.loads, file):
            table.setdefault(row["item_id"], []).append((row["created_ts"], row["category"], row["embedding"]))
    for versions in table.values():
        versions.sort(key=lambda row: row[0])
    return table


def as_of(versions, ts):
    place = bisect.bisect_right([created for created, _, _ in versions], ts)
    return versions[place - 1] if place else None


def record(kind, name, event, features, table):
    context = event["context"]
    row = {
        "user_id": event["user"]["id"], "ts": event["ts"] * 1000, "seen_at": event["received_at"] * 1000,
        "event_type": kind, "event_key": xxh64(name), "revision": event["rev"], **features, "action": kind,
        "surface": context["surface"], "device": context["device"], "country": event["user"]["country"],
        "is_mobile": context["device"] in ("ios", "android")}
    item = as_of(table.get(row.get("item_id"), []), event["ts"])
    row["category"], row["embedding"] = item[1:] if item else (None, None)
    return row


def main():
    table = items(sys.argv[1])
    stored = {"engagements": [], "searches": []}
    for kind, name, event, features in winners(sys.argv[1]):
        dataset = "searches" if kind == "search" else "engagements"
        row = record(kind, name, event, features, table)
        system = ("user_id", "ts", "seen_at", "event_type", "event_key", "revision")
        stored[dataset].append({column: row.get(column) for column in [*system, *FEATURES[dataset]]})
    print(json.dumps({dataset: rows.summary(found) for dataset, found in stored.items()}))


main()
