"""Explicit vectors of float32 for CPU kernels: what LLVM's loop vectoriser does not find by itself, written out.

LLVM turns long plain loops into vector code, but not 8-pixel-wide patches, masks or colours: short loops are unrolled
before the vectoriser sees them. A `Lanes` value is one LLVM vector, so a kernel reads like the formula::

    top = rest * load8(image, i) + fx * load8(image, i + 1)     # 8 pixels at a time
    total = hsum(top)

`load8`, `store8` and their 16-lane twins take a flat, C-contiguous float32 array and an element index. They check
nothing: arrays are padded so that a whole vector always fits. The number of lanes is part of the meaning (the order of
`hsum`), not of the machine: LLVM maps 8 or 16 lanes to whatever registers there are, with the same bits.

These functions exist only inside compiled code. Kernels that use them cannot run under ``NUMBA_DISABLE_JIT``.
"""

import math
import operator

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

_F32 = ir.FloatType()


class Lanes(types.Type):
    """`count` float32 numbers in one vector register."""

    def __init__(self, count):
        self.count = count
        super().__init__(name=f"f32x{count}")


class Mask(types.Type):
    """`count` truth values: the result of comparing `Lanes`."""

    def __init__(self, count):
        self.count = count
        super().__init__(name=f"i1x{count}")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, ir.VectorType(_F32, kind.count))


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, ir.VectorType(ir.IntType(1), kind.count))


# Lanes with Lanes, or with a float32 scalar that is spread over the lanes. No other type: a bare Python number is
# float64, and would make a kernel round differently from its CUDA twin.


def _lanes_of(kinds):
    lanes = [kind for kind in kinds if isinstance(kind, Lanes)]
    if lanes and all(kind in (lanes[0], types.float32) for kind in kinds):
        return lanes[0]
    return None


def _shuffle(builder, a, b, order):
    index = ir.IntType(32)
    numbers = [ir.Constant(index, i) for i in order]
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(index, len(numbers)), numbers))


def _spread(builder, value, kind, lanes):
    """`value` as a vector of `lanes`."""
    if isinstance(kind, Lanes):
        return value
    vector = ir.VectorType(_F32, lanes.count)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return _shuffle(builder, first, first, [0] * lanes.count)


def _register(function, emit, result=None):
    """Give a Python operator a meaning for lanes: ``emit(builder, a, b)`` on two vectors."""

    class Typing(AbstractTemplate):
        def generic(self, args, kws):
            lanes = _lanes_of(args)
            if lanes is None or len(args) != 2:
                return None
            return signature(result(lanes.count) if result else lanes, *args)

    infer_global(function)(Typing)

    def lower(context, builder, sig, args):
        lanes = _lanes_of(sig.args)
        a, b = (_spread(builder, value, kind, lanes) for value, kind in zip(args, sig.args, strict=True))
        return emit(builder, a, b)

    for pair in ((Lanes, Lanes), (Lanes, types.Float), (types.Float, Lanes)):
        lower_builtin(function, *pair)(lower)


_register(operator.add, lambda builder, a, b: builder.fadd(a, b))
_register(operator.sub, lambda builder, a, b: builder.fsub(a, b))
_register(operator.mul, lambda builder, a, b: builder.fmul(a, b))
_register(operator.truediv, lambda builder, a, b: builder.fdiv(a, b))
_register(operator.lt, lambda builder, a, b: builder.fcmp_ordered("<", a, b), Mask)
_register(operator.le, lambda builder, a, b: builder.fcmp_ordered("<=", a, b), Mask)
_register(operator.gt, lambda builder, a, b: builder.fcmp_ordered(">", a, b), Mask)
_register(operator.ge, lambda builder, a, b: builder.fcmp_ordered(">=", a, b), Mask)


def _register_mask(function, emit):
    class Typing(AbstractTemplate):
        def generic(self, args, kws):
            if len(args) == 2 and isinstance(args[0], Mask) and args[0] == args[1]:
                return signature(args[0], *args)
            return None

    infer_global(function)(Typing)
    lower_builtin(function, Mask, Mask)(lambda context, builder, sig, args: emit(builder, *args))


_register_mask(operator.and_, lambda builder, a, b: builder.and_(a, b))
_register_mask(operator.or_, lambda builder, a, b: builder.or_(a, b))
_register_mask(operator.xor, lambda builder, a, b: builder.xor(a, b))


# Memory


def _address(context, builder, array_kind, array, index, element, count):
    data = cgutils.create_struct_proxy(array_kind)(context, builder, array).data
    place = builder.gep(data, [index])
    return builder.bitcast(place, ir.VectorType(element, count).as_pointer())


def _is_flat(array, dtype=types.float32):
    return isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C" and array.dtype == dtype


def _load(count):
    @intrinsic
    def load(typing_context, array, index):
        if not (_is_flat(array) and isinstance(index, types.Integer)):
            return None

        def emit(context, builder, sig, args):
            place = _address(context, builder, sig.args[0], args[0], args[1], _F32, count)
            return builder.load(place, align=4)

        return Lanes(count)(array, index), emit

    return load


def _store(count):
    @intrinsic
    def store(typing_context, array, index, value):
        if not (_is_flat(array) and isinstance(index, types.Integer) and value == Lanes(count)):
            return None

        def emit(context, builder, sig, args):
            place = _address(context, builder, sig.args[0], args[0], args[1], _F32, count)
            builder.store(args[2], place, align=4)
            return context.get_dummy_value()

        return types.none(array, index, value), emit

    return store


def _load_bytes(count):
    @intrinsic
    def load(typing_context, array, index):
        if not (_is_flat(array, types.uint8) and isinstance(index, types.Integer)):
            return None

        def emit(context, builder, sig, args):
            place = _address(context, builder, sig.args[0], args[0], args[1], ir.IntType(8), count)
            return builder.uitofp(builder.load(place, align=1), ir.VectorType(_F32, count))

        return Lanes(count)(array, index), emit

    return load


def _load_channel(channel):
    @intrinsic
    def load(typing_context, array, index):
        if not (_is_flat(array, types.uint8) and isinstance(index, types.Integer)):
            return None

        def emit(context, builder, sig, args):
            place = _address(context, builder, sig.args[0], args[0], args[1], ir.IntType(8), 48)
            pixels = builder.load(place, align=1)  # the same 48 bytes for all three: loaded once
            return builder.uitofp(_shuffle(builder, pixels, pixels, range(channel, 48, 3)), ir.VectorType(_F32, 16))

        return Lanes(16)(array, index), emit

    return load


@intrinsic
def load16_shorts(typing_context, array, index):
    """Elements index .. index + 15 of a flat int16 array, converted to float32."""
    if not (_is_flat(array, types.int16) and isinstance(index, types.Integer)):
        return None

    def emit(context, builder, sig, args):
        place = _address(context, builder, sig.args[0], args[0], args[1], ir.IntType(16), 16)
        return builder.sitofp(builder.load(place, align=2), ir.VectorType(_F32, 16))

    return Lanes(16)(array, index), emit


@intrinsic
def store16_shorts(typing_context, array, index, value):
    """Store 16 lanes in (-32769, 32768) as 16 numbers of a flat int16 array, rounded towards zero."""
    if not (_is_flat(array, types.int16) and isinstance(index, types.Integer) and value == Lanes(16)):
        return None

    def emit(context, builder, sig, args):
        place = _address(context, builder, sig.args[0], args[0], args[1], ir.IntType(16), 16)
        whole = builder.fptosi(args[2], ir.VectorType(ir.IntType(32), 16))
        builder.store(builder.trunc(whole, ir.VectorType(ir.IntType(16), 16)), place, align=2)
        return context.get_dummy_value()

    return types.none(array, index, value), emit


@intrinsic
def store16_bytes(typing_context, array, index, value):
    """Store 16 lanes in [0, 256) as 16 bytes of a flat uint8 array, rounded towards zero."""
    if not (_is_flat(array, types.uint8) and isinstance(index, types.Integer) and value == Lanes(16)):
        return None

    def emit(context, builder, sig, args):
        place = _address(context, builder, sig.args[0], args[0], args[1], ir.IntType(8), 16)
        builder.store(builder.fptoui(args[2], ir.VectorType(ir.IntType(8), 16)), place, align=1)
        return context.get_dummy_value()

    return types.none(array, index, value), emit


@intrinsic
def store16_rgb(typing_context, array, index, red, green, blue):
    """Store 16 lanes of each channel in [0, 256) as 48 bytes r g b r g b ..., rounded towards zero."""
    channels = (red, green, blue)
    if not (_is_flat(array, types.uint8) and isinstance(index, types.Integer) and channels == (Lanes(16),) * 3):
        return None

    def emit(context, builder, sig, args):
        r, g, b = (builder.fptoui(value, ir.VectorType(ir.IntType(8), 16)) for value in args[2:])
        pair = _shuffle(builder, r, g, range(32))
        third = _shuffle(builder, b, b, range(32))
        pixels = _shuffle(builder, pair, third, [(0, 16, 32)[i % 3] + i // 3 for i in range(48)])
        builder.store(pixels, _address(context, builder, sig.args[0], args[0], args[1], ir.IntType(8), 48), align=1)
        return context.get_dummy_value()

    return types.none(array, index, *channels), emit


def _splat(count):
    @intrinsic
    def splat(typing_context, value):
        if value != types.float32:
            return None

        def emit(context, builder, sig, args):
            return _spread(builder, args[0], sig.args[0], Lanes(count))

        return Lanes(count)(value), emit

    return splat


load8, load16 = _load(8), _load(16)  # load8(flat float32 array, index): elements index .. index + 7
load4 = _load(4)  # for windows of 4x4 pixels
store8, store16 = _store(8), _store(16)  # store8(flat float32 array, index, lanes)
load8_bytes, load16_bytes = _load_bytes(8), _load_bytes(16)  # flat uint8 array, converted to float32
# One channel of 16 RGB pixels: bytes index + 0, 3, 6, ... of a flat uint8 array, converted to float32
load16_red, load16_green, load16_blue = _load_channel(0), _load_channel(1), _load_channel(2)
splat8, splat16 = _splat(8), _splat(16)  # splat8(float32): the same number in every lane


# Arithmetic


@intrinsic
def fma(typing_context, a, b, c):
    """``a * b + c`` rounded once, for lanes and float32: the same bits as ``fmaf`` in CUDA."""
    kinds = (a, b, c)
    lanes = _lanes_of(kinds)
    if lanes is None and any(kind != types.float32 for kind in kinds):
        return None

    def emit(context, builder, sig, args):
        if lanes is None:
            return builder.fma(*args)
        args = [_spread(builder, value, kind, lanes) for value, kind in zip(args, sig.args, strict=True)]
        vector = ir.VectorType(_F32, lanes.count)
        kind = ir.FunctionType(vector, [vector] * 3)
        callee = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{lanes.count}f32")
        return builder.call(callee, args)

    return (lanes or types.float32)(a, b, c), emit


def _two_lanes(name):
    @intrinsic
    def function(typing_context, a, b):
        lanes = _lanes_of((a, b))
        if lanes is None:
            return None

        def emit(context, builder, sig, args):
            x, y = (_spread(builder, value, kind, lanes) for value, kind in zip(args, sig.args, strict=True))
            return builder.select(builder.fcmp_ordered("<" if name == "minimum" else ">", x, y), x, y)

        return lanes(a, b), emit

    return function


minimum = _two_lanes("minimum")  # lane by lane; b where either is NaN
maximum = _two_lanes("maximum")


def _one_lanes(llvm_name):
    @intrinsic
    def function(typing_context, a):
        if not isinstance(a, Lanes):
            return None

        def emit(context, builder, sig, args):
            vector = ir.VectorType(_F32, a.count)
            kind = ir.FunctionType(vector, [vector])
            callee = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{llvm_name}.v{a.count}f32")
            return builder.call(callee, args)

        return a(a), emit

    return function


absolute = _one_lanes("fabs")
square_root = _one_lanes("sqrt")
round_down = _one_lanes("floor")


@intrinsic
def inverse_root(typing_context, a):
    """``1 / sqrt(a)`` for lanes or a float32 above 0, within 5e-6: a guess from the bits, then two Newton steps.

    A root and a division take about 25 cycles for 16 lanes, this takes 5. Only basic operations: the same bits in
    CUDA's twin, kernels/flow/inverse_root.cuh.
    """
    if not isinstance(a, Lanes) and a != types.float32:
        return None

    def emit(context, builder, sig, args):
        lanes = isinstance(a, Lanes)
        real = ir.VectorType(_F32, a.count) if lanes else _F32
        whole = ir.VectorType(ir.IntType(32), a.count) if lanes else ir.IntType(32)
        fma_name = f"llvm.fma.v{a.count}f32" if lanes else "llvm.fma.f32"
        callee = cgutils.get_or_insert_function(builder.module, ir.FunctionType(real, [real] * 3), fma_name)

        def every(kind, number):
            return ir.Constant(kind, [number] * a.count if lanes else number)

        half = builder.fmul(args[0], every(real, 0.5))
        bits = builder.ashr(builder.bitcast(args[0], whole), every(whole, 1))
        y = builder.bitcast(builder.sub(every(whole, 0x5F3759DF), bits), real)
        for _ in range(2):
            minus = builder.fneg(builder.fmul(half, y))
            y = builder.fmul(y, builder.call(callee, [minus, y, every(real, 1.5)]))
        return y

    return a(a), emit


LEAST_EXPONENT = -87.0  # its power is the smallest normal number, about; below it the result is 0


@intrinsic
def exponential(typing_context, a):
    """e to the power `a`, lane by lane, for a below 88; within two units in the last place, and 0 below -87.

    e^a = 2^n e^r with whole n and abs(r) <= ln(2) / 2; e^r is its Taylor series up to r^7, 2^n is made from bits.
    """
    if not isinstance(a, Lanes):
        return None

    def emit(context, builder, sig, args):
        real, whole = ir.VectorType(_F32, a.count), ir.VectorType(ir.IntType(32), a.count)

        def every(kind, number):
            return ir.Constant(kind, [number] * a.count)

        def call(name, *values):
            kind = ir.FunctionType(real, [real] * len(values))
            return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"{name}.v{a.count}f32"), values)

        least = every(real, LEAST_EXPONENT)
        tiny = builder.fcmp_ordered("<", args[0], least)
        x = builder.select(tiny, least, args[0])
        n = call("llvm.floor", call("llvm.fma", x, every(real, float(np.float32(np.log2(np.e)))), every(real, 0.5)))
        # ln(2) in two parts, the first of so few bits that its product with n is exact.
        high = 355 / 512
        rest = call("llvm.fma", n, every(real, -high), x)
        rest = call("llvm.fma", n, every(real, float(np.float32(high - np.log(2)))), rest)
        power = every(real, float(np.float32(1 / math.factorial(7))))
        for degree in range(6, -1, -1):
            power = call("llvm.fma", power, rest, every(real, float(np.float32(1 / math.factorial(degree)))))
        bits = builder.shl(builder.add(builder.fptosi(n, whole), every(whole, 127)), every(whole, 23))
        result = builder.fmul(power, builder.bitcast(bits, real))
        return builder.select(tiny, every(real, 0.0), result)

    return a(a), emit


@intrinsic
def select(typing_context, mask, a, b):
    """`a` where `mask` is true, else `b`, lane by lane."""
    lanes = _lanes_of((a, b))
    if not isinstance(mask, Mask) or lanes is None:
        return None

    def emit(context, builder, sig, args):
        x, y = (_spread(builder, v, kind, lanes) for v, kind in zip(args[1:], sig.args[1:], strict=True))
        return builder.select(args[0], x, y)

    return lanes(mask, a, b), emit


@intrinsic
def mask_bits(typing_context, mask):
    """Bit i of the result is lane i of `mask`: 0 means no lane."""
    if not isinstance(mask, Mask):
        return None

    def emit(context, builder, sig, args):
        return builder.zext(builder.bitcast(args[0], ir.IntType(mask.count)), ir.IntType(64))

    return types.int64(mask), emit


@intrinsic
def hsum(typing_context, a):
    """Sum of all lanes, always in one order: lane i + lane i + n/2, then n/4, ... (a butterfly of warp shuffles)."""
    if not isinstance(a, Lanes):
        return None

    def emit(context, builder, sig, args):
        value, count = args[0], a.count
        while count > 1:
            half = count // 2
            low, high = (
                _shuffle(builder, value, value, range(half)),
                _shuffle(builder, value, value, range(half, count)),
            )
            value, count = builder.fadd(low, high), half
        return builder.extract_element(value, ir.Constant(ir.IntType(32), 0))

    return types.float32(a), emit


@intrinsic
def hmin(typing_context, a):
    """The smallest lane; no lane may be NaN."""
    if not isinstance(a, Lanes):
        return None

    def emit(context, builder, sig, args):
        value, count = args[0], a.count
        while count > 1:
            half = count // 2
            low, high = (
                _shuffle(builder, value, value, range(half)),
                _shuffle(builder, value, value, range(half, count)),
            )
            value, count = builder.select(builder.fcmp_ordered("<", low, high), low, high), half
        return builder.extract_element(value, ir.Constant(ir.IntType(32), 0))

    return types.float32(a), emit


def _pick(name, order_of):
    """Lanes chosen from two vectors laid end to end: ``order_of(count)`` numbers them from 0 to 2 count - 1."""

    @intrinsic
    def function(typing_context, a, b):
        if not isinstance(a, Lanes) or a != b:
            return None

        def emit(context, builder, sig, args):
            return _shuffle(builder, *args, order_of(a.count))

        return a(a, b), emit

    return function


even_lanes = _pick("even_lanes", lambda n: range(0, 2 * n, 2))  # a0 a2 a4 ... b0 b2 ...: every second pixel of a row
odd_lanes = _pick("odd_lanes", lambda n: range(1, 2 * n, 2))  # a1 a3 a5 ... b1 b3 ...
# even_lanes undone: a0 b0 a1 b1 ..., first and second half
zip_low = _pick("zip_low", lambda n: [i // 2 + n * (i % 2) for i in range(n)])
zip_high = _pick("zip_high", lambda n: [n // 2 + i // 2 + n * (i % 2) for i in range(n)])
# The same two lanes at a time: a0 a1 b0 b1 a2 a3 ...: from (u, v) pairs of every second pixel to those of every pixel
zip_pairs_low = _pick("zip_pairs_low", lambda n: [i // 4 * 2 + i % 2 + n * (i // 2 % 2) for i in range(n)])
zip_pairs_high = _pick("zip_pairs_high", lambda n: [n // 2 + i // 4 * 2 + i % 2 + n * (i // 2 % 2) for i in range(n)])
# Of two neighbouring vectors of a row: each pixel's left neighbour in the second, without reading what was just written
left_neighbors = _pick("left_neighbors", lambda n: range(n - 1, 2 * n - 1))  # a_last b0 b1 b2 ...
# and four at a time
zip_quads_low = _pick("zip_quads_low", lambda n: [i // 8 * 4 + i % 4 + n * (i // 4 % 2) for i in range(n)])
zip_quads_high = _pick("zip_quads_high", lambda n: [n // 2 + i // 8 * 4 + i % 4 + n * (i // 4 % 2) for i in range(n)])

# float32 constants for kernels: a bare 0.5 would be float64
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)
