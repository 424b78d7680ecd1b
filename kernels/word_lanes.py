"""Explicit vectors of 32 whole numbers of 16 bits for CPU kernels that compare bytes and bit patterns.

Numba computes with 64 bits whatever is written, so that a plain loop over bytes uses an eighth of each register. As in
`lanes`, arrays are flat and C-contiguous and nothing is checked::

    apart = distance(load32_bytes(red, i), load32_bytes(sample, k))    # |a - b|
    good = good + ((apart < limit) & ONE_EACH)                         # a comparison gives all bits where true, else 0

Numbers are signed: at most 32767. Only inside compiled code.
"""

import operator

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

COUNT = 32
_WORD = ir.IntType(16)
_VECTOR = ir.VectorType(_WORD, COUNT)


class Words(types.Type):
    """32 numbers of 16 bits in one vector."""

    def __init__(self):
        super().__init__(name="i16x32")


words = Words()


@register_model(Words)
class _WordsModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _VECTOR)


def _register(function, emit):
    class Typing(AbstractTemplate):
        def generic(self, args, kws):
            return signature(words, words, words) if tuple(args) == (words, words) else None

    infer_global(function)(Typing)
    lower_builtin(function, Words, Words)(lambda context, builder, sig, args: emit(builder, *args))


def _compares(sign):
    return lambda builder, a, b: builder.sext(builder.icmp_signed(sign, a, b), _VECTOR)


_register(operator.add, lambda builder, a, b: builder.add(a, b))
_register(operator.sub, lambda builder, a, b: builder.sub(a, b))
_register(operator.and_, lambda builder, a, b: builder.and_(a, b))
_register(operator.or_, lambda builder, a, b: builder.or_(a, b))
_register(operator.xor, lambda builder, a, b: builder.xor(a, b))
_register(operator.mul, lambda builder, a, b: builder.mul(a, b))
_register(operator.rshift, lambda builder, a, b: builder.ashr(a, b))
_register(operator.lt, _compares("<"))
_register(operator.le, _compares("<="))
_register(operator.gt, _compares(">"))


def _place(context, builder, sig, args, element):
    data = cgutils.create_struct_proxy(sig.args[0])(context, builder, args[0]).data
    return builder.bitcast(builder.gep(data, [args[1]]), ir.VectorType(element, COUNT).as_pointer())


def _is_flat(array, index, dtype):
    flat = isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C" and array.dtype == dtype
    return flat and isinstance(index, types.Integer)


@intrinsic
def load32_bytes(typing_context, array, index):
    """Elements index .. index + 31 of a flat uint8 array."""
    if not _is_flat(array, index, types.uint8):
        return None

    def emit(context, builder, sig, args):
        return builder.zext(builder.load(_place(context, builder, sig, args, ir.IntType(8)), align=1), _VECTOR)

    return words(array, index), emit


@intrinsic
def load32_words(typing_context, array, index):
    """Elements index .. index + 31 of a flat int16 array."""
    if not _is_flat(array, index, types.int16):
        return None

    def emit(context, builder, sig, args):
        return builder.load(_place(context, builder, sig, args, _WORD), align=2)

    return words(array, index), emit


@intrinsic
def store32_words(typing_context, array, index, value):
    """Write elements index .. index + 31 of a flat int16 array."""
    if not _is_flat(array, index, types.int16) or value != words:
        return None

    def emit(context, builder, sig, args):
        builder.store(args[2], _place(context, builder, sig, args, _WORD), align=2)
        return context.get_dummy_value()

    return types.none(array, index, value), emit


@intrinsic
def every_word(typing_context, number):
    """The same number 32 times."""
    if not isinstance(number, types.Integer):
        return None

    def emit(context, builder, sig, args):
        value = context.cast(builder, args[0], sig.args[0], types.int16)
        first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), COUNT), [0] * COUNT))

    return words(number), emit


def _smaller_or_larger(sign):
    @intrinsic
    def function(typing_context, a, b):
        if a != words or b != words:
            return None

        def emit(context, builder, sig, args):
            return builder.select(builder.icmp_signed(sign, *args), *args)

        return words(a, b), emit

    return function


smaller, larger = _smaller_or_larger("<"), _smaller_or_larger(">")


@intrinsic
def distance(typing_context, a, b):
    """``|a - b|``."""
    if a != words or b != words:
        return None

    def emit(context, builder, sig, args):
        x, y = args
        return builder.select(builder.icmp_signed(">", x, y), builder.sub(x, y), builder.sub(y, x))

    return words(a, b), emit


@intrinsic
def count_bits(typing_context, a):
    """How many of its 16 bits are set."""
    if a != words:
        return None

    def emit(context, builder, sig, args):
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.ctpop.v32i16"), args)

    return words(a), emit


@intrinsic
def pick_words(typing_context, condition, a, b):
    """`a` where `condition`, the result of a comparison, is true; else `b`."""
    if (condition, a, b) != (words, words, words):
        return None

    def emit(context, builder, sig, args):
        return builder.select(builder.icmp_signed("!=", args[0], ir.Constant(_VECTOR, None)), args[1], args[2])

    return words(condition, a, b), emit


@intrinsic
def any_word(typing_context, a):
    """True where one of the numbers is not 0."""
    if a != words:
        return None

    def emit(context, builder, sig, args):
        bits = builder.icmp_signed("!=", args[0], ir.Constant(_VECTOR, None))
        return builder.icmp_unsigned("!=", builder.bitcast(bits, ir.IntType(COUNT)), ir.Constant(ir.IntType(COUNT), 0))

    return types.boolean(a), emit
