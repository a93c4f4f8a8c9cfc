"""Filters for LakeQL's MQL, written in Python.

A filter is a function of the sets of files that the query gives it and of the query's parameters. It returns the files
that it lets through, as a pyarrow table (or a list of ids), in the order in which they go on. Ten lines make a program:

    from lakeql_filter import main

    def larger(inputs, size=0):
        files = inputs[0]
        return files.filter([s is not None and s > size for s in files["size"].to_pylist()])

    if __name__ == "__main__":
        main(larger)

In the file that --config or LAKEQL_CONFIG names:

    [filters.larger]
    command = ["python3", "larger.py"]
    timeout = "30s"                               # 60s if not given
    memory = "2GB"                                # address space; as much as there is if not given
    columns = ["fid", "name", "size", "core.runs"]  # fid, namespace, name, size, metadata if not given

And in a query: files from ns:all filtered as `filter larger(size=1000000)(files from ns:all)`.

Metadata and its keys come as JSON text. What is printed to stderr is shown to the user; an exception ends the query.
Needs pyarrow.
"""

import json
import sys

import pyarrow as pa


def main(function):
    """Reads the sets from stdin, calls function(inputs, *args, **kwargs), writes what it returns to stdout."""
    call = json.loads(sys.argv[-1])
    inputs = [pa.ipc.open_stream(sys.stdin.buffer).read_all() for _ in range(call["inputs"])]
    # A print must not end up among the files.
    out, sys.stdout = sys.stdout.buffer, sys.stderr
    files = function(inputs, *call["args"], **call["kwargs"])
    if isinstance(files, pa.Table):
        files = files.select(["fid"])
    else:
        files = pa.table({"fid": pa.array(list(files), pa.string())})
    with pa.ipc.new_stream(out, files.schema) as writer:
        writer.write_table(files)
    out.flush()
