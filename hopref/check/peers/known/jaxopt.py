"""jaxopt: the projection to the simplex, which is sparsemax."""
from hopref.check.peers.peer import Peer

__all__ = ["PEERS"]


def sparsemax(z, *, beta=1.0):
    """jaxopt.projection.projection_simplex of beta z, for one vector."""
    from jaxopt.projection import projection_simplex
    return projection_simplex(beta * z)


PEERS = (Peer("jaxopt projection_simplex", "maps.sparsemax", f"{__name__}:sparsemax", "jaxopt",
              call={"array": "jax", "lead": 0}),)
