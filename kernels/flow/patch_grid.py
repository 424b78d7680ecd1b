"""Where the patches of dense inverse search lie: one rule for all its kernels, and `patch_grid.cuh` for CUDA.

Patch (row, column) has its corner at ``(min(row * stride, height - 8), min(column * stride, width - 8))``, so that the
patches cover the image to its last pixel.
"""

from cvseg.kernels.cpu import cpu_kernel

PATCH = 8  # pixels on a side: one vector of 8 lanes, or two pixels for each thread of a warp
MARGIN = 16  # frame around the second image. Patches may leave it by 8 pixels, and bilinear reading takes one more.


@cpu_kernel(forceinline=True)
def patch_count(side, stride):
    """Patches along a side of at least 8 pixels."""
    return (side - PATCH + stride - 1) // stride + 1


def patch_grid(size_hw, stride):
    """Rows and columns of patches for an image of `size_hw`, at least 8x8."""
    height, width = size_hw
    return -(-(height - PATCH) // stride) + 1, -(-(width - PATCH) // stride) + 1
