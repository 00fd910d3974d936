"""Iteration of operations: retrieval, traces, asynchronous sweeps, and the flow of Hopfield 1984.

Every state is updated as a batch of one, so that its result does not depend, bit for bit, on the
other states (for one machine, BLAS and number of threads).  A state that does not converge is
reported as such; no exception is raised.
"""
from hopref.dynamics.flow import Flow, solve_flow
from hopref.dynamics.iteration import Retrieval, Trace, retrieve, trace
from hopref.dynamics.sweeps import glauber, sweep, visits

__all__ = ["Retrieval", "Trace", "Flow", "retrieve", "trace", "sweep", "visits", "glauber",
           "solve_flow"]
