#!/usr/bin/env python3
"""A stream at a steady rate, with the server beside it: what it takes, how fresh reads are, what grows.

    sustained.py DATA STORE --definitions FILE [--rate 200000] [--seconds 100] [--idle 30] [--bin .build/release]

Appends DATA's raw lines to a log, again and again, with event ids and times of their own and the lateness they had, while
`seq-ingest --follow | seq-filter | seq-enrich | seq-index` and `seq-serve` run over STORE, which may be there already.
One line in 50 ms is a probe, an event of a user nobody had before: its freshness is the time from the append until a
read of that user shows it. Another process reads users of the data, and notes whether a roll or a compaction was on. Then
the stream stops, and the same reads go on for `--idle` seconds. Prints one line of JSON.

As in `deploy/` the server goes before what writes the store: its nice value is -5. So is that of the processes that read,
which stand for other machines, so that their own waiting for a processor does not count. Both need the right to it.

Memory is that without mapped files, in MB: of each third of the run its mean, least and peak, and how it grew over the last
two thirds. So that growth can be told apart, the same is said of what the server itself accounts for in its metrics, and
of the rest: code's data, connections, and what the allocator keeps.
"""
import argparse, glob, http.client, json, multiprocessing, os, random, re, signal, subprocess, sys, time, uuid

import numpy

TICK_SECONDS = 0.01
PROBE_SECONDS = 0.05
READ_SECONDS = 0.01
ROTATED_BYTES = 1 << 30
NICE = -5
PROBE = (b'{"event_id":"%s","event_type":"pin_save","rev":0,"ts":%d,"user":{"id":%d,"country":"US"},"context":{"surface":"home",'
         b'"device":"ios","app_version":"12.3.0","session":"0123456789abcdef"},"payload":{"item_id":1,"board_id":1}}\n')


class Lines:
    """Raw lines with the places of what makes each copy of them an event of its own."""

    def __init__(self, data, count):
        files, texts, total = sorted(glob.glob(data + "/raw/*/*.ndjson")), [], 0
        while files and total < count:
            text = open(files.pop(), "rb").read()
            total += text.count(b"\n")
            texts.append(text)
        text = b"".join(texts)
        self.bytes = numpy.frombuffer(bytearray(text), numpy.uint8)
        self.ends = numpy.flatnonzero(self.bytes == 10) + 1
        ids, times, arrivals = (self.places(text, p) for p in (
            rb'"event_id": ?"([0-9a-f]{8})', rb'"ts": ?(\d{13})\b', rb'"received_at": ?(\d{13})\b'))
        self.users = [int(u) for u in re.findall(rb'"user": ?\{[^}]*?"id": ?(\d+)', text[:20_000_000])]
        both = (times >= 0) & (arrivals >= 0)
        self.ids, self.times, self.arrivals = ids, times, arrivals
        self.lateness = numpy.where(both, self.numbers(arrivals) - self.numbers(times), 0)
        self.turn, self.next = 0, 0

    def places(self, text, pattern):
        """Of the first match in each line; -1 where there is none."""
        found = numpy.array([m.start(1) for m in re.finditer(pattern, text)], numpy.int64)
        line = numpy.searchsorted(self.ends, found, side="right")
        places = numpy.full(len(self.ends), -1, numpy.int64)
        places[line[::-1]] = found[::-1]
        return places

    def numbers(self, places):
        digits = self.bytes[numpy.maximum(places, 0)[:, None] + numpy.arange(13)].astype(numpy.int64) - 48
        return digits @ (10 ** numpy.arange(12, -1, -1, dtype=numpy.int64))

    def take(self, count, now):
        """The bytes of the next lines, which arrive now."""
        first, last = self.next, min(self.next + count, len(self.ends))
        ids = self.ids[first:last]
        ids = ids[ids >= 0]
        self.bytes[ids[:, None] + numpy.arange(6)] = numpy.frombuffer(b"%06x" % self.turn, numpy.uint8)
        self.write(self.times[first:last], now - self.lateness[first:last])
        self.write(self.arrivals[first:last], numpy.full(last - first, now))
        start = self.ends[first - 1] if first else 0
        self.next = last % len(self.ends)
        self.turn += self.next == 0
        return last - first, self.bytes[start:self.ends[last - 1]]

    def write(self, places, numbers):
        there = places >= 0
        digits = numbers[there][:, None] // (10 ** numpy.arange(12, -1, -1, dtype=numpy.int64)) % 10 + 48
        self.bytes[places[there][:, None] + numpy.arange(13)] = digits.astype(numpy.uint8)


def append(lines, log, rate, seconds, probes, sent):
    """Appends at the rate; the log is renamed when it is large, and what was renamed before removed."""
    out, written, begin, probe_time = open(log, "ab", buffering=0), 0, time.monotonic(), 0.0
    late = 0.0
    while (elapsed := time.monotonic() - begin) < seconds:
        due = int(elapsed * rate)
        while written < due:
            count, text = lines.take(min(due - written, 20_000), int(time.time() * 1000))
            if elapsed - probe_time >= PROBE_SECONDS:
                probe_time, user = elapsed, 900_000_000_000 + random.getrandbits(36)
                text = text.tobytes() + PROBE % (str(uuid.UUID(int=user)).encode(), time.time() * 1000, user)
                out.write(text)
                probes.put((user, time.monotonic()))
            else:
                out.write(text)
            written += count
        if out.tell() > ROTATED_BYTES:
            os.rename(log, log + ".1")
            out = open(log, "ab", buffering=0)
        late = max(late, time.monotonic() - begin - elapsed)
        time.sleep(max(0.0, TICK_SECONDS - (time.monotonic() - begin - elapsed)))
    probes.put(None)
    sent.put((written, time.monotonic() - begin, late))


def go_first():
    """Where that is allowed; else as everybody."""
    try:
        os.nice(NICE)
    except OSError:
        pass


class Reader:
    def __init__(self, port):
        self.port, self.connection = port, None

    def read(self, user, query):
        self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self.connection.request("GET", f"/v1/sequences/engagements/users/{user}?{query}")
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def watch(port, probes, result):
    """Waits for each probe in turn."""
    go_first()
    reader, ages = Reader(port), []
    while (probe := probes.get()) is not None:
        user, start = probe
        while time.monotonic() - start < 60:
            status, body = reader.read(user, "last=1&columns=event_id")
            if status == 200 and str(uuid.UUID(int=user)).encode() in body:
                ages.append((start, time.monotonic() - start))
                break
            time.sleep(0.001)
        else:
            ages.append((start, 60.0))
    result.put(ages)


def is_busy(store):
    """Whether ended segments are being rolled, or files written."""
    try:
        return sum(n.endswith(".frames") for n in os.listdir(store + "/live/00")) > 1 or bool(os.listdir(store + "/tmp"))
    except OSError:
        return False


def read(port, store, users, stop, result):
    """Reads users; of each read the moment, the seconds and whether the store was busy before and after."""
    go_first()
    reader, reads, generator = Reader(port), [], random.Random(7)
    while not stop.is_set():
        busy, start = is_busy(store), time.monotonic()
        reader.read(generator.choice(users), "last=100&columns=ts,event_type,item_id,dwell_ms")
        end = time.monotonic()
        reads.append((start, end - start, busy or is_busy(store)))
        time.sleep(max(0, READ_SECONDS - (end - start)))
    result.put(reads)


def processes(parent):
    """Name, MB of memory without mapped files, and CPU seconds of the commands below a process."""
    found, queue = [], [parent]
    while queue:
        pid = queue.pop()
        try:
            children = [c for t in os.listdir(f"/proc/{pid}/task") for c in open(f"/proc/{pid}/task/{t}/children").read().split()]
            queue += [int(c) for c in children]
            fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            name = open(f"/proc/{pid}/comm").read().strip()
            if name.startswith("seq-"):
                cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
                memory = re.search(r"RssAnon:\s+(\d+) kB", open(f"/proc/{pid}/status").read())[1]
                found.append((name, int(memory) / 1e3, cpu))
        except OSError:
            pass
    return found


def quantiles(values):
    ordered = sorted(values)
    at = lambda share: round(ordered[int((len(ordered) - 1) * share)] * 1e3, 2) if ordered else None
    return {"count": len(ordered), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0)}


def files(store):
    """How many files the tables' newest versions have, and how many segments the live log."""
    count = 0
    for table in glob.glob(store + "/datasets/*") + glob.glob(store + "/retractions/*"):
        for commit in sorted(glob.glob(table + "/_delta_log/*.json")):
            for line in open(commit):
                count += line.startswith('{"add"') - line.startswith('{"remove"')
    return {"parquet": count, "segments": len(glob.glob(store + "/live/*/*.frames"))}


class Gauges:
    """What the server says of its own memory, in MB."""
    NAMES = {"live rows": "live_bytes", "page cache": "cache_bytes", "file indexes": "index_bytes", "retractions": "retraction_bytes"}

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def read(self):
        self.connection.request("GET", "/metrics")
        text = self.connection.getresponse().read().decode()
        return {name: sum(float(v) for v in re.findall(rf"^seqline_{gauge}(?:{{[^}}]*}})? (\S+)$", text, re.M)) / 1e6
                for name, gauge in self.NAMES.items()}


class Sample:
    """The commands and the store at a moment."""

    def __init__(self, begin, parent, store, gauges):
        self.time = time.monotonic() - begin
        self.processes, self.files = processes(parent), files(store)
        self.memory = {}
        for name, mb, _ in self.processes:
            self.memory[name] = self.memory.get(name, 0) + mb
        accounted = gauges.read()
        self.memory.update({f"seq-serve: {name}": mb for name, mb in accounted.items()})
        self.memory["seq-serve: the rest"] = self.memory.get("seq-serve", 0) - sum(accounted.values())


def memory(samples):
    """MB of what takes memory in each third of the run, and how it grew in the last two thirds, in MB a minute."""
    found, third = {}, max(1, len(samples) // 3)
    parts = [samples[:third], samples[third:2 * third], samples[2 * third:]]
    for name in sorted({n for s in samples for n in s.memory}):
        of = lambda part: [s.memory.get(name, 0) for s in part]
        later = parts[1] + parts[2] or samples
        slope = numpy.polyfit([s.time / 60 for s in later], of(later), 1)[0] if len(later) > 2 else 0.0
        thirds = [of(part) for part in parts if part]
        found[name] = {"mean_mb": [round(sum(t) / len(t)) for t in thirds], "least_mb": [round(min(t)) for t in thirds],
                       "peak_mb": [round(max(t)) for t in thirds], "mb_per_minute": round(float(slope), 1)}
    return found


def main():
    p = argparse.ArgumentParser()
    p.add_argument("data")
    p.add_argument("store")
    p.add_argument("--rate", type=int, default=200_000)
    p.add_argument("--seconds", type=float, default=100)
    p.add_argument("--idle", type=float, default=30)
    p.add_argument("--lines", type=int, default=400_000)
    p.add_argument("--port", type=int, default=18_093)
    p.add_argument("--bin", default=".build/release")
    p.add_argument("--log", help="folder of the log (default: beside the store)")
    p.add_argument("--definitions", required=True)
    p.add_argument("--serve", default="", help="further flags of seq-serve")
    p.add_argument("--index", default="", help="further flags of seq-index")
    p.add_argument("--verbose", action="store_true", help="each second's sample on standard error")
    a = p.parse_args()
    folder = a.log or os.path.dirname(os.path.abspath(a.store))
    log = os.path.join(folder, f"sustained.{os.getpid()}.ndjson")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    lines = Lines(a.data, a.lines)
    open(log, "wb").close()
    environment = dict(os.environ, PATH=os.path.abspath(a.bin) + ":" + os.environ["PATH"], SEQ_DEFINITIONS=a.definitions)
    commands = subprocess.Popen(["bash", "-c", f"""trap : TERM
        nice -n {NICE} seq-serve --store {a.store} --port {a.port} {a.serve} &
        seq-ingest --follow {log} | seq-filter | seq-enrich --tables {a.data} | seq-index --store {a.store} {a.index} & wait; wait"""],
        env=environment, start_new_session=True)
    stop, queues = multiprocessing.Event(), [multiprocessing.Queue() for _ in range(4)]
    probes, ages, reads, sent = queues
    try:
        wait_until_ready(a.port)
        workers = [multiprocessing.Process(target=t, args=args, daemon=True) for t, args in (
            (watch, (a.port, probes, ages)), (read, (a.port, a.store, lines.users, stop, reads)),
            (append, (lines, log, a.rate, a.seconds, probes, sent)))]
        for worker in workers:
            worker.start()
        samples, begin, gauges = [], time.monotonic(), Gauges(a.port)
        before = processes(commands.pid)
        while workers[2].is_alive() and sent.empty():
            time.sleep(1)
            samples.append(Sample(begin, commands.pid, a.store, gauges))
            if a.verbose:
                print(json.dumps(vars(samples[-1])), file=sys.stderr)
        after = processes(commands.pid)
        written, seconds, late = sent.get()
        fresh = ages.get(timeout=90)
        while is_busy(a.store) and time.monotonic() - begin < a.seconds + 300:
            time.sleep(0.2)
        quiet = time.monotonic() + 1
        time.sleep(1 + a.idle)
        stop.set()
        taken = reads.get(timeout=20)
    finally:
        os.killpg(commands.pid, signal.SIGTERM)
        commands.wait()
        for path in (log, log + ".1"):
            if os.path.exists(path):
                os.unlink(path)
    thirds = [[age for start, age in fresh if n <= 3 * (start - begin) / a.seconds < n + 1] for n in range(3)]
    streaming = [r for r in taken if r[0] < begin + seconds]
    cpu = {n: round(sum(c for m, _, c in after if m == n) - sum(c for m, _, c in before if m == n), 1) for n in {n for n, _, _ in after}}
    print(json.dumps({
        "rate": round(written / seconds), "seconds": round(seconds, 1), "generator_late_ms": round(late * 1e3),
        "freshness": quantiles([age for _, age in fresh]),
        "freshness_by_thirds": [quantiles(t) for t in thirds], "cpu_s": cpu, "cpu_share_of_two": round(sum(cpu.values()) / seconds / 2, 3),
        "reads_idle": quantiles([s for t, s, busy in taken if t > quiet and not busy]),
        "reads_while_busy": quantiles([s for _, s, busy in streaming if busy]),
        "reads_while_streaming_only": quantiles([s for _, s, busy in streaming if not busy]),
        "memory_by_thirds": memory(samples),
        "files_max": {k: max(s.files[k] for s in samples) for k in ("parquet", "segments")}, "files_end": files(a.store)}))


def wait_until_ready(port):
    for _ in range(600):
        try:
            if Reader(port).read(1, "last=1")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("the server does not answer")


if __name__ == "__main__":
    main()
