"""Register tiles: the sums of a few units for a few sequences, fed with one source at a time.

A tile of 4 units x 4 sequences is 16 vectors that stay in registers while a loop walks over the sources: four weight
vectors and four state vectors feed 16 multiply-adds, half a load each instead of two. This is what brings the kernels
to the machine's limit. Each sum is one chain over the sources in order, so the shape of the tile never shows in a
result.

The shape belongs to the type, so that one function serves all shapes: `count(4)` is a value whose type carries the
number.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

from neuroevo.kernels.vectors import (
    Vector,
    address,
    emit_add_wide,
    emit_fma,
    emit_load,
    emit_store,
    vector_ir,
    vector_of,
)


class Count(types.Type):
    """A number known when the kernel is compiled."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(name=f"Count({number})")


register_model(Count)(models.OpaqueModel)  # a value without bits: passing it costs nothing


class Tile(types.Type):
    """`rows` x `columns` vectors: row = unit, column = sequence."""

    def __init__(self, vector: Vector, rows: int, columns: int) -> None:
        self.vector, self.rows, self.columns = vector, rows, columns
        super().__init__(name=f"Tile({vector}, {rows} x {columns})")


@register_model(Tile)
class _TileModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Tile) -> None:
        # An array as a value, never in memory: LLVM takes it apart into as many registers (its "scalar replacement"),
        # because every index below is a constant.
        super().__init__(dmm, fe_type, ir.ArrayType(vector_ir(fe_type.vector), fe_type.rows * fe_type.columns))


@intrinsic(prefer_literal=True)
def count(typingctx, number):
    """A compile-time number: its type is `Count(number)`."""
    if not isinstance(number, types.IntegerLiteral):
        return None
    return (
        Count(number.literal_value)(number),
        lambda context, builder, sig, args: context.get_dummy_value(),
    )


@intrinsic
def number_of(typingctx, size):
    """The number of a `Count`."""
    return types.intp(size), lambda context, builder, sig, args: context.get_constant(types.intp, size.number)


@intrinsic
def tile_from(typingctx, weights, w, rows, columns):
    """Tile whose row r holds the vector at `weights[w + r * lanes]` in all columns: sums begin with the bias."""
    vector = vector_of(weights)
    tile = Tile(vector, rows.number, columns.number)

    def codegen(context, builder, sig, args):
        # One load a row; the columns are copies of the register, which the first multiply-adds make for free.
        result = ir.Constant(context.get_value_type(tile), ir.Undefined)
        for r in range(tile.rows):
            offset = builder.add(args[1], ir.Constant(args[1].type, r * vector.lanes))
            value = emit_load(builder, vector, address(context, builder, sig.args[0], args[0], offset, vector.lanes))
            for c in range(tile.columns):
                result = builder.insert_value(result, value, r * tile.columns + c)
        return result

    return tile(weights, types.intp, rows, columns), codegen


@intrinsic
def tile_fma(typingctx, tile, weights, w, sources, s):
    """Add one source: row r, column c gains `weights[w + r * lanes] * sources[s + c * lanes]`."""
    return _tile_fma(tile, weights, sources, range(tile.rows), ())


@intrinsic
def tile_fma_rows(typingctx, tile, weights, w, sources, s, stride):
    """Add a source of its own to each row: row r, column c gains `weights[w + r * lanes] * sources[s + r * stride + c *
    lanes]`.
    """  # noqa: D205 - one formula
    vector = tile.vector

    def codegen(context, builder, sig, args):
        result, weights_value, w_value, sources_value, s_value, stride_value = args

        def at(kind, base, place):
            return emit_load(builder, vector, address(context, builder, kind, base, place, vector.lanes))

        for r in range(tile.rows):
            weight = at(sig.args[1], weights_value, builder.add(w_value, ir.Constant(w_value.type, r * vector.lanes)))
            row = builder.add(s_value, builder.mul(stride_value, ir.Constant(stride_value.type, r)))
            for c in range(tile.columns):
                source = at(sig.args[3], sources_value, builder.add(row, ir.Constant(row.type, c * vector.lanes)))
                k = r * tile.columns + c
                added = emit_fma(builder, weight, source, builder.extract_value(result, k))
                result = builder.insert_value(result, added, k)
        return result

    return tile(tile, weights, types.intp, sources, types.intp, types.intp), codegen


@intrinsic
def tile_add(typingctx, tile, other):
    """The sums of two tiles of one shape."""

    def codegen(context, builder, sig, args):
        result, added = args
        for k in range(tile.rows * tile.columns):
            value = builder.fadd(builder.extract_value(result, k), builder.extract_value(added, k))
            result = builder.insert_value(result, value, k)
        return result

    return tile(tile, tile), codegen


@intrinsic
def tile_fma_by(typingctx, tile, weights, w, value):
    """Add one source to a tile of one column: row r gains `weights[w + r * lanes] * value`."""
    vector = tile.vector

    def codegen(context, builder, sig, args):
        # The factor is one register for all rows, and each weight is used once, straight from memory.
        result, weights_value, w_value, factor = args
        for r in range(tile.rows):
            offset = builder.add(w_value, ir.Constant(w_value.type, r * vector.lanes))
            place = address(context, builder, sig.args[1], weights_value, offset, vector.lanes)
            weight = emit_load(builder, vector, place)
            added = emit_fma(builder, weight, factor, builder.extract_value(result, r))
            result = builder.insert_value(result, added, r)
        return result

    return tile(tile, weights, types.intp, value), codegen


@intrinsic
def tile_fma_but(typingctx, tile, weights, w, sources, s, without):
    """As `tile_fma` for all rows but one (a `Count`), with as many fewer weights."""
    rows = [row for row in range(tile.rows) if row != without.number]
    return _tile_fma(tile, weights, sources, rows, (without,))


def _tile_fma(tile: Tile, weights: Any, sources: Any, rows: Any, more: tuple[Any, ...]) -> Any:
    """Signature and code generator of a multiply-add into some rows of a tile."""
    vector = tile.vector

    def codegen(context, builder, sig, args):
        value, weights_value, w_value, sources_value, s_value = args[:5]

        def at(kind, base, start, k):
            offset = builder.add(start, ir.Constant(start.type, k * vector.lanes))
            return emit_load(builder, vector, address(context, builder, kind, base, offset, vector.lanes))

        # All columns of the source first, each in a register for all rows; then row by row one weight, which serves all
        # columns and is dead after them. Sums, sources and one weight are alive at a time: for 4 x 4 they are 21 of the
        # 32 registers.
        columns = [at(sig.args[3], sources_value, s_value, c) for c in range(tile.columns)]
        for position, r in enumerate(rows):
            weight = at(sig.args[1], weights_value, w_value, position)
            for c in range(tile.columns):
                k = r * tile.columns + c
                value = builder.insert_value(
                    value, emit_fma(builder, weight, columns[c], builder.extract_value(value, k)), k
                )
        return value

    return tile(tile, weights, types.intp, sources, types.intp, *more), codegen


@intrinsic
def tile_store(typingctx, tile, target, start, stride):
    """Write row r, column c to `target[start + r * stride + c * lanes]`."""
    vector = tile.vector

    def codegen(context, builder, sig, args):
        value, target_value, start_value, stride_value = args
        for r in range(tile.rows):
            for c in range(tile.columns):
                offset = builder.add(start_value, builder.mul(stride_value, ir.Constant(stride_value.type, r)))
                offset = builder.add(offset, ir.Constant(offset.type, c * vector.lanes))
                pointer = address(context, builder, sig.args[1], target_value, offset, vector.lanes)
                emit_store(builder, vector, builder.extract_value(value, r * tile.columns + c), pointer)
        return context.get_dummy_value()

    return types.void(tile, target, types.intp, types.intp), codegen


@intrinsic
def tile_load(typingctx, source, start, stride, rows, columns):
    """Tile whose row r, column c is the vector at `source[start + r * stride + c * lanes]`."""
    vector = vector_of(source)
    tile = Tile(vector, rows.number, columns.number)

    def codegen(context, builder, sig, args):
        result = ir.Constant(context.get_value_type(tile), ir.Undefined)
        for r in range(tile.rows):
            first = builder.add(args[1], builder.mul(args[2], ir.Constant(args[2].type, r)))
            for c in range(tile.columns):
                offset = builder.add(first, ir.Constant(first.type, c * vector.lanes))
                place = address(context, builder, sig.args[0], args[0], offset, vector.lanes)
                result = builder.insert_value(result, emit_load(builder, vector, place), r * tile.columns + c)
        return result

    return tile(source, types.intp, types.intp, rows, columns), codegen


@intrinsic
def tile_fma_apart(typingctx, tile, weights, w, apart, sources, s):
    """As `tile_fma` with weights `apart`: row r, column c gains `weights[w + r * apart] * sources[s + c * lanes]`.

    Rows are then the sources of a layer and what is added one of its units: the product with the transposed matrix.
    """
    vector = tile.vector

    def codegen(context, builder, sig, args):
        value, weights_value, w_value, apart_value, sources_value, s_value = args

        def at(kind, base, offset):
            return emit_load(builder, vector, address(context, builder, kind, base, offset, vector.lanes))

        columns = [
            at(sig.args[4], sources_value, builder.add(s_value, ir.Constant(s_value.type, c * vector.lanes)))
            for c in range(tile.columns)
        ]
        for r in range(tile.rows):
            offset = builder.add(w_value, builder.mul(apart_value, ir.Constant(apart_value.type, r)))
            weight = at(sig.args[1], weights_value, offset)
            for c in range(tile.columns):
                k = r * tile.columns + c
                added = emit_fma(builder, weight, columns[c], builder.extract_value(value, k))
                value = builder.insert_value(value, added, k)
        return value

    return tile(tile, weights, types.intp, types.intp, sources, types.intp), codegen


@intrinsic
def tile_outer(typingctx, tile, values, a, b, stride):
    """Add an outer product: row r, column c gains `values[a + r * stride] * values[b + c * stride]`."""
    vector = tile.vector

    def codegen(context, builder, sig, args):
        result, values_value, a_value, b_value, stride_value = args

        def at(first, k):
            offset = builder.add(first, builder.mul(stride_value, ir.Constant(stride_value.type, k)))
            return emit_load(
                builder, vector, address(context, builder, sig.args[1], values_value, offset, vector.lanes)
            )

        columns = [at(b_value, c) for c in range(tile.columns)]
        for r in range(tile.rows):
            row = at(a_value, r)
            for c in range(tile.columns):
                k = r * tile.columns + c
                added = emit_fma(builder, row, columns[c], builder.extract_value(result, k))
                result = builder.insert_value(result, added, k)
        return result

    return tile(tile, values, types.intp, types.intp, types.intp), codegen


@intrinsic
def tile_add_wide(typingctx, tile, target, start, row_apart, column_apart):
    """Add row r, column c, widened, to the float64 vector at `target[start + r * row_apart + c * column_apart]`."""
    vector = tile.vector

    def codegen(context, builder, sig, args):
        value, target_value, start_value, row_value, column_value = args
        for r in range(tile.rows):
            for c in range(tile.columns):
                offset = builder.add(start_value, builder.mul(row_value, ir.Constant(row_value.type, r)))
                offset = builder.add(offset, builder.mul(column_value, ir.Constant(column_value.type, c)))
                place = address(context, builder, sig.args[1], target_value, offset, vector.lanes)
                emit_add_wide(builder, vector, builder.extract_value(value, r * tile.columns + c), place)
        return context.get_dummy_value()

    return types.void(tile, target, types.intp, types.intp, types.intp), codegen


@intrinsic
def tile_map(typingctx, tile, function, more):
    """The tile with `function(vector, more)` in place of each vector; the function is a compiled one."""
    call = function.get_call_type(typingctx, (tile.vector, more), {})

    def codegen(context, builder, sig, args):
        # One call a vector, all inlined: independent chains, of which the processor works on several at once.
        value, _, more_value = args
        emit = context.get_function(function, call)
        for k in range(tile.rows * tile.columns):
            mapped = emit(builder, (builder.extract_value(value, k), more_value))
            value = builder.insert_value(value, mapped, k)
        return value

    return tile(tile, function, more), codegen


@intrinsic
def tile_zero(typingctx, like, rows, columns):
    """Tile of zeros."""
    tile = Tile(vector_of(like), rows.number, columns.number)

    def codegen(context, builder, sig, args):
        # Zeros and not a load: the register is made by an xor with itself, which waits for nothing.
        return ir.Constant(context.get_value_type(tile), None)

    return tile(like, rows, columns), codegen


@intrinsic
def tile_fma_links(typingctx, tile, memory, w, slot, inputs, sources, k):
    """Add one link per row: row r gains `weights[w + r * lanes]` times the memory row `sources[k + r]` from `slot` on.

    With `inputs` (`Rows`; else None) the first so many rows are not there but at `inputs.at`.
    """
    vector = tile.vector
    weights, values, _ = memory.types
    elsewhere = not isinstance(inputs, types.NoneType)

    def codegen(context, builder, sig, args):
        value, memory_value, w_value, slot_value, inputs_value, sources_value, k_value = args
        weights_value, values_value, stride = (builder.extract_value(memory_value, i) for i in range(3))
        for r in range(tile.rows):
            offset = builder.add(w_value, ir.Constant(w_value.type, r * vector.lanes))
            weight = emit_load(builder, vector, address(context, builder, weights, weights_value, offset, vector.lanes))
            place = builder.add(k_value, ir.Constant(k_value.type, r))
            row = builder.load(address(context, builder, sources, sources_value, place, 1))
            begin = slot_value
            if elsewhere:
                # A select and no branch: which sources are inputs follows no pattern that could be predicted. With
                # many links the two instructions show (5 % of `series-graph-64`), so units do without.
                is_input = builder.icmp_signed("<", row, builder.extract_value(inputs_value, 1))
                begin = builder.select(is_input, builder.extract_value(inputs_value, 0), begin)
            first = builder.add(begin, builder.mul(row, stride))
            for c in range(tile.columns):
                offset = builder.add(first, ir.Constant(first.type, c * vector.lanes))
                source = emit_load(
                    builder, vector, address(context, builder, values, values_value, offset, vector.lanes)
                )
                n = r * tile.columns + c
                value = builder.insert_value(
                    value, emit_fma(builder, weight, source, builder.extract_value(value, n)), n
                )
        return value

    return tile(tile, memory, types.intp, types.intp, inputs, sources, types.intp), codegen


@intrinsic
def tile_over_columns(typingctx, tile, function, more):
    """Call `function(vectors, column, more)` for every column, with the tuple of its vectors from row 0 on."""
    vectors = types.UniTuple(tile.vector, tile.rows)
    call = function.get_call_type(typingctx, (vectors, types.intp, more), {})

    def codegen(context, builder, sig, args):
        # A loop over the type's number of columns, unrolled here: indices into a tile must be constants.
        value, _, more_value = args
        emit = context.get_function(function, call)
        for c in range(tile.columns):
            column = [builder.extract_value(value, r * tile.columns + c) for r in range(tile.rows)]
            number = context.get_constant(types.intp, c)
            emit(builder, (context.make_tuple(builder, vectors, column), number, more_value))
        return context.get_dummy_value()

    return types.void(tile, function, more), codegen


@intrinsic
def each_of(typingctx, scalar, number):
    """A tuple of `number` (a `Count`) times the scalar: chains that do not wait for one another."""
    result = types.UniTuple(scalar, number.number)

    def codegen(context, builder, sig, args):
        return context.make_tuple(builder, result, [args[0]] * number.number)

    return result(scalar, number), codegen


@intrinsic
def each_fma(typingctx, sums, factor, values, at, stride):
    """Sum k of a tuple gains `factor * values[at + k * stride]`, rounded once."""

    def codegen(context, builder, sig, args):
        result, factor_value, base, first, step = args
        for k in range(sums.count):
            place = builder.add(first, builder.mul(step, ir.Constant(step.type, k)))
            value = builder.load(address(context, builder, values, base, place, 1))
            result = builder.insert_value(result, builder.fma(factor_value, value, builder.extract_value(result, k)), k)
        return result

    return sums(sums, factor, values, types.intp, types.intp), codegen


@intrinsic
def each_poke(typingctx, target, at, numbers):
    """Write the numbers of a tuple to `target[at]` and what follows."""

    def codegen(context, builder, sig, args):
        for k in range(numbers.count):
            place = builder.add(args[1], ir.Constant(args[1].type, k))
            builder.store(builder.extract_value(args[2], k), address(context, builder, target, args[0], place, 1))
        return context.get_dummy_value()

    return types.void(target, types.intp, numbers), codegen
