"""What all tests share: one thread for each process that computes.

Tensors here are tiny: a second thread only spins, and on a busy machine for minutes.
Said in the environment, it holds for every kernel and program that a test starts, too:
the twins are made so (tools/execute.py), and each chapter says it to its reader.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it when it is loaded

import torch

torch.set_num_threads(1)  # where a plugin has loaded it before
