"""How often one person may ask for the same thing: a few times at once, then once in a while. Kept as one moment (GCRA): when all
turns are there again. Next door: `budget`, which keeps what a remote may be asked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Turns:
    """`at_once` in a row, then one every `every`."""

    at_once: int
    every: timedelta

    def left(self, full_at: datetime | None, now: datetime) -> int:
        """How many could be taken at once."""
        missing = max((full_at or now) - now, timedelta())
        return max(0, self.at_once - -(-missing // self.every))

    def take(self, full_at: datetime | None, now: datetime) -> tuple[datetime | None, datetime | None]:
        """What `full_at` becomes and None, or None and the moment from which the next turn may be taken."""
        longest = self.every * self.at_once  # a clock that was ahead keeps nobody out for longer than that
        begins = min(max(full_at or now, now), now + longest)
        next_one = begins + self.every - longest
        return (begins + self.every, None) if next_one <= now else (None, next_one)


MESSAGES = Turns(5, timedelta(minutes=10))  # to one person's devices: each is a message of the MDM, which lasts ten minutes
LOOKS = Turns(12, timedelta(seconds=20))  # *check now*: each costs the remotes about ten calls
ACCESS = Turns(2, timedelta(hours=4))  # of one person: each asks two of the staff to decide
PROOFS = Turns(10, timedelta(minutes=2))  # second sign-ins and certificates of one person: each leaves rows
SAID = Turns(10, timedelta(minutes=1))  # what Microsoft showed one person: each leaves a row
SEARCHES = Turns(60, timedelta(seconds=30))  # of one member of the helpdesk: searches and pages of people
APP_LOOK_UPS = Turns(300, timedelta(seconds=3))  # of one program of the company's that looks people up for a whole helpdesk
API_CALLS = Turns(120, timedelta(milliseconds=500))  # of one caller of the API, whatever it asks for
FEED_NOTED = Turns(1, timedelta(hours=1))  # who reads the audit: more rows about that would feed the feed
REPAIRED = Turns(20, timedelta(seconds=30))  # of one person, by all of the helpdesk: each costs remotes a look, or a message
FIGURES = Turns(40, timedelta(seconds=10))  # of one member of staff: each reads what happened in weeks
HINTS = Turns(1000, timedelta(milliseconds=200))  # of one MDM, bad news apart: a look at a device each, a few calls
ENROLLED = Turns(1, timedelta(seconds=5))  # looks at one waiting journey because an MDM says that a device of theirs has come
CASES = Turns(200, timedelta(seconds=10))  # of all who cannot sign in, of whom nothing tells one from the other
