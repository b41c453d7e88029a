"""SIMD vectors as numba types: what a kernel is written with.

Numba has no vector type, so its loops depend on what the auto-vectoriser makes of them. Here a `Vector` is a numba
type whose values are LLVM vectors such as `<16 x float>`; they live in registers, and every function below becomes
one instruction. LLVM splits a vector by itself where the processor's registers are narrower.

A first kernel::

    from numba import njit
    from neuroevo.kernels.vectors import broadcast, fma, lanes, load, store, view

    @njit
    def scale_and_add(a, x, y):            # y += a * x for flat arrays whose size is a multiple of the lanes
        xs, ys = view(x), view(y)          # plain pointers (checked arrays under NUMBA_BOUNDSCHECK=1)
        factor = broadcast(xs, a)          # every lane holds a
        for i in range(0, x.size, lanes(xs)):
            store(ys, i, fma(factor, load(xs, i), load(ys, i)))

Rules that keep the bits the same on every processor: a product that feeds a sum is written `fma` (nothing is fused
or split behind your back, no fastmath), no function of the C library, and no sum over lanes.

- `view(array)`: what `load` and `store` address; indices count elements, not vectors or bytes.
- `opened(bundle)`: a NamedTuple with views in place of its arrays.
- `load(v, i)`, `store(v, i, x)`: one vector at element i. The address must be aligned: `scratch.aligned_empty`
  and indices that are multiples of `lanes(v)`. `load_any` takes any address.
- `gather(like, v, i, stride)`: a vector of float64 numbers that lie `stride` apart, rounded to the type of `like`.
- `add_wide(x, v, i)`: v[i:] += x in float64, where v is one of float64.
- `broadcast(like, scalar)`: the scalar in every lane; `like` is a view, an array or a vector of the wanted type.
- `+ - * /` and unary minus between vectors; `fma(a, b, c)` = a * b + c, rounded once.
- `minimum(a, b)`, `maximum(a, b)`: b where either is NaN (so put the number that may be NaN second).
- `less(a, b)`, `less_equal(a, b)`, `equal(a, b)` give a `Mask` (False where either is NaN); `both(m, n)`;
  `select(mask, a, b)` is a where the mask holds, b elsewhere.
- `absolute(a)`; `copy_sign(magnitude, sign)`.
- `extract(x, lane)`: one lane as a scalar; `peek(v, i)` and `poke(v, i, x)`: one scalar in memory.
- `rounder(like)`, `power_of_two`, `flip_if_odd`: whole numbers inside of floating-point ones, for exp and sine;
  `exponent_of`, `mantissa_of`: a number taken apart, for the logarithm.
- `polynomial(x, coefficients)`: Horner's rule by `fma`, highest power first; a tuple of constants or of vectors.
- `held(x)`: x stays in a register; for constants of a loop.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from neuroevo.kernels.processor import BOUNDS_CHECKED, HELD, LANES, WIDE


class Vector(types.Type):
    """`lanes` numbers of type `element` (`types.float32` or `types.float64`) in one register."""

    def __init__(self, element: Any, lanes: int) -> None:
        self.element = element
        self.lanes = lanes
        super().__init__(name=f"Vector({element} x {lanes})")


class Mask(types.Type):
    """One truth value a lane."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(name=f"Mask({lanes})")


def element_ir(element: Any) -> ir.Type:
    """The LLVM type of a numba float type."""
    return ir.FloatType() if element == types.float32 else ir.DoubleType()


def vector_ir(vector: Vector) -> ir.VectorType:
    """The LLVM type of a `Vector`."""
    return ir.VectorType(element_ir(vector.element), vector.lanes)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Vector) -> None:
        super().__init__(dmm, fe_type, vector_ir(fe_type))


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Mask) -> None:
        super().__init__(dmm, fe_type, ir.VectorType(ir.IntType(1), fe_type.lanes))


def vector_of(like: Any) -> Vector | None:
    """The vector type that belongs to an array, a view or a vector; None for anything else."""
    if isinstance(like, Vector):
        return like
    element = like.dtype if isinstance(like, types.Array | types.CPointer) else None
    if element in (types.float32, types.float64):
        return Vector(element, LANES[element.name])
    return None


def address(context: Any, builder: Any, kind: Any, value: Any, index: Any, count: int) -> Any:
    """Pointer to element `index` of a view; `count` elements from there are about to be touched."""
    # Pure arithmetic on a bare pointer: no strides, no test for negative indices, so that a loop keeps its addresses in
    # one register and the processor's addressing does the rest.
    if isinstance(kind, types.CPointer):
        return builder.gep(value, [index])
    array = context.make_array(kind)(context, builder, value)
    if BOUNDS_CHECKED:
        last = builder.add(index, ir.Constant(index.type, count))
        outside = builder.or_(
            builder.icmp_signed("<", index, ir.Constant(index.type, 0)),
            builder.icmp_signed(">", last, array.nitems),
        )
        with cgutils.if_unlikely(builder, outside):
            context.call_conv.return_user_exc(builder, IndexError, ("vector is out of the array's bounds",))
    return builder.gep(array.data, [index])


def splat(builder: Any, vector: Vector, scalar: Any) -> Any:
    """LLVM value with the scalar in every lane."""
    # Insert and shuffle is the form in which LLVM knows a broadcast: it becomes one instruction, or none where the
    # scalar comes from memory and the arithmetic that uses it can read it there (`{1to16}`).
    kind = vector_ir(vector)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.lanes), [0] * vector.lanes)
    return builder.shuffle_vector(single, ir.Constant(kind, ir.Undefined), zeros)


def emit_fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """LLVM value of a * b + c with one rounding."""
    # The intrinsic of that name and not a product and a sum: those LLVM fuses only where it is allowed to round once or
    # twice as it likes. Without the instruction (SSE2) the C library rounds once, slowly.
    name = f"llvm.fma.v{a.type.count}f{32 if a.type.element == ir.FloatType() else 64}"
    kind = ir.FunctionType(a.type, [a.type] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), (a, b, c))


def emit_load(builder: Any, vector: Vector, pointer: Any, align: int | None = None) -> Any:
    """LLVM value of a vector in memory, aligned to its size unless told otherwise."""
    # The stated alignment lets LLVM use the load as an operand of the arithmetic; on SSE2 only an aligned one can be.
    typed = builder.bitcast(pointer, vector_ir(vector).as_pointer())
    return builder.load(typed, align=align or vector_bytes(vector))


def emit_store(builder: Any, vector: Vector, value: Any, pointer: Any) -> None:
    """Store a vector at an address aligned to its size."""
    builder.store(value, builder.bitcast(pointer, vector_ir(vector).as_pointer()), align=vector_bytes(vector))


def vector_bytes(vector: Vector) -> int:
    """Bytes of one vector."""
    return int(vector.lanes * vector.element.bitwidth // 8)


@intrinsic
def view(typingctx, array):
    """What loads and stores address: a bare pointer, or the array itself where bounds are checked."""
    if BOUNDS_CHECKED:
        return array(array), lambda context, builder, sig, args: impl_ret_borrowed(context, builder, array, args[0])
    result = types.CPointer(array.dtype)

    def codegen(context, builder, sig, args):
        return context.make_array(sig.args[0])(context, builder, args[0]).data

    return result(array), codegen


@intrinsic
def opened(typingctx, bundle):
    """The NamedTuple with a view in place of each array: what a time loop is given."""
    kinds = [types.CPointer(kind.dtype) if isinstance(kind, types.Array) else kind for kind in bundle.types]
    result = bundle if BOUNDS_CHECKED else types.BaseTuple.from_types(kinds, bundle.instance_class)

    def codegen(context, builder, sig, args):
        if result == bundle:
            return impl_ret_borrowed(context, builder, bundle, args[0])
        # Pointers are borrowed: the entry point holds the arrays as long as it runs, and its loops count no references.
        fields = [builder.extract_value(args[0], k) for k in range(len(kinds))]
        for k, kind in enumerate(bundle.types):
            if isinstance(kind, types.Array):
                fields[k] = context.make_array(kind)(context, builder, fields[k]).data
        return context.make_tuple(builder, result, fields)

    return result(bundle), codegen


@intrinsic
def lanes(typingctx, like):
    """Lanes of the vector type that belongs to `like`."""
    vector = vector_of(like)
    return types.intp(like), lambda context, builder, sig, args: context.get_constant(types.intp, vector.lanes)


@intrinsic
def load(typingctx, source, index):
    """The vector at element `index` of a view; aligned."""
    vector = vector_of(source)

    def codegen(context, builder, sig, args):
        return emit_load(builder, vector, address(context, builder, sig.args[0], *args, vector.lanes))

    return vector(source, types.intp), codegen


@intrinsic
def load_any(typingctx, source, index):
    """The vector at element `index` of a view, at any address."""
    vector = vector_of(source)

    def codegen(context, builder, sig, args):
        pointer = address(context, builder, sig.args[0], *args, vector.lanes)
        return emit_load(builder, vector, pointer, align=vector.element.bitwidth // 8)

    return vector(source, types.intp), codegen


@intrinsic
def store(typingctx, target, index, value):
    """Write a vector at element `index` of a view; aligned."""

    def codegen(context, builder, sig, args):
        pointer = address(context, builder, sig.args[0], args[0], args[1], value.lanes)
        emit_store(builder, value, args[2], pointer)
        return context.get_dummy_value()

    return types.void(target, types.intp, value), codegen


def emit_add_wide(builder: Any, vector: Vector, value: Any, pointer: Any) -> None:
    """Add a vector, widened, to as many float64 numbers in memory."""
    wide = ir.VectorType(ir.DoubleType(), vector.lanes)
    number = builder.fpext(value, wide) if vector.element == types.float32 else value
    place = builder.bitcast(pointer, wide.as_pointer())
    builder.store(builder.fadd(builder.load(place, align=8), number), place, align=8)


@intrinsic
def add_wide(typingctx, value, target, index):
    """Add a vector to the float64 numbers at element `index` of a view, in double precision."""

    def codegen(context, builder, sig, args):
        pointer = address(context, builder, sig.args[1], args[1], args[2], value.lanes)
        emit_add_wide(builder, value, args[0], pointer)
        return context.get_dummy_value()

    return types.void(value, target, types.intp), codegen


@intrinsic
def peek(typingctx, source, index):
    """The scalar at element `index` of a view."""

    def codegen(context, builder, sig, args):
        return builder.load(address(context, builder, sig.args[0], *args, 1))

    return source.dtype(source, types.intp), codegen


@intrinsic
def poke(typingctx, target, index, value):
    """Write a scalar at element `index` of a view."""

    def codegen(context, builder, sig, args):
        builder.store(args[2], address(context, builder, sig.args[0], args[0], args[1], 1))
        return context.get_dummy_value()

    return types.void(target, types.intp, target.dtype), codegen


@intrinsic
def broadcast(typingctx, like, scalar):
    """The scalar in every lane of a vector of the type of `like`."""
    vector = vector_of(like)

    def codegen(context, builder, sig, args):
        return splat(builder, vector, args[1])

    return vector(like, vector.element), codegen


@intrinsic
def gather(typingctx, like, source, index, stride):
    """The vector of the type of `like` whose lane k is `source[index + k * stride]`, float64, rounded to the type."""
    vector = vector_of(like)

    def codegen(context, builder, sig, args):
        # Scalar loads, put together: packing happens once a block of genomes, and gather instructions are no faster.
        _, array, first, step = args
        doubles = ir.VectorType(ir.DoubleType(), vector.lanes)
        value = ir.Constant(doubles, ir.Undefined)
        for lane in range(vector.lanes):
            place = builder.add(first, builder.mul(step, ir.Constant(step.type, lane)))
            scalar = builder.load(address(context, builder, sig.args[1], array, place, 1))
            value = builder.insert_element(value, scalar, ir.Constant(ir.IntType(32), lane))
        return builder.fptrunc(value, vector_ir(vector)) if vector.element == types.float32 else value

    return vector(like, source, types.intp, types.intp), codegen


@intrinsic
def fma(typingctx, a, b, c):
    """A * b + c, rounded once."""
    return a(a, a, a), lambda context, builder, sig, args: emit_fma(builder, *args)


@intrinsic
def fma_scalar(typingctx, a, b, c):
    """A * b + c of scalars, rounded once."""
    return a(a, a, a), lambda context, builder, sig, args: builder.fma(*args)


@intrinsic
def polynomial(typingctx, x, coefficients):
    """Horner's rule with `fma`; the coefficients, highest power first, are a tuple of constants or of vectors."""

    def codegen(context, builder, sig, args):
        # Unrolled here, since the number of coefficients belongs to the type; constants are rounded to the element's
        # type before they are broadcast, as numpy would.
        argument, values = args
        result = None
        for k in range(len(sig.args[1])):
            term = builder.extract_value(values, k)
            if not isinstance(sig.args[1][k], Vector):
                if x.element == types.float32:
                    term = builder.fptrunc(term, ir.FloatType())
                term = splat(builder, x, term)
            result = term if result is None else emit_fma(builder, result, argument, term)
        return result

    return x(x, coefficients), codegen


def _arithmetic(function: Any, emit: str) -> None:
    """Let numba's operator `function` work between two equal vector types."""

    class Template(AbstractTemplate):
        key = function

        def generic(self, args, _kws):
            if len(args) == 2 and isinstance(args[0], Vector) and args[0] == args[1]:
                return signature(args[0], args[0], args[0])
            return None

    infer_global(function)(Template)
    lower_builtin(function, Vector, Vector)(lambda context, builder, sig, args: getattr(builder, emit)(*args))


for _function, _emit in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_function, _emit)


@infer_global(operator.neg)
class _Negation(AbstractTemplate):
    key = operator.neg

    def generic(self, args, _kws):
        return signature(args[0], args[0]) if len(args) == 1 and isinstance(args[0], Vector) else None


@lower_builtin(operator.neg, Vector)
def _negate(context, builder, sig, args):
    return builder.fneg(args[0])


def _comparison(relation: str, doc: str) -> Any:
    def compare(typingctx, a, b):
        return (
            Mask(a.lanes)(a, a),
            # Ordered: False where either is NaN, as numpy and C compare.
            lambda context, builder, sig, args: builder.fcmp_ordered(relation, *args),
        )

    compare.__doc__ = doc
    return intrinsic(compare)


less = _comparison("<", "Mask of a < b; False where either is NaN.")
less_equal = _comparison("<=", "Mask of a <= b; False where either is NaN.")
equal = _comparison("==", "Mask of a == b; False where either is NaN.")


@intrinsic
def both(typingctx, a, b):
    """The lanes where both masks hold."""
    return a(a, a), lambda context, builder, sig, args: builder.and_(*args)


@intrinsic
def select(typingctx, mask, a, b):
    """A where the mask holds, b elsewhere."""
    return a(mask, a, a), lambda context, builder, sig, args: builder.select(*args)


@intrinsic
def minimum(typingctx, a, b):
    """The smaller, lane by lane; b where either is NaN."""

    def codegen(context, builder, sig, args):
        # Comparison and select in this order is what one `min` instruction of x86 does, NaN and signed zeros included;
        # `llvm.minnum` would need three.
        return builder.select(builder.fcmp_ordered("<", *args), *args)

    return a(a, a), codegen


@intrinsic
def maximum(typingctx, a, b):
    """The larger, lane by lane; b where either is NaN."""

    def codegen(context, builder, sig, args):
        # As in `minimum`: one `max` instruction.
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return a(a, a), codegen


@intrinsic
def absolute(typingctx, a):
    """The value without its sign."""

    def codegen(context, builder, sig, args):
        kind = vector_ir(a)
        name = f"llvm.fabs.v{a.lanes}f{a.element.bitwidth}"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind]), name)
        return builder.call(function, args)

    return a(a), codegen


@intrinsic
def copy_sign(typingctx, magnitude, sign):
    """The magnitude of the first with the sign of the second."""

    def codegen(context, builder, sig, args):
        kind = vector_ir(magnitude)
        name = f"llvm.copysign.v{magnitude.lanes}f{magnitude.element.bitwidth}"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind, kind]), name)
        return builder.call(function, args)

    return magnitude(magnitude, magnitude), codegen


@intrinsic
def extract(typingctx, vector, lane):
    """One lane as a scalar."""
    return vector.element(vector, types.intp), lambda context, builder, sig, args: builder.extract_element(*args)


@intrinsic
def held(typingctx, x):
    """x, kept in a register: without this LLVM fetches constants anew, by two instructions, at every use."""

    def codegen(context, builder, sig, args):
        if not HELD:
            return args[0]
        # An empty piece of assembly that claims to produce its operand: LLVM can't look through it, so it does not know
        # the value for a constant that could be fetched again. "v" are all 32 registers of AVX-512, "x" the first 16.
        function = ir.FunctionType(args[0].type, [args[0].type])
        return builder.asm(function, "", "=v,0" if WIDE else "=x,0", args, side_effect=True)

    return x(x), codegen


@intrinsic
def power_of_two(typingctx, shifted):
    """2**n for `shifted` = n + `rounder`, n a whole number in the range of exponents; garbage beyond it or for NaN."""
    bits, mantissa = shifted.element.bitwidth, 23 if shifted.element == types.float32 else 52

    def codegen(context, builder, sig, args):
        # The whole number sits in the lowest bits (`rounder`): shifted into the place of the exponent, it counts in
        # powers of two, and adding the bits of 1.0 gives the exponent its bias. Integer arithmetic, which never rounds.
        integers = ir.VectorType(ir.IntType(bits), shifted.lanes)
        exponent = builder.shl(builder.bitcast(args[0], integers), ir.Constant(integers, [mantissa] * shifted.lanes))
        one = ir.Constant(integers, [((1 << (bits - mantissa - 2)) - 1) << mantissa] * shifted.lanes)
        return builder.bitcast(builder.add(exponent, one), vector_ir(shifted))

    return shifted(shifted), codegen


@intrinsic
def rounder(typingctx, like):
    """1.5 * 2**23 or 1.5 * 2**52: adding it rounds to a whole number, which then sits in the lowest bits."""
    vector = vector_of(like)

    def codegen(context, builder, sig, args):
        # Half of the range above 2**23 (2**52) on either side, so that negative whole numbers fit as well.
        number = 1.5 * 2.0 ** (23 if vector.element == types.float32 else 52)
        return ir.Constant(vector_ir(vector), [number] * vector.lanes)

    return vector(like), codegen


@intrinsic
def flip_if_odd(typingctx, x, shifted):
    """X with the other sign where the whole number in `shifted` = n + `rounder` is odd."""
    bits = x.element.bitwidth

    def codegen(context, builder, sig, args):
        # The lowest bit tells odd from even; shifted to the top it is a sign, and xor flips where it is set.
        integers = ir.VectorType(ir.IntType(bits), x.lanes)
        sign = builder.shl(builder.bitcast(args[1], integers), ir.Constant(integers, [bits - 1] * x.lanes))
        return builder.bitcast(builder.xor(builder.bitcast(args[0], integers), sign), vector_ir(x))

    return x(x, x), codegen


def _parts_of_float(x: Vector) -> tuple[int, int, int]:
    """Bits of an element, bits of its mantissa, and the bits of the square root of a half."""
    return (32, 23, 0x3F3504F3) if x.element == types.float32 else (64, 52, 0x3FE6A09E667F3BCD)


@intrinsic
def exponent_of(typingctx, x):
    """N of x = m * 2**n with m in sqrt(1/2) ... sqrt(2), for normal x > 0; garbage for anything else."""
    bits, mantissa, root = _parts_of_float(x)

    def codegen(context, builder, sig, args):
        # The bits of a positive float rise with it, and a step of the exponent is 2**mantissa of them: how many whole
        # steps x lies above the lower end of m. The shift is arithmetic, so that numbers below come out negative.
        integers = ir.VectorType(ir.IntType(bits), x.lanes)
        above = builder.sub(builder.bitcast(args[0], integers), ir.Constant(integers, [root] * x.lanes))
        return builder.sitofp(builder.ashr(above, ir.Constant(integers, [mantissa] * x.lanes)), vector_ir(x))

    return x(x), codegen


@intrinsic
def mantissa_of(typingctx, x):
    """M of x = m * 2**n with m in sqrt(1/2) ... sqrt(2), for normal x > 0; garbage for anything else."""
    bits, mantissa, root = _parts_of_float(x)

    def codegen(context, builder, sig, args):
        # As in `exponent_of`, and here what remains above the whole steps, put onto the lower end of m.
        integers = ir.VectorType(ir.IntType(bits), x.lanes)
        lowest = ir.Constant(integers, [root] * x.lanes)
        above = builder.sub(builder.bitcast(args[0], integers), lowest)
        rest = builder.and_(above, ir.Constant(integers, [(1 << mantissa) - 1] * x.lanes))
        return builder.bitcast(builder.add(rest, lowest), vector_ir(x))

    return x(x), codegen


@intrinsic
def take_next(typingctx, counter):
    """Add 1 to the int64 in `counter[0]` as one indivisible step among threads; the value before."""

    def codegen(context, builder, sig, args):
        # Monotonic is enough: the number itself is all that threads tell each other; results meet when they are joined.
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        return builder.atomic_rmw("add", data, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counter), codegen
