"""What the measurements of reads share: stores that the commands make of generated events, and a server that is asked over one connection."""
import glob, os, random, re, signal, socket, subprocess

HEAD = """from seqline import EventType, Sequence, Source
COLUMNS = {"event_id": "id", %s}
log = Source("log", path="raw/*.ndjson", user="user", ts="ts", id="id", lateness="4000d",
             fields={"user": "int64", "ts": "timestamp[ms]", "id": "string", "kind": "string", %s})
events = [EventType(name, source=log, owner="bench", retention="4000d", dataset="events", where=f"kind == '{name}'", columns=COLUMNS)
          for name in ["click", "save", "view"]]
Sequence("all", owner="bench", events=events, max_length=1000000, columns=["ts", "event_type", *COLUMNS])
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
    """A store of generated events, unless it is there."""
    if os.path.exists(directory + "/store/datasets/events/_delta_log"):
        return
    os.makedirs(directory, exist_ok=True)
    text, names = definitions(columns)
    write_events(directory + "/events.ndjson", times_of_users, names, columns)
    index(directory, text, "events.ndjson", bin)
    os.unlink(directory + "/events.ndjson")


def index(directory, definitions, files, bin):
    """Makes the directory's store of files, by definitions in Python."""
    open(directory + "/definitions.py", "w").write(definitions)
    environment = dict(os.environ, PATH=bin + ":" + os.environ["PATH"], SEQ_DEFINITIONS=directory + "/definitions.json",
                       SEQLINE_PYTHONPATH=os.path.dirname(os.path.abspath(__file__)) + "/../python")
    subprocess.run(
        ["bash", "-o", "pipefail", "-c", "cd %s && seq-config compile definitions.py -o definitions.json && rm -rf store"
         " && seq-filter %s | seq-assemble | seq-index --replace all --store store" % (directory, files)], check=True, env=environment)


def ask(connection, target):
    """Sends a request for an Arrow stream."""
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: bench\r\nAccept: application/vnd.apache.arrow.stream\r\n\r\n" % target)


class Server:
    """`seq-serve` over a store, and a connection to it."""

    def __init__(self, bin, store, definitions, cache, threads=1):
        self.process = subprocess.Popen(
            [bin + "/seq-serve", "--store", store, "--definitions", definitions, "--port", "0", "--cache", cache,
             "--threads", str(threads)], stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        self.port = int(line.split(":")[-1].split("/")[0])
        self.socket = self.connect()

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def cpu(self):
        """Processor time in microseconds."""
        return sum(int(open(f).read().split()[0]) for f in glob.glob("/proc/%d/task/*/schedstat" % self.process.pid)) / 1e3

    def memory(self):
        """MB without mapped files, and with them."""
        status = open("/proc/%d/status" % self.process.pid).read()
        size = lambda name: int(re.search(name + r":\s+(\d+) kB", status)[1]) / 1e3
        return size("RssAnon"), size("VmRSS")

    def metric(self, name):
        return float(re.search(rb"^%s (\S+)$" % name.encode(), self.answer(b"/metrics"), re.M)[1])

    def get(self, target):
        """The length of an answer."""
        return len(self.answer(target))

    def answer(self, target):
        ask(self.socket, target)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self.socket.recv(1 << 16)
        head, body = got.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200"), got[:400]
        length = int([line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")][0].split(b":")[1])
        parts, rest = [body], length - len(body)
        while rest > 0:
            parts.append(self.socket.recv(1 << 20))
            rest -= len(parts[-1])
        return b"".join(parts)

    def close(self):
        self.socket.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
