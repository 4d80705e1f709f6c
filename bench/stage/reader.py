"""A person who follows what the page shows and nothing else: its main action, its links and forms, and on the pretend phone what
the instruction's id (`data-steps`) asks for. They know their own device, their own account, and whether Outlook opens.

Next door: `troubles` (what is wrong with whom), `walk_in` and `in_chromium` (what they hold in their hands).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from bs4 import BeautifulSoup, Tag

from sandbox import deeds
from sandbox.policy import Outcome, open_outlook
from sandbox.server import Sandbox

MOST_MOVES = 80
MOST_PATIENCE = 3600.0  # seconds by the world's clock, in all, of whom the page lets wait
ADVICE = {"passcode": ("passcode", True), "encryption": ("encrypted", True), "jailbreak": ("jailbroken", False)}
ACTED = ("advice.", "again.", "register.", "in_app.", "enroll.")


class Hands(Protocol):
    """A browser. `shows` is the page as it stands, `address` where it is from."""

    origin: str
    pages: str

    def shows(self) -> BeautifulSoup: ...
    @property
    def address(self) -> str: ...
    def goes(self, address: str) -> None: ...
    def follows(self, link: Tag) -> None: ...
    def presses(self, button: Tag, picked: Tag | None = None) -> None: ...
    def waits(self, seconds: float) -> None: ...
    def busy(self, seconds: float) -> None:
        """The person does something; the page stays as it is."""

    def forgets(self) -> None:
        """From now on it is another browser of the same phone."""


@dataclass
class Ending:
    """`open`, `help` (with case code and who acts), or `dead`, with the last heading and why."""

    how: str
    at: str
    taps: int
    why: str = ""


@dataclass
class Reader:
    sandbox: Sandbox
    hands: Hands
    platform: str
    manner: str
    taps: int = 0
    waited: float = 0.0
    moved: bool = False
    """The page was left by what was just done."""
    acted: bool = False
    """Something was done on the phone that the page has not been told of."""
    done: set[tuple[str, str]] = field(default_factory=set)
    used: Counter[tuple[str, str]] = field(default_factory=Counter)
    trail: list[str] = field(default_factory=list)

    def goes_the_way(self) -> Ending:
        self._arrives()
        for _ in range(MOST_MOVES):
            ended = self._moves()
            if ended is not None:
                return ended
            if self.waited > MOST_PATIENCE:
                return self._ends("dead", "waited too long")
        return self._ends("dead", "went in circles")

    def _ends(self, how: str, why: str = "") -> Ending:
        return Ending(how, self._heading(), self.taps, why)

    def _arrives(self) -> None:
        outcome = self._outlook()
        self.hands.goes(outcome.url or f"{self.hands.origin}/start")

    def _outlook(self) -> Outcome:
        with self.sandbox.world.settled() as world:
            return open_outlook(world, world.in_hand)

    # one move

    def _moves(self) -> Ending | None:
        page = self.hands.shows()
        main = page.select_one("main")
        if main is None:
            return self._ends("dead", "a page without anything")
        if not self.hands.address.startswith(self.hands.origin):
            return self._at_entra(page)
        if main.select_one(".big-code") is not None and main.select_one("a[href^='tel:']") is not None:
            return self._ends("help") if main.select("ol.steps li, blockquote, .facts li") else self._ends("dead", "who acts?")
        heading, self.moved = self._heading(), False
        self.trail.append(heading)
        for asked in [str(one["data-steps"]) for one in main.select("[data-steps]") if not one.find_parent("details")]:
            if (heading, asked) not in self.done:
                self.done.add((heading, asked))
                ended = self._does(asked, main)
                if ended is not None or self.moved:
                    return ended
        return self._acts(main, heading)

    def _acts(self, main: Tag, heading: str) -> Ending | None:
        action = self._main_action(main, heading)
        if action is not None:
            self.used[heading, _name(action)] += 1
            self._taps(action, main)
            return None
        check = main.select_one("#check")
        if check is not None and self.acted and (heading, "check") not in self.done:
            self.acted = False
            self.done.add((heading, "check"))
            self._taps(check, main)
            return None
        if check is None and not main.select_one("[data-watch]") and not self.hands.shows().select_one("[data-watch]"):
            return self._ends("dead", "nothing to press, and nothing to wait for")
        pause = min(5 * 1.5 ** len([h for h in self.trail if h == heading]), 120.0)
        self.waited += pause
        self.hands.waits(pause)
        if self.trail.count(heading) % 8 == 7:  # whoever waited long asks whether there is news
            self.done.discard((heading, "check"))
            self.acted = True
        return None

    def _main_action(self, main: Tag, heading: str) -> Tag | None:
        """The one action, while it is worth another try; a platform that is not mine is put right first."""
        mine = main.select_one(f"a[href*='platform={self.platform}']")
        if mine is not None and main.select_one("#sign-in, .choices") is not None and not self.used[heading, _name(mine)] > 1:
            return mine
        ways = [one for one in main.select("a.action, button.action") if self._is_a_way(one)]
        loud = [one for one in ways if "quiet" not in (one.get("class") or [])]
        others = main.select("a[href^='/cannot-sign-in'], #open-case, #sign-in-again")
        for one in [*loud, *others]:
            if self.used[heading, _name(one)] < (2 if one in loud else 1):
                return one
        return None

    def _is_a_way(self, one: Tag) -> bool:
        """Neither the telephone, nor a store or an app of the phone's (the deeds are for that), nor *check*, nor folded away."""
        href = str(one.get("href", ""))
        folded = one.find_parent("details") is not None
        return (
            not folded
            and one.get("id") not in ("check", "return", "tell-me", "ask-access")
            and (href == "" or href.startswith("/"))
        )

    def _taps(self, one: Tag, main: Tag) -> None:
        self.taps += 1
        self.hands.busy(2)
        if one.name == "a":
            self.hands.follows(one)
        else:
            form = one.find_parent("form")
            picked = self._mine(form) if form is not None else None
            here = self.hands.address
            self.taps += picked is not None
            self.hands.presses(one, picked)
            if self.manner == "twice":
                self.hands.goes(here)
        if self.manner == "later" and len(self.trail) == 3:
            self.hands.waits(60)
            self.hands.goes(f"{self.hands.origin}/start")

    def _mine(self, form: Tag) -> Tag | None:
        """Among several devices the one in my hand, by its model or its name; else what is there first."""
        choices = form.select("label:has(input[type=radio])")
        phone = self.sandbox.world.in_hand
        words = [label for label in choices if phone.model in label.get_text() and phone.name in label.get_text()]
        likely = [*words, *(one for one in choices if phone.model in one.get_text()), *choices]
        return likely[0].select_one("input[type=radio]") if likely else None

    # what the phone is for

    def _does(self, asked: str, main: Tag) -> Ending | None:
        """What the instruction says; none of it moves the page, but for the message's link and *still refused*."""
        self.hands.busy(8)
        self.acted = self.acted or asked.startswith(ACTED)
        world, phone = self.sandbox.world, self.sandbox.world.in_hand
        if asked.startswith("advice.step."):
            name, well = ADVICE[asked.split(".")[2]]
            setattr(phone.health, name, well)
        elif asked.startswith("again.step."):
            deeds.do(world, phone, {"action": "unregister"})
            deeds.do(world, phone, {"action": "register"})
        elif asked.startswith("register."):
            deeds.do(world, phone, {"action": "register"})
        elif asked.startswith("in_app.step."):
            deeds.do(world, phone, {"action": "register_in_app"})
        elif asked.startswith("enroll.step."):
            deeds.do(world, phone, {"action": "enroll"})
        elif asked.startswith("this_device.open."):
            self._opens_the_message()
        elif asked.startswith(("open.step.", "open.other.")):
            if self._outlook().opens:
                return self._ends("open")
            still = main.select_one("#still-blocked")
            if still is None:
                return self._ends("dead", "still refused, and no way to say so")
            self._taps(still, main)
            self.moved = True
        return None

    def _opens_the_message(self) -> None:
        self.moved = True
        if self.manner == "late" and "late" not in self.trail:
            self.trail.append("late")
            self.hands.waits(timedelta(minutes=11).total_seconds())
        phones = [p for p in self.sandbox.world.phones.values() if p.person_oid == self.sandbox.world.in_hand.person_oid]
        links = [(m.at, link) for p in phones for m in p.messages for link in re.findall(r"https?://\S+/possession/[\w-]+", m.body)]
        if not links:
            self.hands.waits(5)
            self.done = {one for one in self.done if not one[1].startswith("this_device.open.")}
            return
        self.taps += 1
        if self.manner == "another" and "another" not in self.trail:
            self.trail.append("another")
            self.hands.forgets()
        self.done = {one for one in self.done if not one[1].startswith("this_device.open.")}
        self.hands.goes(max(links)[1])

    def _at_entra(self, page: BeautifulSoup) -> Ending | None:
        """My account, once; where Microsoft asks for what I do not have, back to where I came from."""
        self.trail.append(f"Microsoft: {self._heading()}")
        mine = page.select_one(f"button.account[value='{self.sandbox.world.in_hand.person_oid}']")
        if mine is not None:
            self.taps += 1
            self.hands.presses(mine)
            return None
        self.used["given up at Microsoft", ""] += 1
        if self.used["given up at Microsoft", ""] > 3:
            return self._ends("dead", "Microsoft does not let me in, and nobody says who can")
        self.hands.goes(f"{self.hands.origin}/start")
        for heading, name in list(self.used):
            if "sign-in" in name or "platform=" in name:
                self.used[heading, name] += 2
        cannot = self.hands.shows().select_one("#cannot")
        if cannot is not None:
            self.taps += 1
            self.hands.follows(cannot)
        return None

    def _heading(self) -> str:
        found = self.hands.shows().select_one("h1")
        return found.get_text(" ", strip=True) if found is not None else ""


def _name(one: Tag) -> str:
    return str(one.get("id") or one.get("href") or one.get_text(strip=True))
