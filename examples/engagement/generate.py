#!/usr/bin/env python3
"""Generate an app's engagement log with everything a real one has, and the table of its items.

    generate.py OUT [--days 3] [--events 20000] [--users 500] [--items 2000] [--start 2026-11-18] [--seed 1]
    generate.py OUT --stream RATE    appends to OUT/events.log, RATE events a second, until it is stopped

OUT/raw/dt=YYYY-MM-DD/events-N.ndjson  events filed by the day of their arrival, about --events a day
OUT/items.ndjson                       item_id, category, created_ts, embedding[16]; some items changed their category

2 % of the events arrive one to three days late (those that arrive after the last day are not there yet), 1 % are
delivered twice, 1.5 % of the clicks are corrected by a revision that can take the event out or bring it in, 0.2 % of
the lines are malformed. The same arguments give the same bytes. Streamed events happen now, to the same users and items.
"""

import argparse
import datetime
import json
import os
import random
import sys
import time

DAY = 86_400_000
HOUR = 3_600_000
FILES_PER_DAY = 2
SURFACES = ["home", "home", "home", "related", "related", "search", "board"]
DEVICES = ["ios", "ios", "android", "android", "web"]
COUNTRIES = ["US", "US", "DE", "FR", "BR", "JP", "IN"]
CATEGORIES = ["recipes", "travel", "garden", "interior", "fashion", "art", "fitness", "technology", "weddings", "pets"]
BOARDS = ["Ideas", "Wohnung 2027", "To cook", "Été", "\u53f0\u6240", "Later"]
ADJECTIVES = ["small", "green", "easy", "modern", "cosy", "vegan", "cr\u00e8me", '"best"', "wooden", "summer"]
NOUNS = ["kitchen", "balcony", "pasta", "tattoo", "bookshelf", "haircut", "caf\u00e9", "desk", "quilt", "trail"]


class World:
    """The users and items, and the clock of everything random."""

    def __init__(self, options):
        self.random = random.Random(options.seed)
        self.start = int(datetime.datetime.strptime(options.start, "%Y-%m-%d").replace(
            tzinfo=datetime.timezone.utc).timestamp() * 1000)
        self.end = self.start + options.days * DAY
        self.days = options.days
        self.users = [self.user(number) for number in range(options.users)]
        self.items = [10_000 + 7 * number for number in range(options.items)]

    def user(self, number):
        return {
            "id": 1_000 + number * 13, "country": self.random.choice(COUNTRIES), "device": self.random.choice(DEVICES)}

    def popular(self, values):
        """One of the values, the first far more often than the last."""
        return values[int(len(values) * self.random.random() ** 3)]


def sessions(world, count):
    """About `count` events of whole sessions, each of one user, spread over the days."""
    made = 0
    while made < count:
        user = world.popular(world.users)
        ts = world.start + int((world.end - world.start) * world.random.random())
        for event in session(world, user, ts):
            if event["ts"] < world.end:
                made += 1
                yield event


def session(world, user, ts):
    """Scrolls feeds, opens some of what they show, saves some of that, and searches now and then."""
    rng = world.random
    name = "%016x" % rng.getrandbits(64)
    context = {"surface": rng.choice(SURFACES), "device": user["device"], "session": name}
    for _ in range(1 + int(rng.expovariate(0.3))):
        if rng.random() < 0.2:
            yield raw(world, user, ts, context, "search", query(rng))
            ts += 500 + int(rng.expovariate(1 / 4000))
        shown = [world.popular(world.items) for _ in range(rng.randint(2, 8))]
        seen = [{"id": item, "visible_ms": int(rng.expovariate(1 / 2500))} for item in shown]
        yield raw(world, user, ts, context, "feed_view", {"items": seen})
        ts += 1000 + int(rng.expovariate(1 / 15_000))
        for item in shown:
            if rng.random() < 0.3:
                dwell = int(rng.expovariate(1 / 3000))
                yield raw(world, user, ts, context, "click", {"item_id": item, "dwell_ms": dwell})
                ts += dwell + 300
                if rng.random() < 0.25:
                    yield raw(world, user, ts, context, "save", {"item_id": item, "board": rng.choice(BOARDS)})
                    ts += 700
        ts += int(rng.expovariate(1 / 60_000))


def query(rng):
    text = " ".join([rng.choice(ADJECTIVES), rng.choice(NOUNS)]) if rng.random() < 0.97 else ""
    return {"query": text, "results": rng.choice([0, 3, 20, 20, 20, 50])}


def raw(world, user, ts, context, kind, payload):
    return {
        "event_id": "%032x" % world.random.getrandbits(128), "type": kind, "rev": 0, "ts": ts, "received_at": ts,
        "user": {"id": user["id"], "country": user["country"]}, "context": context, "payload": payload}


def deliveries(world, events):
    """(arrival, line) of everything that reached the log."""
    rng = world.random
    for event in events:
        late = DAY + int(rng.random() * 2 * DAY) if rng.random() < 0.02 else 0
        event["received_at"] = event["ts"] + 50 + int(rng.expovariate(1 / 2000)) + late
        yield from delivery(world, event)
        if rng.random() < 0.01:
            yield event["received_at"] + int(rng.random() * HOUR), encode(event)
        if event["type"] == "click" and rng.random() < 0.015:
            yield from delivery(world, correction(rng, event))


def delivery(world, event):
    line = encode(event)
    yield event["received_at"], damage(world.random, line) if world.random.random() < 0.002 else line


def correction(rng, event):
    """The click's dwell time, measured anew: shorter or longer than the filter's second. It may overtake the click."""
    payload = {**event["payload"], "dwell_ms": rng.choice([0, 400, 1500, 8000])}
    received = max(event["ts"] + 20, event["received_at"] + int(rng.gauss(HOUR, HOUR)))
    return {**event, "rev": 1, "payload": payload, "received_at": received}


def encode(event):
    return json.dumps(event, ensure_ascii=event["ts"] % 3 == 0, separators=(",", ":") if event["ts"] % 2 else None)


def damage(rng, line):
    """What a crash, a proxy or a careless client leaves of a line."""
    cut = line[:rng.randint(5, len(line) - 5)]
    return rng.choice([
        cut, cut + line, line + cut, "<html><body>502 Bad Gateway</body></html>", "",
        line.replace('"ts":', '"ts":"yesterday","was":', 1), line.replace('"id":', '"id":null,"was":', 1)])


def write_log(world, out, arrived):
    """Files by the day of arrival, lines in the order of arrival."""
    days = [[] for _ in range(world.days)]
    for arrival, line in arrived:
        if arrival < world.end:
            days[(arrival - world.start) // DAY].append((arrival, line))
    for number, lines in enumerate(days):
        lines.sort(key=lambda entry: entry[0])
        date = datetime.datetime.fromtimestamp((world.start + number * DAY) / 1000, datetime.timezone.utc)
        folder = os.path.join(out, "raw", date.strftime("dt=%Y-%m-%d"))
        os.makedirs(folder, exist_ok=True)
        for part in range(FILES_PER_DAY):
            share = lines[len(lines) * part // FILES_PER_DAY:len(lines) * (part + 1) // FILES_PER_DAY]
            path = os.path.join(folder, "events-%d.ndjson" % part)
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.writelines(line + "\n" for _, line in share)
    return sum(map(len, days))


def write_items(world, out):
    """A row per item; one item in fifty is missing, one in ten has a second row from the second day on."""
    rng = world.random
    with open(os.path.join(out, "items.ndjson"), "w", encoding="utf-8", newline="\n") as file:
        for item in world.items:
            if rng.random() < 0.02:
                continue
            created = world.start - rng.randrange(1, 900) * DAY
            rows = [(created, rng.choice(CATEGORIES))]
            if rng.random() < 0.1:
                rows.append((world.start + DAY + rng.randrange(DAY), rng.choice(CATEGORIES)))
            embedding = [round(rng.gauss(0, 0.25), 4) for _ in range(16)]
            for created, category in rows:
                row = {"item_id": item, "category": category, "created_ts": created, "embedding": embedding}
                file.write(json.dumps(row) + "\n")


def stream(world, out, rate):
    """Sessions of users as they happen, a line at a time; some lines come twice, some are damaged."""
    world.random.seed()
    due = time.time()
    with open(os.path.join(out, "events.log"), "a", encoding="utf-8", newline="\n", buffering=1) as file:
        while True:
            for event in session(world, world.popular(world.users), 0):
                due = max(due + 1 / rate, time.time() - 1)
                time.sleep(max(0, due - time.time()))
                event["ts"] = event["received_at"] = int(time.time() * 1000)
                for _, line in delivery(world, event):
                    file.write((line + "\n") * (2 if world.random.random() < 0.01 else 1))


def main():
    parser = argparse.ArgumentParser(description="Generate an engagement log and its table of items.")
    parser.add_argument("out", help="directory to write to")
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--events", type=int, default=20_000, help="events a day (default: 20000)")
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--start", default="2026-11-18", help="the first day (default: 2026-11-18)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stream", type=float, metavar="RATE", help="append to OUT/events.log, RATE events a second")
    options = parser.parse_args()
    if min(options.days, options.events, options.users, options.items) < 1:
        parser.error("--days, --events, --users and --items are 1 or more")
    if options.stream is not None and not options.stream > 0:
        parser.error("--stream is above 0")
    os.makedirs(options.out, exist_ok=True)
    world = World(options)
    if options.stream:
        return stream(world, options.out, options.stream)
    lines = write_log(world, options.out, deliveries(world, sessions(world, options.days * options.events)))
    write_items(world, options.out)
    print("%d lines of %d days in %s/raw" % (lines, options.days, options.out), file=sys.stderr)


if __name__ == "__main__":
    main()
