"""`hopref.gradients` on a CUDA device, with one file for each model."""
