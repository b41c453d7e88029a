"""The same workloads computed by other tools, in the way that their users would write them.

Every module offers ``ways(workload, n_threads)``: names to functions ``errors(population)`` that give the mean squared
error ``(n_genomes,)`` of a population in single precision. What is done once only (compiling, moving the data) happens
before; weights are named arrays of the network's layout.

For gradients, `jax_peer.gradient_ways` gives those of whole populations, `torch_peer.epoch_way` that of one network.
"""
