"""A config that writes down every key that it is asked for."""

from __future__ import annotations

from typing import Any

Path = tuple[str, ...]


class Asked:
    """Each key that was looked up, with the defaults that came along."""

    def __init__(self) -> None:
        self.keys: dict[Path, list[Any]] = {}

    def ask(self, path: Path, *default: Any) -> None:
        """``path`` was looked up."""
        found = self.keys.setdefault(path, [])
        found += [value for value in default if not isinstance(value, dict) and value not in found]


class Recorder(dict[str, Any]):
    """A dict that tells ``asked`` of every lookup in it and in the dicts below it."""

    def __init__(self, content: dict[str, Any], asked: Asked, path: Path = ()) -> None:
        super().__init__({k: Recorder(v, asked, (*path, k)) if isinstance(v, dict) else v for k, v in content.items()})
        self._asked, self._path = asked, path

    def _tell(self, key: object, *default: Any) -> None:
        if isinstance(key, str):
            self._asked.ask((*self._path, key), *default)

    def __getitem__(self, key: str) -> Any:
        self._tell(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._tell(key)
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """As of a dict."""
        self._tell(key, default)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        """As of a dict."""
        self._tell(key, *default)
        return super().pop(key, *default)

    def keys(self) -> Any:
        """The keys, which tell of a search among them."""
        return _Keys(self)

    def __copy__(self) -> Recorder:
        return self._again(dict(self))

    copy = __copy__

    def __deepcopy__(self, _: Any) -> Recorder:
        return self._again(dict(self))

    def _again(self, content: dict[str, Any]) -> Recorder:
        made = Recorder({}, self._asked, self._path)
        for key, value in content.items():
            dict.__setitem__(made, key, value)
        return made


class _Keys:
    def __init__(self, of: Recorder) -> None:
        self._of = of

    def __contains__(self, key: object) -> bool:
        return key in self._of

    def __iter__(self) -> Any:
        return dict.__iter__(self._of)

    def __len__(self) -> int:
        return len(self._of)
