from pathlib import Path

import pytest

from cegla.storage.settings import load_settings
from cegla.vocabulary.errors.installation import SettingInvalid


def test_the_defaults_work_without_a_file() -> None:
    settings = load_settings(environment={})
    assert settings.collector.host == "127.0.0.1"
    assert settings.dsn == ""


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    file = tmp_path / "cegla.yaml"
    file.write_text("language: en\ncollector: {port: 9000, workers: 3}\n")
    settings = load_settings(file, {"CEGLA_COLLECTOR_PORT": "9001", "CEGLA_SMTP_MESSAGES_PER_MINUTE": "60"})
    assert (settings.language, settings.collector.port, settings.collector.workers) == ("en", 9001, 3)
    assert settings.smtp.messages_per_minute == 60


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("language: de", "language"),
        ("timezone: Mars/Olympus", "timezone"),
        ("collector: {port: many}", "collector.port"),
        ("no_such: 1", "no_such"),
        ("- a list", "cegla.yaml"),
        ("a: [", "cegla.yaml"),
        ("app: {trusted_proxies: [proxy.lan]}", "app.trusted_proxies"),
        ("collector: {trusted_proxies: ['0.0.0.0/0']}", "collector.trusted_proxies"),
    ],
)
def test_a_wrong_setting_says_where_it_stands(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "cegla.yaml"
    file.write_text(text)
    with pytest.raises(SettingInvalid) as refused:
        load_settings(file, {})
    assert refused.value.where.endswith(place)


def test_an_unknown_variable_is_refused_by_name() -> None:
    with pytest.raises(SettingInvalid) as refused:
        load_settings(environment={"CEGLA_PROT": "1"})
    assert refused.value.where == "CEGLA_PROT"


def test_the_password_is_not_in_the_printed_settings() -> None:
    assert "hunter2" not in repr(load_settings(environment={"CEGLA_SMTP_PASSWORD": "hunter2"}))


def test_every_section_can_be_set_by_the_environment() -> None:
    assert load_settings(environment={"CEGLA_WEATHER_PROVIDER": "open-meteo", "CEGLA_WEATHER_KEY": "hunter2"}).weather.key == "hunter2"
    assert "hunter2" not in repr(load_settings(environment={"CEGLA_WEATHER_KEY": "hunter2"}))
