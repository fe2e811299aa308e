"""Works on a table as deltalake does, and prints what came of it.

    maintain.py TABLE split|compact|z_order|vacuum|history

`split` writes the first day anew as three files, in an overwrite and two appends.
"""

import json
import sys

from deltalake import DeltaTable, write_deltalake


def split(table):
    day = min(partition["bucket"] for partition in table.partitions())
    rows = table.to_pyarrow_table(filters=[("bucket", "=", day)])
    third = rows.num_rows // 3 + 1
    write_deltalake(table, rows.slice(0, third), mode="overwrite", predicate="bucket = '%s'" % day)
    write_deltalake(table, rows.slice(third, third), mode="append")
    write_deltalake(table, rows.slice(2 * third), mode="append")
    return DeltaTable(table.table_uri).version()


table = DeltaTable(sys.argv[1])
if sys.argv[2] == "split":
    answer = split(table)
elif sys.argv[2] == "compact":
    answer = table.optimize.compact()
elif sys.argv[2] == "z_order":
    answer = table.optimize.z_order(["item_id", "ts"])
elif sys.argv[2] == "vacuum":
    answer = table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
else:
    answer = table.history()
print(json.dumps(answer, default=str))
