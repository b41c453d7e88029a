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

from neuroevo.kernels.vectors import Vector, address, emit_fma, emit_load, emit_store, vector_ir, vector_of


class Count(types.Type):
    """A number known when the kernel is compiled."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(name=f"Count({number})")


register_model(Count)(models.OpaqueModel)


class Tile(types.Type):
    """`rows` x `columns` vectors: row = unit, column = sequence."""

    def __init__(self, vector: Vector, rows: int, columns: int) -> None:
        self.vector, self.rows, self.columns = vector, rows, columns
        super().__init__(name=f"Tile({vector}, {rows} x {columns})")


@register_model(Tile)
class _TileModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Tile) -> None:
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
def tile_fma_by(typingctx, tile, weights, w, value):
    """Add one source to a tile of one column: row r gains `weights[w + r * lanes] * value`."""
    vector = tile.vector

    def codegen(context, builder, sig, args):
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
def tile_map(typingctx, tile, function, more):
    """The tile with `function(vector, more)` in place of each vector; the function is a compiled one."""
    call = function.get_call_type(typingctx, (tile.vector, more), {})

    def codegen(context, builder, sig, args):
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
        return ir.Constant(context.get_value_type(tile), None)

    return tile(like, rows, columns), codegen


@intrinsic
def tile_fma_links(typingctx, tile, weights, w, values, at, stride, sources, k):
    """Add one link per row: row r gains `weights[w + r * lanes]` times the memory row `sources[k + r]`."""
    vector = tile.vector

    def codegen(context, builder, sig, args):
        value, weights_value, w_value, values_value, at_value, stride_value, sources_value, k_value = args
        for r in range(tile.rows):
            offset = builder.add(w_value, ir.Constant(w_value.type, r * vector.lanes))
            weight = emit_load(
                builder, vector, address(context, builder, sig.args[1], weights_value, offset, vector.lanes)
            )
            place = builder.add(k_value, ir.Constant(k_value.type, r))
            row = builder.load(address(context, builder, sig.args[6], sources_value, place, 1))
            first = builder.add(at_value, builder.mul(row, stride_value))
            for c in range(tile.columns):
                offset = builder.add(first, ir.Constant(first.type, c * vector.lanes))
                source = emit_load(
                    builder, vector, address(context, builder, sig.args[3], values_value, offset, vector.lanes)
                )
                n = r * tile.columns + c
                value = builder.insert_value(
                    value, emit_fma(builder, weight, source, builder.extract_value(value, n)), n
                )
        return value

    return tile(tile, weights, types.intp, values, types.intp, types.intp, sources, types.intp), codegen


@intrinsic(prefer_literal=True)
def tile_at(typingctx, tile, row, column):
    """The vector at a literal row and column; a column beyond the last stands in code that is never reached."""
    if not isinstance(row, types.IntegerLiteral) or not isinstance(column, types.IntegerLiteral):
        return None
    k = row.literal_value * tile.columns + min(column.literal_value, tile.columns - 1)
    return (
        tile.vector(tile, row, column),
        lambda context, builder, sig, args: builder.extract_value(args[0], k),
    )
