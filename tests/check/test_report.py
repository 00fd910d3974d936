"""Reports: what a verdict rests on, text, JSON by its schema, JUnit XML, and the HTML page."""
import json
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from hopref import attention, modern
from hopref.check import check, laws
from hopref.check.engine.candidate import InProcess
from hopref.check.engine.judge import judge
from hopref.check.report import coverage
from hopref.check.report.charts import error_map
from hopref.check.report.files import as_json, as_junit, schema
from hopref.check.report.findings import Finding, Report, abridged
from hopref.check.report.html import as_html
from hopref.check.report.text import Columns, details, finding_lines, row, table
from hopref.check.tolerance.toleranced import toleranced


def right(xi, X, beta=1.0):
    return np.array(modern.update(xi, X, beta=beta))


def wrong(xi, X, beta=1.0):
    return right(xi, X, 2 * beta)


def raises(xi, X, beta=1.0):
    raise ValueError("control \x00 and \ud800 and ]]> & <b>")


def partial(query, memory, inv_temp=1.0):
    return right(query, memory, inv_temp**2)


@pytest.fixture(scope="module")
def reports():
    return {f.__name__: check(f, "modern.update") for f in (right, wrong, raises, partial)}


# ---- what a verdict rests on --------------------------------------------------------------------

def test_the_four_verdicts(reports):
    assert {k: r.verdict for k, r in reports.items()} == {
        "right": "conforms", "wrong": "fails", "raises": "fails", "partial": "partial"}
    assert Report("x", "y").verdict == "skipped"


def test_a_parameter_that_is_never_passed_makes_a_verdict_partial():
    def tempered(xi, X, beta=1.0, floor=0.0):
        return right(xi, X, beta) + floor
    report = check(tempered, "modern.update")
    assert report.verdict == "partial" and report.cases == report.due
    assert report.gaps == ["the parameter floor of the candidate was never passed: "
                           "--fixed floor=VALUE"]
    assert check(tempered, "modern.update", fixed={"floor": 0.0}).conforms


def test_the_backend_of_an_operation_is_none_of_its_parameters():
    assert check(modern.update, "modern.update").conforms


def test_few_values_of_options_make_a_verdict_partial():
    def heads(Q, K, V, **options):
        return np.array(attention.softmax_attention(Q, K, V, **options))

    def only_scale(Q, K, V, scale=None):
        return heads(Q, K, V, scale=scale)
    report = check(only_scale, "attention.softmax_attention")
    assert report.verdict == "partial" and report.cases >= coverage.SHARE * report.due
    assert {"mask", "causal=True", "align=start"} <= set(report.untried)
    assert "--set mask=True" in report.gaps[0] and "--set causal=False" in report.gaps[0]
    whole = check(heads, "attention.softmax_attention")
    assert whole.conforms and not whole.untried


def test_a_law_that_could_not_be_put_counts_for_functions_without_cases():
    def few(*args, **options):
        raise laws_of_few
    from hopref.check.engine.candidate import NotOffered
    laws_of_few = NotOffered("nothing")
    report = judge(InProcess(few, "few"), "dynamics.retrieve")
    assert report.verdict == "skipped" and report.gaps[0].startswith("0 of ")


def test_each_case_and_law_has_a_record(reports):
    for r in reports.values():
        assert len([c for c in r.records if c.kind == "case"]) == r.due
        assert {c.name for c in r.records if c.kind == "law"} \
            == {law.name for law in laws.laws_of("modern.update")}
    worst = max(c.ratio for c in reports["wrong"].records if c.kind == "case")
    assert worst == reports["wrong"].largest_error > 1
    assert {c.outcome for c in reports["partial"].records if c.kind == "case"} \
        == {"passes", "not offered"}


# ---- findings -----------------------------------------------------------------------------------

def test_the_simplest_case_of_a_finding_is_shown_with_the_worst_error():
    report = Report("x", "y")
    for case, size, error in (("a", 30, 9.0), ("b", 3, 1.0), ("c", 10, 3.0)):
        report.add(Finding("value", "tolerance", "", case, got=error, want=0.0, bound=0.5,
                           size=size))
    (found,) = report.findings
    assert (found.case, found.times, found.worst, found.worst_case) == ("b", 3, 18.0, "a")


def test_the_extent_of_an_error_is_counted(reports):
    found = reports["wrong"].findings[0]
    assert found.kind == "value" and 0 < found.wrong <= found.entries
    assert found.max_abs >= abs(found.got - found.want) > 0 and found.max_rel > 0
    assert any(f"{found.wrong} of {found.entries} entries wrong" in line
               for line in finding_lines(found))


def test_one_wrong_entry_is_one_wrong_entry():
    def one_entry(xi, X, beta=1.0):
        y = right(xi, X, beta)
        y[(0,) * y.ndim] += 1.0 if y.size else 0.0
        return y
    found = check(one_entry, "modern.update").findings[0]
    assert found.wrong == 1 and abs(found.max_abs - 1) < 1e-9
    hot = [(i, j) for i, row in enumerate(found.heat) for j, v in enumerate(row) if v > 1]
    assert hot == [(0, 0)]


@pytest.mark.parametrize("claim, relation, got, want", [
    (laws.at_most(toleranced(2.0, 1e-9), 1.0), "<=", 2.0, 1.0),
    (laws.at_most(3.0, toleranced(2.0, 1e-9)), ">=", 2.0, 3.0),
    (laws.equal(3.0, toleranced(2.0, 1e-9)), "=", 2.0, 3.0),
    (laws.equal(toleranced(2.0, 1e-9), toleranced(3.0, 1e-9)), "sides", 2.0, 3.0),
])
def test_the_known_side_of_a_law_is_the_right_one(claim, relation, got, want):
    worst = claim.worst()
    assert (worst["relation"], worst["got"], worst["want"]) == (relation, got, want)
    line = next(finding_lines(Finding("law", "n", "", **worst)))
    assert line.startswith("  law")


def test_the_relation_of_a_law_is_in_the_text():
    lines = "\n".join(finding_lines(Finding(
        "law", "n", "", got=2.0, want=3.0, bound=0.5, relation=">=")))
    assert "got 2, right is at least 3, bound 0.5" in lines


@pytest.mark.parametrize("text, short", [
    (f"bad {np.zeros((2, 3))!r} here", "bad array of shape (2, 3) here"),
    ("tensor([[nan, 1.], [2., 3.]], dtype=torch.float64)", "tensor of shape (2, 2)"),
    ("cut tensor([0., 1., ..., 9.])", "cut tensor of shape ..."),
    ("cut array([0., ..., 9.], shape=(5000,))", "cut array of shape (5000,)"),
    ("array([1., 2", "array of shape ..."),
    ("a\x00b", r"a\x00b"),
    ("line\nline", "line line"),
])
def test_messages_have_shapes_in_the_place_of_arrays(text, short):
    assert abridged(text) == short


def test_messages_are_short():
    assert len(abridged(5000 * "x")) <= 300


def test_arguments_are_shapes(reports):
    found = reports["wrong"].findings[0]
    assert "xi float64 (" in found.arguments and "beta=" in found.arguments
    assert len(details(reports["raises"])) < 5000


def test_a_literal_input_is_printed_in_every_form(reports):
    found = Finding("value", "n", "m", smallest="xi = [[1.0]]")
    report = Report("x", "y", findings=[found], cases=1)
    assert "smallest input: xi = [[1.0]]" in details(report)
    assert "xi = [[1.0]]" in as_html([report]) and "xi = [[1.0]]" in as_json([report])


def test_one_word_for_each_verdict_in_the_table(reports):
    rows = table(reports.values()).splitlines()
    assert [line.split()[0] for line in rows] == ["verdict", "conforms", "FAILS", "FAILS",
                                                  "partial"]


def test_rows_can_be_printed_singly(reports):
    rows = [row(r) for r in reports.values()]
    assert [Columns(rows).line(cells) for cells in rows] == table(reports.values()).splitlines()[1:]


# ---- JSON ---------------------------------------------------------------------------------------

def violations(value, rule, definitions, where="$"):
    """Where a value violates a JSON Schema, as far as the schema of the reports uses one."""
    if "$ref" in rule:
        rule = definitions[rule["$ref"].rpartition("/")[2]]
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
             "null": type(None)}
    if "anyOf" in rule and all(list(violations(value, r, definitions)) for r in rule["anyOf"]):
        yield f"{where}: {value!r}"
    if "const" in rule and value != rule["const"] or "enum" in rule and value not in rule["enum"]:
        yield f"{where}: {value!r}"
    names = rule.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(isinstance(value, kinds[n]) for n in names):
        yield f"{where}: {value!r} is no {names}"
    if "minimum" in rule and isinstance(value, int) and value < rule["minimum"]:
        yield f"{where}: {value} < {rule['minimum']}"
    if isinstance(value, dict) and "properties" in rule:
        for k in value.keys() ^ set(rule["required"]):
            yield f"{where}.{k} is missing or unknown"
        for k in value.keys() & rule["properties"].keys():
            yield from violations(value[k], rule["properties"][k], definitions, f"{where}.{k}")
    if isinstance(value, list) and "items" in rule:
        for i, v in enumerate(value):
            yield from violations(v, rule["items"], definitions, f"{where}[{i}]")


def no_constant(name):
    raise AssertionError(f"{name} is no JSON")


def test_the_json_follows_the_published_schema(reports):
    text = as_json(list(reports.values()))
    record, published = json.loads(text, parse_constant=no_constant), schema()
    assert not list(violations(record, published, published["$defs"]))
    del record["reports"][1]["findings"][0]["bound"]
    record["reports"][0]["verdict"] = "fine"
    assert len(list(violations(record, published, published["$defs"]))) == 2


def test_numbers_that_json_does_not_have_are_strings():
    report = Report("x", "y", findings=[Finding("value", "n", "m", got=np.nan, want=-np.inf,
                                                bound=np.float64(0.5), heat=[[np.inf]])])
    record = json.loads(as_json([report]), parse_constant=no_constant)["reports"][0]
    found = record["findings"][0]
    assert (found["got"], found["want"], found["bound"]) == ("nan", "-inf", 0.5)
    assert found["heat"] == [["inf"]]


# ---- JUnit --------------------------------------------------------------------------------------

def test_junit_has_a_test_case_for_each_case_and_law(reports):
    for r in reports.values():
        suite = ElementTree.fromstring(as_junit([r]))[0]
        names = [case.get("name") for case in suite]
        assert {f"{c.kind} {c.name}" for c in r.records} <= set(names)
        assert int(suite.get("tests")) == len(names) == len(set(names))
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert (int(suite.get("failures")) > 0) == (r.verdict != "conforms")


def test_junit_is_well_formed_whatever_an_exception_says(reports):
    text = as_junit([reports["raises"]])
    text.encode("utf-8")
    messages = [f.get("message") for f in ElementTree.fromstring(text).iter("failure")]
    assert any(r"control \x00 and \xd800 and ]]> & <b>" in m for m in messages)
    target = Report("x\x07]]>", "y", skipped="\x1b[31m")
    assert ElementTree.fromstring(as_junit([target]))[0].get("name").startswith(r"x\x07]]>")


def test_an_expected_failure_is_skipped_with_its_reason():
    names = [f.name for f in check(wrong, "modern.update").findings]
    report = check(wrong, "modern.update", xfail=dict.fromkeys(names, "issue 7"))
    suite = ElementTree.fromstring(as_junit([report]))[0]
    assert report.conforms and not suite.findall("testcase/failure")
    assert {s.get("message") for s in suite.findall("testcase/skipped")} >= {"issue 7"}


# ---- the page -----------------------------------------------------------------------------------

class Page(HTMLParser):
    """The tags of a page, their balance, and what they refer to."""
    VOID = {"meta"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.references = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.references += [v for k, v in attrs if k in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_complete_by_itself(reports):
    for some in ([reports["wrong"]], [reports["raises"]], list(reports.values())):
        text = as_html(some)
        text.encode("utf-8")
        page = Page(text)
        assert not page.open and not {"script", "link", "img"} & set(page.tags)
        assert all(r.startswith("#") for r in page.references) and "url(" not in text


def test_the_page_shows_what_a_report_holds(reports):
    text = as_html([reports["wrong"]])
    found = reports["wrong"].findings[0]
    for part in ("It fails", "errors by entry", found.case, f"{found.got:.17g}", "entries wrong",
                 "largest error of every case", *reports["wrong"].named):
        assert part in text, part
    text = as_html([reports["partial"]])
    assert "It conforms in part" in text and "never tried" in text and "--map beta=inv_temp" in text
    assert "&lt;b&gt;" in as_html([reports["raises"]])


def test_limits_and_remarks_are_no_failures():
    report = Report("x", "y", cases=1, limits=["norms 1e8: 3 bounds"], remarks=["a smaller one"])
    assert report.conforms
    for text in (as_html([report]), details(report), as_json([report])):
        assert "norms 1e8: 3 bounds" in text and "a smaller one" in text


def test_the_page_of_several_links_to_those_that_fail(reports):
    text = as_html(list(reports.values()))
    assert [text.count(f'id="r{i}"') for i in range(4)] == [1, 1, 1, 0]
    assert text.count('href="#r') == 3


def test_a_map_has_a_cell_for_each_entry():
    chart = error_map([[0.1, 2.0, np.inf], [0.0, 1.0, 1e9]])
    assert chart.count("<rect") == 6 and chart.count("var(--cell)") == 3
    assert "infinitely many bounds" in chart
