"""What people get on their devices and by mail: ours in each language, or the organisation's own words, never half of either."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.appearance import faults
from remediation.domain.steps import Step
from remediation.errors import NotReady
from remediation.messages import KEYS, Messages, own_words
from remediation.web.texts import Texts
from remediation.wiring import build_budgets, build_messages, build_world
from tests.services.test_budgets import settings_for
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

OURS = Texts()


def read(folder: Path, text: str) -> dict[str, str]:
    file = folder / "messages.toml"
    file.write_text(text, encoding="utf-8")
    return dict(own_words(str(file), OURS))


def test_the_messages_that_can_be_put_otherwise_are_all_that_are_sent() -> None:
    sent = {one.removeprefix("message.") for one in OURS.catalogues["en"]._catalog if one.startswith("message.")}  # type: ignore[attr-defined]
    assert set(KEYS) == sent


@pytest.mark.parametrize("language", OURS.catalogues)
def test_each_is_whole_in_each_language(language: str) -> None:
    for key, text in Messages(Texts(default=language), "Contoso", {}).shown().items():
        assert "Contoso" in text
        assert "%(" not in text, key
        assert not text.startswith("message.")


def test_own_words_take_the_place_of_ours_and_only_there(tmp_path: Path) -> None:
    own = read(tmp_path, 'open = "%(organisation)s IT: go on"\n"open.subject" = "%(organisation)s: ready"')
    messages = Messages(OURS, "Contoso", own)
    assert messages.words("open").text == "Contoso IT: go on"
    assert messages.words("open").subject == "Contoso: ready"
    assert messages.words("replaced") == Messages(OURS, "Contoso", {}).words("replaced")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('opened = "x"', "opened is no message of ours; there is: possession"),
        ("open = 3", "open must be a text"),
        ('open = " "', "open must say something"),
        ('possession = "%(organisation)s: tap %(url)s"', "possession must have"),
        ('possession = "%(organisation)s %(code)s %(url)s %(url)s"', "%(url)s"),
        ('open = "%(organisation)s: 100 % done"', "write the word"),
        (f'open = "%(organisation)s{"x" * 800}"', "is longer than 800 signs"),
        ("open = ", "is not valid TOML"),
        ('open = "a"\nreplaced = 3', "replaced must be a text"),
    ],
)
def test_a_file_with_a_fault_is_refused_in_words(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        read(tmp_path, text)
    assert read(tmp_path, 'open = "%(organisation)s"') == {"open": "%(organisation)s"}


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        own_words(str(tmp_path / "none"), OURS)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="cannot be read"):
        own_words(str(tmp_path / "binary"), OURS)


@given(st.text(max_size=60))
def test_whatever_they_say_what_is_accepted_can_be_sent(text: str) -> None:
    sentence = f"%(organisation)s {text}"
    if not faults("open", sentence, OURS.sentence("message.open")):
        assert Messages(OURS, "Contoso", {"open": sentence}).text("open").startswith("Contoso")


def test_the_worker_sends_the_organisations_words_and_the_tap_counts(tell: Callable[..., Story], tmp_path: Path) -> None:
    story, file = tell("blocked_just_registered"), tmp_path / "messages.toml"
    file.write_text('possession = "%(organisation)s IT, case %(code)s: %(url)s"')
    settings = settings_for(story.sandbox, messages_file=str(file))
    budgets = build_budgets(settings, story.engine, clock=story.world.clock)
    transport = WSGIAdapter(story.sandbox.api)
    story.world = build_world(settings, story.store, budgets, transport=transport, clock=story.world.clock)
    story.arrives()
    story.says_this_is_mine()
    [message] = story.remotes.phone.messages
    assert message.body.startswith(f"{settings.organisation} IT, case {story.journey.case_code}: http")
    story.taps_the_message()
    story.gets_to(Step.OPEN)


def test_a_worker_does_not_start_on_a_file_with_a_fault(tell: Callable[..., Story], tmp_path: Path) -> None:
    (tmp_path / "messages.toml").write_text('possession = "tap"')
    with pytest.raises(NotReady, match="possession must have"):
        build_messages(settings_for(tell("blocked_just_registered").sandbox, messages_file=str(tmp_path / "messages.toml")))
