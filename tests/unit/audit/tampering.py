"""Ways to spoil a bundle in one place, and to put it right again."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"


@dataclass(frozen=True)
class Victim:
    """A bundle of which every file is known; ``random`` says what is done to it."""

    root: Path
    files: dict[str, tuple[bytes, int]]
    random: random.Random

    @classmethod
    def of(cls, root: Path, seed: int) -> Victim:
        found = sorted(path for path in root.rglob("*") if path.is_file())
        files = {path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mode) for path in found}
        return cls(root, files, random.Random(seed))

    def restore(self) -> None:
        """Put back what is not as it was; what was added goes."""
        for path in sorted(self.root.rglob("*"), reverse=True):
            name = path.relative_to(self.root).as_posix()
            if path.is_symlink() or (path.is_file() and name not in self.files):
                path.unlink()
            elif path.is_dir() and not any(known.startswith(f"{name}/") for known in self.files):
                shutil.rmtree(path)
        for name, (data, mode) in self.files.items():
            path = self.root / name
            if not path.is_file() or path.read_bytes() != data or path.stat().st_mode != mode:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                path.chmod(mode)

    def any_file(self) -> str:
        """As often one at the top as one of the runtime, which are most."""
        top = [name for name in self.files if "/" not in name]
        return self.random.choice(top if self.random.random() < 0.5 else list(self.files))

    def any_folder(self) -> Path:
        return (self.root / self.random.choice(list(self.files))).parent


def flip(victim: Victim, name: str = "") -> str:
    """One bit of one byte."""
    name = name or victim.any_file()
    data = bytearray(victim.files[name][0] or b"\0")
    place = victim.random.randrange(len(data))
    data[place] ^= 1 << victim.random.randrange(8)
    (victim.root / name).write_bytes(data)
    return f"byte {place} of {name}"


def cut(victim: Victim) -> str:
    """The end of a file is gone, or something is behind it."""
    name = victim.any_file()
    data = victim.files[name][0]
    kept = data[: victim.random.randrange(len(data))] if data and victim.random.random() < 0.5 else data + b"\n"
    (victim.root / name).write_bytes(kept)
    return f"{name} of {len(kept)} bytes"


def add(victim: Victim) -> str:
    names = ("torch.py", "notes.txt", ".hidden", "Manifest.json", "manifest.json.sig.old", "a\nb", "sitecustomize.py")
    path = victim.any_folder() / victim.random.choice(names)
    path.write_bytes(b"x")
    return f"added {path}"


def add_cache(victim: Victim) -> str:
    path = victim.any_folder() / "__pycache__" / "torch.cpython-311.pyc"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    return f"added {path}"


def remove(victim: Victim) -> str:
    name = victim.random.choice([name for name in victim.files if name != SIGNATURE])
    (victim.root / name).unlink()
    return f"removed {name}"


def rename(victim: Victim) -> str:
    name = victim.any_file()
    (victim.root / name).rename(victim.any_folder() / f"{victim.random.randrange(1000)}-{Path(name).name}")
    return f"renamed {name}"


def exchange(victim: Victim) -> str:
    """Two files of other bytes, each under the other's name."""
    one, two = victim.any_file(), victim.any_file()
    if victim.files[one][0] == victim.files[two][0]:
        return flip(victim)
    (victim.root / one).write_bytes(victim.files[two][0])
    (victim.root / two).write_bytes(victim.files[one][0])
    return f"{one} and {two} exchanged"


def change_mode(victim: Victim) -> str:
    name = victim.any_file()
    (victim.root / name).chmod(victim.files[name][1] ^ 0o100)
    return f"mode of {name}"


def link(victim: Victim) -> str:
    """The same bytes, by a link."""
    name = victim.any_file()
    path, real = victim.root / name, victim.root.parent / "real"
    real.write_bytes(victim.files[name][0])
    path.unlink()
    path.symlink_to(real)
    return f"{name} is a link"


def into_a_folder(victim: Victim) -> str:
    name = victim.any_file()
    (victim.root / name).unlink()
    (victim.root / name).mkdir()
    (victim.root / name / "x").write_bytes(victim.files[name][0])
    return f"{name} is a folder"


def reorder_manifest(victim: Victim) -> str:
    """What it says is the same."""
    manifest = json.loads(victim.files[MANIFEST][0])
    place = victim.random.choice([manifest, manifest["outputs"]])
    items = list(place.items())
    while list(place) == [key for key, _ in items]:
        victim.random.shuffle(items)
    place.clear()
    place.update(items)
    (victim.root / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return "manifest reordered"


def spread_manifest(victim: Victim) -> str:
    """Blanks that mean nothing."""
    data = victim.files[MANIFEST][0]
    at = victim.random.choice([i for i in range(len(data)) if data[i : i + 1] in (b" ", b"\n")])
    (victim.root / MANIFEST).write_bytes(data[:at] + victim.random.choice([b" ", b"\n", b"\t", b""]) + data[at + 1 :])
    if (victim.root / MANIFEST).read_bytes() == data:
        return reorder_manifest(victim)
    return f"a blank of the manifest, at {at}"


WAYS: tuple[Callable[[Victim], str], ...] = (
    flip, flip, flip, cut, add, add_cache, remove, rename, exchange, change_mode, link, into_a_folder, reorder_manifest,
    spread_manifest,
)  # fmt: skip


def spoil(victim: Victim) -> str:
    """One thing that is not as it was; what it is."""
    said = victim.random.choice(WAYS)(victim)
    assert any(_differs(victim, name) for name in {*victim.files, *_names(victim.root)}), f"nothing was done: {said}"
    return said


def _names(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_symlink() or not path.is_dir()}


def _differs(victim: Victim, name: str) -> bool:
    path = victim.root / name
    if name not in victim.files or not path.is_file() or path.is_symlink():
        return True
    return (path.read_bytes(), path.stat().st_mode) != victim.files[name]
