"""Register tiles whose rows are units with links of their own: what `graph` and its adjoint add to `tiles`."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from neuroevo.kernels.tiles import Tile
from neuroevo.kernels.vectors import address, emit_fma, emit_load, emit_store, vector_of


@intrinsic
def tile_fma_reversed(typingctx, tile, memory, deltas, targets, places, k):
    """Add one link per row, run through backward.

    Row r gains the packed weight number `places[k + r]` times the memory row `targets[k + r]`, counted from `deltas`.
    """
    vector = tile.vector
    weights, values, _ = memory.types

    def codegen(context, builder, sig, args):
        value, memory_value, first, targets_value, places_value, k_value = args
        weights_value, values_value, stride = (builder.extract_value(memory_value, i) for i in range(3))
        lanes = ir.Constant(first.type, vector.lanes)
        for r in range(tile.rows):
            at = builder.add(k_value, ir.Constant(k_value.type, r))
            place = builder.load(address(context, builder, places, places_value, at, 1))
            row = builder.load(address(context, builder, targets, targets_value, at, 1))
            at = address(context, builder, weights, weights_value, builder.mul(place, lanes), vector.lanes)
            weight = emit_load(builder, vector, at)
            begin = builder.add(first, builder.mul(row, stride))
            for c in range(tile.columns):
                offset = builder.add(begin, ir.Constant(begin.type, c * vector.lanes))
                delta = emit_load(
                    builder, vector, address(context, builder, values, values_value, offset, vector.lanes)
                )
                n = r * tile.columns + c
                value = builder.insert_value(
                    value, emit_fma(builder, weight, delta, builder.extract_value(value, n)), n
                )
        return value

    return tile(tile, memory, types.intp, targets, places, types.intp), codegen


@intrinsic
def tile_from_rows(typingctx, memory, start, rows, k, n_rows, columns):
    """Tile whose row r is the memory row `rows[k + r]`, counted from `start`."""
    _, values, _ = memory.types
    vector = vector_of(values)
    tile = Tile(vector, n_rows.number, columns.number)

    def codegen(context, builder, sig, args):
        result = ir.Constant(context.get_value_type(tile), ir.Undefined)
        for n, place in enumerate(_places(context, builder, sig, args, tile, values)):
            result = builder.insert_value(result, emit_load(builder, vector, place), n)
        return result

    return tile(memory, types.intp, rows, types.intp, n_rows, columns), codegen


@intrinsic
def tile_to_rows(typingctx, memory, start, rows, k, tile):
    """Write row r to the memory row `rows[k + r]`, counted from `start`."""
    _, values, _ = memory.types

    def codegen(context, builder, sig, args):
        for n, place in enumerate(_places(context, builder, sig, args, tile, values)):
            emit_store(builder, tile.vector, builder.extract_value(args[4], n), place)
        return context.get_dummy_value()

    return types.void(memory, types.intp, rows, types.intp, tile), codegen


def _places(context, builder, sig, args, tile, values):
    """Where the vectors of a tile lie whose rows are given by number."""
    memory, start, rows, k = args[:4]
    values_value, stride = builder.extract_value(memory, 1), builder.extract_value(memory, 2)
    for r in range(tile.rows):
        at = builder.add(k, ir.Constant(k.type, r))
        row = builder.load(address(context, builder, sig.args[2], rows, at, 1))
        first = builder.add(start, builder.mul(row, stride))
        for c in range(tile.columns):
            offset = builder.add(first, ir.Constant(first.type, c * tile.vector.lanes))
            yield address(context, builder, values, values_value, offset, tile.vector.lanes)


@intrinsic
def tile_link_products(typingctx, tile, memory, deltas, sources, links, k, apart, moved):
    """Add what a step contributes to the gradient of some links; row = target, column = one of its links.

    Row r, column l gains the memory row r from `deltas` on times the source `links[k + l * apart + r]`. The first
    `sources.inputs.n` sources are rows from `sources.inputs.at` on, all others from `sources.slot` on, both `moved`.
    """
    vector = tile.vector
    _, values, _ = memory.types

    def codegen(context, builder, sig, args):
        result, memory_value, delta_value, sources_value, links_value, k_value, apart_value, by = args
        values_value, stride = (builder.extract_value(memory_value, i) for i in (1, 2))
        slot, inputs = (builder.extract_value(sources_value, i) for i in (0, 1))

        def at(offset):
            place = address(context, builder, values, values_value, offset, vector.lanes)
            return emit_load(builder, vector, place)

        for r in range(tile.rows):
            delta = at(builder.add(delta_value, builder.mul(stride, ir.Constant(stride.type, r))))
            for link in range(tile.columns):
                place = builder.add(k_value, builder.mul(apart_value, ir.Constant(apart_value.type, link)))
                place = builder.add(place, ir.Constant(place.type, r))
                row = builder.load(address(context, builder, sig.args[4], links_value, place, 1))
                # Where a source lies is the same in all steps but for `moved`, so that LLVM finds it before the loop.
                is_input = builder.icmp_signed("<", row, builder.extract_value(inputs, 1))
                begin = builder.select(is_input, builder.extract_value(inputs, 0), slot)
                source = at(builder.add(builder.add(begin, builder.mul(row, stride)), by))
                n = r * tile.columns + link
                added = emit_fma(builder, delta, source, builder.extract_value(result, n))
                result = builder.insert_value(result, added, n)
        return result

    return tile(tile, memory, types.intp, sources, links, types.intp, types.intp, types.intp), codegen
