#!/usr/bin/env python3
"""What reads cost and what memory they take: whole histories, without a cache, with caches of all sizes, for slow clients.

    reads.py DATA STORE --definitions FILE DIRECTORY [--bin .build/release] [--only lifelong,uncached,memory,slow] [--requests 2000]

DATA and STORE are the serving workload's (`seq.sh W2` makes the store), FILE its compiled definitions; further stores are made in
DIRECTORY unless they are there. One connection, Arrow answers: latency by the client's clock, processor time by the server's.

lifelong  the newest 16 000 events x 3 columns of users who have them, of all events of DATA, with a cache and without
uncached  500 events x 4 columns of heavy users without a cache: latency, and bytes of the files that were read
memory    four of the workload's runs, with caches of several sizes: latency, processor time, and the server's memory after each
slow      eight clients who take 1 MB/s each of 120 000 events: the server's memory meanwhile

Prints a line of JSON for each.
"""
import argparse, json, os, threading, time

from harness import Server, ask, index, make_store

W4 = "ts,event_type,item_id,dwell_ms"
ALL = W4 + ",event_id,revision,surface,device,app_version,session_id,visible_ms,query,board_id,user_country,category,embedding"
DAY = 86_400_000
LONG_COUNT, SLOW_CLIENTS, SLOW_RATE = 120_000, 8, 1 << 20
UNFILTERED = """from seqline import EventType, Sequence, Source
log = Source("log", path="raw/*/*.ndjson", user="user.id", ts="ts", id="event_id", revision="rev", type="event_type", lateness="4d",
             fields={"user.id": "int64", "ts": "timestamp[ms]", "event_id": "string", "rev": "int32", "event_type": "string",
                     "payload.item_id": "int64"})
names = ["pin_impression", "pin_click", "pin_closeup", "pin_save", "search_query", "board_follow"]
events = [EventType(n, source=log, owner="bench", retention="365d", dataset="events", where=f"event_type == '{n}'",
                    columns={"event_id": "event_id", "item_id": "payload.item_id"}) for n in names]
Sequence("all", owner="bench", events=events, max_length=100000, columns=["ts", "event_type", "item_id"])
"""


def timed(server, targets, count):
    """What `count` requests take: times in microseconds, bytes of files that were read and of answers."""
    times, length, cpu, read = [], 0, server.cpu(), server.metric("seqline_read_bytes_total")
    for number in range(count):
        start = time.perf_counter()
        length += server.get(targets[number % len(targets)])
        times.append(time.perf_counter() - start)
    cpu, read = server.cpu() - cpu, server.metric("seqline_read_bytes_total") - read
    times.sort()
    return {"p50_us": round(times[count // 2] * 1e6), "p99_us": round(times[count * 99 // 100] * 1e6), "cpu_us": round(cpu / count),
            "bytes": round(length / count), "read_bytes": round(read / count)}


def lifelong(o):
    """Users with 16 000 events: those whom the store says to have them, of the heaviest."""
    directory = o.directory + "/unfiltered"
    if not os.path.exists(directory + "/store/datasets/events/_delta_log"):
        os.makedirs(directory, exist_ok=True)
        index(directory, UNFILTERED, os.path.abspath(o.data) + "/raw/*/*.ndjson", o.bin)
    end = json.load(open(o.data + "/meta.json"))["now_ms"]
    target = lambda user: b"/v1/sequences/all/users/%d?last=16000&until=%d&timestamps=ms&columns=ts,event_type,item_id" % (user, end)
    for cache in ("256M", "0"):
        server = Server(o.bin, directory + "/store", directory + "/definitions.json", cache)
        users = sorted({int(u) for u in open(o.data + "/queries-heavy.txt")})
        users = sorted(users, key=lambda user: -server.get(target(user)))[:5]
        yield {"cache": cache, "users": len(users), **timed(server, [target(u) for u in users], min(o.requests, 500))}
        server.close()


def targets(o, mix, count, columns):
    end = json.load(open(o.data + "/meta.json"))["now_ms"]
    path = "/v1/sequences/engagements/users/%d?last=%d&window=30d&until=%d&timestamps=ms&columns=%s"
    return [(path % (int(user), count, end, columns)).encode() for user in open(o.data + "/queries%s.txt" % mix)]


def uncached(o):
    server = Server(o.bin, o.store, o.definitions, "0")
    asked = targets(o, "-heavy", 500, W4)
    timed(server, asked, 200)
    yield timed(server, asked, o.requests)
    server.close()


def memory(o):
    for cache in o.caches.split(","):
        server = Server(o.bin, o.store, o.definitions, cache)
        row = {"cache": cache, "start_mb": [round(m, 1) for m in server.memory()]}
        for name, mix, columns in (("mixed", "", W4), ("heavy", "-heavy", W4), ("mixed, all columns", "", ALL), ("heavy, all columns", "-heavy", ALL)):
            asked, count = targets(o, mix, 500, columns), o.requests if columns == W4 else o.requests // 4
            timed(server, asked, count)
            found = timed(server, asked[count:] or asked, count)
            row[name] = {**found, "mb": [round(m, 1) for m in server.memory()]}
        yield row
        server.close()


def take_slowly(server, target, taken):
    connection = server.connect()
    ask(connection, target)
    begin, count, end = time.monotonic(), 0, b""
    while not end.endswith(b"\r\n0\r\n\r\n"):
        part = connection.recv(1 << 16)
        assert part, "an answer that is cut"
        count, end = count + len(part), (end + part)[-7:]
        time.sleep(max(0, begin + count / SLOW_RATE - time.monotonic()))
    taken.append(count)


def slow(o):
    directory = o.directory + "/long"
    end = 1_790_000_000_000 // DAY * DAY
    step = 40 * DAY // LONG_COUNT
    make_store(directory, 10, ((user, range(end - 40 * DAY, end, step)) for user in range(SLOW_CLIENTS)), o.bin)
    for cache in ("0", "64M"):
        server, taken, samples = Server(o.bin, directory + "/store", directory + "/definitions.json", cache, threads=2), [], []
        start = server.memory()
        target = "/v1/sequences/all/users/%d?last=" + str(LONG_COUNT) + "&until=" + str(end)
        clients = [threading.Thread(target=take_slowly, args=(server, (target % u).encode(), taken)) for u in range(SLOW_CLIENTS)]
        for client in clients:
            client.start()
        while any(client.is_alive() for client in clients):
            time.sleep(0.1)
            samples.append(server.memory())
        server.close()
        assert len(taken) == SLOW_CLIENTS, "not all answers are whole"
        third = len(samples) // 3
        parts = [samples[third * n:third * (n + 1)] for n in range(3)]
        yield {"cache": cache, "answer_mb": round(sum(taken) / len(taken) / 1e6, 1), "seconds": len(samples) / 10,
               "start_mb": [round(m, 1) for m in start], "mean_mb": [round(sum(a for a, _ in p) / third, 1) for p in parts],
               "most_mb": [round(max(a for a, _ in p), 1) for p in parts], "mapped_most_mb": round(max(m for _, m in samples), 1)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data")
    p.add_argument("store")
    p.add_argument("directory")
    p.add_argument("--definitions", required=True)
    p.add_argument("--bin", default=".build/release")
    p.add_argument("--only", default="lifelong,uncached,memory,slow")
    p.add_argument("--caches", default="0,32M,64M,256M", help="that memory is measured with")
    p.add_argument("--requests", type=int, default=2_000)
    o = p.parse_args()
    o.bin, o.directory = os.path.abspath(o.bin), os.path.abspath(o.directory)
    for measure in (lifelong, uncached, memory, slow):
        if measure.__name__ in o.only.split(","):
            for found in measure(o):
                print(json.dumps({"measured": measure.__name__, **found}), flush=True)


if __name__ == "__main__":
    main()
