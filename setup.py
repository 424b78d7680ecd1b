"""Packaging. `kernels/` is installed as `cvseg.kernels`: another distribution owns the top-level name `kernels`."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+?)"', (ROOT / "cvseg" / "__init__.py").read_text(encoding="utf-8"))[1]

CORE = [
    "numpy>=2.0",
    "scipy>=1.13",
    "numba>=0.60",
    "scikit-image>=0.24",
    "filterpy>=1.4.5",
    "av>=17.0",
    "pillow>=10.3",
    "click>=8.1,!=8.3.0",
    "tqdm>=4.66",
]
# CuPy does not bring the compiler it needs; NVRTC and the CUDA runtime headers come as NVIDIA's own wheels.
CUDA12 = ["cupy-cuda12x>=13.3", "nvidia-cuda-nvrtc-cu12", "nvidia-cuda-runtime-cu12"]
CUDA13 = ["cupy-cuda13x>=13.6", "nvidia-cuda-nvrtc>=13,<14", "nvidia-cuda-runtime>=13,<14"]
EXTRAS = {
    "opencv": ["opencv-contrib-python>=4.10,<6"],
    "ml": ["scikit-learn>=1.4"],
    "plot": ["matplotlib>=3.8"],
    "web": ["fastapi>=0.110", "uvicorn>=0.29", "websockets>=12"],
    "cluster": ["distributed>=2024.5", "dask>=2024.5"],
    "docs": ["sphinx>=7.3", "pydata-sphinx-theme>=0.15", "sphinx-gallery>=0.16", "myst-nb>=1.1"],
    # nvidia-cuda-nvrtc compiles every .cu without a GPU or a driver.
    "test": [
        "pytest>=8.2",
        "pytest-xdist>=3.6",
        "hypothesis>=6.100",
        "pycocotools>=2.0.7",  # the reference for run-length masks and average precision
        "ruff>=0.17,<0.18",
        "mypy>=1.10",
        "codespell>=2.3",
        "nvidia-cuda-nvrtc>=13",
        "setuptools>=70.1",  # the tests build the wheel without a network
    ],
}
EXTRAS["all"] = sorted({name for key in ("opencv", "ml", "plot", "web", "cluster") for name in EXTRAS[key]})
EXTRAS["cuda12"] = CUDA12  # the GPU packages stay out of "all": exactly one of the two fits a machine
EXTRAS["cuda13"] = CUDA13


setup(
    name="cvseg",
    version=VERSION,
    description="Classical video segmentation: optical flow, motion, regions and tracks, with CPU and CUDA kernels",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=[
        *find_packages(include=["cvseg", "cvseg.*"]),
        "cvseg.kernels",
        *(f"cvseg.kernels.{name}" for name in find_packages("kernels")),
    ],
    package_dir={"cvseg": "cvseg", "cvseg.kernels": "kernels"},
    package_data={"cvseg": ["py.typed", "**/*.html", "**/*.css"], "cvseg.kernels": ["**/*.cu", "**/*.cuh", "*.cuh"]},
    include_package_data=False,
    install_requires=CORE,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["cvseg=cvseg.cli.__main__:main"]},
    classifiers=[
        "Programming Language :: Python :: 3",
        "Operating System :: POSIX :: Linux",
        "Topic :: Scientific/Engineering :: Image Processing",
    ],
)
