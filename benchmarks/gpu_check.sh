#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: the flow (graph and launches, shares of its kernels, parity on real pairs), parity of
# every kernel, then kernel and stage timings, into benchmarks/results/. CVSEG_DATA names the folder of real pairs.
# Needs Python with numpy, numba, scipy, scikit-image, cupy and pytest; nothing has to be installed from here.
#   benchmarks/gpu_check.sh [--sizes 480p 1080p 2160p] [--presets fast balanced] [--kernels NAME ...] [--repeats N] [--output FILE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHONPATH=".${PYTHONPATH:+:$PYTHONPATH}" exec "${PYTHON:-python3}" -m benchmarks.speed.gpu_check "$@"
