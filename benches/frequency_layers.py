#!/usr/bin/env python3
"""Cycles of one layer, a training step, in space and in the frequency domain: which kernels, channels and blocks pay.

    pip install numpy
    cargo build --release --bin tandem
    benches/frequency_layers.py [--tandem PROGRAM] [--accelerator spectral] [--batch 32]

One step of a small network with that layer on random images (`tandem train --engine model --steps 1`); thousand cycles of the layer alone,
from the exact model: products of the MAC array, transforms of the FFT unit, both with all that they wait for the link.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEAD = """name = "layer"
accelerator = "{accelerator}"
[data]
set = "npy"
batch = {batch}
[train]
epochs = 1
optimizer = "sgd"
schedule = "cosine"
lr = 0.01
[bits]
weights = 4
activations = 4
gradients = 8
spectra = {spectra}
weight_clip = "max-abs"
activation_clip = "max-abs"
"""


def layer(kind, name, **keys):
    values = {k: f'"{v}"' if isinstance(v, str) else str(v).lower() for k, v in keys.items()}
    lines = [f'type = "{kind}"'] + ([f'name = "{name}"'] if name else []) + [f"{k} = {v}" for k, v in values.items()]
    return "[[layer]]\n" + "\n".join(lines) + "\n"


def convolution(kind, kernel, channels, **keys):
    own = layer(kind, "layer", channels=channels, kernel=kernel, padding=kernel // 2, bias=False, **keys)
    stem = layer("conv2d", "stem", channels=channels, kernel=1, bias=False)
    tail = layer("relu", "") + layer("global_avg_pool", "") + layer("flatten", "") + layer("linear", "fc", outputs=10)
    return stem + layer("relu", "") + own + tail


def linear(kind, features, **keys):
    stem = layer("flatten", "") + layer("linear", "stem", outputs=features, bias=False) + layer("relu", "")
    return stem + layer(kind, "layer", outputs=features, bias=False, **keys) + layer("relu", "") + layer("linear", "fc", outputs=10)


def pruning(pattern, density=None):
    share = f"density = {density}\n" if density else ""
    return f'[pruning]\nmethod = "random"\npattern = "{pattern}"\n{share}layers = ["layer"]\n'


def cycles(options, data, text, spectra=8):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "layer.toml")
        file.write_text(HEAD.format(accelerator=options.accelerator, batch=options.batch, spectra=spectra) + text)
        command = [options.tandem, "train", "-c", file, "--data", data, "--steps", "1", "--json", "-o", f"{folder}/run"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise SystemExit(run.stderr)
        report = json.loads(run.stdout.strip().splitlines()[-1])
    own = next(l for l in report["cycles_by_layer"] if l["layer"] == "layer")
    products = sum(own[p]["cycles"] for p in ("forward", "input_gradient", "weight_gradient"))
    return products, own.get("transforms", {"cycles": 0})["cycles"]


def images(folder, batch, side, channels):
    place = pathlib.Path(folder, "npy")
    place.mkdir(parents=True)
    for split, n in (("train", batch), ("test", 10)):
        random = np.random.default_rng(1)
        np.save(place / f"X_{split}.npy", random.integers(0, 256, (n, side, side, channels), dtype=np.uint8))
        np.save(place / f"y_{split}.npy", (np.arange(n) % 10).astype(np.uint8))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--tandem", default=str(target / "release/tandem"))
    parser.add_argument("--accelerator", default="spectral")
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()

    print("| layer | products | transforms | all | of dense in space | of 1:4 in space |\n|---|--:|--:|--:|--:|--:|")
    for title, side, build, domain, more in (
        ("5×5, 32 channels, 16×16, F = 8", 16, lambda kind, **k: convolution(kind, 5, 32, **k), "spectral_conv2d", {"tile": 8}),
        ("5×5, 32 channels, 24×24, F = 16", 24, lambda kind, **k: convolution(kind, 5, 32, **k), "spectral_conv2d", {"tile": 16}),
        ("5×5, 64 channels, 24×24, F = 16", 24, lambda kind, **k: convolution(kind, 5, 64, **k), "spectral_conv2d", {"tile": 16}),
        ("7×7, 32 channels, 20×20, F = 16", 20, lambda kind, **k: convolution(kind, 7, 32, **k), "spectral_conv2d", {"tile": 16}),
        ("7×7, 64 channels, 20×20, F = 16", 20, lambda kind, **k: convolution(kind, 7, 64, **k), "spectral_conv2d", {"tile": 16}),
        ("1024 → 1024", 32, lambda kind, **k: linear(kind, 1024, **k), "circulant_linear", None),
    ):
        with tempfile.TemporaryDirectory() as data:
            images(data, options.batch, side, 3 if more else 1)
            plain = "conv2d" if more else "linear"
            cases = [("in space", build(plain), 8), ("1:4", pruning("transposable 1:4") + build(plain), 8)]
            if more:
                cases.append(("spectra of 8 bits", build(domain, **more), 8))
                for share in (0.5, 0.25, 0.1):
                    cases.append((f"{share:.0%} of the bins", pruning("bins", share) + build(domain, **more), 8))
                cases.append(("25% of the bins, 4 bits", pruning("bins", 0.25) + build(domain, **more), 4))
            else:
                cases += [(f"blocks of {b}", build(domain, block=b), 8) for b in (4, 8, 16, 32, 64)]
            alls = []
            for name, text, spectra in cases:
                products, transforms = cycles(options, data, text, spectra)
                alls.append(products + transforms)
                shares = " | ".join(f"{alls[-1] / a:.2f}" for a in (alls[0], alls[min(1, len(alls) - 1)]))
                print(f"| {title}: {name} | {products / 1e3:.0f} | {transforms / 1e3:.0f} | {alls[-1] / 1e3:.0f} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
