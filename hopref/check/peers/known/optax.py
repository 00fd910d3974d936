"""optax: the projection to the simplex, which is sparsemax."""
from hopref.check.peers.peer import Peer

__all__ = ["PEERS"]


def sparsemax(z, *, beta=1.0):
    """optax.projections.projection_simplex of beta z, for one vector."""
    from optax.projections import projection_simplex
    return projection_simplex(beta * z)


PEERS = (Peer("optax projection_simplex", "maps.sparsemax", f"{__name__}:sparsemax", "optax",
              call={"array": "jax", "lead": 0}),)
