"""A loop runs cells over steps, sequences, episodes and genomes; entry points of compiled code are here.

`driver`: errors of populations, `evaluate` and `trace`; `series`: the same for Elman networks with many units on few
sequences, lanes being units; `control`: networks that act in a world. `gradient`: backpropagation through time for
populations; `sensitivities`: RTRL, the hybrid, curvature and learning on the way; `crbp`, `crbp_layers`: recursive
backpropagation of locally recurrent networks; `lstm_online`: learning of the first LSTM; `online`: how weights move.
"""
