"""Blocks of 64 bytes of whole numbers in one vector: rows of any integer type, compared and shifted 8 to 64 at a time.

The same loop with plain numbers is vectorised by the compiler too, but it tests at the start of every row whether the
arrays overlap: 20 ns, as long as the row itself takes. As in `lanes`, arrays are flat and C-contiguous, and nothing is
checked. Only inside compiled code.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, overload, register_model

from cvseg.kernels.cpu import cpu_kernel

BLOCK_BYTES = 64


class Block(types.Type):
    """64 bytes of `element`."""

    def __init__(self, element):
        self.element = element
        self.count = BLOCK_BYTES * 8 // element.bitwidth
        super().__init__(name=f"block of {element}")

    @property
    def vector(self):
        return ir.VectorType(ir.IntType(self.element.bitwidth), self.count)


@register_model(Block)
class _BlockModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, kind.vector)


def _is_flat(array):
    return (
        isinstance(array, types.Array)
        and array.ndim == 1
        and array.layout == "C"
        and isinstance(array.dtype, types.Integer)
    )


def _place(context, builder, array_kind, array, index, vector):
    data = cgutils.create_struct_proxy(array_kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


def _spread(builder, value, kind):
    first = builder.insert_element(ir.Constant(kind.vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
    return builder.shuffle_vector(first, first, zeros)


@intrinsic
def load_block(typing_context, array, index):
    """Elements from `index` on of a flat array."""
    if not (_is_flat(array) and isinstance(index, types.Integer)):
        return None
    kind = Block(array.dtype)

    def emit(context, builder, sig, args):
        place = _place(context, builder, sig.args[0], args[0], args[1], kind.vector)
        return builder.load(place, align=kind.element.bitwidth // 8)

    return kind(array, index), emit


@intrinsic
def store_block(typing_context, array, index, block):
    if not (_is_flat(array) and isinstance(index, types.Integer) and block == Block(array.dtype)):
        return None

    def emit(context, builder, sig, args):
        place = _place(context, builder, sig.args[0], args[0], args[1], block.vector)
        builder.store(args[2], place, align=block.element.bitwidth // 8)
        return context.get_dummy_value()

    return types.none(array, index, block), emit


@intrinsic
def spread_block(typing_context, array, value):
    """`value` in every place of a block of the array's type."""
    if not (_is_flat(array) and isinstance(value, types.Integer)):
        return None
    kind = Block(array.dtype)

    def emit(context, builder, sig, args):
        return _spread(builder, context.cast(builder, args[1], sig.args[1], array.dtype), kind)

    return kind(array, value), emit


@intrinsic
def least_block(typing_context, a, b):
    """The smaller of two, place by place."""
    if not (isinstance(a, Block) and a == b):
        return None

    def emit(context, builder, sig, args):
        compare = builder.icmp_signed if a.element.signed else builder.icmp_unsigned
        return builder.select(compare("<", *args), *args)

    return a(a, b), emit


def _bitwise(name):
    @intrinsic
    def function(typing_context, a, b):
        if not (isinstance(a, Block) and a == b):
            return None
        return a(a, b), lambda context, builder, sig, args: getattr(builder, name)(*args)

    return function


xor_block, and_block = _bitwise("xor"), _bitwise("and_")


@intrinsic
def ordered_block(typing_context, block):
    """Signed numbers are bits of float32: made whole numbers of the same order, or back. Unsigned ones stay."""
    if not isinstance(block, Block):
        return None

    def emit(context, builder, sig, args):
        if not block.element.signed:
            return args[0]
        whole = ir.Constant(block.vector, [31] * block.count)
        rest = ir.Constant(block.vector, [0x7FFFFFFF] * block.count)
        return builder.xor(args[0], builder.and_(builder.ashr(args[0], whole), rest))

    return block(block), emit


@intrinsic
def window_block(typing_context, words, bit):
    """64 bits of each of 8 words, from `bit` on: ``words`` as one long row of bits. words: flat uint64."""
    if not (_is_flat(words) and words.dtype == types.uint64 and isinstance(bit, types.Integer)):
        return None
    kind = Block(types.uint64)

    def emit(context, builder, sig, args):
        def number(n):
            return ir.Constant(ir.IntType(64), n)

        bit = context.cast(builder, args[1], sig.args[1], types.int64)
        index, shift = builder.ashr(bit, number(6)), builder.and_(bit, number(63))
        low, high = (
            builder.load(_place(context, builder, sig.args[0], args[0], i, kind.vector), align=8)
            for i in (index, builder.add(index, number(1)))
        )
        # Funnel shift: no special case where the shift is 0.
        name = "llvm.fshr.v8i64"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind.vector, [kind.vector] * 3), name)
        return builder.call(function, [high, low, _spread(builder, shift, kind)])

    return kind(words, bit), emit


@intrinsic
def nonzero_bits(typing_context, array, index):
    """Bit i of the result: is element `index` + i of a flat array of bytes other than 0?"""
    if not (_is_flat(array) and array.dtype == types.uint8 and isinstance(index, types.Integer)):
        return None
    vector = Block(types.uint8).vector

    def emit(context, builder, sig, args):
        values = builder.load(_place(context, builder, sig.args[0], args[0], args[1], vector), align=1)
        return builder.bitcast(builder.icmp_unsigned("!=", values, ir.Constant(vector, None)), ir.IntType(64))

    return types.uint64(array, index), emit


@intrinsic
def trailing_zeros(typing_context, word):
    """Number of zero bits below the lowest that is set; `word` is uint64 and not 0."""
    if word != types.uint64:
        return None

    def emit(context, builder, sig, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(word), emit


@intrinsic
def store_bits(typing_context, array, index, word):
    """The reverse of `nonzero_bits`: 64 bytes, 0 or 1."""
    if not (_is_flat(array) and array.dtype == types.uint8 and word == types.uint64):
        return None
    vector = Block(types.uint8).vector

    def emit(context, builder, sig, args):
        flags = builder.bitcast(args[2], ir.VectorType(ir.IntType(1), 64))
        place = _place(context, builder, sig.args[0], args[0], args[1], vector)
        builder.store(builder.zext(flags, vector), place, align=1)
        return context.get_dummy_value()

    return types.none(array, index, word), emit


def _ordered(value):
    """As `ordered_block`, one number."""


@overload(_ordered, inline="always")
def _ordered_overload(value):
    if value.signed:
        return lambda value: value ^ ((value >> 31) & 0x7FFFFFFF)
    return lambda value: value


@cpu_kernel(forceinline=True)
def ordered(value):
    """As `ordered_block`, one number."""
    return _ordered(value)
