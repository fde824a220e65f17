import pytest
from gensim2_generation.settings import SettingsError, check_mode, choose_backend


def test_without_an_endpoint_the_catalogue_proposes_and_says_so() -> None:
    chosen = choose_backend("", {})
    assert chosen.backend == "catalogue"
    assert "OPENAI_API_KEY" in chosen.why


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_with_an_endpoint_it_is_asked_and_its_key_is_not_told(name: str) -> None:
    chosen = choose_backend("", {name: "secret-word"})
    assert chosen.backend == "openai"
    assert "secret-word" not in chosen.why


def test_wrong_backends_and_modes_say_what_there_is() -> None:
    with pytest.raises(SettingsError, match="catalogue, openai, local, replay"):
        choose_backend("gpt", {})
    with pytest.raises(SettingsError, match="set OPENAI_API_KEY"):
        choose_backend("openai", {})
    with pytest.raises(SettingsError, match="primitive, topdown"):
        check_mode("up")
    assert check_mode("all", ("all",)) == "all"
