"""`carebook config`: out, compared, in, and back again, on the command line (B.13)."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from commands import cli
from config import Settings
from rules import config_text
from rules.scope import Actor
from services import configuration, configuration_changes
from services.configuration_changes import Change
from tests.factories import NOW, make_customer


@pytest.fixture
def call(shipped: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls the command line, in English, on the test database."""
    english = settings.model_copy(update={"locale": "en"})
    monkeypatch.setattr("commands.Settings", lambda: english)

    def run(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(cli, ["config", *arguments], **options)

    return run


@pytest.fixture
def file(call: Any, administrator: Actor, tmp_path: Path) -> Path:
    """An exported file of a site with one field of its own."""
    change = Change("fields", "customers.rank", {"type": "text", "label_vi": "Hạng"})
    configuration_changes.apply([change], says="x", by=administrator, at=NOW)
    written = tmp_path / "site.yaml"
    assert call("export", str(written)).exit_code == 0
    return written


def rename(file: Path) -> None:
    file.write_text(file.read_text("utf-8").replace("label_vi: Hạng", "label_vi: Bậc"), "utf-8")


def name() -> str:
    return configuration.snapshot().kinds["customers"].fields["rank"].label_vi


def test_the_terminal_gets_the_file_alone(call: Any, file: Path) -> None:
    assert call("export").stdout == file.read_text("utf-8")


def test_it_says_what_differs_and_changes_nothing(call: Any, file: Path) -> None:
    assert "Nothing differs." in call("diff", str(file)).stdout
    rename(file)
    result = call("diff", str(file))
    assert "Field Customers › Bậc: changed" in result.stdout
    assert "name: from “Hạng” to “Bậc”" in result.stdout
    assert (result.exit_code, name()) == (0, "Hạng")


def test_it_asks_before_it_imports(call: Any, file: Path) -> None:
    rename(file)
    assert call("import", str(file), input="n\n").exit_code == 1
    assert name() == "Hạng"
    result = call("import", str(file), "--yes")
    assert "Applied as revision" in result.stdout
    assert name() == "Bậc"


def test_it_goes_back(call: Any, file: Path) -> None:
    first = configuration.snapshot().revision
    rename(file)
    call("import", str(file), "--yes")
    shown = call("revisions").stdout
    assert "Field Customers › Bậc: changed" in shown
    assert "(carebook config)" in shown
    assert call("rollback", str(first), "--yes").exit_code == 0
    assert name() == "Hạng"


def test_what_cannot_be_taken_ends_with_one(call: Any, file: Path) -> None:
    file.write_text(file.read_text("utf-8").replace("label_vi: Hạng", "labell: x"), "utf-8")
    for command in ("diff", "import"):
        result = call(command, str(file))
        assert result.exit_code == 1
        assert "“labell” is not known here" in result.stderr
    assert call("diff", str(file.parent / "nowhere.yaml")).exit_code == 1
    assert call("rollback", "999", "--yes").exit_code == 1


def test_it_says_what_stays_when_it_goes_back(call: Any, file: Path, administrator: Actor) -> None:
    first = configuration.snapshot().revision
    memo = Change("fields", "customers.memo", {"type": "text", "label_vi": "Ghi nhớ"})
    configuration_changes.apply([memo], says="x", by=administrator, at=NOW)
    make_customer(custom={"memo": "quý"})
    result = call("rollback", str(first), "--yes")
    assert "! Field Customers › Ghi nhớ: stays, retired, because 1 records" in result.stdout
    assert result.exit_code == 0


def test_what_only_the_file_has_is_told_by_its_names(call: Any, file: Path) -> None:
    more = {
        "kinds": {"slip": {"label_vi": "Phiếu", "label_en": "Slip"}},
        "fields": {"slip.why": {"type": "text", "label_vi": "Vì sao", "label_en": "Reason"}},
        "lists": {"records_slip": {"columns": [{"key": "why"}]}},
    }
    file.write_text(config_text.written(more), "utf-8")
    said = call("diff", str(file)).stdout
    assert "Field Slip › Reason: added" in said
    assert "columns: “Reason”" in said
