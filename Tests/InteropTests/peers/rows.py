"""The rows of a table as an engine reads them, made comparable.

    rows.py ENGINE PATH      a JSON object: count, checksum and columns, or skipped: why

All columns count, but those of the partitions and the mark of retractions. Times are microseconds since 1970, floats are
compared as float32, a null is as good as a missing member, and the order of rows does not matter.
"""

import datetime
import glob
import hashlib
import json
import os
import struct
import subprocess
import sys
import urllib.parse

IGNORED = {"bucket", "shard", "retracted"}
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Skipped(Exception):
    pass


def files_of(table):
    """The files of a Delta table's latest version, by replaying the commits of its log."""
    live = {}
    for path in sorted(glob.glob(os.path.join(table, "_delta_log", "*.json"))):
        with open(path, encoding="utf-8") as log:
            for line in log:
                action = json.loads(line)
                if "add" in action:
                    live[action["add"]["path"]] = None
                elif "remove" in action:
                    live.pop(action["remove"]["path"], None)
    return [os.path.join(table, urllib.parse.unquote(path)) for path in live]


def duckdb_parquet(table):
    import duckdb
    return duckdb.sql("SELECT * FROM read_parquet(%r, hive_partitioning = false)" % files_of(table)).to_arrow_table()


def duckdb_delta(table):
    import duckdb
    connection = duckdb.connect()
    try:
        connection.execute("LOAD delta")
    except duckdb.Error as error:
        raise Skipped("DuckDB's delta extension is not installed: %s" % str(error).splitlines()[0])
    return connection.sql("SELECT * FROM delta_scan('%s')" % table).to_arrow_table()


def pyarrow_dataset(table):
    import pyarrow.dataset
    return pyarrow.dataset.dataset(files_of(table), format="parquet").to_table()


def pyarrow_parquet(table):
    import pyarrow
    import pyarrow.parquet
    return pyarrow.concat_tables([
        pyarrow.parquet.ParquetFile(path, page_checksum_verification=True).read() for path in files_of(table)])


def polars_parquet(table):
    import polars
    return polars.read_parquet(files_of(table), hive_partitioning=False).to_arrow()


def polars_delta(table):
    import polars
    return polars.scan_delta(table).collect().to_arrow()


def deltalake(table):
    import deltalake
    return deltalake.DeltaTable(table).to_pyarrow_table()


def spark_parquet(table):
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise Skipped("no Spark: %s" % error)
    if subprocess.run(["which", "java"], capture_output=True).returncode != 0:
        raise Skipped("no Java for Spark")
    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.driver.bindAddress", "127.0.0.1")
             .config("spark.driver.host", "127.0.0.1").getOrCreate())
    try:
        return spark.read.parquet(*files_of(table)).toArrow()
    finally:
        spark.stop()


def ndjson(path):
    """Rows that seq-store wrote with --timestamps us."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def frames(path):
    """A stream of frames, opened by zstd and pyarrow alone."""
    import io
    import pyarrow
    plain = io.BufferedReader(io.BytesIO(subprocess.run(["zstd", "-dc", path], check=True, capture_output=True).stdout))
    rows = []
    while plain.peek(1):
        rows += pyarrow.ipc.open_stream(pyarrow.PythonFile(plain, "r")).read_all().to_pylist()
    return rows


def plain(value):
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // datetime.timedelta(microseconds=1)
    if isinstance(value, float):
        return struct.pack("<f", value).hex()
    if isinstance(value, list):
        return [plain(element) for element in value]
    if isinstance(value, dict):
        return {key: plain(element) for key, element in value.items()}
    return value


def canonical(rows):
    """A text for each row, sorted."""
    return sorted(
        json.dumps({name: plain(value) for name, value in row.items() if is_compared(name, value)}, sort_keys=True)
        for row in rows)


def is_compared(name, value):
    return name not in IGNORED and value is not None


def summary(rows):
    texts = canonical(rows)
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    columns = sorted({name for row in rows for name, value in row.items() if is_compared(name, value)})
    return {"count": len(texts), "checksum": digest, "columns": columns}


def main():
    try:
        rows = globals()[sys.argv[1]](sys.argv[2])
        print(json.dumps(summary(rows if isinstance(rows, list) else rows.to_pylist())))
    except Skipped as reason:
        print(json.dumps({"skipped": str(reason)}))


if __name__ == "__main__":
    main()
