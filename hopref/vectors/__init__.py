"""Golden vectors: certified results for many arguments, for implementations in any language.

A row is one call of an operation: its arguments, and the value of each entry of the results with a
proved bound and the derived tolerance of an honest implementation, or the class of the error where
the call is invalid.  Its flags name the bugs that it detects.

>>> from hopref import modern, vectors
>>> row = vectors.row("modern.update/0")
>>> row.case, row.dtype, sorted(row.args)
('gauss', 'float64', ['X', 'xi'])
>>> vectors.judge(modern.update, vectors.rows("modern.update")).conforms
True
"""
from hopref.vectors.installation import selfcheck
from hopref.vectors.judging import Judgement, compared, judge
from hopref.vectors.packaged import manifest, operations, row, rows
from hopref.vectors.records import Result, Row

__all__ = ["Judgement", "Result", "Row", "compared", "judge", "manifest", "operations", "row",
           "rows", "selfcheck"]
