"""Random numbers for pixels that need no generator: a hash of the frame and the place. The same on every device."""

import numpy as np

from cvseg.kernels.cpu import cpu_kernel

# An odd multiplier that spreads neighbouring numbers, and two of an avalanche over 32 bits; also in pixel_hash.cuh
_SPREAD, _FIRST, _SECOND = np.uint32(0x9E3779B1), np.uint32(0x7FEB352D), np.uint32(0x846CA68B)


@cpu_kernel(forceinline=True)
def mixed(number):
    """32 bits, each of which depends on all bits of `number`."""
    number = np.uint32(number ^ np.uint32(number >> np.uint32(16)))
    number = np.uint32(number * _FIRST)
    number = np.uint32(number ^ np.uint32(number >> np.uint32(15)))
    number = np.uint32(number * _SECOND)
    return np.uint32(number ^ np.uint32(number >> np.uint32(16)))


@cpu_kernel(forceinline=True)
def pixel_hash(place, key):
    """32 random bits for the pixel with number `place`; `key` is the `mixed` number of the frame."""
    return mixed(np.uint32(np.uint32(np.uint32(place) * _SPREAD) ^ key))
