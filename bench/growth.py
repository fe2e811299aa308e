#!/usr/bin/env python3
"""How the cost of a read grows with what a store holds beside the answer: days, users, columns.

    growth.py DIRECTORY [--bin .build/release] [--only days,users,columns] [--requests 2000]

Makes stores with the commands themselves, each time changing one thing and leaving the answer as it is, and asks `seq-serve`
for it over one connection, with a cache and without: latency by the client's clock, processor time by the server's. Figures
go to growth.json and growth.svg beside this script; a Markdown table is printed. Stores that are there are used again.
"""
import argparse, glob, json, os, random, signal, socket, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
DAY = 86_400_000
END = 1_790_000_000_000 // DAY * DAY  # 2026-09-21
ASKED_USERS = 200
HEAD = """from seqline import EventType, Sequence, Source
COLUMNS = {"event_id": "id", %s}
log = Source("log", path="raw/*.ndjson", user="user", ts="ts", id="id", lateness="4000d",
             fields={"user": "int64", "ts": "timestamp[ms]", "id": "string", "kind": "string", %s})
events = [EventType(name, source=log, owner="bench", retention="4000d", dataset="events", where=f"kind == '{name}'", columns=COLUMNS)
          for name in ["click", "save", "view"]]
Sequence("all", owner="bench", events=events, max_length=100000, columns=["ts", "event_type", *COLUMNS])
"""


def definitions(columns):
    names = ["c%d" % i for i in range(columns - 3)]  # besides ts, event_type, event_id
    types = ["int64" if i % 3 else "string" for i in range(len(names))]
    return HEAD % (", ".join('"%s": "%s"' % (n, n) for n in names), ", ".join('"%s": "%s"' % (n, t) for n, t in zip(names, types))), names


def write_events(path, times_of_users, names, seed):
    """An event a line, of users and their times."""
    draw = random.Random(seed)
    with open(path, "w", buffering=1 << 20) as out:
        number = 0
        for user, times in times_of_users:
            for ts in times:
                values = "".join(',"%s":%s' % (n, draw.getrandbits(20) if i % 3 else '"t%d"' % draw.getrandbits(8))
                                 for i, n in enumerate(names))
                out.write('{"id":"e%08x","user":%d,"ts":%d,"kind":"%s"%s}\n' % (number, user, ts, ("click", "save", "view")[number % 3], values))
                number += 1


def make_store(directory, columns, times_of_users, bin):
    if os.path.exists(directory + "/store/datasets/events/_delta_log"):
        return
    os.makedirs(directory, exist_ok=True)
    text, names = definitions(columns)
    open(directory + "/definitions.py", "w").write(text)
    write_events(directory + "/events.ndjson", times_of_users, names, columns)
    environment = dict(os.environ, PATH=bin + ":" + os.environ["PATH"], SEQ_DEFINITIONS=directory + "/definitions.json")
    subprocess.run(
        "cd %s && seq-config compile definitions.py -o definitions.json && rm -rf store && seq-filter events.ndjson | seq-assemble"
        " | seq-index --replace all --store store && rm events.ndjson" % directory, shell=True, check=True, env=environment)


class Server:
    def __init__(self, bin, directory, cache):
        self.process = subprocess.Popen(
            [bin + "/seq-serve", "--store", directory + "/store", "--definitions", directory + "/definitions.json", "--port", "0",
             "--cache", cache, "--threads", "1"], stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        self.socket = socket.create_connection(("127.0.0.1", int(line.split(":")[-1].split("/")[0])))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def cpu(self):
        return sum(int(open(f).read().split()[0]) for f in glob.glob("/proc/%d/task/*/schedstat" % self.process.pid)) / 1e3

    def get(self, target):
        self.socket.sendall(b"GET %s HTTP/1.1\r\nHost: bench\r\nAccept: application/vnd.apache.arrow.stream\r\n\r\n" % target)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self.socket.recv(1 << 16)
        head, body = got.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200"), got[:400]
        length = int([line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")][0].split(b":")[1])
        while len(body) < length:
            body += self.socket.recv(1 << 20)
        return length

    def close(self):
        self.socket.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def measure(bin, directory, users, parameters, count):
    """p50 and p99 in microseconds, server CPU a request, bytes of an answer; with a cache and without."""
    found = {}
    targets = [("/v1/sequences/all/users/%d?until=%d&timestamps=ms&%s" % (u, END, parameters)).encode() for u in users]
    for cache in ("256M", "0"):
        server = Server(bin, directory, cache)
        for target in targets + targets:
            size = server.get(target)
        times, before = [], server.cpu()
        for number in range(count):
            start = time.perf_counter()
            server.get(targets[number % len(targets)])
            times.append(time.perf_counter() - start)
        cpu = (server.cpu() - before) / count
        server.close()
        times.sort()
        found["cache" if cache != "0" else "none"] = {
            "p50": round(times[count // 2] * 1e6), "p99": round(times[count * 99 // 100] * 1e6), "cpu": round(cpu), "bytes": size}
    return found


def spread(draw, days, count):
    return sorted(END - DAY * days + draw.randrange(DAY * days) for _ in range(count))


def by_days(base, bin, count):
    """4 events a day: the last 100 are 25 days' whatever came before. Other users have 30 events in all, all over the time."""
    for days in (30, 365, 1000):
        draw = random.Random(days)
        directory = "%s/days-%d" % (base, days)
        often = [(u, spread(draw, days, days * 4)) for u in range(ASKED_USERS)]
        rarely = [(u, spread(draw, days, 30)) for u in range(ASKED_USERS, 2 * ASKED_USERS)]
        make_store(directory, 10, often + rarely, bin)
        columns = "columns=ts,event_type,c1,c2"
        yield "days", days, "100 newest, 4 a day", measure(bin, directory, range(ASKED_USERS), "last=100&" + columns, count)
        yield "days", days, "all 30, spread over all days", measure(
            bin, directory, range(ASKED_USERS, 2 * ASKED_USERS), "last=100&" + columns, count)


def by_users(base, bin, count):
    """100 events each of the users who are asked for, over 10 days; 3 of each other."""
    for users in (10_000, 100_000, 1_000_000):
        draw = random.Random(users)
        directory = "%s/users-%d" % (base, users)
        step = users // ASKED_USERS
        asked = [u * step for u in range(ASKED_USERS)]
        make_store(directory, 10, ((u, spread(draw, 10, 100 if u % step == 0 else 3)) for u in range(users)), bin)
        yield "users", users, "100 newest of 10 days", measure(
            bin, directory, asked, "last=100&columns=ts,event_type,c1,c2", count)


def by_columns(base, bin, count):
    """100 events of 10 days: four columns of more and more, and all of them."""
    for columns in (10, 20, 40, 60):
        draw = random.Random(columns)
        directory = "%s/columns-%d" % (base, columns)
        make_store(directory, columns, [(u, spread(draw, 10, 100)) for u in range(10 * ASKED_USERS)], bin)
        yield "columns", columns, "4 columns", measure(
            bin, directory, range(0, 10 * ASKED_USERS, 10), "last=100&columns=ts,event_type,c1,c2", count)
        yield "columns", columns, "all columns", measure(bin, directory, range(0, 10 * ASKED_USERS, 10), "last=100", count)


# MARK: The plot

COLOURS = ["#1668a8", "#c2571a"]


def line(points, x, y, colour, dashes):
    path = " ".join("%.1f,%.1f" % (x(a), y(b)) for a, b in points)
    dots = "".join('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (x(a), y(b), colour) for a, b in points)
    return '<polyline points="%s" fill="none" stroke="%s" stroke-width="2"%s/>%s' % (
        path, colour, ' stroke-dasharray="5 4"' if dashes else "", dots)


def panel(axis, rows, left):
    """Server CPU a request against one axis, both logarithmic: whole lines with a cache, dashed ones without."""
    import math
    values = sorted({r["value"] for r in rows})
    low, high = math.log(values[0]), math.log(values[-1])
    x = lambda v: left + 50 + 230 * (math.log(v) - low) / (high - low)
    y = lambda v: 260 - 190 * (math.log10(v) - 1) / 3  # 10 us to 10 ms
    out = ['<text x="%d" y="24" class="title">%s</text>' % (left + 50, axis)]
    for tick in (10, 100, 1_000, 10_000):
        out.append('<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" class="grid"/><text x="%d" y="%.1f" text-anchor="end">%s</text>' % (
            left + 50, left + 280, y(tick), y(tick), left + 44, y(tick) + 4, "%d µs" % tick if tick < 1_000 else "%d ms" % (tick // 1_000)))
    for value in values:
        out.append('<text x="%.1f" y="278" text-anchor="middle">%s</text>' % (x(value), format(value, ",").replace(",", " ")))
    for place, kind in enumerate(dict.fromkeys(r["kind"] for r in rows)):
        own = [r for r in rows if r["kind"] == kind]
        for cache in ("cache", "none"):
            out.append(line([(r["value"], r[cache]["cpu"]) for r in own], x, y, COLOURS[place], cache == "none"))
        out.append('<text x="%d" y="%d" fill="%s">%s</text>' % (left + 50, 300 + 16 * place, COLOURS[place], kind))
    return "\n".join(out)


def plot(rows):
    axes = list(dict.fromkeys(r["axis"] for r in rows))
    panels = "\n".join(panel(a, [r for r in rows if r["axis"] == a], 310 * i) for i, a in enumerate(axes))
    return """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d 350" font-family="sans-serif" font-size="12" fill="#333">
<style>.title{font-size:15px;font-weight:bold}.grid{stroke:#ddd}</style><rect width="100%%" height="100%%" fill="#fff"/>
%s
<text x="50" y="342">processor time of the server a request; dashed: without a cache</text>
</svg>
""" % (310 * len(axes), panels)


def table(rows):
    print("| | | answer, bytes | p50 µs | p99 µs | CPU µs | p50 without a cache | p99 | CPU |\n|---|---|---|---|---|---|---|---|---|")
    for r in rows:
        c, n = r["cache"], r["none"]
        print("| %s %s | %s | %d | %d | %d | %d | %d | %d | %d |" % (
            format(r["value"], ",").replace(",", " "), r["axis"], r["kind"], c["bytes"], c["p50"], c["p99"], c["cpu"], n["p50"], n["p99"], n["cpu"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--bin", default=HERE + "/../.build/release")
    parser.add_argument("--only", default="days,users,columns")
    parser.add_argument("--requests", type=int, default=2_000)
    options = parser.parse_args()
    bin, base = os.path.abspath(options.bin), os.path.abspath(options.directory)
    rows = []
    for axis, run in (("days", by_days), ("users", by_users), ("columns", by_columns)):
        if axis in options.only.split(","):
            for axis, value, kind, found in run(base, bin, options.requests):
                rows.append({"axis": axis, "value": value, "kind": kind, **found})
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    json.dump(rows, open(HERE + "/growth.json", "w"), indent=1)
    open(HERE + "/growth.svg", "w").write(plot(rows))
    table(rows)


if __name__ == "__main__":
    main()
