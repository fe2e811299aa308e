"""Writes NDJSON events as frames, with pyarrow and zstandard alone.

    frames.py IN.frames OUT.frames      the same streams, batched anew, under frames of another writer
"""

import json
import struct
import sys

import pyarrow
import pyarrow.ipc
import zstandard


def streams(path):
    """The tables of a file's data frames."""
    with open(path, "rb") as file:
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        plain = pyarrow.BufferReader(reader.read())
        while plain.tell() < plain.size():
            yield pyarrow.ipc.open_stream(plain).read_all()


def main():
    frames = rows = 0
    with open(sys.argv[2], "wb") as out:
        for table in streams(sys.argv[1]):
            sink = pyarrow.BufferOutputStream()
            with pyarrow.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table.combine_chunks(), max_chunksize=100)
            out.write(zstandard.ZstdCompressor(level=1 + frames % 5).compress(sink.getvalue().to_pybytes()))
            frames, rows = frames + 1, rows + table.num_rows
        end = json.dumps({"end": {"frames": frames, "rows": rows}}).encode()
        out.write(struct.pack("<II", 0x184D2A5E, len(end)) + end)
    print(json.dumps({"frames": frames, "rows": rows}))


main()
