"""What a server answers to a request, as JSON and as an Arrow stream opened by pyarrow.

    answer.py URL      an object: json and arrow, summaries as in rows.py, and the stream's metadata
"""

import json
import sys
import urllib.request

import pyarrow.ipc

import rows


def main():
    with urllib.request.urlopen(sys.argv[1] + "&timestamps=us") as response:
        plain = json.load(response)["events"]
    arrow = urllib.request.Request(sys.argv[1], headers={"Accept": "application/vnd.apache.arrow.stream"})
    with urllib.request.urlopen(arrow) as response:
        table = pyarrow.ipc.open_stream(response.read()).read_all()
    table.validate(full=True)
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    print(json.dumps({
        "json": rows.summary(plain), "arrow": rows.summary(table.to_pylist()), "metadata": metadata}))


main()
