"""The same requests to two clouds, and whether the answers are alike.

`request` is what an entry of the list is; the subjects (`tokens`, `objects`, ...) hold the entries, and
`everything` puts them in order. `clouds` makes a cloud ready, `play` asks it, `compare` compares what two of
them said, `differences` is what may differ and why, `spoil` proves that nothing else may, `answers`
writes down what was said.
"""
