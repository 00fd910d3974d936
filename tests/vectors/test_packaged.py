"""The packaged vectors: complete, certified, and each flag backed by a wrong version."""
import hashlib
import json
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest

import hopref
from hopref import vectors
from hopref.certify.evaluation import has_form
from hopref.check.bugs import bugs_of
from hopref.dispatch.operation import load
from hopref.vectors import packaged, records
from hopref.vectors.judging import accepts
from tests.vectors import build, overflows

OPS = load()
MANIFEST = vectors.manifest()
FILES, FLAGS = MANIFEST["files"], MANIFEST["flags"]
UNVALIDATED = {f"accepts-{kind}" for kind in build.INVALID.values()}
CERTIFIED = 2           # rows of an operation that are certified again


def sample(names, count):
    """So many names, other ones for each kind of names."""
    rng = np.random.default_rng(zlib.crc32(repr(sorted(names)).encode()))
    return [sorted(names)[i] for i in sorted(rng.permutation(len(names))[:count])]


def test_every_operation_with_a_certified_form_has_vectors():
    assert set(FILES) == {name for name, op in OPS.items() if has_form(name) and op.arrays}


def test_there_are_enough_rows_flags_and_invalid_calls_in_few_bytes():
    assert MANIFEST["rows"] == sum(f["rows"] for f in FILES.values()) >= 35_000
    assert MANIFEST["invalid"] == sum(f["invalid"] for f in FILES.values())
    assert MANIFEST["invalid"] >= 0.2 * MANIFEST["rows"]
    assert len(FLAGS) >= 60 and all(flag["rows"] for flag in FLAGS.values())
    assert sum(f.stat().st_size for f in packaged.FOLDER.iterdir()) < 7_500_000


def test_the_folder_holds_the_files_of_the_manifest_and_no_others():
    names = {packaged.file_of(op) for op in FILES} | {"manifest.json"}
    assert {file.name for file in packaged.FOLDER.iterdir()} == names
    for op, entry in FILES.items():
        content = (packaged.FOLDER / packaged.file_of(op)).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], op
        assert content[4:8] == bytes(4), "the time of compression is 0"


@pytest.mark.parametrize("name", sample(FILES, 12))
def test_the_counts_of_an_operation_are_those_of_the_manifest(name):
    rows = list(vectors.rows(name))
    assert [row.id for row in rows] == [f"{name}/{i}" for i in range(len(rows))]
    assert len(rows) == FILES[name]["rows"]
    assert sum(bool(row.error) for row in rows) == FILES[name]["invalid"]
    assert {flag for row in rows for flag in row.flags} == \
        {flag for flag, entry in FLAGS.items() if name in entry["operations"]}


def test_the_formulas_conform_to_their_vectors():
    found = hopref.selfcheck()
    assert found.conforms and found.judged >= 2 * len(FILES), found.failures[:3]
    assert not found.limits and not found.left_out


@pytest.mark.parametrize("name", sample(FILES, 25))
def test_a_row_is_certified_again(name):
    """The certified intervals overlap; they are computed from the arguments in the file."""
    pytest.importorskip("flint", reason="certified values need python-flint (hopref[certify])")
    rows = [row for row in vectors.rows(name, 19) if not row.error][:CERTIFIED]
    assert rows
    for row in rows:
        found = hopref.certify(name, *row.args.values(), **row.params)
        parts = zip(*(x if isinstance(x, tuple) else (x,) for x in (found.value, found.bound)),
                    strict=True)
        for (value, bound), right in zip(parts, row.results, strict=True):
            assert np.shape(value) == right.value.shape
            with np.errstate(all="ignore"):
                apart = np.abs(np.asarray(value, float) - right.value.astype(float))
            same = np.isclose(value, right.value, 0, 0, equal_nan=True)
            assert np.all(same | (apart <= bound + right.bound)), row.id


@pytest.mark.parametrize("name", sample(FILES, 40))
def test_an_operation_raises_the_error_of_an_invalid_call(name):
    rows = [row for row in vectors.rows(name) if row.error][::3]
    assert rows
    for row in rows:
        with pytest.raises(row.exception) as raised:
            OPS[name](*row.args.values(), **row.params)
        assert type(raised.value).__name__ == row.error, row.id


@pytest.mark.parametrize("flag", sample(set(FLAGS) - UNVALIDATED, 40))
def test_a_flag_is_backed_by_a_wrong_version_that_it_rejects(flag):
    name = FLAGS[flag]["operations"][0]
    row = next(row for row in vectors.rows(name) if flag in row.flags)
    wrong = [bug for bug in bugs_of(name) if build.slug(bug.name) == flag]
    if flag == overflows.FLAG:
        assert FLAGS[flag]["bug"] == overflows.BUG and overflows.overflows(row)
    else:
        assert wrong and FLAGS[flag]["bug"] == wrong[0].name
        assert any(build.rejects(row, bug) for bug in wrong)
    honest = OPS[name](*row.args.values(), **row.params)
    assert vectors.compared(row, honest) == ""


@pytest.mark.parametrize("flag", sorted(UNVALIDATED & set(FLAGS)))
def test_a_flag_of_invalid_calls_is_backed_by_the_formula_without_validation(flag):
    for name in FLAGS[flag]["operations"][:5]:
        row = next(row for row in vectors.rows(name) if flag in row.flags)
        assert accepts(row, OPS[name].formula) and not accepts(row, OPS[name])


def test_the_flags_name_the_bug_of_an_implementation():
    def update(xi, X, *, beta=1.0):
        return hopref.modern.update(xi.astype(float), X.astype(float), beta=beta**2)

    found = vectors.judge(update, [r for r in vectors.rows("modern.update") if not r.error])
    assert not found.conforms
    best = max(found.flags().values())
    assert best > 0.95 and found.flags()["beta-applied-twice"] == best


def test_a_plain_implementation_conforms_in_the_format_of_each_row():
    """Arithmetic in float32 conforms in the rows of float32, and fails in those of float64.

    So does arithmetic in float16 in the rows of float16.
    """
    def update(xi, X, *, beta=1.0):
        z = xi @ X.T
        p = np.exp(z.dtype.type(beta) * (z - np.max(z, axis=-1, keepdims=True)))
        result = p @ X / np.sum(p, axis=-1, keepdims=True)
        assert result.dtype == X.dtype
        return result

    rows = [row for row in vectors.rows("modern.update") if not row.error]
    assert {row.dtype for row in rows} >= {"float32", "float64"}
    found = vectors.judge(update, rows)
    assert found.conforms, found.failures
    wide = [replace(row, args={k: v.astype("float32") for k, v in row.args.items()})
            for row in rows if row.dtype == "float64" and row.case == "gauss"]
    assert len(vectors.judge(update, wide).failures) == len(wide) > 1


def test_an_implementation_that_lacks_a_parameter_is_not_judged_by_it():
    def update(xi, X):
        return hopref.modern.update(xi, X)

    found = vectors.judge(update, [r for r in vectors.rows("modern.update") if not r.error])
    assert found.left_out and found.conforms == (found.judged > 0)


@pytest.mark.parametrize("answer", [
    lambda xi, X, **kw: "no array", lambda xi, X, **kw: None, lambda xi, X, **kw: xi[..., :0],
    lambda xi, X, **kw: (xi, xi), lambda xi, X, **kw: xi * np.nan, lambda xi, X, **kw: 1 / 0,
    lambda xi, X, **kw: xi + 1j])
def test_an_answer_of_another_kind_fails(answer):
    rows = [row for row in vectors.rows("modern.update") if row.results and row.args["xi"].size]
    assert len(vectors.judge(answer, rows).failures) == len(rows)


def test_the_schema_has_the_names_of_the_loader():
    schema = json.loads((packaged.FOLDER.parent / "schema.json").read_text())
    assert schema["$id"] == packaged.SCHEMA == MANIFEST["schema"]
    valid, invalid = schema["oneOf"]
    row = vectors.row("modern.update/0")
    assert set(valid["required"]) == set(valid["properties"]) == set(json.loads(
        records.line_of(row)))
    assert set(invalid["required"]) == set(valid["required"]) - {"results", "method", "limit"} \
        | {"error"}
    assert set(valid["properties"]["method"]["enum"]) == records.METHODS
    assert set(invalid["properties"]["error"]["enum"]) == records.ERRORS
    kinds = schema["$defs"]["argument"]["oneOf"]
    dtypes = [kind["properties"]["dtype"] for kind in kinds]
    arrays = {d for entry in dtypes for d in entry.get("enum", ())}
    assert arrays == records.DTYPES
    assert {entry["const"] for entry in dtypes if "const" in entry} == set(records.SCALARS)
    pattern = re.compile(schema["$defs"]["real"]["pattern"])
    for text in ("0x1.8p+1", "nan", "-inf", "-0x0p+0"):
        assert pattern.fullmatch(text) and records.NUMBER.fullmatch(text)
    for text in ("1.5", "-nan", "0x2p+0", "0x1p0", "infinity"):
        assert not pattern.fullmatch(text) and not records.NUMBER.fullmatch(text)


@pytest.mark.parametrize("name, wanted", [
    ("beta^2 in place of beta", "beta-squared-in-place-of-beta"),
    ("sign(0) = -1", "sign-0-is-minus-1"), ("sign(0) = 0", "sign-0-is-0"),
    ("|x|^2/2 missing", "x-squared-over-2-missing"),
    ("X treated as a constant", "capital-x-treated-as-a-constant")])
def test_a_flag_is_made_from_the_name_of_a_bug(name, wanted):
    assert build.slug(name) == wanted


def test_unknown_names_are_errors():
    for name in ("modern.update/99999", "modern.update", "no.op/0", "modern.update/x"):
        with pytest.raises(hopref.errors.PluginError):
            vectors.row(name)
