"""Which files a spec is made of, and in which order they count."""

from __future__ import annotations

from hashlib import sha256

from tests.unit.load.helpers import codes, load, refused, resolve, values


def layers(files: dict[str, str | bytes], *overrides: str) -> list[str]:
    return [str(layer.layer) for layer in load(files, *overrides).layers]


def test_bases_come_root_first_each_once_at_its_first_occurrence() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = ["left.toml", "right.toml"]\n',
        "left.toml": 'extends = "common.toml"\n',
        "right.toml": 'extends = ["common.toml", "extra.toml"]\n',
        "common.toml": "",
        "extra.toml": "",
    }
    assert layers(files) == [
        "default",
        "base common.toml",
        "base left.toml",
        "base extra.toml",
        "base right.toml",
        "spec spec.toml",
    ]


def test_overlays_come_hardware_zero_cluster_then_by_name() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": '[overlays]\nenv = "dev"\ncluster = "site"\nbudget = "low"\nzero = "2"\nhardware = "cpu"\n',
        "specs/env/dev.toml": "",
        "cluster/site.toml": "",
        "budget/low.toml": "",
        "cfgc:zero/2.toml": 'extends = "1.toml"\n',
        "cfgc:zero/1.toml": "",
        "hardware/cpu.toml": "",
    }
    assert layers(files, "a.b=1") == [
        "default",
        "overlay hardware=cpu",
        "overlay zero=2",
        "overlay zero=2",
        "overlay cluster=site",
        "overlay budget=low",
        "overlay env=dev",
        "spec spec.toml",
        "command line",
    ]


def test_each_layer_wins_over_those_below_it() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = "base.toml"\n[overlays]\nzero = "1"\n[a]\nspec = "spec"\nline = "spec"\n',
        "base.toml": '[a]\nbase = "base"\noverlay = "base"\nspec = "base"\nline = "base"\n',
        "zero/1.toml": '[a]\noverlay = "overlay"\nspec = "overlay"\nline = "overlay"\n',
    }
    defaults = {f"a.{key}": "default" for key in ("default", "base", "overlay", "spec", "line")}
    found = values(files, "a.line=first", "a.line=line", defaults=defaults)
    assert found == {f"a.{key}": key for key in ("default", "base", "overlay", "spec", "line")}
    chain = resolve(files, "a.line=line", defaults=defaults).leaves["a", "line"].origin.chain()
    assert [str(origin.value) for origin in chain] == ["line", "spec", "overlay", "base", "default"]


def test_a_childs_and_the_command_lines_choice_replace_a_bases() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = "base.toml"\nunset = ["overlays.env"]\n[overlays]\nzero = "2"\n',
        "base.toml": '[overlays]\nzero = "1"\nenv = "dev"\nhardware = "cpu"\n',
        **{f"zero/{option}.toml": f"[z]\nstage = {option}\n" for option in "123"},
        "hardware/cpu.toml": "",
    }
    assert dict(load(files).overlays) == {"zero": "2", "hardware": "cpu"}
    assert dict(load(files, "zero=3", "~hardware").overlays) == {"zero": "3"}
    assert values(files, "zero=3") == {"z.stage": 3}


def test_paths_are_looked_for_beside_the_file_then_in_specs_then_shipped() -> None:
    spec: dict[str, str | bytes] = {"spec.toml": 'extends = "dir/a.toml"\n'}
    shipped: dict[str, str | bytes] = {"cfgc:dir/a.toml": "x.from = 'shipped'"}
    project: dict[str, str | bytes] = {"specs/dir/a.toml": "x.from = 'project'"}
    beside: dict[str, str | bytes] = {"dir/a.toml": "x.from = 'beside'"}
    assert values({**spec, **shipped}) == {"x.from": "shipped"}
    assert values({**spec, **shipped, **project}) == {"x.from": "project"}
    assert values({**spec, **shipped, **project, **beside}) == {"x.from": "beside"}


def test_a_shipped_spec_never_reads_the_projects_files() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = "cfgc:bases/b.toml"\n',
        "cfgc:bases/b.toml": 'extends = "a.toml"\n',
        "cfgc:bases/a.toml": "x.from = 'shipped'",
        "specs/a.toml": "x.from = 'project'",
        "bases/a.toml": "x.from = 'project'",
    }
    assert values(files) == {"x.from": "shipped"}


def test_inputs_are_the_files_with_their_digests_in_load_order() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = "b.toml"\n[overlays]\nzero = "1"\n',
        "b.toml": "a.b = 1\r\n",
        "zero/1.toml": "",
    }
    inputs = load(files, "a.c=1").inputs
    assert [found.logical for found in inputs] == ["b.toml", "zero/1.toml", "spec.toml"]
    assert inputs[0].sha256 == sha256(b"a.b = 1\r\n").hexdigest()


def test_unset_falls_back_to_the_default() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = "b.toml"\nunset = ["a.x", "t"]\n[t]\nown = 1\n',
        "b.toml": "a.x = 1\nt.y = 2\nt.z.w = 3\n",
    }
    assert values(files, defaults={"a.x": 0}) == {"a.x": 0, "t.own": 1}


def test_append_adds_to_what_bases_gave() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = "b.toml"\n[append]\n"a.list" = [3]\na.new = ["x"]\n',
        "b.toml": "a.list = [1, 2]\n",
    }
    assert values(files) == {"a.list": [1, 2, 3], "a.new": ["x"]}


def test_a_path_of_the_node_is_one_value() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = "b.toml"\n[launch]\nrun_dir = { stdlib = true, path = "." }\nother = "x"\n',
        "b.toml": '[launch]\nrun_dir = { env = "SCRATCH" }\nother.env = "HOME"\n',
    }
    assert values(files) == {"launch.run_dir": {"stdlib": True, "path": "."}, "launch.other": "x"}


def test_all_errors_of_a_load_come_at_once_in_the_order_of_the_text() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = ["none.toml", "bad.toml"]\nunset = "x"\n[overlays]\nzero = "9"\n',
        "bad.toml": "a = ",
        "zero/1.toml": "",
    }
    assert codes(files, "+a.b=1") == ["CFG102", "CFG111", "CFG114", "CFG104", "CFG121"]


def test_a_circle_names_every_file_in_it() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = "a.toml"\n',
        "a.toml": 'extends = "dir/b.toml"\n',
        "dir/b.toml": 'extends = "../a.toml"\n',
    }
    (circle,) = refused(files)
    assert circle.message.endswith("a.toml → dir/b.toml → a.toml")
    assert [str(label.span) for label in circle.secondary] == ["dir/b.toml:1:11"]


def test_a_spec_that_extends_itself_and_an_overlay_that_extends_the_spec_are_circles() -> None:
    assert codes({"spec.toml": 'extends = "spec.toml"'}) == ["CFG110"]
    files: dict[str, str | bytes] = {
        "spec.toml": '[overlays]\nzero = "1"\n',
        "zero/1.toml": 'extends = "../spec.toml"',
    }
    assert codes(files) == ["CFG110"]


def test_the_choice_that_the_spec_makes_itself_changes_nothing() -> None:
    files = {"spec.toml": '[overlays]\nzero = "3"\n[z]\nstage = 2\n', "zero/3.toml": "[z]\nstage = 3\n"}
    assert values(files, "zero=3") == values(files)


def test_only_values_that_differ_shadow_an_overlay_of_the_command_line() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": "[z]\nstage = 3\nbucket = 1\n",
        "zero/3.toml": "[z]\nstage = 3\nbucket = 2\n",
    }
    (shadowed,) = refused(files, "zero=3")
    assert "z.bucket=2" in shadowed.helps[0]
    assert "z.stage" not in shadowed.helps[0]
    assert values(files, "zero=3", "z.bucket=5") == {"z.stage": 3, "z.bucket": 5}


def test_files_that_are_no_text() -> None:
    assert codes({"spec.toml": b"\xff\xfea\x00"}) == ["CFG103"]
    assert codes({"spec.toml": b"\xef\xbb\xbfa.b = 1"}) == ["CFG103"]
    assert codes({"spec.toml": b"a.b = 1\x00"}) == ["CFG104"]
    (nothing,) = refused({})
    assert (nothing.code, nothing.notes, nothing.primary) == ("CFG102", (), None)
    assert "named by its path from here" in nothing.helps[0], "and nothing of bases: nobody extends anything"
    (near,) = refused({"spex.toml": ""})
    assert near.helps == ("did you mean `spex.toml`?",)


def test_line_ends_of_windows_keep_their_places() -> None:
    found = resolve({"spec.toml": b"[a]\r\nb = 1\r\nc = 2\r\n"})
    assert str(found.leaves["a", "c"].origin.span) == "spec.toml:3:5"


def test_hostile_nesting_is_a_diagnostic() -> None:
    for text in ("a = " + "[" * 10_000, ".".join("a" * 10_000) + " = 1", "a = " + "{a=" * 500 + "1" + "}" * 500):
        assert codes({"spec.toml": text}) == ["CFG106"]
    assert codes({"spec.toml": "a = " + "9" * 10_000}) == ["CFG107"]


def test_append_adds_to_what_the_same_file_sets() -> None:
    files: dict[str, str | bytes] = {
        "spec.toml": 'extends = "b.toml"\na.list = [2]\n[append]\n"a.list" = [3]\n',
        "b.toml": "a.list = [1]\n",
    }
    assert values(files) == {"a.list": [2, 3]}
    assert [str(origin.span) for origin in resolve(files).leaves["a", "list"].origin.chain()] == [
        "spec.toml:4:12",
        "spec.toml:2:10",
        "b.toml:1:10",
    ]
    assert codes({"spec.toml": 'a.list = "x"\n[append]\n"a.list" = [3]\n'}) == ["CFG203"]
