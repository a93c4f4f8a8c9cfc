#!/usr/bin/env python3
"""Train about 200 small scikit-learn models and track them with Aim: the source of `sklearn_runs.jsonl.gz`.

    pip install aim==3.29.1 scikit-learn==1.9.1
    python datasets/train_sklearn.py --repo sklearn-runs
    python scripts/export_aim.py sklearn-runs --output datasets/sklearn_runs.jsonl.gz

Linear models trained by stochastic gradient descent, multi-layer perceptrons and gradient boosting, over a grid of
hyperparameters, on the data sets that come with scikit-learn. Every number tracked is what the model really did:
nothing is made up, so there are runs that diverge (they fail with scikit-learn's own error), and runs whose process
is killed half-way (they stay active, as they do in real life). Seeds are fixed, so parameters and metric values
repeat; run hashes and times are those of the day. Takes a few minutes on one core.
"""

import argparse
import itertools
import os
import platform
import signal
import subprocess
import sys
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one order of summation, hence the same last digits everywhere

import aim
import numpy as np
import sklearn
from PIL import Image
from sklearn import datasets, metrics
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

CLASSIFICATION = ("iris", "wine", "breast_cancer", "digits")
EPOCHS = {"sgd": 30, "mlp": 40, "gradient_boosting": 40}
EXPERIMENTS = {"sgd": "linear models", "mlp": "neural networks", "gradient_boosting": "boosting"}
# Positions in the grid of the runs whose process is killed half-way.
KILLED = (29, 83, 119, 178)


def grid():
    """(model, data set, seed, hyperparameters) of every run."""
    for seed, names in ((0, CLASSIFICATION), (1, ("breast_cancer",))):
        losses, alphas = ("log_loss", "modified_huber"), (1e-4, 1e-2)
        for name, loss, alpha, lr in itertools.product(names, losses, alphas, (0.001, 0.01, 0.1)):
            yield "sgd", name, seed, {"lr": lr, "loss": loss, "alpha": alpha, "penalty": "l2", "schedule": "constant"}
    for alpha, lr in itertools.product((1e-4, 1e-2), (0.001, 0.01, 0.1, 1.0)):
        hparams = {"lr": lr, "loss": "squared_error", "alpha": alpha, "penalty": "elasticnet", "l1_ratio": 0.15}
        yield "sgd", "diabetes", 0, {**hparams, "schedule": "constant"}
    for seed, names in ((0, CLASSIFICATION), (1, ("breast_cancer",))):
        shapes = ([32], [64, 32], [16, 16, 16])
        for name, layers, solver, lr in itertools.product(names, shapes, ("adam", "sgd"), (0.001, 0.01)):
            yield "mlp", name, seed, mlp_hparams(layers, solver, lr)
    steps = (("adam", 0.001), ("adam", 0.01), ("sgd", 0.001), ("sgd", 0.5), ("sgd", 2.0))  # the last two go wrong
    for layers, (solver, lr) in itertools.product(([32], [64, 32]), steps):
        yield "mlp", "diabetes", 0, mlp_hparams(layers, solver, lr)
    for seed, names in ((0, CLASSIFICATION[:3]), (1, ("breast_cancer",))):
        for name, depth, lr, subsample in itertools.product(names, (2, 3), (0.05, 0.1, 0.5), (1.0, 0.5)):
            yield "gradient_boosting", name, seed, boosting_hparams(depth, lr, subsample, "log_loss")
    for lr in (0.1, 0.3):
        yield "gradient_boosting", "digits", 0, boosting_hparams(2, lr, 0.5, "log_loss")
    for depth, lr, loss in itertools.product((2, 3), (0.05, 0.1, 0.5), ("squared_error", "huber")):
        yield "gradient_boosting", "diabetes", 0, boosting_hparams(depth, lr, 1.0, loss)


def mlp_hparams(layers, solver, lr):
    """Hyperparameters of a perceptron: nested, with a list, and with options that only one of the solvers has."""
    specific = {"betas": [0.9, 0.999]} if solver == "adam" else {"momentum": 0.9, "nesterov": True}
    return {
        "lr": lr,
        "layers": layers,
        "activation": "tanh" if len(layers) == 3 else "relu",
        "batch_size": "auto" if solver == "adam" and lr == 0.001 else 32,
        "alpha": 1e-4,
        "optimizer": {"name": solver, **specific},
    }


def boosting_hparams(depth, lr, subsample, loss):
    """Hyperparameters of boosting; `max_features` is null, text or a number, as scikit-learn has it."""
    max_features = {0.05: None, 0.1: "sqrt", 0.3: "sqrt", 0.5: 0.5}[lr]
    return {"lr": lr, "loss": loss, "subsample": subsample, "tree": {"max_depth": depth, "max_features": max_features}}


class Split:
    """A bundled data set, scaled, in three parts."""

    def __init__(self, name, seed):
        data = getattr(datasets, f"load_{name}")()
        self.name, self.classes = name, None if name == "diabetes" else np.unique(data.target)
        target = data.target.astype(float if self.classes is None else int)
        if self.classes is None:
            target = (target - target.mean()) / target.std()
        stratify = None if self.classes is None else target
        x, x_test, y, self.y_test = train_test_split(
            data.data, target, test_size=0.2, random_state=seed, stratify=stratify
        )
        stratify = None if self.classes is None else y
        x, x_val, self.y, self.y_val = train_test_split(x, y, test_size=0.25, random_state=seed, stratify=stratify)
        scaler = StandardScaler().fit(x)
        self.raw_test = x_test
        self.x, self.x_val, self.x_test = (scaler.transform(part) for part in (x, x_val, x_test))

    def params(self):
        """What is recorded about it."""
        params = {
            "name": self.name,
            "task": "regression" if self.classes is None else "classification",
            "n_features": self.x.shape[1],
            "split": {"train": len(self.y), "val": len(self.y_val), "test": len(self.y_test)},
        }
        return params if self.classes is None else {**params, "n_classes": len(self.classes)}


def scores(split, y, predicted, probabilities):
    """Loss and quality of a prediction."""
    if split.classes is None:
        return {
            "loss": metrics.mean_squared_error(y, predicted),
            "mae": metrics.mean_absolute_error(y, predicted),
            "r2": metrics.r2_score(y, predicted),
        }
    return {
        "loss": metrics.log_loss(y, probabilities, labels=split.classes),
        "accuracy": metrics.accuracy_score(y, predicted),
        "f1": metrics.f1_score(y, predicted, average="macro", zero_division=0.0),
    }


def build(model, split, seed, hparams):
    """The scikit-learn estimator."""
    regression = split.classes is None
    if model == "sgd":
        options = {key: hparams[key] for key in ("loss", "alpha", "penalty", "l1_ratio") if key in hparams}
        kind = SGDRegressor if regression else SGDClassifier
        return kind(**options, learning_rate=hparams["schedule"], eta0=hparams["lr"], random_state=seed)
    if model == "mlp":
        optimizer = hparams["optimizer"]
        options = {"momentum": optimizer["momentum"]} if "momentum" in optimizer else {}
        return (MLPRegressor if regression else MLPClassifier)(
            hidden_layer_sizes=hparams["layers"], activation=hparams["activation"], solver=optimizer["name"],
            learning_rate_init=hparams["lr"], alpha=hparams["alpha"], batch_size=hparams["batch_size"],
            random_state=seed, **options,
        )
    return (GradientBoostingRegressor if regression else GradientBoostingClassifier)(
        n_estimators=EPOCHS[model], learning_rate=hparams["lr"], loss=hparams["loss"], subsample=hparams["subsample"],
        max_depth=hparams["tree"]["max_depth"], max_features=hparams["tree"]["max_features"], random_state=seed,
    )


def trained(model, estimator, split):
    """Train; after every epoch (or tree) give predict(x) -> (labels or values, probabilities or None), and weights."""
    probabilities = split.classes is not None

    def now(x):
        return estimator.predict(x), estimator.predict_proba(x) if probabilities else None

    if model != "gradient_boosting":
        options = {"classes": split.classes} if probabilities else {}
        for _ in range(EPOCHS[model]):
            estimator.partial_fit(split.x, split.y, **options)
            yield now, estimator.coefs_ if model == "mlp" else [estimator.coef_]
        return
    estimator.fit(split.x, split.y)
    parts = [split.x, split.x_val, split.x_test]
    labels = [list(estimator.staged_predict(x)) for x in parts]
    likely = [list(estimator.staged_predict_proba(x)) if probabilities else [None] * len(labels[0]) for x in parts]
    for stage in range(len(labels[0])):
        known = {id(x): (labels[part][stage], likely[part][stage]) for part, x in enumerate(parts)}
        yield lambda x, known=known: known[id(x)], []


def track(run, model, estimator, split, hparams, kill):
    """Train and track one run; returns the last validation scores."""
    batch = hparams.get("batch_size", len(split.y) if model == "gradient_boosting" else 1)
    batches = -(-len(split.y) // (min(200, len(split.y)) if batch == "auto" else batch))
    val = {}
    for epoch, (predict, weights) in enumerate(trained(model, estimator, split)):
        step = (epoch + 1) * batches - 1
        if kill and epoch == EPOCHS[model] // 3:
            os.kill(os.getpid(), signal.SIGKILL)
        for subset, x, y in (("train", split.x, split.y), ("val", split.x_val, split.y_val)):
            val = scores(split, y, *predict(x))
            for name, value in val.items():
                run.track(value, name=name, step=step, epoch=epoch, context={"subset": subset})
        run.track((epoch + 1) * len(split.y), name="samples_seen", step=step, epoch=epoch)
        if weights:
            norm = float(np.sqrt(sum(float((matrix**2).sum()) for matrix in weights)))
            run.track(norm, name="weight_norm", step=step, epoch=epoch)
        if model == "gradient_boosting":
            run.track(estimator.train_score_[epoch], name="objective", step=step, epoch=epoch)
        if model == "mlp" and epoch % 10 == 9:
            for layer, matrix in enumerate(weights):
                spread = aim.Distribution(samples=matrix.ravel())
                run.track(spread, name="weights", step=step, epoch=epoch, context={"layer": layer})
    predicted, likely = predict(split.x_test)
    for name, value in scores(split, split.y_test, predicted, likely).items():
        run.track(value, name=name, step=step, epoch=epoch, context={"subset": "test"})
    if split.classes is not None:
        report = metrics.classification_report(split.y_test, predicted, zero_division=0.0)
        run.track(aim.Text(report), name="report", step=step, context={"subset": "test"})
    if split.name == "digits":
        for index in np.flatnonzero(predicted != split.y_test)[:3]:
            pixels = Image.fromarray((split.raw_test[index].reshape(8, 8) * 15).astype(np.uint8))
            caption = f"{split.y_test[index]} taken for {predicted[index]}"
            run.track(aim.Image(pixels, caption=caption), name="mistakes", step=int(index), context={"subset": "test"})
    return val


def one(repo, position, kill=False):
    """One run of the grid; returns (data set, last validation loss, run hash) if it came to its end."""
    model, name, seed, hparams = list(grid())[position]
    split = Split(name, seed)
    run = aim.Run(repo=repo, experiment=EXPERIMENTS[model], system_tracking_interval=None, capture_terminal_logs=False)
    run.name = f"{model} {name} {position}"
    run["model"] = model
    run["seed"] = seed
    run["hparams"] = {**hparams, "epochs": EPOCHS[model]}
    run["dataset"] = split.params()
    run["env"] = {"sklearn": sklearn.__version__, "numpy": np.__version__, "python": platform.python_version()}
    run.add_tag("regression" if split.classes is None else "classification")
    if seed:
        run.add_tag("repeat")
        run.description = f"the grid on {name} again, with seed {seed}"
    run.archived = position % 25 == 7
    outcome = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # divergence is expected, and recorded
            last = track(run, model, build(model, split, seed, hparams), split, hparams, kill)
            outcome = (name, last["loss"], run.hash)
    except (ValueError, FloatingPointError, OverflowError) as error:
        run["error"] = {"type": type(error).__name__, "message": str(error).split("\n")[0]}
        run.add_tag("failed")
    run.close()
    return outcome


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description="Train about 200 scikit-learn models and track them with Aim.")
    parser.add_argument("--repo", required=True, help="folder for the Aim repository; must not have one yet")
    parser.add_argument("--kill", type=int, help=argparse.SUPPRESS)  # one run, in a process that does not survive it
    options = parser.parse_args()
    if options.kill is not None:
        one(options.repo, options.kill, kill=True)
        return
    if aim.Repo.exists(options.repo):
        parser.error(f"{options.repo} has an Aim repository already")
    os.makedirs(options.repo, exist_ok=True)
    repo = aim.Repo.from_path(options.repo, init=True)
    best, total, failed = {}, len(list(grid())), 0
    for position in range(total):
        if position in KILLED:
            subprocess.run([sys.executable, __file__, "--repo", options.repo, "--kill", str(position)], check=False)
            continue
        outcome = one(options.repo, position)
        if outcome is None:
            failed += 1
        elif outcome[0] not in best or outcome[1] < best[outcome[0]][0]:
            best[outcome[0]] = outcome[1:]
        if position % 20 == 19:
            print(f"{position + 1} of {total}", file=sys.stderr)
    for _, run_hash in best.values():
        repo.request_props(run_hash, read_only=False).add_tag("best")
    print(f"{total} runs, {failed} failed, {len(KILLED)} killed", file=sys.stderr)


if __name__ == "__main__":
    main()
