# What `hopref.__all__` names, for type checkers; tests/test_typing.py compares the two.
from hopref import check as check
from hopref import data as data
from hopref import dynamics as dynamics
from hopref import errors as errors
from hopref import features as features
from hopref import gradients as gradients
from hopref import layers as layers
from hopref import maps as maps
from hopref import parts as parts
from hopref import projections as projections
from hopref import storage as storage
from hopref import theory as theory
from hopref._version import __version__ as __version__
from hopref.certify import certify as certify
from hopref.dispatch.paths import use_backend as use_backend
from hopref.dynamics import retrieve as retrieve
from hopref.errors import HoprefError as HoprefError
from hopref.models import attention as attention
from hopref.models import bam as bam
from hopref.models import classical as classical
from hopref.models import dense as dense
from hopref.models import epanechnikov as epanechnikov
from hopref.models import feature_memory as feature_memory
from hopref.models import gated as gated
from hopref.models import graded as graded
from hopref.models import lagrangian as lagrangian
from hopref.models import modern as modern
from hopref.models import performer as performer
from hopref.models import sigmoid as sigmoid
from hopref.models import sinks as sinks
from hopref.models import sparse as sparse
from hopref.models import structured as structured
from hopref.models import supports as supports
from hopref.vectors.installation import selfcheck as selfcheck
from hopref.versions import show_versions as show_versions

memory_limit: float | None
