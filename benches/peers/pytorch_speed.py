#!/usr/bin/env python3
"""Training speed beside PyTorch in float: images a second of the same networks, in alternating runs on the same threads.

    pip install torch
    cargo build --release --bin tandem
    benches/peers/pytorch_speed.py [--only REGEX] [--pairs 5] [--threads 2] [--tandem PROGRAM] [--data DIR]

`tandem train --engine model` trains as the accelerator would, bit for bit, with data, augmentation and random numbers; what a step takes is
the difference of two runs of different length, so start, planning and the test at the end are not in it. PyTorch runs forward, backward and SGD with momentum
on one batch in memory, in the layout that is faster (`channels_last` or not, tried first). Medians of pairs; the last column is the ratio's median, and its range.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parents[2]


def normalized(layer, norm):
    return [layer, norm(layer.out_channels if norm is nn.BatchNorm2d else layer.out_features), nn.ReLU()]


def lenet5():
    return nn.Sequential(
        *normalized(nn.Conv2d(1, 6, 5, padding=2, bias=False), nn.BatchNorm2d), nn.MaxPool2d(2),
        *normalized(nn.Conv2d(6, 16, 5, bias=False), nn.BatchNorm2d), nn.MaxPool2d(2), nn.Flatten(),
        *normalized(nn.Linear(400, 120, bias=False), nn.BatchNorm1d),
        *normalized(nn.Linear(120, 84, bias=False), nn.BatchNorm1d),
        nn.Linear(84, 10),
    )


def perceptron():
    return nn.Sequential(
        nn.Flatten(),
        *normalized(nn.Linear(784, 256, bias=False), nn.BatchNorm1d),
        *normalized(nn.Linear(256, 128, bias=False), nn.BatchNorm1d),
        nn.Linear(128, 10),
    )


class Block(nn.Module):
    """Two convolutions, and the input, strided and padded with zero channels."""

    def __init__(self, channels, outputs, stride):
        super().__init__()
        self.a = nn.Conv2d(channels, outputs, 3, stride, 1, bias=False)
        self.norm_a = nn.BatchNorm2d(outputs)
        self.b = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm_b = nn.BatchNorm2d(outputs)
        self.stride, self.more = stride, outputs - channels

    def forward(self, x):
        y = self.norm_b(self.b(F.relu(self.norm_a(self.a(x)))))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        return F.relu(y + F.pad(shortcut, (0, 0, 0, 0, 0, self.more)))


def resnet20():
    layers = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    channels = 16
    for outputs in (16, 32, 64):
        for block in range(3):
            layers.append(Block(channels, outputs, 2 if block == 0 and outputs > 16 else 1))
            channels = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


# name, experiment, network, shape of an image, steps of the shorter run and more steps of the longer one
CASES = [
    ("perceptron", "mnist-mlp.toml", perceptron, (1, 28, 28), 100, 1500),
    ("lenet5", "mnist-lenet5.toml", lenet5, (1, 28, 28), 50, 700),
    ("lenet5-1of4", "mnist-lenet5-1of4.toml", lenet5, (1, 28, 28), 50, 700),
    ("resnet20", "cifar-resnet20.toml", resnet20, (3, 32, 32), 10, 120),
]


def torch_step(network, shape, batch, layout):
    torch.manual_seed(1)
    model = network().train().to(memory_format=layout)
    x = torch.rand(batch, *shape).to(memory_format=layout)
    labels = torch.randint(10, (batch,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(x), labels).backward()
        optimizer.step()

    return step


def torch_speed(step, batch, seconds):
    step()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        step()
        steps += 1
    return batch * steps / (time.perf_counter() - start)


def tandem_wall(options, experiment, steps, folder):
    command = [options.tandem, "train", "-c", ROOT / "configs/experiments" / experiment, "--engine", "model", "--steps", str(steps)]
    command += ["--threads", str(options.threads), "--json", "--output", folder, "--force"]
    if options.data:
        command += ["--data", options.data]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(run.stderr + run.stdout)
    result = json.loads(run.stdout.strip().splitlines()[-1])
    return result["wall_s"], result["weights_digest"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--tandem", default=str(target / "release/tandem"))
    parser.add_argument("--data")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"PyTorch {torch.__version__}, {options.threads} threads, medians of {options.pairs} pairs")
    for name, experiment, network, shape, short, more in CASES:
        if not re.search(options.only, name):
            continue
        text = (ROOT / "configs/experiments" / experiment).read_text()
        batch = int(re.search(r"^batch\s*=\s*(\d+)", text, re.M).group(1))
        layouts = [torch.contiguous_format, torch.channels_last]
        tried = [(torch_speed(torch_step(network, shape, batch, l), batch, 2), l) for l in layouts]
        layout = max(tried, key=lambda t: t[0])[1]
        step = torch_step(network, shape, batch, layout)
        pairs, digests = [], set()
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(options.pairs):
                theirs = torch_speed(step, batch, 4)
                a, _ = tandem_wall(options, experiment, short, folder)
                b, digest = tandem_wall(options, experiment, short + more, folder)
                pairs.append((batch * more / (b - a), theirs))
                digests.add(digest)
        assert len(digests) == 1, "the same run gave different weights"
        ours, theirs = (statistics.median(p[i] for p in pairs) for i in (0, 1))
        ratios = sorted(a / b for a, b in pairs)
        row = {"name": name, "batch": batch, "tandem": ours, "pytorch": theirs, "ratio": statistics.median(ratios)}
        row |= {"least": ratios[0], "most": ratios[-1], "layout": str(layout), "digest": digests.pop()}
        if options.json:
            print(json.dumps(row))
        else:
            print(f"{name:14} batch {batch:4}  tandem {ours:8.0f} images/s  PyTorch {theirs:8.0f} ({layout})"
                  f"  ratio {row['ratio']:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
