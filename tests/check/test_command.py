"""``hopref check`` from the command line: verdicts, exit codes, files, and lines that reproduce."""
import json
import re
import shlex
from xml.etree import ElementTree

import pytest

from hopref.check.report.findings import SCHEMA
from hopref.cli import check as command
from tests.check.commands import hopref_check

CANDIDATE = '''
import numpy as np

def wrong(xi, X, beta=1.0):
    e = np.exp(beta * beta * (xi @ X.T))
    return e @ X / e.sum(axis=-1, keepdims=True)

def right(xi, X, beta=1.0):
    z = beta * (xi @ X.T)
    e = np.exp(z - z.max(axis=-1, keepdims=True, initial=-np.inf))
    return e @ X / e.sum(axis=-1, keepdims=True)

def squared(query, memory, inv_temp=1.0):
    return right(query, memory, inv_temp**2)

def raises(xi, X, beta=1.0):
    z = xi @ X.T
    raise ValueError(f"control \\x00 and ]]> and {z!r}")

def columns(state, patterns, inverse_temperature=1.0, steps=1):
    assert steps == 1
    return right(state, patterns.T, inverse_temperature)

def adapt(candidate):
    def call(xi, X, *, beta=1.0):
        return candidate(xi, X.T, beta)
    return call
'''


DIFFERS = '''
import numpy as np
from hopref import attention, maps, modern

def always_half(z, *, beta=1.0):
    return maps.entmax(z, beta=beta, alpha=1.5)

def one(xi, X):
    return modern.update(xi, X)

def square(Q, K, V):
    assert Q.shape == K.shape == V.shape
    return attention.softmax_attention(Q, K, V)

def several(Q, K, V):
    return attention.softmax_attention(Q, K, V), "weights"

def shifted(xi, X, beta=1.0):
    return modern.energy(xi, X, beta=beta) - 7.5

def grouped(Q, K, V):
    K, V = (np.repeat(a, Q.shape[1] // K.shape[1], axis=1) for a in (K, V))
    return attention.softmax_attention(Q, K, V)

def flash(q, k, v, softmax_scale=None, causal=False):
    heads = (np.moveaxis(a, 2, 1) for a in (q, k, v))
    Z = attention.softmax_attention(*heads, scale=softmax_scale, causal=causal)
    return np.moveaxis(Z, 1, 2)

class Layer:
    def __init__(self, beta):
        self.beta = beta

    def __call__(self, xi, X):
        return modern.update(xi, X, beta=float(self.beta))

def lists(xi, X, beta=1.0):
    assert type(X) is list
    return modern.update(xi, X, beta=beta).tolist()
'''
RIGHT = ["mine:right", "--like", "modern.update", "--here"]
SLOW = pytest.mark.slow


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(CANDIDATE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_right_candidate_exits_with_0(here, capsys):
    assert hopref_check("mine:right", "--like", "modern.update", "--here") == 0
    assert "conforms" in capsys.readouterr().out


def test_a_wrong_candidate_exits_with_1_and_hears_why(here, capsys):
    files = "--json", here / "r.json", "--junit", here / "r.xml"
    assert hopref_check("mine:wrong", "--like", "modern.update", "--here", *files) == 1
    printed = capsys.readouterr().out
    assert ("looks like: exponentials without subtracting the maximum, together with beta applied "
            "twice") in printed
    assert "Ramsauer et al. 2021, eq. (3)" in printed
    assert "tolerance of modern.update" in printed and "bound" in printed
    record = json.loads((here / "r.json").read_text())
    assert record["schema"] == SCHEMA and record["reports"][0]["verdict"] == "fails"
    suite = ElementTree.parse(here / "r.xml").getroot()[0]
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) > 0


def test_the_line_that_reproduces_does(here, capsys):
    hopref_check("mine:wrong", "--like", "modern.update", "--here", "--seed", 5)
    line = re.search(r"reproduce: hopref check (.*)", capsys.readouterr().out)[1]
    assert hopref_check(*shlex.split(line)) == 1
    assert "1 of 1 cases" in capsys.readouterr().out


def test_the_line_that_reproduces_a_draw_of_a_law_does(here, capsys):
    hopref_check("mine:wrong", "--like", "modern.update", "--here", "--seed", 5)
    line = re.search(r"reproduce: hopref check (.*--case 'draw .*)", capsys.readouterr().out)[1]
    assert hopref_check(*shlex.split(line)) == 1
    report = capsys.readouterr().out
    assert "0 cases" in report and re.search(r"law MH-\d+: .*\n.*\(case 'draw \d+'\)", report)


def test_options_adapt_the_call(here):
    assert hopref_check("mine:columns", "--like", "modern.update", "--here", "--layout", "X=d n",
                        "--map", "beta=inverse_temperature", "--fixed", "steps=1") == 0
    assert hopref_check("mine:columns", "--like", "modern.update", "--here",
                        "--adapter", "mine.py:adapt") == 0


@pytest.mark.parametrize("name, like, words", [
    ("always_half", "maps.entmax", ["--set", "alpha=1.5"]),
    ("one", "modern.update", ["--set", "beta=1"]),
    pytest.param("one", "modern.update", ["--set", "beta=1", "--lead", "0"], marks=SLOW),
    ("square", "attention.softmax_attention", ["--size", "s=l", "--size", "v=d"]),
    pytest.param("several", "attention.softmax_attention", ["--returns", "0"], marks=SLOW),
    ("shifted", "modern.energy", ["--up-to", "constant"]),
    ("grouped", "attention.softmax_attention", ["--layout", "K=b g s d", "--layout", "V=b g s v"]),
    ("flash", "attention.softmax_attention", ["--convention", "flash-attn", "--array", "numpy"]),
    pytest.param("Layer", "modern.update", ["--init", "beta=2", "--set", "beta=2"], marks=SLOW),
    pytest.param("lists", "modern.update", ["--array", "list"], marks=SLOW),
])
def test_each_difference_has_an_option(here, capsys, name, like, words):
    (here / "differs.py").write_text(DIFFERS)
    line = [f"differs:{name}", "--like", like, "--here"]
    assert hopref_check(*line, *words) in (0, 3), capsys.readouterr()
    assert hopref_check(*line, *words, "--case", "gauss") == 0


def test_the_line_that_reproduces_keeps_every_option(here, capsys):
    (here / "differs.py").write_text(DIFFERS)
    words = ["differs:shifted", "--like", "modern.energy", "--here", "--set", "beta=2", "--size",
             "n=4", "--lead", "0", "--dtype", "float32"]
    assert hopref_check(*words) == 1
    line = re.search(r"reproduce: hopref check (.*)", capsys.readouterr().out)[1]
    assert all(word in line for word in ("--set beta=2", "--size n=4", "--lead 0", "float32"))
    assert hopref_check(*shlex.split(line)) == 1


def test_a_line_of_the_xfail_file_without_its_finding_is_stale(here, capsys):
    (here / "known").write_text("prints: no longer\n")
    words = ["mine:right", "--like", "modern.update", "--here", "--xfail", "known"]
    assert hopref_check(*words) == 2
    assert "no longer found, so the line must be removed: prints" in capsys.readouterr().err
    assert hopref_check(*words, "--case", "gauss") == 0


def test_an_expected_failure_exits_with_0(here, capsys):
    names = ["tolerance of modern.update"]
    hopref_check("mine:wrong", "--like", "modern.update", "--here", "--json", "-")
    names = [f["name"] for f in json.loads(capsys.readouterr().out)["reports"][0]["findings"]]
    (here / "known").write_text("# known\n" + "".join(f"{n}: issue 7\n" for n in names))
    assert hopref_check("mine:wrong", "--like", "modern.update", "--here", "--xfail", "known") == 0


@pytest.mark.parametrize("words, printed", [
    (["not a target", "--like", "modern.update"], "a target must be written pkg.mod:function"),
    (["mine:nothing", "--like", "modern.update", "--here"], "no attribute 'nothing'"),
    (["mine:right"], "--like must name the operation or function"),
    (["mine:right", "--like", "modern.nothing"], "--like must name an operation"),
    (["mine:right", "--like", "modern.updat"], "did you mean modern.update"),
    (["mine:right", "--like", "dynamics.retreive"], "did you mean dynamics.retrieve"),
    (["mine:right", "--like", "modern.update", "--memory", "much"], "--memory must be a size"),
    (["mine:right", "--like", "modern.update", "--map", "beta"], "--map must be written"),
    (["mine:right", "--like", "modern.update", "--adapter", "x"], "an adapter must be written"),
    ([*RIGHT, "--adapter", "absent.py:f"], "--adapter: there is no file 'absent.py'"),
    ([*RIGHT, "--adapter", "mine.py:f"], "--adapter: mine.py has no function 'f'"),
    (["mine:right", "--like", "modern.update", "--arithmetic", "x"], "no arithmetic is called"),
    (["mine:right", "--like", "modern.update", "--here", "--case", "x"], "no case of"),
    (["mine:right", "--like", "modern.update"], "mine is in this folder, add --here"),
    (["mime:right", "--like", "modern.update"], "did you mean mine, with --here?"),
    (["mime:right", "--like", "modern.update", "--here"], "did you mean mine?"),
    ([*RIGHT, "--layout", "Z="], "--layout must be written"),
    ([*RIGHT, "--layout", "Z=n d"], "--layout: modern.update has no 'Z'"),
    ([*RIGHT, "--layout", "X=n q"], "unknown axis q"),
    ([*RIGHT, "--map", "foo=bar"], "--map: modern.update has no 'foo'"),
    ([*RIGHT, "--map", "beta=temperature"], "--map beta: the candidate takes no 'temperature'"),
    ([*RIGHT, "--fixed", "training=False"], "--fixed: the candidate takes no 'training'"),
    ([*RIGHT, "--set", "alpha=1"], "--set: modern.update has no 'alpha'"),
    ([*RIGHT, "--set", "beta=-1"], "beta must be"),
    ([*RIGHT, "--set", "beta=x"], "beta must be"),
    ([*RIGHT, "--size", "q=2"], "--size: modern.update has no 'q'"),
    ([*RIGHT, "--size", "n=0"], "--size n must be an integer >= 1"),
    ([*RIGHT, "--order", "X,X"], "--order must name an argument once; got X,X"),
    ([*RIGHT, "--lead", "-1"], "--lead must be an integer >= 0; got -1"),
    *(([*RIGHT, "--time", x], "--time must be a positive") for x in ("0", "-1", "nan")),
    ([*RIGHT, "--seed", "-1"], "--seed must be an integer >= 0; got -1"),
    ([*RIGHT, "--memory", "0"], "--memory must be positive"),
    ([*RIGHT, "--returns", "3"], "--returns: modern.update has no '3'"),
    ([*RIGHT, "--init", "beta=1"], "right could not be made"),
    ([*RIGHT, "--path", "numba"], "--fixed backend=numba"),
    ([*RIGHT, "--up-to", "columns"], "modern.update has none"),
    *(([*RIGHT, f"--{report}", file], f"--{report} must be a file that can be written")
      for report in ("json", "junit", "html") for file in (".", "missing/report")),
])
def test_wrong_usage_exits_with_2(here, words, printed, capsys):
    assert hopref_check(*words) == 2
    assert printed in capsys.readouterr().err


@pytest.mark.parametrize("option", [
    "like", "arithmetic", "convention", "order", "returns", "up-to", "adapter", "memory", "case",
    "input", "xfail", "json", "junit", "html"])
def test_an_option_with_an_empty_text_is_wrong_usage(here, option, capsys):
    with pytest.raises(SystemExit) as left:
        hopref_check(*RIGHT, f"--{option}=")
    assert left.value.code == 2 and f"argument --{option}" in capsys.readouterr().err


def test_sizes_read_as_people_write_them():
    assert command.size("4GiB") == 4 * 2**30 and command.size("512M") == 2**29
    assert command.size("1e9") == 10**9 and command.size("64 kB") == 2**16


def test_a_verdict_that_rests_on_one_case_is_partial_and_exits_with_3(here, capsys):
    words = "mine:squared", "--like", "modern.update", "--here"
    assert hopref_check(*words) == 3
    printed = capsys.readouterr().out
    assert re.search(r"partial, 1 of \d+ cases .*; never tried: beta\n", printed)
    assert "inv_temp of the candidate was never passed: --map beta=inv_temp" in printed
    assert hopref_check(*words, "--map", "beta=inv_temp") == 1


def test_the_files_are_written_for_a_target_that_cannot_be_imported(here, capsys):
    (here / "broken.py").write_text("import numpy as np\nnp.no_such_name\n")
    files = [(word, here / f"r.{word[2:]}") for word in ("--json", "--junit", "--html")]
    words = [w for pair in files for w in pair]
    assert hopref_check("broken:f", "--like", "modern.update", "--here", *words) == 2
    assert "broken.py:2" in capsys.readouterr().err
    assert json.loads((here / "r.json").read_text())["reports"][0]["verdict"] == "fails"
    assert int(ElementTree.parse(here / "r.junit").getroot()[0].get("failures")) > 0
    assert "no_such_name" in (here / "r.html").read_text()


def test_a_traceback_names_the_line_of_the_candidate(here, capsys):
    assert hopref_check("mine:raises", "--like", "modern.update", "--here") == 1
    line = 1 + CANDIDATE[:CANDIDATE.index("raise ValueError")].count("\n")
    assert f"in mine.py:{line}, in raises: raise ValueError" in capsys.readouterr().out


def test_nothing_to_judge_is_wrong_usage(capsys):
    assert hopref_check("--like", "modern.updat") == 2
    assert "did you mean modern.update" in capsys.readouterr().err
