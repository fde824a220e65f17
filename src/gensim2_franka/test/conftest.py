"""Makes the helpers of this folder, and the client of a body, importable."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "gensim2_control" / "test")]
