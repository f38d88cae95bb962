import json
import os
from pathlib import Path

results = json.loads(Path(os.environ["RESULTS"]).read_text())
model = Path(os.environ["CONFIG"]).parent
print(f"step {results['step']}: held-out loss {results['loss']:.3f}; the model is in {model}")
