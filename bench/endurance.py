#!/usr/bin/env python3
"""Requests at a share of what the server can, while everything that changes a store goes on beside them.

    endurance.py DATA STORE --definitions FILE [--seconds 600] [--share 0.8] [--bin .build/release]

Some connections ask for users of DATA as fast as they are answered: that is the capacity. Then they ask at the share of it,
each at times of its own that do not wait for answers: a late answer makes the next one late, and counts as such. Meanwhile a
stream comes in and is rolled, a day of DATA is replaced, the tables are compacted and vacuumed, and definitions are written
anew, over and over. An answer that is not a whole sequence with status 200 is an error; there should be none, and
`seq-store verify` finds nothing in the end. Prints one line of JSON.
"""
import argparse, collections, glob, http.client, json, multiprocessing, os, random, shutil, signal, subprocess, sys, threading, time

from sustained import Lines, processes, quantiles, wait_until_ready

QUERY = "last=100&columns=ts,event_type,item_id,dwell_ms"


class Client:
    """One connection that is kept open; made anew after an error."""

    def __init__(self, port, errors):
        self.port, self.errors, self.connection = port, errors, None

    def ask(self, user):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            self.connection.request("GET", f"/v1/sequences/engagements/users/{user}?{QUERY}")
            answer = self.connection.getresponse()
            body = answer.read()
            if answer.status != 200 or not body.endswith(b"]}\n"):
                self.errors[f"status {answer.status}"] += 1
        except (OSError, http.client.HTTPException) as error:
            self.errors[type(error).__name__] += 1
            self.connection = None


def load(port, users, interval, seconds, seed, results):
    """Asks every `interval` seconds, or without a pause when it is 0; hands over the seconds of each and the errors."""
    errors, times, generator = collections.Counter(), [], random.Random(seed)
    client, begin = Client(port, errors), time.monotonic()
    due = begin + generator.random() * interval
    while due < begin + seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        client.ask(generator.choice(users))
        end = time.monotonic()
        times.append(end - due)
        due = due + interval if interval else end
    results.put((times, errors))


def run_load(port, users, connections, rate, seconds):
    """All connections together; rate 0: as fast as it goes."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [
        context.Process(target=load, args=(port, users, connections / rate if rate else 0, seconds, n, results), daemon=True)
        for n in range(connections)]
    for worker in workers:
        worker.start()
    times, errors = [], collections.Counter()
    for _ in workers:
        own, failed = results.get()
        times += own
        errors += failed
    return times, errors


def append(lines, log, rate, stop):
    out, written, begin = open(log, "ab", buffering=0), 0, time.monotonic()
    while not stop.is_set():
        due = int((time.monotonic() - begin) * rate)
        while written < due:
            count, text = lines.take(min(due - written, 20_000), int(time.time() * 1000))
            out.write(text)
            written += count
        time.sleep(0.02)


def change(a, environment, definitions, stop, counts):
    """Does one thing after another to the store; what fails is counted, too."""
    days = sorted(os.path.basename(d)[3:] for d in glob.glob(a.data + "/raw/dt=*"))
    replace = f"seq-ingest {a.data}/raw/dt=%s/*.ndjson | seq-filter | seq-enrich --tables {a.data} | seq-assemble | seq-index --store {a.store} --replace %s"
    jobs = {"replace": lambda: replace % ((day := random.choice(days)), day),
            "compact": lambda: f"seq-store compact --store {a.store}",
            "vacuum": lambda: f"seq-store vacuum --grace 0s --store {a.store}",
            "upkeep": lambda: f"seq-store upkeep --store {a.store}",
            "reload": lambda: f"cp {a.definitions} {definitions}.new && mv {definitions}.new {definitions}"}
    while not stop.is_set():
        for name, command in jobs.items():
            done = subprocess.run(["nice", "bash", "-o", "pipefail", "-c", command()], env=environment, capture_output=True, text=True)
            counts[name if done.returncode == 0 else name + " failed"] += 1
            if done.returncode:
                print(name, done.stderr[-500:], file=sys.stderr)
            if stop.wait(1):
                return


def main():
    p = argparse.ArgumentParser()
    p.add_argument("data")
    p.add_argument("store")
    p.add_argument("--definitions", required=True)
    p.add_argument("--seconds", type=float, default=600)
    p.add_argument("--share", type=float, default=0.8)
    p.add_argument("--connections", type=int, default=8)
    p.add_argument("--rate", type=int, default=5_000, help="lines a second that stream in")
    p.add_argument("--port", type=int, default=18_095)
    p.add_argument("--bin", default=".build/release")
    a = p.parse_args()
    base = os.path.abspath(a.store)
    log, definitions = base + ".ndjson", base + ".definitions.json"
    shutil.copy(a.definitions, definitions)
    open(log, "wb").close()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    environment = dict(os.environ, PATH=os.path.abspath(a.bin) + ":" + os.environ["PATH"], SEQ_DEFINITIONS=definitions)
    lines = Lines(a.data, 200_000)
    commands = subprocess.Popen(["bash", "-c", f"""trap : TERM
        seq-serve --store {a.store} --definitions {definitions} --port {a.port} &
        seq-ingest --follow {log} | seq-filter | seq-enrich --tables {a.data} | seq-index --store {a.store} --segment-age 5s & wait; wait"""],
        env=environment, start_new_session=True)
    stop, counts, samples = threading.Event(), collections.Counter(), []
    try:
        wait_until_ready(a.port)
        users = lines.users
        beside = [threading.Thread(target=append, args=(lines, log, a.rate, stop)),
                  threading.Thread(target=change, args=(a, environment, definitions, stop, counts))]
        for thread in beside:
            thread.start()
        alone, failed = run_load(a.port, users, a.connections, 0, 10)
        capacity = len(alone) / 10

        def sample():
            begin = time.monotonic()
            while not stop.wait(1):
                samples.append((time.monotonic() - begin, processes(commands.pid)))

        sampler = threading.Thread(target=sample)
        sampler.start()
        times, errors = run_load(a.port, users, a.connections, capacity * a.share, a.seconds)
        stop.set()
        for thread in beside + [sampler]:
            thread.join()
    finally:
        stop.set()
        os.killpg(commands.pid, signal.SIGTERM)
        commands.wait()
    verify = subprocess.run(["seq-store", "verify", "--store", a.store], env=environment, capture_output=True, text=True)
    for path in (log, definitions):
        os.unlink(path)
    memory = lambda part: max(mb for _, found in part for name, mb, _ in found if name == "seq-serve")
    third = max(1, len(samples) // 3)
    print(json.dumps({
        "capacity": round(capacity), "rate": round(len(times) / a.seconds), "seconds": a.seconds, "requests": len(times),
        "errors": dict(errors + failed), "times": quantiles(times), "beside": dict(counts),
        "serve_mb_first_third": round(memory(samples[:third])), "serve_mb_last_third": round(memory(samples[-third:])),
        "verify": "ok" if verify.returncode == 0 else verify.stdout[-300:] + verify.stderr[-300:]}))


if __name__ == "__main__":
    main()
