"""The backward step of Elman, Jordan and leaky networks; see `dense` for the forward one, `adjoints` for the contract.

With the deltas d = f'(s) dE/dh of the weighted sums s: dE/dW = sum of d x^T, dE/dU = sum of d r^T, and the error goes
on as W^T d to the layer below and as U^T d to the step before (P. J. Werbos 1990, Proc. IEEE 78, 1550-1560). A leaky
unit h' = h + a (f(s) - h) passes (1 - a) dE/dh' to h, a dE/dh' to f(s) and (f(s) - h) dE/dh' to a; for that its sums
are computed once more. So they are for the sine, whose slope does not follow from its value.

A `continuous` cell takes the sums of a leaky unit, and the sources of its weights, from the new values instead of the
old ones: that is the adjoint equation of continuous time, integrated from the end of a step to its beginning by
first-order differences (B. A. Pearlmutter 1989, Neural Computation 1, 263-269). It is off the derivative of the steps
by an amount of the order of their length.

Deltas: those of the layers, substep by substep, those of the outputs, and of a leaky network those of the shares a.
"""

from __future__ import annotations

from neuroevo.kernels.activations import SINE, activate
from neuroevo.kernels.cells.adjoints import accumulate, back, start_back, unprepare
from neuroevo.kernels.cells.base import Rows, copy_rows
from neuroevo.kernels.cells.dense import Dense, Sources, _extras, _layer_size, substep_blocks, substeps, weighted_sums
from neuroevo.kernels.compilation import implements, inlined, is_kind
from neuroevo.kernels.products import Matrix, bias_sums, delta_sums, outer_products, transposed_sums, zero_rows
from neuroevo.kernels.slopes import slope_of, through_activation
from neuroevo.kernels.tiles import number_of
from neuroevo.kernels.vectors import add_wide, broadcast, fma, lanes, load, peek, poke, store


def n_deltas(cell: Dense) -> int:
    """Rows of deltas of a step."""
    units = (cell.n_substeps or 1) * cell.n_layers * cell.n_hidden
    return units + cell.n_outputs + (units if cell.leaky else 0)


@inlined
def _read_out_at(cell):
    """Where the weights of the read-out begin, per lane."""
    return _extras(cell) - cell.n_outputs * (1 + cell.n_hidden + cell.n_skip)


@inlined
def read_out_back(cell, memory, w, units, at, errors, deltas, wanted, n_columns):
    """Deltas of the outputs of a step whose read-out begins at weight `w`, and what they add to the units.

    Args:
        cell: With n_outputs, n_hidden, n_skip and output_activation.
        memory: `Memory`.
        w: Element of the read-out's weights.
        units: `Rows` of the adjoints of the units that the outputs see, added to.
        at: `At`.
        errors: `Errors`.
        deltas: Element of the first output's delta, written.
        wanted: Whether anything comes from the outputs; otherwise their deltas are 0.
        n_columns: `Count` of sequences.
    """
    if wanted:
        outputs = Rows(at.new, cell.n_outputs)
        if cell.output_activation == SINE:
            sums = Sources(Rows(at.new + (units.at - errors.newer), units.n), Rows(at.inputs, cell.n_skip))
            outputs = Rows(deltas, cell.n_outputs)
            weighted_sums(memory, w, sums, outputs, False, n_columns)
        through_activation(cell.output_activation, memory, outputs, errors.newer, deltas, number_of(n_columns))
        matrix = Matrix(w, 1 + cell.n_hidden + cell.n_skip, 1)
        transposed_sums(memory, matrix, Rows(deltas, cell.n_outputs), units, True, n_columns)
    else:
        zero_rows(memory, Rows(deltas, cell.n_outputs), number_of(n_columns))


@inlined
def read_out_gradient(cell, memory, w, units, inputs, deltas, span, gradient):
    """Add the gradient of a read-out: `units` and `inputs` are elements of the rows it sees at the first step."""
    matrix = Matrix(w, 1 + cell.n_hidden + cell.n_skip, 0)
    outputs = Rows(deltas, cell.n_outputs)
    bias_sums(memory, matrix, outputs, span, gradient)
    outer_products(memory, Matrix(w, matrix.n_sources, 1), outputs, Rows(units, cell.n_hidden), span, gradient)
    skip = Matrix(w, matrix.n_sources, 1 + cell.n_hidden)
    outer_products(memory, skip, outputs, Rows(inputs, cell.n_skip), span, gradient)


@inlined
def _leaky_layer(cell, memory, w, share, sources, old, adjoint, older, deltas, shares, columns):
    """Deltas of a layer of leaky units and of their shares, and what goes to their old values directly."""
    values, width, n = memory.values, lanes(memory.values), cell.n_hidden
    weighted_sums(memory, w, sources, Rows(deltas, n), False, columns)
    copy_rows(memory, Rows(deltas, n), shares, number_of(columns))
    activate(cell.activation, values, shares, n, memory.stride, number_of(columns))
    for u in range(n):
        part = load(memory.weights, share + u * width)
        for k in range(u * memory.stride, u * memory.stride + number_of(columns) * width, width):
            target, error = load(values, shares + k), load(values, adjoint + k)
            slope = slope_of(cell.activation, target, load(values, deltas + k))
            store(values, older + k, fma(-part, error, error))
            store(values, shares + k, error * (target - load(values, old + k)))
            store(values, deltas + k, part * error * slope)


@implements(back)
def _back(cell, memory, at, errors, wanted, columns):
    def back_dense(cell, memory, at, errors, wanted, columns):
        width, n, size = lanes(memory.values), cell.n_hidden, cell.n_hidden * memory.stride
        top, head, block = (cell.n_layers - 1) * size, cell.n_outputs * memory.stride, cell.n_layers * size
        out_deltas = errors.deltas + substeps(cell) * block
        last = Rows(errors.newer + head + top, n)
        read_out = _read_out_at(cell) * width
        read_out_back(cell, memory, read_out, last, at, errors, out_deltas, wanted or cell.is_jordan, columns)
        for k in range(substeps(cell) - 1, -1, -1):
            read, written = substep_blocks(cell, memory, k)
            old = (at.old if k == 0 else at.new) + head + read + top
            older = (errors.older if k == 0 else errors.newer) + head + read + top
            new, newer = at.new + head + written + top, errors.newer + head + written + top
            deltas, shares = errors.deltas + read + top, out_deltas + head + read + top
            w, share = read_out, (_extras(cell) + (cell.n_layers - 1) * n) * width
            for layer in range(cell.n_layers - 1, -1, -1):
                w -= _layer_size(cell, layer) * width
                n_below = cell.n_inputs if layer == 0 else n
                below = Rows(at.inputs if layer == 0 else new - size, n_below)
                before = new if cell.continuous else old
                sources = Sources(below, Rows(at.old if cell.is_jordan else before, cell.n_fed_back))
                if cell.leaky:
                    _leaky_layer(cell, memory, w, share, sources, before, newer, older, deltas, shares, columns)
                elif cell.activation == SINE:
                    weighted_sums(memory, w, sources, Rows(deltas, n), False, columns)
                    through_activation(SINE, memory, Rows(deltas, n), newer, deltas, number_of(columns))
                else:
                    through_activation(cell.activation, memory, Rows(new, n), newer, deltas, number_of(columns))
                n_sources = 1 + n_below + cell.n_fed_back
                back_matrix = Matrix(w, n_sources, 1 + n_below)
                if cell.is_jordan:
                    zero_rows(memory, Rows(older, n), number_of(columns))
                    fed_back = Rows(errors.older, cell.n_fed_back)
                    transposed_sums(memory, back_matrix, Rows(deltas, n), fed_back, True, columns)
                else:
                    transposed_sums(memory, back_matrix, Rows(deltas, n), Rows(older, n), cell.leaky != 0, columns)
                if layer > 0:
                    under = Rows(newer - size, n)
                    transposed_sums(memory, Matrix(w, n_sources, 1), Rows(deltas, n), under, True, columns)
                newer, older, deltas = newer - size, older - size, deltas - size
                old, new, shares, share = old - size, new - size, shares - size, share - n * width
        if substeps(cell) > 1:
            others = Rows(errors.older + head + block, cell.n_state - cell.n_layers * n)
            zero_rows(memory, others, number_of(columns))

    return back_dense if is_kind(cell, Dense) else None


@implements(accumulate)
def _accumulate(cell, memory, span, gradient):
    def accumulate_dense(cell, memory, span, gradient):
        width, n, size = lanes(memory.values), cell.n_hidden, cell.n_hidden * memory.stride
        head, block = cell.n_outputs * memory.stride, cell.n_layers * size
        inputs, slot = span.old - cell.n_inputs * memory.stride, span.old + span.size
        out_deltas = span.deltas + substeps(cell) * block
        for k in range(substeps(cell)):
            read, written = substep_blocks(cell, memory, k)
            old, new = (span.old if k == 0 else slot) + head + read, slot + head + written
            w, deltas, below = 0, span.deltas + read, Rows(inputs, cell.n_inputs)
            for layer in range(cell.n_layers):
                n_sources = 1 + below.n + cell.n_fed_back
                units = Rows(deltas, n)
                before = new if cell.continuous else old
                back_rows = Rows(span.old if cell.is_jordan else before, cell.n_fed_back)
                bias_sums(memory, Matrix(w, n_sources, 0), units, span, gradient)
                outer_products(memory, Matrix(w, n_sources, 1), units, below, span, gradient)
                outer_products(memory, Matrix(w, n_sources, 1 + below.n), units, back_rows, span, gradient)
                w += _layer_size(cell, layer) * width
                below = Rows(new, n)
                new, old, deltas = new + size, old + size, deltas + size
            if cell.leaky:
                shares = Rows(out_deltas + head + read, cell.n_layers * n)
                delta_sums(memory, shares, span, gradient, _extras(cell) * width, width)
        units = slot + head + block - size
        read_out_gradient(cell, memory, _read_out_at(cell) * width, units, inputs, out_deltas, span, gradient)

    return accumulate_dense if is_kind(cell, Dense) else None


@inlined
def add_over_columns(memory, rows, gradient, w, n_columns):
    """Add the sums of rows over the sequences to the gradient from element `w` on."""
    values, width = memory.values, lanes(memory.values)
    for row in range(rows.n):
        total, at = broadcast(values, 0.0), rows.at + row * memory.stride
        for k in range(at, at + n_columns * width, width):
            total = total + load(values, k)
        add_wide(total, gradient, w + row * width)


@implements(start_back)
def _start_back(cell, memory, at, gradient, n_columns):
    def start_back_dense(cell, memory, at, gradient, n_columns):
        if cell.initial_state:
            units = cell.n_layers * cell.n_hidden
            w = (_extras(cell) + (units if cell.leaky else 0)) * lanes(memory.values)
            state = at + cell.n_outputs * memory.stride
            rows = Rows(at, cell.n_outputs) if cell.is_jordan else Rows(state, cell.n_layers * cell.n_hidden)
            add_over_columns(memory, rows, gradient, w, n_columns)

    return start_back_dense if is_kind(cell, Dense) else None


@implements(unprepare)
def _unprepare(cell, weights, gradient):
    def shares_to_genes(cell, weights, gradient):
        if cell.leaky:
            width = lanes(weights)
            first = _extras(cell) * width
            for w in range(first, first + cell.n_layers * cell.n_hidden * width):
                share = peek(weights, w)
                poke(gradient, w, peek(gradient, w) * share * (1.0 - substeps(cell) * share))

    return shares_to_genes if is_kind(cell, Dense) else None
