"""One header in C that needs nothing else: a predictor for a microcontroller.

`format`: the format; `cells`, `lif`, `preparation`: what it is made of; `tables`: weights as few bytes; `compiler`: the
header compiled and run. `fixed`, `fixed_cells`, `fixed_functions`, `fixed_tables`: the header without floating point,
whose definition is `export.fixed_point`.
"""
