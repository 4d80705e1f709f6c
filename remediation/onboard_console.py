"""What the commands about the set-up act on: what the pages do, for whoever is at the terminal. Next door: `onboard_wiring`."""

from collections.abc import Iterable, Mapping, Sequence

from . import wiring
from .adapters import sealing
from .domain.onboarding import FIRST, Facts, Standing, checklist, touched
from .domain.onboarding_lock import ATTRIBUTE
from .onboard_wiring import MINIMUM, first_of, keys_of, taken_for
from .ports import Actor, Choice
from .services import onboard, set_up_facts, set_up_lock
from .settings import DatabaseSettings, OperatorSettings
from .settings.names import env_name
from .settings.proposal import Wrong, wrong_with
from .settings.reading import elsewhere
from .settings.typed import kinds_in, of_connection, whose_secret
from .store.engine import make_engine
from .store.onboarding import SqlChoices
from .store.store import SqlStore
from .store.tables import DEPLOYMENT
from .store.wakeups import DbosWakeups
from .web.onboarding_pages import STEPS
from .web.texts import Texts


class Console:
    """What the pages do, for whoever is at the terminal: it may open nothing that it could not open anyway."""

    def __init__(self, settings: DatabaseSettings, *, operator: str) -> None:
        engine = make_engine(settings.database_url.get_secret_value())
        self.close = engine.dispose
        taken = taken_for(OperatorSettings)
        tenant = taken.typed.get(env_name("tenant_id")) or elsewhere().get(env_name("tenant_id")) or DEPLOYMENT
        self._choices = SqlChoices(engine, tenant)
        self._store, self._actor = SqlStore(engine, tenant, DbosWakeups(engine)), Actor("operator", operator)
        self.gone, self.first = taken.gone or MINIMUM in elsewhere(), first_of(taken)

    def link(self, origin: str) -> str:
        """Its token, in an address of the pages."""
        return f"{origin}/set-up/{onboard.make_set_up_link(self._store, operator=self._actor.id, now=wiring.now())}"

    def standings(self) -> Sequence[Standing]:
        return checklist(STEPS, self._facts())

    def wrong_with(self, chosen: Mapping[str, str | None]) -> Sequence[Wrong]:
        fixed = {**onboard.elsewhere_of_worker(self._choices.looks()), **elsewhere()}
        found = wrong_with(chosen, onboard.plain(self._choices.typed()), fixed)
        if ATTRIBUTE in chosen and set_up_lock.stands_in_the_way(self._store.second_lock(), chosen[ATTRIBUTE]):
            found.append(Wrong(ATTRIBUTE, "holds marks of ours, which would stay there: remediation lock give-up."))
        return found

    def choose(self, chosen: Mapping[str, str | None]) -> None:
        """Raises `CannotSeal`. Whoever calls it asked `wrong_with` before."""
        half_of = self._half_of
        kept = {name: onboard.choice_of(name, value, whose_secret(name), half_of, sealing.seal) for name, value in chosen.items()}
        looks = touched(STEPS, chosen)
        mdm = {f"mdm:{part[0]}" for name in chosen if (part := of_connection(name)) is not None}
        onboard.choose(self._store, kept, actor=self._actor, now=wiring.now(), looks=[*looks, *sorted(mdm)])

    def want_look(self, name: str) -> None:
        onboard.want_look(self._store, name, actor=self._actor, now=wiring.now())

    def go(self) -> None:
        onboard.go(self._store, actor=self._actor, now=wiring.now(), seen=self._choices.seq())

    def let_first(self, people: Iterable[str]) -> None:
        kept = ",".join(sorted(people))
        onboard.choose(self._store, {FIRST: Choice(kept) if kept else None}, actor=self._actor, now=wiring.now())

    def words(self, key: str) -> str:
        return Texts().in_default(key)

    def _facts(self) -> Facts:
        found = onboard.facts(self._choices, elsewhere(), kinds_in, gone=self.gone, first=self.first)
        return set_up_facts.with_rows(found, self._store, wiring.now())

    def _half_of(self, process: str) -> str | None:
        if process == "worker":
            return onboard.half_of_worker(self._choices.looks())
        keys = keys_of(process)
        return sealing.public_half(keys[0]) if keys else None
