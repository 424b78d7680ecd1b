"""Skip background quickly: most of a label map is zero."""

import numpy as np

from cvseg.kernels.cpu import cpu_kernel


@cpu_kernel
def next_labelled(row, x):
    """First index from `x` on with a label other than 0, or the row's length. row: (width,) int32."""
    # Unsigned, so that no index is tested for counting from the end.
    width = np.uint64(row.shape[0])
    i = np.uint64(x)
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    five, six, seven, eight = np.uint64(5), np.uint64(6), np.uint64(7), np.uint64(8)
    while i + eight <= width:
        low = row[i] | row[i + one] | row[i + two] | row[i + three]
        high = row[i + four] | row[i + five] | row[i + six] | row[i + seven]
        if (low | high) != 0:
            break
        i += eight
    while i < width and row[i] == 0:
        i += one
    return np.int64(i)
