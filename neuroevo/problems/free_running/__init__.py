"""Outputs that come back as inputs, as what is trained and judged.

`loops`: which outputs come back as which inputs; `runs`: the free runs of a problem, its error in readable numpy;
`responses`: what a preparation makes of an output, read off as factors for the kernels; `baselines`: simple competitors
that run freely.
"""
