"""A cell is a network's step on vectors: what it reads and writes in memory, forward and, where it can, back.

`base` has the contract of the forward step, `adjoints` that of the backward step. `dense`: Elman, Jordan, leaky;
`gated`: LSTM, GRU; `graph`: any list of links; `locally_recurrent`, `filter_layers`: layers of filters; `lif`: units
that fire. `NAME_back` is the backward step of a cell that has one; `gated_products`, `link_tiles`: sums that two of
them need beside `tiles` and `products`.
"""
