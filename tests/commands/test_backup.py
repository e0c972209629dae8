"""`carebook backup` and `carebook restore` on the command line, in an installation of its own."""

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def small(carebook: Any) -> Any:
    """An installation with a few demonstration customers."""
    assert carebook("demo", "--customers", "20", "--orders", "40").returncode == 0
    return carebook


def test_back_and_forth(small: Any, tmp_path: Path) -> None:
    place = tmp_path / "copy.tar"
    made = small("backup", str(place))
    assert made.returncode == 0, made.stderr
    assert f"{place}: " in made.stdout

    again = small("backup", str(place))
    assert again.returncode == 1
    assert "exists already" in again.stderr

    refused = small("restore", str(place))
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    unconfirmed = small("restore", str(place), "--replace")
    assert unconfirmed.returncode == 1
    assert "--yes" in unconfirmed.stderr

    other = {"CAREBOOK_MONGO_DATABASE": "trial"}
    restored = small("restore", str(place), **other)
    assert restored.returncode == 0, restored.stderr
    assert "carebook migrate" in restored.stdout
    assert small("migrate", **other).returncode == 0
    assert small("export", "orders", **other).stdout == small("export", "orders").stdout

    replaced = small("restore", str(place), "--replace", "--yes")
    assert replaced.returncode == 0, replaced.stderr


def test_a_wrong_name_of_the_database_is_told(small: Any, tmp_path: Path) -> None:
    made = small("backup", str(tmp_path / "copy"), CAREBOOK_MONGO_DATABASE="crebook")
    assert made.returncode == 1
    assert "The database crebook holds nothing of Carebook" in made.stderr
    assert not (tmp_path / "copy").exists()


def test_the_manifest_says_where_it_comes_from(small: Any, tmp_path: Path) -> None:
    small("backup", str(tmp_path / "copy"))
    manifest = json.loads((tmp_path / "copy" / "manifest.json").read_text())
    assert manifest["database"] == "carebook"
    assert manifest["collections"]["customers"] == 20
    assert manifest["cluster_time"][0] > 1_700_000_000
