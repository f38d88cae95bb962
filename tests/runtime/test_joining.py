"""Machines that no scheduler starts: which one this is, and what the others are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfgc_runtime.errors import BAD_BUNDLE, USAGE, Failure
from cfgc_runtime.joining import Hosts, find_host, join, named_hosts
from cfgc_runtime.lock import is_supervised, supervising
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.stage import stage_bundle
from tests.runtime.bundles import compile_tiny, write_corpus

NODES = ("launch.nodes=2", "launch.gpus_per_node=1")


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_corpus(tmp_path / "text")
    return compile_tiny(tmp_path / "bundle", *NODES)


@pytest.mark.parametrize(
    ("own", "names", "place"),
    [("n2", "n1,n2", 1), ("n2.site.org", "N2 n1", 0), ("n1", "n1.site.org,n2.site.org", 0)],
)
def test_a_machine_knows_itself_by_its_name(
    own: str, names: str, place: int, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: own)
    assert find_host(named_hosts(names, None), bundle, None).node_rank == place


def test_addresses_are_not_cut_at_their_dots(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "10")
    with pytest.raises(Failure, match="10 is not one of them; say which this is: --node-rank K") as caught:
        find_host(("10.0.0.1", "10.0.0.2"), bundle, None)
    assert caught.value.code == USAGE
    assert find_host(("10.0.0.1", "10.0.0.2"), bundle, 1) == Hosts(("10.0.0.1", "10.0.0.2"), 1)


def test_another_plan_than_the_first_machine_s_is_refused(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cfgc_runtime.joining.StopRequest.install", lambda _self: None)  # pytest keeps its signals
    run = RunDirectory(tmp_path / "run")
    stage_bundle(bundle, run, ("a", "b"))
    (run.attempts / "001" / "meeting").write_text("a 29500\n")
    assert not is_supervised(run, "0")
    other = compile_tiny(tmp_path / "other", *NODES, "training.learning_rate=2e-2")
    with supervising(run, "0"):
        assert is_supervised(run, "0")
        with pytest.raises(Failure, match=r"is of another plan than .*: start the same bundle everywhere") as caught:
            join(other, run, Hosts(("a", "b"), 1), 0, ["true"])
    assert caught.value.code == BAD_BUNDLE
