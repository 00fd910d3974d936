"""The process that measures a callable, ``python -m hopref.check.growth.worker``.

It is a process of its own so that the libraries of linear algebra use one thread, which has to be
set before NumPy is imported, and so that the resident memory is that of the callable.  The job is
one line of JSON on standard input; the answers are lines of JSON on the original standard output,
which is replaced by the null device for the callable.
"""
import json
import os
import subprocess
import sys
import traceback

__all__ = ["THREADS", "answers", "main"]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
           "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")


def answers(job, env):
    """Start the process with a job; yield its answers, the last with a "result" or an "error"."""
    process = subprocess.Popen([sys.executable, "-P", "-m", "hopref.check.growth.worker"], env=env,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.close()
        yield from map(json.loads, process.stdout)
        if process.wait():
            yield {"error": f"the process that measures ended with status {process.returncode}"}
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def main():
    """Measure the callable of the job, and write the answers."""
    job, out = json.loads(sys.stdin.readline()), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)

    def answer(**content):
        print(json.dumps(content), file=out, flush=True)
    if job["here"]:
        sys.path.insert(0, os.getcwd())
    try:
        result = _measured(job, lambda measure, at: answer(step=measure, at=at))
        answer(result=result.as_dict())
    except Exception as error:
        answer(error=_sentence(error), trace=traceback.format_exc())


def _measured(job, step):
    from hopref.check.growth.inputs import like_operation, made
    from hopref.check.growth.scaling import measured
    from hopref.check.peers.conventions import convention_from
    from hopref.check.peers.targets import imported, instantiated
    function = imported(job["target"])
    if job["inputs"]:
        function = instantiated(function, job["convention"].get("init", {}))
        problem = made(function, imported(job["inputs"]), job["over"])
    else:
        convention = convention_from(job["like"], job["convention"])
        problem = like_operation(function, job["like"], job["over"], convention,
                                 dtype=job["dtype"], adapter=job["adapter"], seed=job["seed"])
    return measured(problem, job["target"], sizes=job["sizes"], budget=job["budget"],
                    memory=job["memory"], step=step)


def _sentence(error):
    """An error as one sentence: those of hopref by their message, others by their type too."""
    from hopref.errors import HoprefError
    notes = ", ".join(getattr(error, "__notes__", ()))
    text = str(error) if isinstance(error, HoprefError) else f"{type(error).__name__}: {error}"
    return " ".join(f"{text}{f' ({notes})' if notes else ''}".split())


if __name__ == "__main__":
    main()
