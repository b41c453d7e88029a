"""A task feeds a network and judges its outputs: `base` has the contract.

`sequences`: targets of sequences, and their errors; `losses`: losses beside the squared difference; `outputs`: outputs
kept for whoever judges them outside; `replay`: inputs without a judge; `free_runs`: outputs that come back as inputs;
`own`: functions of one step from elsewhere.
"""
