"""scripts/export_aim.py against a repository written with the real Aim SDK.

Expected values are what the test tracked, or what Aim documents it stores; nothing is taken from the exporter.
Run with `python -m pytest tests/python -rs` where `aim==3.29.1` is installed.
"""

import calendar
import datetime
import gzip
import json
import math
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pytest

try:
    import aim
except ImportError as error:
    pytest.skip(f"the Aim SDK cannot be imported ({error}): pip install aim==3.29.1", allow_module_level=True)

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "export_aim.py"
MEDIA = ("images", "texts", "audios", "distributions", "figures")

# Every JSON type, ints at the edge of 64 bits, keys that look like paths or like the marks of the export format.
PARAMS = {
    "hparams": {
        "lr": 0.1,
        "batch": 64,
        "amp": True,
        "scheduler": None,
        "name": "résnet \"50\"\n学习率 🚀",
        "layers": [64, 32],
        "mixed": [1, 1.0, "1", True, None, {"deep": []}],
        "empty dict": {},
        "empty list": [],
        "optimizer": {"betas": [0.9, 0.999], "weight-decay": -0.0},
    },
    "optim.lr": 1.0,
    "optim": {"lr": 0.5},
    "big": 2**63 - 1,
    "small": -(2**63),
    "huge float": 1e300,
    "nan": math.nan,
    "inf": math.inf,
    "minus inf": [-math.inf],
    "by number": {0: "zero", "0": "text zero", 10: "ten", -1: "minus one"},
    "marks": {"$float": "nan"},
}


def run_of(repo, **options):
    """A run without the background threads of the SDK."""
    return aim.Run(repo=str(repo), system_tracking_interval=None, capture_terminal_logs=False, **options)


def forget():
    """Let go of what the SDK caches about a repository."""
    aim.Repo._pool.clear()


def call(*arguments):
    """Run the exporter as its users do."""
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, timeout=120)


def lines(data):
    """Parse JSONL; NaN and Infinity are not JSON and must not occur."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in data.decode("utf-8").splitlines()]


class Tracked:
    """The repository, what was put into it, and its export."""


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    it = Tracked()
    it.repo = tmp_path_factory.mktemp("repo")
    aim.Repo.from_path(str(it.repo), init=True)
    it.started = time.time()

    run = run_of(it.repo, experiment="first experiment")
    it.params = run.hash
    run.name, run.description = "all types", "a description"
    run.add_tag("zeta")
    run.add_tag("alpha")
    for key, value in PARAMS.items():
        run[key] = value
    run.close()

    run = run_of(it.repo)
    it.metrics = run.hash
    for step in range(20):
        run.track(1.0 / (step + 1), name="loss", step=step * 10, epoch=step // 5, context={"subset": "train"})
    for value in (3, 1, 2):
        run.track(value, name="count")
    run.track(1, name="mixed")
    run.track(0.5, name="mixed")
    for step, value in ((0, 5.0), (1, 4.0), (2, 3.0), (2, 9.0), (1, -1.0)):
        run.track(value, name="retrack", step=step, context={"subset": "val", "fold": 1, "deep": {"a": [1, "b"]}})
    for step, value in ((-3, 7.0), (-1, 6.0)):
        run.track(value, name="negative", step=step)
    for value in (math.nan, math.inf, -math.inf, 1.5):
        run.track(value, name="odd")
    run.track(math.nan, name="all nan")
    run.track(1.0, name="some epochs", step=0, epoch=4)
    run.track(2.0, name="some epochs", step=1)
    run.close()

    run = run_of(it.repo)
    it.archived = run.hash
    run.archived = True
    run.close()

    run = run_of(it.repo)
    it.media = run.hash
    for step in (0, 4):
        run.track(aim.Text(f"text {step}"), name="log", step=step, context={"subset": "val"})
    run.track([aim.Text("a"), aim.Text("b")], name="prompts", step=0)
    run.track([aim.Text("c")], name="prompts", step=3)
    run.track(aim.Distribution(samples=[0, 1, 1, 2], bin_count=4), name="weights", step=7)
    try:
        from PIL import Image

        for step, caption in ((1, "first"), (2, "second")):
            run.track(aim.Image(Image.new("RGB", (3, 2)), caption=caption, format="png"), name="samples", step=step)
        run.track([aim.Image(Image.new("L", (1, 1)))] * 3, name="grid", step=5, context={"ema": 1})
        it.has_images = True
    except ImportError:
        it.has_images = False
    run.close()

    run = run_of(it.repo)  # never closed while the export runs
    it.active = run.hash
    run["kind"] = "live"
    run.track(0.25, name="loss")
    it.open_run = run

    it.result = call(it.repo)
    it.finished = time.time()
    it.runs = lines(it.result.stdout)
    it.by_hash = {line["hash"]: line for line in it.runs}
    yield it
    run.close()


def stored(key):
    """Sort key of Aim's storage: a path element is its UTF-8 text and a byte FE."""
    return key.encode() + b"\xfe"


def metric(tracked, name):
    (found,) = [m for m in tracked.by_hash[tracked.metrics]["metrics"] if m["name"] == name]
    return found


def test_every_run_is_there_oldest_first(tracked):
    assert tracked.result.returncode == 0, tracked.result.stderr
    assert b"5 runs exported, 0 unreadable" in tracked.result.stderr
    order = [tracked.params, tracked.metrics, tracked.archived, tracked.media, tracked.active]
    assert [line["hash"] for line in tracked.runs] == order


def test_properties(tracked):
    line = tracked.by_hash[tracked.params]
    assert line["name"] == "all types"
    assert line["description"] == "a description"
    assert line["experiment"] == "first experiment"
    assert line["tags"] == ["zeta", "alpha"]
    assert line["archived"] is False and line["active"] is False
    plain = tracked.by_hash[tracked.metrics]
    assert plain["name"] == f"Run: {tracked.metrics}"
    assert (plain["description"], plain["experiment"], plain["tags"]) == (None, "default", [])
    assert [line["archived"] for line in tracked.runs] == [False, False, True, False, False]
    assert tracked.by_hash[tracked.archived]["params"] == {}
    for line in tracked.runs:
        assert list(line)[-6:] == ["metrics", *MEDIA]


def test_times(tracked):
    def seconds(text):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)
        moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
        return calendar.timegm(moment.timetuple()) + moment.microsecond / 1e6

    for line in tracked.runs:
        created = seconds(line["created_at"])
        assert tracked.started - 1 <= created <= tracked.finished
        if line["hash"] == tracked.active:
            assert line["active"] is True
            assert (line["finalized_at"], line["end_time"], line["duration"]) == (None, None, None)
        else:
            assert created <= line["end_time"] <= tracked.finished
            assert abs(seconds(line["finalized_at"]) - line["end_time"]) < 2e-6
            assert abs(line["duration"] - (line["end_time"] - created)) < 2e-6


def test_params_of_every_type(tracked):
    got = tracked.by_hash[tracked.params]["params"]
    expected = {key: PARAMS[key] for key in PARAMS if key not in ("nan", "inf", "minus inf", "by number", "marks")}
    for key, value in expected.items():
        assert got[key] == value
        assert json.dumps(got[key], sort_keys=True) == json.dumps(value, sort_keys=True)  # 1, 1.0, true and -0.0 apart
    assert got["nan"] == {"$float": "nan"}
    assert got["inf"] == {"$float": "inf"}
    assert got["minus inf"] == [{"$float": "-inf"}]
    # Text keys come first, then numbers by their two's complement bytes: Aim's storage order.
    assert got["by number"] == {"$map": [["0", "text zero"], [0, "zero"], [10, "ten"], [-1, "minus one"]]}
    # A dict of the user's that looks like a mark is not mistaken for one.
    assert got["marks"] == {"$map": [["$float", "nan"]]}
    assert list(got) == sorted(PARAMS, key=stored)
    assert list(got["hparams"]) == sorted(PARAMS["hparams"], key=stored)


def test_points_and_epochs(tracked):
    loss = metric(tracked, "loss")
    assert loss["context"] == {"subset": "train"}
    assert loss["steps"] == [step * 10 for step in range(20)]
    assert loss["values"] == [1.0 / (step + 1) for step in range(20)]
    assert loss["epochs"] == [float(step // 5) for step in range(20)]
    assert len(loss["times"]) == 20
    assert all(tracked.started <= moment <= tracked.finished for moment in loss["times"])
    assert loss["times"] == sorted(loss["times"])
    assert metric(tracked, "count")["epochs"] is None
    assert metric(tracked, "some epochs")["epochs"] == [4.0, None]


def test_summaries_are_the_stored_ones(tracked):
    def summary(name):
        found = metric(tracked, name)
        fields = ("dtype", "version", "first", "last", "first_step", "last_step", "min", "max")
        return {key: found[key] for key in fields if key in found}

    common = {"version": 2, "first_step": 0}
    assert summary("loss") == {
        **common, "dtype": "float", "first": 1.0, "last": 0.05, "last_step": 190, "min": 0.05, "max": 1.0,
    }
    count = summary("count")
    assert count == {**common, "dtype": "int", "first": 3, "last": 2, "last_step": 2, "min": 1, "max": 3}
    assert all(type(count[key]) is int for key in ("first", "last", "min", "max"))
    assert metric(tracked, "count")["values"] == [3.0, 1.0, 2.0]
    mixed = summary("mixed")
    assert (mixed["dtype"], mixed["first"], mixed["last"]) == ("number", 1, 0.5)
    assert type(mixed["first"]) is int
    odd = summary("odd")
    assert (odd["first"], odd["last"]) == ({"$float": "nan"}, 1.5)
    assert (odd["min"], odd["max"]) == ({"$float": "-inf"}, {"$float": "inf"})
    assert metric(tracked, "odd")["values"] == [{"$float": "nan"}, {"$float": "inf"}, {"$float": "-inf"}, 1.5]
    assert "min" not in summary("all nan") and "max" not in summary("all nan")


def test_summaries_that_points_do_not_tell(tracked):
    # Tracking a step again changes the series, but not `last`; min and max remember what was overwritten.
    again = metric(tracked, "retrack")
    assert (again["steps"], again["values"]) == ([0, 1, 2], [5.0, -1.0, 9.0])
    assert (again["first"], again["last"], again["last_step"]) == (5.0, 3.0, 2)
    assert (again["min"], again["max"]) == (-1.0, 9.0)
    assert again["context"] == {"subset": "val", "fold": 1, "deep": {"a": [1, "b"]}}
    # Only negative steps: nothing is ever "last", and "first" is the latest call.
    negative = metric(tracked, "negative")
    assert (negative["steps"], negative["values"]) == ([-3, -1], [7.0, 6.0])
    assert "last" not in negative and "last_step" not in negative
    assert (negative["first"], negative["first_step"]) == (6.0, -1)


def test_context_hash_is_aims(tracked):
    from aim.storage.context import Context

    for line in tracked.runs:
        for sequence in line["metrics"] + [s for kind in MEDIA for s in line[kind]]:
            assert sequence["context_hash"] == hash(Context(sequence["context"]))


def test_media(tracked):
    line = tracked.by_hash[tracked.media]
    assert line["metrics"] == [] and line["audios"] == [] and line["figures"] == []
    log, prompts = sorted(line["texts"], key=lambda sequence: sequence["name"])
    expected = {"name": "log", "context": {"subset": "val"}, "dtype": "aim.text", "version": 1}
    assert {key: log[key] for key in expected} == expected
    assert (log["steps"], log["first_step"], log["last_step"]) == ([0, 4], 0, 4)
    assert "record_max_length" not in log
    assert (prompts["steps"], prompts["dtype"]) == ([0, 3], "list(aim.text)")
    assert prompts["record_max_length"] == 2
    assert "last" not in prompts
    (weights,) = line["distributions"]
    assert (weights["steps"], weights["dtype"]) == ([7], "aim.distribution")
    assert (weights["last"]["bin_count"], weights["last"]["range"]) == (4, [0.0, 2.0])


def test_images(tracked):
    if not tracked.has_images:
        pytest.skip("Pillow is not installed")
    grid, samples = sorted(tracked.by_hash[tracked.media]["images"], key=lambda sequence: sequence["name"])
    assert (samples["steps"], samples["first_step"], samples["last_step"]) == ([1, 2], 1, 2)
    last = samples["last"]
    assert (last["caption"], last["format"], last["width"], last["height"]) == ("second", "png", 3, 2)
    assert "data" not in last
    assert (grid["dtype"], grid["record_max_length"], grid["context"]) == ("list(aim.image)", 3, {"ema": 1})
    assert "last" not in grid


def test_a_live_run_is_read_from_its_own_store(tracked):
    line = tracked.by_hash[tracked.active]
    assert line["params"] == {"kind": "live"}
    (loss,) = line["metrics"]
    assert (loss["values"], loss["last"], loss["context"]) == ([0.25], 0.25, {})


def test_a_stale_index_does_not_matter(tracked, tmp_path):
    shutil.copytree(tracked.repo, tmp_path / "repo")
    shutil.rmtree(tmp_path / "repo" / ".aim" / "meta" / "index")
    aim.Repo.from_path(str(tmp_path / "repo"), init=True)  # a new, empty index
    forget()
    assert lines(call(tmp_path / "repo").stdout) == tracked.runs


def test_files_and_single_runs(tracked, tmp_path):
    gz, again, two = tmp_path / "runs.jsonl.gz", tmp_path / "again.gz", tmp_path / "two.jsonl"
    assert call(tracked.repo / ".aim", "--output", gz).returncode == 0
    assert lines(gzip.decompress(gz.read_bytes())) == tracked.runs
    assert call(tracked.repo, "--output", again).returncode == 0
    assert gz.read_bytes() == again.read_bytes()
    assert call(tracked.repo, "-o", two, "--run", tracked.media, "--run", tracked.params).returncode == 0
    assert lines(two.read_bytes()) == [tracked.by_hash[tracked.params], tracked.by_hash[tracked.media]]


def test_unreadable_runs(tracked, tmp_path):
    repo, out = tmp_path / "repo", tmp_path / "out.jsonl"
    shutil.copytree(tracked.repo, repo)
    for file in (repo / ".aim" / "meta" / "chunks" / tracked.media).glob("MANIFEST*"):
        file.write_bytes(b"broken")
    shutil.rmtree(repo / ".aim" / "meta" / "chunks" / tracked.archived)
    (repo / ".aim" / "meta" / "chunks" / "0123456789abcdef01234567").mkdir()  # no row in the database
    good = [line for line in tracked.runs if line["hash"] not in (tracked.media, tracked.archived)]

    strict = call(repo, "--output", out)
    assert strict.returncode == 1
    assert list(tmp_path.iterdir()) == [repo]  # nothing half-written
    for run in (tracked.media, tracked.archived, "0123456789abcdef01234567"):
        assert f"unreadable run {run}: ".encode() in strict.stderr
    assert b"3 runs exported, 3 unreadable" in strict.stderr

    lenient = call(repo, "--output", out, "--skip-bad")
    assert lenient.returncode == 0
    assert lines(out.read_bytes()) == good
    assert call(repo, "--run", "nosuchrun").returncode == 1


def test_no_repository(tmp_path):
    result = call(tmp_path)
    assert result.returncode == 1
    assert b"no Aim repository" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_into_the_repository(tracked, tmp_path):
    # Of a closed run's stores: the live one of the fixture keeps being touched by its heartbeat.
    def state():
        stores = [tracked.repo / ".aim" / part / "chunks" / tracked.metrics for part in ("meta", "seqs")]
        return {
            (file.name, file.stat().st_size, file.stat().st_mtime_ns)
            for store in stores
            for file in store.iterdir()
            if not file.name.startswith("LOG")  # RocksDB's own diary
        }

    before = state()
    assert call(tracked.repo, "--output", tmp_path / "out.jsonl").returncode == 0
    assert state() == before
