#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: parity of every kernel, then kernel and stage timings, into benchmarks/results/.
# Needs Python with numpy, numba, scipy, scikit-image, cupy and pytest; nothing has to be installed from here.
#   benchmarks/gpu_check.sh [--sizes 480p 1080p 2160p] [--kernels NAME ...] [--repeats N] [--output FILE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHONPATH=".${PYTHONPATH:+:$PYTHONPATH}" exec "${PYTHON:-python3}" -m benchmarks.speed.gpu_check "$@"
