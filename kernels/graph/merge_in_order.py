"""Graph-based segmentation as the paper has it: edge after edge, weights not rounded, then the small regions.

On the CPU alone: what an edge does depends on all edges before it. `merge_pixels` has whole weights, and both devices.
"""

import numpy as np

from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.find_root import find_root


@cpu_kernel
def pixel_edges(colors, directions, pixels, weights):
    """Edges from each pixel to the right, down, and along both diagonals; returns how many they are.

    colors: (height, width, channels) float64.   pixels: (n, 2) int32, weights: (n) float64, written.
    """
    height, width, channels = colors.shape
    count = 0
    for y in range(height):
        for x in range(width):
            for d in range(directions):
                other_y, other_x = y + (0 if d == 0 else 1), x + (0 if d == 1 else (-1 if d == 3 else 1))
                if other_y >= height or other_x < 0 or other_x >= width:
                    continue
                square = 0.0
                for c in range(channels):
                    difference = colors[y, x, c] - colors[other_y, other_x, c]
                    square += difference * difference
                pixels[count, 0], pixels[count, 1] = y * width + x, other_y * width + other_x
                weights[count] = np.sqrt(square)
                count += 1
    return count


@cpu_kernel
def merge_in_order(pixels, weights, scale, smallest, parent, sizes, internal):
    """Join the ends of edges, which come in the order in which they are looked at, where both regions accept.

    parent: (pixels) int32, written: the first pixel of what each belongs to.
    sizes: int32, internal: float64, scratch.
    Returns how many regions are left.
    """
    left = parent.size
    for i in range(parent.size):
        parent[i] = i
        sizes[i] = 1
        internal[i] = 0.0
    for absorbing in range(2):
        for j in range(weights.size):
            a, b = find_root(parent, pixels[j, 0]), find_root(parent, pixels[j, 1])
            if a == b:
                continue
            if absorbing == 1:
                joins = sizes[a] < smallest or sizes[b] < smallest
            else:
                joins = weights[j] <= min(internal[a] + scale / sizes[a], internal[b] + scale / sizes[b])
            if joins:
                first, second = min(a, b), max(a, b)
                parent[second] = first
                sizes[first] += sizes[second]
                internal[first] = weights[j]
                left -= 1
    for i in range(parent.size):
        parent[i] = parent[parent[i]]
    return left
