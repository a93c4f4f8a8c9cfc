#!/usr/bin/env python3
"""Export an Aim repository as the run JSONL that `lakeql import aim` reads.

    python scripts/export_aim.py path/to/repo --output runs.jsonl.gz
    python scripts/export_aim.py path/to/repo --run HASH --run HASH > two.jsonl

One line is one run, oldest first. Needs Python 3.8 to 3.12 and the Aim SDK
(`pip install aim==3.29.1`; later 3.x should do).

Every run is read from its own stores (`meta/chunks/<hash>`, `seqs/chunks/<hash>`) and from the SQLite table of run
properties. The index in `meta/index` is not used: it lags behind, and a run it does not know yet would come out empty.
Runs that are still being written can be exported; they are `active` and have no end.

What JSON has no word for: a float that is not finite is {"$float": "nan"|"inf"|"-inf"}; a dict with keys that are not
text (or whose only key could be mistaken for one of these marks) is {"$map": [[key, value], ...]}; bytes are
{"$bytes": "<base64>"}. Stored objects are written as their plain fields: the payload of images, audio, texts,
distributions and figures stays behind. Notes, artifacts and terminal logs are not exported.
"""

import argparse
import base64
import contextlib
import datetime
import gzip
import json
import math
import os
import sys

METRIC = "metric"
MEDIA = ("images", "texts", "audios", "distributions", "figures")
# What Aim itself keeps about a metric and about a media sequence, in the order in which it is written here.
METRIC_SUMMARIES = ("dtype", "version", "first", "last", "first_step", "last_step", "min", "max")
MEDIA_SUMMARIES = ("dtype", "version", "first_step", "last_step", "record_max_length")


class UnreadableRun(Exception):
    """A run that cannot be exported; the text says why."""


def plain(value):
    """A stored value in the notation described at the top of this file; stored objects lose their payload."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": "nan" if value != value else "inf" if value > 0 else "-inf"}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, dict):
        pairs = [(key, plain(item)) for key, item in value.items() if not is_payload(item)]
        marked = len(pairs) == 1 and pairs[0][0] in ("$float", "$map", "$bytes")
        if marked or not all(isinstance(key, str) for key, _ in pairs):
            return {"$map": [[key, item] for key, item in pairs]}
        return dict(pairs)
    raise UnreadableRun(f"a value of type {type(value).__name__} is stored")


def is_payload(value):
    """Whether this is a block of bytes that Aim loads on demand."""
    from aim.storage.types import BLOB

    return isinstance(value, BLOB)


def collect(tree, path, default=None):
    """The stored value under `path`, with stored objects as dicts of their fields."""
    try:
        return tree.collect(path, resolve_objects=True)
    except KeyError:
        return default


def iso(moment):
    """A naive UTC datetime as ISO 8601 with microseconds."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Run:
    """The stores of one run, opened for reading only."""

    def __init__(self, repo, run_hash):
        self.hash = run_hash
        if not os.path.isdir(os.path.join(repo.path, "meta", "chunks", run_hash)):
            raise UnreadableRun("it has no store in meta/chunks")
        self.props = repo.request_props(run_hash, read_only=True)
        if self.props.created_at is None:
            raise UnreadableRun("it has no creation time")
        # Without `skip_read_optimization` Aim would first reopen the store for writing, to tidy it up.
        meta = repo.request_tree("meta", run_hash, read_only=True, skip_read_optimization=True).subtree("meta")
        self.shared_contexts = meta.subtree("contexts")
        self.meta = meta.subtree(("chunks", run_hash))
        self.repo = repo
        self._series = None

    @property
    def series(self):
        """The store of the points; a run that tracked nothing may not have one."""
        if self._series is None:
            self._series = self.repo.request_tree("seqs", self.hash, read_only=True, skip_read_optimization=True)
        return self._series

    def context(self, context_id):
        """The context with this id, as tracked."""
        context = collect(self.meta, ("contexts", context_id))
        if context is None:
            context = collect(self.shared_contexts, context_id)
        if context is None:
            raise UnreadableRun(f"context {context_id} is not stored")
        return context

    def sequences(self):
        """(kind, context id, name, summaries) of every sequence, in storage order."""
        from aim.sdk.sequences.sequence_type_map import SEQUENCE_TYPE_MAP

        traces = collect(self.meta, "traces", {})
        typed = collect(self.meta, "typed_traces", {})
        if not typed:  # written by an older Aim: the kind follows from the type of the values
            for context_id, names in traces.items():
                for name, stored in names.items():
                    kind = SEQUENCE_TYPE_MAP.get(stored.get("dtype", "float"), "sequence")
                    typed.setdefault(kind, {}).setdefault(context_id, {})[name] = 1
        for kind in (METRIC, *MEDIA):
            for context_id, names in typed.get(kind, {}).items():
                for name in names:
                    yield kind, context_id, name, traces.get(context_id, {}).get(name, {})

    def points(self, context_id, name, version):
        """(step, value, epoch, time) of a numeric sequence by step; a column an older Aim did not keep is None."""
        root = ("seqs", "chunks", self.hash) if version == 1 else ("seqs", f"v{version}", "chunks", self.hash)
        tree = self.series.subtree((*root, context_id, name))
        values, epochs, times = (dict(tree.items(column)) for column in ("val", "epoch", "time"))
        # Version 1 files a point under its step, version 2 under a hash of the step. A run that is being written
        # may have some columns of its newest point only: that point is left for the next export.
        steps = {key: key for key in values} if version == 1 else dict(tree.items("step"))
        rows = [(step, values[key], epochs.get(key), times.get(key)) for key, step in steps.items() if key in values]
        return sorted(rows, key=lambda row: row[0])

    def media_steps(self, context_id, name):
        """The steps of a media sequence (always filed under the step)."""
        tree = self.series.subtree(("seqs", "chunks", self.hash, context_id, name))
        return sorted(step for step, _ in tree.items("val"))  # payloads are loaded on demand: not here

    def metric(self, context_id, name, stored):
        """A numeric sequence with its summaries and points."""
        rows = self.points(context_id, name, stored.get("version", 1))
        has_epochs = any(row[2] is not None for row in rows)
        return {
            "name": name,
            "context": plain(self.context(context_id)),
            **{key: plain(stored[key]) for key in METRIC_SUMMARIES if key in stored},
            "context_hash": context_id,
            "steps": [row[0] for row in rows],
            "values": [plain(float(row[1])) for row in rows],
            "times": [row[3] for row in rows],
            "epochs": [None if row[2] is None else plain(float(row[2])) for row in rows] if has_epochs else None,
        }

    def media(self, context_id, name, stored):
        """A sequence of objects: where they are, and the plain fields of the last one if a step holds one object."""
        sequence = {
            "name": name,
            "context": plain(self.context(context_id)),
            **{key: plain(stored[key]) for key in MEDIA_SUMMARIES if key in stored},
            "context_hash": context_id,
            "steps": self.media_steps(context_id, name),
        }
        if isinstance(stored.get("last"), dict):
            sequence["last"] = plain(stored["last"])
        return sequence

    def export(self):
        """The run as one JSON object."""
        props = self.props
        end_time = collect(self.meta, "end_time", props.end_time) or None
        finished = end_time and datetime.datetime.fromtimestamp(end_time, tz=datetime.timezone.utc)
        line = {
            "hash": self.hash,
            "name": props.name,
            "description": props.description,
            # An experiment that was unset comes as an object that only equals None.
            "experiment": props.experiment if isinstance(props.experiment, str) else None,
            "tags": list(props.tags),
            "archived": bool(props.archived),
            "active": end_time is None,
            "created_at": iso(props.created_at),
            "finalized_at": iso(finished) if finished else None,
            "end_time": end_time,
            "duration": end_time - props.creation_time if end_time else None,
            "params": plain(collect(self.meta, "attrs", {})),
            "metrics": [],
            **{kind: [] for kind in MEDIA},
        }
        for kind, context_id, name, stored in self.sequences():
            if kind == METRIC:
                line["metrics"].append(self.metric(context_id, name, stored))
            else:
                line[kind].append(self.media(context_id, name, stored))
        return line


def open_repo(path):
    """The repository in the folder `path` (or `path` itself if it is the `.aim` folder)."""
    try:
        from aim.sdk.repo import Repo, RepoStatus
    except ImportError as error:
        raise SystemExit(f"the Aim SDK cannot be imported ({error}); pip install aim==3.29.1")
    status = Repo.check_repo_status(path)
    if status == RepoStatus.MISSING:
        raise SystemExit(f"no Aim repository in {path}")
    if status == RepoStatus.UPDATE_REQUIRED:
        raise SystemExit(f"{path} was written by Aim 2; convert it first (aim upgrade 2to3)")
    if status == RepoStatus.PATCH_REQUIRED:
        # The SDK migrates the SQLite file when it opens it, which an export must not do behind its owner's back.
        raise SystemExit(f"{path} was written by an older Aim 3; open it once with this one first (aim runs ls)")
    return Repo.from_path(path)


def runs_of(repo, wanted):
    """Hashes to export, oldest first; runs without a database row come last, where reading them fails by name."""
    created = {props.hash: props.created_at for props in repo.structured_db.runs()}
    hashes = set(wanted) if wanted else set(created) | set(repo.list_all_runs())
    return sorted(hashes, key=lambda run: (created.get(run) or datetime.datetime.max, run))


@contextlib.contextmanager
def output(path):
    """A function that writes a line to `path` (gzip if it ends in .gz) or stdout; a file appears only when complete."""
    if path is None:
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    part = path + ".part"
    try:
        with open(part, "wb") as raw:
            # No name and no time inside: the same runs give the same bytes.
            with gzip.GzipFile("", "wb", 9, raw, mtime=0) if path.endswith(".gz") else raw as stream:
                yield stream.write
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(part)
        raise


def export(path, wanted, destination, skip_bad):
    """Write the runs; returns (exported, unreadable)."""
    repo = open_repo(path)
    exported = unreadable = 0
    with output(destination) as write:
        for run_hash in runs_of(repo, wanted):
            try:
                text = json.dumps(Run(repo, run_hash).export(), ensure_ascii=False, allow_nan=False)
            except Exception as error:  # whatever the store or the SDK raises: one bad run must not hide the others
                unreadable += 1
                print(f"unreadable run {run_hash}: {error or type(error).__name__}", file=sys.stderr)
                continue
            write(text.encode("utf-8") + b"\n")
            exported += 1
        print(f"{exported} runs exported, {unreadable} unreadable", file=sys.stderr)
        if unreadable and not skip_bad:
            raise SystemExit(1)
    return exported, unreadable


def main():
    """Command line."""
    parser = argparse.ArgumentParser(
        description="Export an Aim repository as run JSONL for `lakeql import aim`.",
        epilog="Exit status 1 if a run cannot be read (then no output file is left behind), unless --skip-bad.",
    )
    parser.add_argument("repo", help="folder that contains .aim, or the .aim folder itself")
    parser.add_argument("-o", "--output", metavar="FILE", help="write here (gzip if it ends in .gz) instead of stdout")
    parser.add_argument("--run", metavar="HASH", action="append", help="export only this run; can be repeated")
    parser.add_argument("--skip-bad", action="store_true", help="leave out runs that cannot be read and succeed")
    options = parser.parse_args()
    try:
        export(options.repo, options.run, options.output, options.skip_bad)
    except BrokenPipeError:
        # The reader has what it wanted (`| head`). Keep Python from flushing into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
