#!/usr/bin/env python3
"""How the cost of a read grows with what a store holds beside the answer: days, users, columns.

    growth.py DIRECTORY [--bin .build/release] [--only days,users,columns] [--requests 2000]

Makes stores with the commands themselves, each time changing one thing and leaving the answer as it is, and asks `seq-serve`
for it over one connection, with a cache and without: latency by the client's clock, processor time by the server's. Figures
go to growth.json and growth.svg beside this script; a Markdown table is printed. Stores that are there are used again.
"""
import argparse, json, os, random, sys, time

from harness import Server, make_store

HERE = os.path.dirname(os.path.abspath(__file__))
DAY = 86_400_000
END = 1_790_000_000_000 // DAY * DAY  # 2026-09-21
ASKED_USERS = 200


def measure(bin, directory, users, parameters, count):
    """p50 and p99 in microseconds, server CPU a request, bytes of an answer; with a cache and without."""
    found = {}
    targets = [("/v1/sequences/all/users/%d?until=%d&timestamps=ms&%s" % (u, END, parameters)).encode() for u in users]
    for cache in ("256M", "0"):
        server = Server(bin, directory + "/store", directory + "/definitions.json", cache)
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
