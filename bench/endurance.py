#!/usr/bin/env python3
"""Requests at a share of what the server can, while everything that changes a store goes on beside them.

    endurance.py DATA STORE --definitions FILE [--seconds 600] [--share 0.8] [--bin .build/release]

Beside the requests a stream comes in and is rolled, days of DATA are replaced, the tables are compacted and vacuumed, and
definitions are published anew, one after the other, over and over. The capacity is what connections get that ask for users
of DATA as fast as they are answered, beside all that, once they have done so for a while: a store without files of the day and
caches without room to make say little of what comes later. Then they ask at the share of it, each at times of its own that do not
wait for answers: a late answer makes the next one late, and counts as such. An answer that is not a whole sequence with
status 200 is an error; there should be none, and `seq-store verify` finds nothing in the end. Clients, commands and server
share the machine, and so the capacity. Prints one line of JSON.
"""
import argparse, collections, glob, json, multiprocessing, os, random, re, shutil, signal, socket, subprocess, sys, threading, time

from sustained import Gauges, Lines, Sample, memory, processes, quantiles, wait_until_ready

REQUEST = ("GET /v1/sequences/engagements/users/%d?last=100&columns=ts,event_type,item_id,dwell_ms HTTP/1.1\r\n"
           "host: 127.0.0.1\r\n\r\n")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
OPERATIONS = {"STREAMING UPDATE": "roll", "WRITE": "replace", "OPTIMIZE": "compact"}


class Client:
    """One connection that is kept open; made anew after an error."""

    def __init__(self, port, errors):
        self.port, self.errors, self.socket = port, errors, None

    def ask(self, user):
        try:
            if self.socket is None:
                self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.sendall((REQUEST % user).encode())
            head, body = self.receive()
            status = int(head[9:12])
            if status != 200 or not body.endswith(b"]}\n"):
                self.errors[f"status {status}"] += 1
        except (OSError, ValueError) as error:
            self.errors[f"{type(error).__name__}: {error}"] += 1
            self.socket = None

    def receive(self):
        text = b""
        while (end := text.find(b"\r\n\r\n")) < 0:
            text += self.some()
        length = LENGTH.search(text, 0, end + 2)
        if not length:
            raise ValueError("an answer without its length")
        rest = end + 4 + int(length[1]) - len(text)
        parts = [text]
        while rest > 0:
            parts.append(self.some())
            rest -= len(parts[-1])
        if rest < 0:
            raise ValueError("an answer that is too long")
        return text[:end], b"".join(parts)[end + 4:]

    def some(self):
        part = self.socket.recv(1 << 16)
        if not part:
            raise ValueError("an answer that is cut")
        return part


def load(port, users, interval, stop, seed, results):
    """Asks every `interval` seconds, or without a pause when it is 0; hands over the seconds of each, the errors and the rate."""
    errors, times, generator = collections.Counter(), [], random.Random(seed)
    client, begin = Client(port, errors), time.monotonic()
    due = begin + generator.random() * interval
    while not stop.is_set():
        time.sleep(max(0.0, due - time.monotonic()))
        client.ask(generator.choice(users))
        end = time.monotonic()
        times.append(end - due)
        due = due + interval if interval else end
    results.put((times, errors, len(times) / (time.monotonic() - begin)))


class Load:
    """All connections together, until `finish`; rate 0: as fast as it goes."""

    def __init__(self, port, users, connections, rate=0):
        context = multiprocessing.get_context("spawn")
        self.results, self.stop, self.begin = context.Queue(), context.Event(), time.monotonic()
        interval = connections / rate if rate else 0
        self.workers = [
            context.Process(target=load, args=(port, users, interval, self.stop, n, self.results), daemon=True)
            for n in range(connections)]
        for worker in self.workers:
            worker.start()

    def finish(self):
        """The seconds of all answers, the errors, and the answers a second."""
        self.stop.set()
        times, errors, rate = [], collections.Counter(), 0
        for _ in self.workers:
            own, failed, own_rate = self.results.get()
            times += own
            errors += failed
            rate += own_rate
        return times, errors, rate


def ask(a, lines, seconds):
    """All connections, for a while, as fast as it goes."""
    running = Load(a.port, lines.users, a.connections)
    time.sleep(seconds)
    return running.finish()


def append(lines, log, rate, stop):
    out, written, begin = open(log, "ab", buffering=0), 0, time.monotonic()
    while not stop.is_set():
        due = int((time.monotonic() - begin) * rate)
        while written < due:
            count, text = lines.take(min(due - written, 20_000), int(time.time() * 1000))
            out.write(text)
            written += count
        time.sleep(0.02)


class Changes:
    """Does one thing after another to the store; what fails is counted, too."""

    def __init__(self, a, environment, definitions):
        days = sorted(os.path.basename(d)[3:] for d in glob.glob(a.data + "/raw/dt=*"))
        replace = (f"seq-ingest {a.data}/raw/dt=%s/*.ndjson | seq-filter | seq-enrich --tables {a.data} | seq-assemble"
                   f" | seq-index --store {a.store} --replace %s")
        self.jobs = {"replace": lambda: replace % ((day := random.choice(days)), day),
                     "compact": lambda: f"seq-store compact --months-after {a.months_after} --store {a.store}",
                     "vacuum": lambda: f"seq-store vacuum --grace 0s --store {a.store}",
                     "upkeep": lambda: f"seq-store upkeep --months-after {a.months_after} --store {a.store}",
                     "reload": self.publish}
        self.environment, self.definitions, self.pause = environment, definitions, a.pause
        self.counts, self.stop = collections.Counter(), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop.is_set():
            for name, command in self.jobs.items():
                done = subprocess.run(["nice", "bash", "-o", "pipefail", "-c", command()], env=self.environment, capture_output=True, text=True)
                self.counts[name if done.returncode == 0 else name + " failed"] += 1
                if done.returncode:
                    print(name, done.stderr[-500:], file=sys.stderr)
                if self.stop.wait(self.pause):
                    return

    def publish(self):
        """The same definitions under the next version's number."""
        document = json.load(open(self.definitions))
        document["version"] += 1
        json.dump(document, open(self.definitions + ".new", "w"))
        return f"mv {self.definitions}.new {self.definitions}"


def commits(store):
    """How many commits of each kind the logs of the datasets tell."""
    counts = collections.Counter()
    for path in glob.glob(store + "/datasets/*/_delta_log/*.json"):
        for line in open(path):
            if line.startswith('{"commitInfo"'):
                operation = json.loads(line)["commitInfo"].get("operation")
                counts[OPERATIONS.get(operation, operation)] += 1
    return counts


def main():
    p = argparse.ArgumentParser()
    p.add_argument("data")
    p.add_argument("store")
    p.add_argument("--definitions", required=True)
    p.add_argument("--seconds", type=float, default=600)
    p.add_argument("--warm", type=float, default=300, help="seconds that connections ask before the capacity is measured")
    p.add_argument("--measure", type=float, default=120, help="seconds that the capacity is measured")
    p.add_argument("--share", type=float, default=0.8)
    p.add_argument("--connections", type=int, default=8)
    p.add_argument("--rate", type=int, default=5_000, help="lines a second that stream in")
    p.add_argument("--months-after", default="36500d", help="35d: each replacement rewrites the month of DATA's day")
    p.add_argument("--pause", type=float, default=1, help="seconds between two changes of the store")
    p.add_argument("--port", type=int, default=18_095)
    p.add_argument("--bin", default=".build/release")
    p.add_argument("--serve", default="", help="further flags of seq-serve")
    a = p.parse_args()
    base = os.path.abspath(a.store)
    log, definitions = base + ".ndjson", base + ".definitions.json"
    shutil.copy(a.definitions, definitions)
    open(log, "wb").close()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    environment = dict(os.environ, PATH=os.path.abspath(a.bin) + ":" + os.environ["PATH"], SEQ_DEFINITIONS=definitions)
    lines, changes = Lines(a.data, 200_000), Changes(a, environment, definitions)
    commands = subprocess.Popen(["bash", "-c", f"""trap : TERM
        seq-serve --store {a.store} --definitions {definitions} --port {a.port} {a.serve} &
        seq-ingest --follow {log} | seq-filter | seq-enrich --tables {a.data} | seq-index --store {a.store} --segment-age 5s & wait; wait"""],
        env=environment, start_new_session=True)
    stream = threading.Thread(target=append, args=(lines, log, a.rate, changes.stop))
    samples = []
    try:
        wait_until_ready(a.port)
        for thread in (stream, changes.thread):
            thread.start()
        early, warming, early_rate = ask(a, lines, a.warm)
        alone, failed, capacity = ask(a, lines, a.measure)
        before, committed, cpu = changes.counts.copy(), commits(a.store), processes(commands.pid)
        running, gauges = Load(a.port, lines.users, a.connections, capacity * a.share), Gauges(a.port)
        while time.monotonic() - running.begin < a.seconds:
            time.sleep(1)
            samples.append(Sample(running.begin, commands.pid, a.store, gauges))
        times, errors, rate = running.finish()
        used = {n: round(sum(c for m, _, c in samples[-1].processes if m == n) - sum(c for m, _, c in cpu if m == n), 1) for n, _, _ in cpu}
        beside, rolled = changes.counts - before, commits(a.store) - committed
    finally:
        changes.stop.set()
        for thread in (stream, changes.thread):
            if thread.is_alive():
                thread.join()
        os.killpg(commands.pid, signal.SIGTERM)
        commands.wait()
    verify = subprocess.run(["seq-store", "verify", "--store", a.store], env=environment, capture_output=True, text=True)
    for path in (log, definitions):
        os.unlink(path)
    print(json.dumps({
        "early": round(early_rate), "capacity": round(capacity), "capacity_errors": dict(warming + failed), "rate": round(rate), "seconds": a.seconds,
        "requests": len(times), "errors": dict(errors),
        "times": quantiles(times), "times_early": quantiles(early), "times_at_capacity": quantiles(alone), "beside": dict(beside), "commits": dict(rolled),
        "cpu_s": used, "memory_by_thirds": memory(samples), "files_max": {k: max(s.files[k] for s in samples) for k in ("parquet", "segments")},
        "verify": "ok" if verify.returncode == 0 else verify.stdout[-300:] + verify.stderr[-300:]}))


if __name__ == "__main__":
    main()
