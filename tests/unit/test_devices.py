"""A model on another device, in a process of its own.

PyTorch counts the devices when it first computes a gradient. So the device that is not
here has to be known before any other test has trained.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_model_on_another_device_trains_translates_and_resumes():
    told = [sys.executable, "-m", "pytest", "-q", "tests/unit/devices.py"]
    ran = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout
    assert " skipped" not in ran.stdout
