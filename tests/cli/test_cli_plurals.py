"""One of a thing is told as one."""

from __future__ import annotations


def test_one_profile_is_kept(cli, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("init", ".").code == 0
    (tmp_path / "one.csv").write_text("external_id\nC1\n")
    assert "1 profile would be kept" in cli("profiles", "import", "one.csv", "--plan").out
    assert "1 profile is kept" in cli("profiles", "import", "one.csv").out
    (tmp_path / "two.csv").write_text("external_id\nC2\n")
    assert "2 profiles are kept" in cli("profiles", "import", "two.csv").out
