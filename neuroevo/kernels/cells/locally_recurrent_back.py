"""The backward step of locally recurrent networks: `locally_recurrent` has the forward one, `adjoints` the contract.

A link y(t) = sum_p w(p) x(t-p) + sum_r v(r) y(t-r) is gone through transposed: with the delta d(t) = dE/dy(t), the
unit's and what comes from later steps, x gets sum_p w(p) d(t+p) and y itself sum_r v(r) d(t+r); the gradients are
dE/dw(p) = sum_t d(t) x(t-p) and dE/dv(r) = sum_t d(t) y(t-r) (P. Campolucci et al. 1999, IEEE Trans. Neural Networks
10, 253-271: recursive backpropagation; here with adjoints in the place of its forward filters, to which it is equal).
Of the older values in a slot the adjoints move back along the line as the values moved on.
"""

from __future__ import annotations

from neuroevo.kernels.activations import SINE
from neuroevo.kernels.cells.adjoints import accumulate, back, start_back, unprepare
from neuroevo.kernels.cells.base import Rows, copy_rows
from neuroevo.kernels.cells.filter_layers import (
    ACTIVATION,
    OUTPUT,
    SYNAPSE,
    LocallyRecurrent,
    below_of,
    fed_back_row,
    layer_of,
    layers_of,
    n_terms,
    sources_of,
    weight_at,
)
from neuroevo.kernels.cells.locally_recurrent import filtered_sums
from neuroevo.kernels.compilation import called, implements, inlined, is_kind
from neuroevo.kernels.products import Matrix, bias_sums, outer_products, transposed_sums, zero_rows
from neuroevo.kernels.slopes import through_activation
from neuroevo.kernels.tiles import number_of
from neuroevo.kernels.vectors import add_wide, broadcast, fma, lanes, load, store


def n_deltas(cell: LocallyRecurrent) -> int:
    """Rows of deltas of a step."""
    last = layers_of(cell)[-1]
    return last.deltas + last.n_units * (1 + last.n_sources if last.feedback == SYNAPSE else 1)


@called
def _add_rows(memory, rows, target, n_columns):
    """Add rows to the rows from element `target` on."""
    values, width = memory.values, lanes(memory.values)
    for row in range(0, rows.n * memory.stride, memory.stride):
        for k in range(row, row + n_columns * width, width):
            store(values, target + k, load(values, target + k) + load(values, rows.at + k))


@called
def _add_tapped(memory, layer, term, deltas, target, n_columns):
    """Add the deltas of a layer's units times one weight of each to the rows from element `target` on."""
    values, width, row = memory.values, lanes(memory.values), 0
    for unit in range(layer.n_units):
        weight = load(memory.weights, weight_at(layer, unit, term, width))
        for k in range(row, row + n_columns * width, width):
            store(values, target + k, fma(weight, load(values, deltas + k), load(values, target + k)))
        row += memory.stride


@inlined
def _old_feedback(memory, layer, errors, n_columns):
    """Adjoints of what was fed back, as far as it is still there in the new slot; links do that as they pass."""
    stride, n = memory.stride, layer.n_units
    new, old = errors.newer + layer.memory * stride, errors.older + layer.memory * stride
    units = errors.older + layer.units * stride
    if layer.feedback == OUTPUT:
        if layer.ar > 1:
            _add_rows(memory, Rows(new, n), units, n_columns)
            copy_rows(memory, Rows(new + n * stride, (layer.ar - 2) * n), old, n_columns)
            zero_rows(memory, Rows(old + (layer.ar - 2) * n * stride, n), n_columns)
    elif layer.feedback == ACTIVATION:
        copy_rows(memory, Rows(new + n * stride, (layer.ar - 1) * n), old, n_columns)
        zero_rows(memory, Rows(old + (layer.ar - 1) * n * stride, n), n_columns)


@inlined
def _old_line(memory, layer, errors, below, n_columns):
    """Adjoints of the older values of the sources, and what the newest add to the rows `below`; none if negative."""
    if layer.ma > 1:
        stride, keep = memory.stride, layer.ma - 1
        for line in range(layer.line, layer.line + layer.n_sources * layer.ma, layer.ma):
            new, old = errors.newer + line * stride, errors.older + line * stride
            if below >= 0:
                _add_rows(memory, Rows(new, 1), below + (line - layer.line) // layer.ma * stride, n_columns)
                copy_rows(memory, Rows(new + stride, keep), old, n_columns)
                zero_rows(memory, Rows(old + keep * stride, 1), n_columns)
            else:
                zero_rows(memory, Rows(old, layer.ma), n_columns)


@called
def _link_deltas(memory, layer, term, deltas, links, newer, older, n_columns):
    """Deltas of the links from one source to all units, and what they pass on to their older values.

    `newer` and `older` are the adjoints of the links' newest values; `term` is the first weight that is fed back.
    """
    values, width, row = memory.values, lanes(memory.values), 0
    block = layer.n_units * layer.n_sources * memory.stride
    for unit in range(layer.n_units):
        w = weight_at(layer, unit, term, width)
        apart = weight_at(layer, unit, term + 1, width) - w
        for k in range(row, row + n_columns * width, width):
            link = load(values, deltas + k) + load(values, newer + k)
            store(values, links + k, link)
            at = k
            for r in range(layer.ar - 1):
                weight, kept = load(memory.weights, w + r * apart), load(values, newer + at + block)
                store(values, older + at, fma(weight, link, kept))
                at += block
            last = load(memory.weights, w + (layer.ar - 1) * apart)
            store(values, older + at, last * link)
        row += memory.stride


@inlined
def _through_links(memory, layer, w, deltas, errors, sources, columns):
    """Errors through the links of a layer: to their older values, and to the sources where there are any."""
    stride, n = memory.stride, layer.n_units
    links, size = deltas + n * stride, n * stride
    newer, older = errors.newer + layer.memory * stride, errors.older + layer.memory * stride
    term = 1
    for m in range(layer.n_sources):
        shift = m * size
        _link_deltas(memory, layer, term + layer.ma, deltas, links, newer + shift, older + shift, number_of(columns))
        if sources >= 0:
            seen = Rows(sources + m * layer.ma * stride, layer.ma)
            transposed_sums(memory, Matrix(w, n_terms(layer), term), Rows(links, n), seen, True, columns)
        links += size
        term += layer.ma + layer.ar


@inlined
def _through_units(memory, layer, w, deltas, errors, sources, columns):
    """Errors through the sums of a layer whose links feed nothing back."""
    stride, n = memory.stride, layer.n_units
    if layer.feedback == ACTIVATION:
        _add_rows(memory, Rows(errors.newer + layer.memory * stride, n), deltas, number_of(columns))
    n_sources = layer.ma * layer.n_sources
    if sources >= 0:
        matrix = Matrix(w, n_terms(layer), 1)
        transposed_sums(memory, matrix, Rows(deltas, n), Rows(sources, n_sources), True, columns)
    for r in range(layer.ar):
        target = errors.older + fed_back_row(layer, r + 1) * stride
        _add_tapped(memory, layer, 1 + n_sources + r, deltas, target, number_of(columns))


@implements(back)
def _back(cell, memory, at, errors, wanted, columns):
    def back_locally_recurrent(cell, memory, at, errors, wanted, columns):
        stride, width, n_columns = memory.stride, lanes(memory.values), number_of(columns)
        for k in range(cell.n_layers - 1, -1, -1):
            layer = layer_of(cell, k)
            n, deltas = layer.n_units, errors.deltas + layer.deltas * stride
            is_out = k + 1 == cell.n_layers
            if is_out and not wanted and not cell.is_dynamic:
                zero_rows(memory, Rows(deltas, n), n_columns)
            else:
                code = cell.output_activation if is_out else cell.activation
                units = at.new + layer.units * stride
                if code == SINE:
                    sources = sources_of(memory, layer, below_of(cell, memory, k, at.inputs, at.new), at.new)
                    units = deltas
                    filtered_sums(memory, layer, sources, at, units, columns)
                through_activation(code, memory, Rows(units, n), errors.newer + layer.units * stride, deltas, n_columns)
                below = below_of(cell, memory, k, -1, errors.newer)
                sources = below if k == 0 else sources_of(memory, layer, below, errors.newer)
                if not is_out:
                    zero_rows(memory, Rows(errors.older + layer.units * stride, n), n_columns)
                _old_feedback(memory, layer, errors, n_columns)
                if layer.feedback == SYNAPSE:
                    _through_links(memory, layer, layer.weights * width, deltas, errors, sources, columns)
                else:
                    _through_units(memory, layer, layer.weights * width, deltas, errors, sources, columns)
                _old_line(memory, layer, errors, below, n_columns)

    return back_locally_recurrent if is_kind(cell, LocallyRecurrent) else None


@called
def _tap_gradient(memory, layer, term, deltas, sources, span, gradient):
    """Add the gradient of one weight of each unit, whose source is a row of its own: four chains at a time."""
    values, width, stride, n = memory.values, lanes(memory.values), memory.stride, layer.n_units
    unit = 0
    while unit < n:
        w, delta, source = weight_at(layer, unit, term, width), deltas + unit * stride, sources + unit * stride
        zero = broadcast(values, 0.0)
        one, two, three, four = zero, zero, zero, zero
        if unit % 4 == 0 and unit + 4 <= n:
            for _ in range(span.n_steps):
                for c in range(0, span.n_columns * width, width):
                    d, s = delta + c, source + c
                    one = fma(load(values, d), load(values, s), one)
                    two = fma(load(values, d + stride), load(values, s + stride), two)
                    three = fma(load(values, d + 2 * stride), load(values, s + 2 * stride), three)
                    four = fma(load(values, d + 3 * stride), load(values, s + 3 * stride), four)
                delta, source = delta + span.deltas_size, source + span.size
            add_wide(two, gradient, w + width)
            add_wide(three, gradient, w + 2 * width)
            add_wide(four, gradient, w + 3 * width)
            unit += 4
        else:
            for _ in range(span.n_steps):
                for c in range(0, span.n_columns * width, width):
                    one = fma(load(values, delta + c), load(values, source + c), one)
                delta, source = delta + span.deltas_size, source + span.size
            unit += 1
        add_wide(one, gradient, w)


@implements(accumulate)
def _accumulate(cell, memory, span, gradient):
    def accumulate_locally_recurrent(cell, memory, span, gradient):
        stride, width = memory.stride, lanes(memory.values)
        inputs, new = span.old - cell.n_inputs * stride, span.old + span.size
        for k in range(cell.n_layers):
            layer = layer_of(cell, k)
            w, n, terms = layer.weights * width, layer.n_units, n_terms(layer)
            deltas = Rows(span.deltas + layer.deltas * stride, n)
            sources = sources_of(memory, layer, below_of(cell, memory, k, inputs, new), new)
            bias_sums(memory, Matrix(w, terms, 0), deltas, span, gradient)
            if layer.feedback == SYNAPSE:
                for m in range(layer.n_sources):
                    links, term = Rows(deltas.at + (1 + m) * n * stride, n), 1 + m * (layer.ma + layer.ar)
                    seen = Rows(sources + m * layer.ma * stride, layer.ma)
                    outer_products(memory, Matrix(w, terms, term), links, seen, span, gradient)
                    for r in range(layer.ar):
                        old = span.old + (layer.memory + (r * layer.n_sources + m) * n) * stride
                        _tap_gradient(memory, layer, term + layer.ma + r, links.at, old, span, gradient)
            else:
                n_sources = layer.ma * layer.n_sources
                outer_products(memory, Matrix(w, terms, 1), deltas, Rows(sources, n_sources), span, gradient)
                for r in range(layer.ar):
                    old = span.old + fed_back_row(layer, r + 1) * stride
                    _tap_gradient(memory, layer, 1 + n_sources + r, deltas.at, old, span, gradient)

    return accumulate_locally_recurrent if is_kind(cell, LocallyRecurrent) else None


@implements(start_back)
def _start_back(cell, memory, at, gradient, n_columns):
    def start_at_zero(cell, memory, at, gradient, n_columns):
        return

    return start_at_zero if is_kind(cell, LocallyRecurrent) else None


@implements(unprepare)
def _unprepare(cell, weights, gradient):
    return (lambda cell, weights, gradient: None) if is_kind(cell, LocallyRecurrent) else None
