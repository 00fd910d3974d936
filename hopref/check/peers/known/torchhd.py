"""torchhd: the memories of its module memory."""
from hopref.check.peers.peer import Peer, Profile

__all__ = ["PEERS"]


def hebbian(X):
    """The weights of torchhd.memory.hopfield, by a call for each unit vector."""
    import torch
    from torchhd.memory import hopfield
    return hopfield(torch.eye(X.shape[-1], dtype=X.dtype), X)


def dense_update(xi, X):
    """The sign of torchhd.memory.modern_hopfield, where a tie keeps the value of the site."""
    import torch
    from torchhd.memory import modern_hopfield
    field = modern_hopfield(xi, X)
    return torch.where(field == 0, xi, torch.sign(field))


PEERS = (
    Peer("torchhd.memory.attention", "attention.softmax_attention",
         "torchhd.memory:attention", "torchhd", "torch-hd",
         call={"array": "torch", "lead": 0, "names": {"scale": "beta"}},
         profile=Profile(scale="1/sqrt(d)")),
    Peer("torchhd.memory.hopfield, its weights", "storage.hebbian", f"{__name__}:hebbian",
         "torchhd", "torch-hd",
         call={"array": "torch", "given": {"zero_diagonal": True, "scale": 1.0}}),
    Peer("torchhd.memory.modern_hopfield, its sign", "dense.update", f"{__name__}:dense_update",
         "torchhd", "torch-hd", call={"array": "torch", "given": {"interaction": "exponential"}},
         remark="It is the difference of two logarithms, which cancel: for the items (0, 40) and "
                "(1, 0) and the query (-1, 1) the first entry is 0 in float64, right is 1.0e-17, "
                "so that its sign is lost.  Each item contributes to both logarithms."),
)
