"""Tables of data: files and frames of cells, what their columns mean, and what becomes of them.

`table` and `archive` read CSV, NPZ and Parquet (`text_files`, `frames`), `cells` and `dates` single cells. `reading`
says what becomes of which column: numbers, categories and flags (`features`, `columns`, `missing`, `classes`), on a
time axis (`timeline`, `chronology`). `windows` makes steps of rows, with lags and horizons; `sequence_files`,
`sequence_tables` and `dividing` have many sequences and their parts. `observed` reads other data as a problem has them.
"""
