"""tandem's filters beside OpenCV's: the same results, and times in alternating runs with as many threads.

    python3 -m venv build/peers && build/peers/bin/pip install opencv-python-headless numpy
    cargo build --release -p tandem-filter --example time_filter
    build/peers/bin/python benches/peers/opencv_filters.py [--threads 2] [--repeats 15] [--only REGEX]
    build/peers/bin/python benches/peers/opencv_filters.py --windows
    build/peers/bin/python benches/peers/opencv_filters.py --golden > sw/filter/tests/golden/opencv.txt

The second form runs the Gaussian alone, windows in turn: OpenCV's threads stay awake for a while after a call, and how long depends on the call before. The
third form writes check sums of OpenCV's results, which sw/filter/tests/opencv.rs compares with: each border mode by
copyMakeBorder, since not every call of OpenCV takes every mode.
"""

import argparse
import os
import re
import statistics
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

import cv2
import numpy as np

TYPES = {np.dtype(np.uint8): "u8", np.dtype(np.uint16): "u16", np.dtype(np.float32): "f32"}


def natural(height, width, channels=1, seed=1):
    """Noise with the power spectrum of natural images, 1/f^2, in 0 to 255."""
    random = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    f[0, 0] = 1
    planes = []
    for _ in range(channels):
        v = np.fft.irfft2(np.fft.rfft2(random.standard_normal((height, width))) / f, s=(height, width))
        planes.append(np.clip((v - v.mean()) / v.std() * 50 + 128, 0, 255))
    return np.stack(planes, -1).squeeze()


def program():
    target = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parents[2] / "target"))
    return target / "release/examples/time_filter"


class Ours:
    """A filter in a process of its own, which runs once for each line that it gets."""

    def __init__(self, image, threads, repeats, border, kind, parameters):
        self.folder = tempfile.TemporaryDirectory()
        source, self.result = (Path(self.folder.name) / name for name in ("in", "out"))
        image.tofile(source)
        height, width = image.shape[:2]
        channels = image.shape[2] if image.ndim == 3 else 1
        command = [program(), height, width, channels, TYPES[image.dtype], source, self.result, threads, repeats, border, kind]
        command += [f"{name}={value}" for name, value in parameters.items()]
        self.image = image
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def finish(self):
        self.process.stdin.close()
        assert self.process.wait() == 0
        return np.fromfile(self.result, self.image.dtype).reshape(self.image.shape)


def cases():
    """Name, image type, our filter with parameters, OpenCV's call."""
    for kind in (np.uint8, np.float32):
        for sigma in (2, 8, 32):
            yield f"Gaussian sigma {sigma}", kind, "gaussian", {"sigma": sigma, "method": "sliding-dct"}, lambda x, s=sigma: cv2.GaussianBlur(x, (0, 0), s)
        for size in (3, 5, 15, 31, 101):
            yield f"box {size}", kind, "box", {"size": size}, lambda x, k=size: cv2.blur(x, (k, k))
        for size in (3, 5, 9):
            kernel = np.random.default_rng(size).random((size, size)).astype(np.float32)
            kernel /= kernel.sum()
            text = ";".join(" ".join(repr(float(v)) for v in row) for row in kernel)
            yield f"FIR {size}x{size}", kind, "fir", {"kernel": text, "method": "direct"}, lambda x, k=kernel: cv2.filter2D(x, -1, k)
        for size in (3, 5) + ((9, 15, 31) if kind is np.uint8 else ()):
            yield f"median {size}", kind, "median", {"size": size}, lambda x, k=size: cv2.medianBlur(x, k)
        yield "Sobel x", kind, "sobel", {"derivative": "x"}, lambda x: cv2.Sobel(x, -1, 1, 0, ksize=3)
        yield "Laplacian", kind, "laplacian", {"size": 3}, lambda x: cv2.Laplacian(x, -1, ksize=3)
        for name, more in (("", {}), (", few terms", {"tolerance": 0.1})):
            yield f"bilateral 8, 30{name}", kind, "bilateral", {"sigma": 8, "range": 30, **more}, lambda x: cv2.bilateralFilter(x, 0, 30, 8)


BORDERS = {
    "reflect": cv2.BORDER_REFLECT,
    "reflect-101": cv2.BORDER_REFLECT_101,
    "replicate": cv2.BORDER_REPLICATE,
    "wrap": cv2.BORDER_WRAP,
    "constant:9": cv2.BORDER_CONSTANT,
}


LARGE = ("box size=13x17", "box size=20x20", "sobel derivative=x size=7 scale=1/4", "sobel derivative=y size=7 offset=100")


def pattern(height, width, channels, bits):
    """Numbers without a pattern that a filter would like."""
    i = np.arange(height * width * channels, dtype=np.uint64)
    v = (i * i * 31 + i * 17 + (i >> 3) * 101 + (i >> 5) * (i >> 7)) & 0xFFFF
    return (v & (2**bits - 1)).reshape(height, width, channels).squeeze()


def golden():
    """Lines of type, height, width, channels, border, filter with parameters and the CRC-32 of the result's bytes."""
    kernels = {
        "fir kernel=1,2,1;2,4,2;1,2,1 scale=1/16": np.outer([1, 2, 1], [1, 2, 1]) / 16,
        "fir kernel=1,-2,3,4;0,5,-6,7;8,-9,1,2 scale=1/8": np.array([[1, -2, 3, 4], [0, 5, -6, 7], [8, -9, 1, 2]]) / 8,
    }
    calls = {name: lambda x, k=k: cv2.filter2D(x, -1, k.astype(np.float32)) for name, k in kernels.items()}
    for size in ((3, 3), (5, 5), (7, 3), (1, 9), (6, 2), (13, 17), (20, 20)):
        calls["box size={}x{}".format(*size)] = lambda x, k=size: cv2.blur(x, k)
    for size in (3, 5):
        calls[f"median size={size}"] = lambda x, k=size: cv2.medianBlur(x, k)
    for size in (3, 5, 7):
        calls[f"sobel derivative=x size={size} scale=1/4"] = lambda x, k=size: cv2.Sobel(x, -1, 1, 0, ksize=k, scale=0.25)
        calls[f"sobel derivative=y size={size} offset=100"] = lambda x, k=size: cv2.Sobel(x, -1, 0, 1, ksize=k, delta=100)
    for size in (1, 3, 5):
        calls[f"laplacian size={size} scale=1/2 offset=50"] = lambda x, k=size: cv2.Laplacian(x, -1, ksize=k, scale=0.5, delta=50)
    large = {f"median size={size}": lambda x, k=size: cv2.medianBlur(x, k) for size in (7, 15)}
    print("# OpenCV", cv2.__version__, "by benches/peers/opencv_filters.py --golden")
    for kind, bits in ((np.uint8, 8), (np.uint16, 16), (np.float32, 8)):
        for height, width, channels in ((23, 37, 1), (31, 20, 3), (1, 19, 1)):
            x = pattern(height, width, channels, bits).astype(kind).reshape(height, width, *([channels] if channels > 1 else []))
            for border, mode in BORDERS.items():
                around = 40
                padded = cv2.copyMakeBorder(x, *[around] * 4, mode, value=[9] * 4)
                for name, call in (calls | large if kind is np.uint8 else calls).items():
                    # f32 means are equal to rounding only; OpenCV's u16 means and large kernels are rounded in f32, ours are not
                    if kind is np.float32 and name.startswith("box") or kind is np.uint16 and name in LARGE:
                        continue
                    y = np.ascontiguousarray(call(padded)[around : around + height, around : around + width])
                    print(TYPES[x.dtype], height, width, channels, border, name.replace(" ", "|"), f"{zlib.crc32(y.tobytes()):08x}")


def windows(image, threads, repeats):
    """Times of the sliding Gaussian by sigma."""
    print(f"{threads} threads, 1920x1080, one channel, medians and shortest of {repeats} runs in turn, ms")
    for kind in (np.uint8, np.float32):
        x = image.round().astype(kind)
        sigmas = (2, 8, 32)
        runners = [
            Ours(x, threads, repeats + 1, "reflect-101", "gaussian", {"sigma": sigma, "method": "sliding-dct"}) for sigma in sigmas
        ]
        rows = [[1e3 * runner.run() for runner in runners] for _ in range(repeats + 1)][1:]
        for runner in runners:
            runner.finish()
        medians, shortest = ([of(column) for column in zip(*rows)] for of in (statistics.median, min))
        cells = ", ".join(f"sigma {sigma}: {m:.2f} {s:.2f}" for sigma, m, s in zip(sigmas, medians, shortest))
        print(f"{TYPES[x.dtype]:<4} {cells}; largest over smallest {max(medians) / min(medians):.2f} {max(shortest) / min(shortest):.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--only", default="")
    parser.add_argument("--golden", action="store_true")
    parser.add_argument("--windows", action="store_true")
    options = parser.parse_args()
    if options.golden:
        return golden()
    cv2.setNumThreads(options.threads)
    image = natural(1080, 1920)
    if options.windows:
        return windows(image, options.threads, options.repeats)
    print(f"OpenCV {cv2.__version__}, {options.threads} threads, 1920x1080, one channel, medians and shortest of {options.repeats} alternating runs")
    print(f"{'filter':<22} {'type':<4} {'tandem ms':>18} {'OpenCV ms':>18} {'OpenCV/tandem':>14} {'largest difference':>19}")
    for name, kind, ours, parameters, theirs in cases():
        if not re.search(options.only, f"{name} {TYPES[np.dtype(kind)]}"):
            continue
        x = image.round().astype(kind)
        border = "replicate" if ours == "median" else "reflect-101"
        runner = Ours(x, options.threads, options.repeats + 1, border, ours, parameters)
        times = []
        for _ in range(options.repeats + 1):
            mine = runner.run()
            start = time.perf_counter()
            wanted = theirs(x)
            times.append((mine, time.perf_counter() - start))
        got = runner.finish()
        columns = [[1e3 * t for t in column] for column in zip(*times[1:])]
        (mine, best), (other, theirs_best) = ((statistics.median(c), min(c)) for c in columns)
        most = np.abs(got.astype(np.float64) - wanted).max()
        print(f"{name:<22} {TYPES[x.dtype]:<4} {mine:>10.2f} {best:>7.2f} {other:>10.2f} {theirs_best:>7.2f} {other / mine:>7.2f} {theirs_best / best:>6.2f} {most:>19.3g}", flush=True)


main()
