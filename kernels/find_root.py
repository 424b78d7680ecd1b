"""`find_root`: which set an element belongs to, for CPU kernels that join sets (union-find)."""

from cvseg.kernels.cpu import cpu_kernel


@cpu_kernel(forceinline=True)
def find_root(parent, i):
    """The root of the tree of `i`; the way there is halved, so that it is shorter the next time."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i
