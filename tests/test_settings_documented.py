"""Every setting stands in docs/operations.md, with its variable and its default."""

import pytest

from config import PROJECT_ROOT, Settings

OPERATIONS = (PROJECT_ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TABLE = OPERATIONS.split("## Settings", 1)[1].split("\n## ", 1)[0]
DOCUMENTED = {
    cells[1].strip(" `"): (cells[2].strip(" `"), cells[3].strip())
    for cells in (line.split("|") for line in TABLE.splitlines() if line.startswith("| `"))
}


def variable(field: str) -> str:
    return str(Settings.model_fields[field].validation_alias or f"CAREBOOK_{field.upper()}")


@pytest.mark.parametrize("field", Settings.model_fields)
def test_each_setting_is_documented_with_its_default_and_meaning(field: str) -> None:
    default, meaning = DOCUMENTED[variable(field)]
    known = Settings.model_fields[field].default
    shown = "unset" if known is None else str(known)
    if isinstance(known, bool):
        shown = shown.lower()
    if field == "data":
        assert default.startswith(".data")
    else:
        assert default == shown
    assert len(meaning) > 10
    assert Settings.model_fields[field].description


def test_nothing_is_documented_that_does_not_exist() -> None:
    assert set(DOCUMENTED) == {variable(field) for field in Settings.model_fields}
