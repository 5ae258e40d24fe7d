#!/usr/bin/env python3
"""A float network here and in PyTorch: the loss of one batch, and the gradient of every parameter.

    pip install torch
    cargo build --release --bin tandem
    benches/peers/pytorch_layers.py [EXPERIMENT.toml] [--tandem PROGRAM]         (configs/experiments/digits-cnn.toml)

The experiment must be one of the embedded digits. The batch is all training images, so that their order counts for nothing, and dropout is off:
masks of two generators are not comparable. `tandem train --engine float` makes one step of a learning rate that changes no bit of a
weight; its checkpoint then has the initial weights and, as velocities, their gradients. PyTorch runs the same layers, in float and in double.
Largest differences are printed relative to the largest gradient of each tensor. Exit code 1 if one is above 2e-5.
"""

import argparse
import gzip
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import tomllib

import numpy as np
import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Sums over images and positions: √(1437·64) roundings of 2⁻²⁴, if they are independent.
BOUND = 2e-5


def digits():
    """Training images [B, 1, 8, 8] in [0, 1], and labels."""
    folder = ROOT / "sw/nn/data"
    lines = gzip.open(folder / "digits.csv.gz", "rt").read().split()
    table = np.array([[float(v) for v in line.split(",")] for line in lines])
    numbers = (folder / "digits-test.txt").read_text().splitlines()
    test = [int(n) for line in numbers if not line.startswith("#") for n in line.split()]
    table = np.delete(table, test, axis=0)
    return table[:, :64].reshape(-1, 1, 8, 8) / 16.0, table[:, 64].astype(np.int64)


def safetensors(path):
    """All tensors of a file."""
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    types = {"F32": np.float32, "F64": np.float64, "U8": np.uint8, "U64": np.uint64, "I64": np.int64, "BOOL": np.uint8}
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            tensors[name] = np.frombuffer(body[first:last], types[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def pair(value, default=None):
    value = default if value is None else value
    return tuple(value) if isinstance(value, list) else (value, value)


def forward(layers, parameters, x):
    """The logits: signals are NCHW."""
    signals, before, counts = {"input": x}, "input", {}
    for layer in layers:
        kind = layer["type"]
        counts[kind] = counts.get(kind, 0) + 1
        name = layer.get("name", f"{kind}{counts[kind]}")
        x = signals[layer.get("input", before)]
        own = {key: p for (owner, key), p in parameters.items() if owner == name}
        if kind == "conv2d":
            groups, (kh, kw) = layer.get("groups", 1), pair(layer["kernel"])
            # [(ky, kx, c), o] to [o, c, ky, kx]
            w = own["weight"].reshape(kh, kw, x.shape[1] // groups, layer["channels"]).permute(3, 2, 0, 1)
            bias = own["bias"].flatten() if "bias" in own else None
            x = F.conv2d(x, w, bias, pair(layer.get("stride"), 1), pair(layer.get("padding"), 0), groups=groups)
        elif kind == "linear":
            x = x.flatten(1) @ own["weight"] + (own["bias"] if "bias" in own else 0)
        elif kind == "batch_norm":
            scale, shift = own["gamma"].flatten(), own["beta"].flatten()
            x = F.batch_norm(x, None, None, scale, shift, training=True, eps=layer.get("epsilon", 1e-5))
        elif kind == "relu":
            x = F.relu(x)
        elif kind in ("max_pool", "avg_pool"):
            pool = F.max_pool2d if kind == "max_pool" else F.avg_pool2d
            x = pool(x, pair(layer["size"]), pair(layer.get("stride"), layer["size"]))
        elif kind == "global_avg_pool":
            x = F.adaptive_avg_pool2d(x, 1)
        elif kind == "flatten":
            x = x.permute(0, 2, 3, 1).flatten(1)
        elif kind == "residual":
            (down, across), b = pair(layer.get("stride"), 1), signals[layer["from"]]
            b = b[:, :, ::down, ::across]
            x = x + F.pad(b, (0, 0, 0, 0, 0, x.shape[1] - b.shape[1]))
        elif kind != "dropout":
            sys.exit(f"{name}: PyTorch has no `{kind}`")
        signals[name], before = x, name
    return x.flatten(1)


def ours(tandem, file, experiment, batch):
    """The loss of one step on all images, and all parameters with their gradients, from a checkpoint."""
    settings = [f"data.batch={batch}", "train.lr=1e-30", "train.momentum=0.5", "train.weight_decay=0"]
    counts = {}
    for layer in experiment["layer"]:
        counts[layer["type"]] = counts.get(layer["type"], 0) + 1
        if layer["type"] == "dropout":
            settings.append(f"layer.{layer.get('name', 'dropout%d' % counts['dropout'])}.rate=0.0")
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "run"
        command = [tandem, "train", "-c", file, "--engine", "float", "--steps", "1", "-o", out]
        command += [part for setting in settings for part in ("--set", setting)]
        subprocess.run(command, check=True, capture_output=True)
        tensors = safetensors(out / "checkpoint.safetensors")
    loss = float(tensors["history.epochs"][0][0])
    # scales of quantizers take no part in a float network
    trained = [name[: -len(".velocity")] for name in tensors if name.endswith(".velocity")]
    trained = [name for name in trained if not name.endswith("_scale")]
    return loss, {name: (tensors[name], tensors[name + ".velocity"]) for name in sorted(trained)}


def theirs(experiment, parameters, images, labels, kind):
    """The same of PyTorch."""
    values = {
        tuple(name.rsplit(".", 1)): torch.tensor(value, dtype=kind, requires_grad=True)
        for name, (value, _) in parameters.items()
    }
    logits = forward(experiment["layer"], values, torch.tensor(images, dtype=kind))
    loss = F.cross_entropy(logits, torch.tensor(labels))
    loss.backward()
    return loss.item(), {".".join(name): value.grad.double().numpy() for name, value in values.items()}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("experiment", nargs="?", type=pathlib.Path, default=ROOT / "configs/experiments/digits-cnn.toml")
    arguments.add_argument("--tandem", default=ROOT / "target/release/tandem", help="the program")
    arguments = arguments.parse_args()
    experiment = tomllib.loads(arguments.experiment.read_text())
    images, labels = digits()
    loss, parameters = ours(arguments.tandem, arguments.experiment, experiment, len(images))
    print(f"{len(images)} images, torch {torch.__version__}; differences as shares of the largest gradient of a tensor")
    single, double = (theirs(experiment, parameters, images, labels, kind) for kind in (torch.float32, torch.float64))
    print(f"{'loss':24} {loss:.9f}   PyTorch float {single[0]:.9f}   double {double[0]:.9f}")
    print(f"{'gradient':24} {'ours - double':>14} {'float - double':>15} {'ours - float':>14}")
    worst = abs(loss - double[0]) / double[0]
    for name, (_, gradient) in parameters.items():
        exact = double[1][name]
        apart = lambda a, b: np.abs(a - b).max() / np.abs(exact).max()
        shares = apart(gradient, exact), apart(single[1][name], exact), apart(gradient, single[1][name])
        print(f"{name:24} {shares[0]:14.2e} {shares[1]:15.2e} {shares[2]:14.2e}")
        worst = max(worst, shares[0])
    print(f"largest difference from double: {worst:.2e}, allowed {BOUND}")
    return int(worst > BOUND)


if __name__ == "__main__":
    sys.exit(main())
