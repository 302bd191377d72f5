"""A contact centre from a seed: its divisions, queues and people. Nothing here has a time."""

import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256

from genesys_emulator.simulation.names import FAMILY, GIVEN

STATES = {5: "inactive", 6: "deleted"}
"""The state of these of every 50 people; they have left, and their work remains."""

NAMESAKES = {4: 1}
"""These of every 50 people have the name of another."""

UNLISTED = 7
"""This one of every 50 people is in no list, and so has no name, yet works."""

TEAM_SIZE = 20


@dataclass(frozen=True, slots=True)
class Division:
    """*zone* is where its people work."""

    id: str
    name: str
    home: bool = False
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Queue:
    """*media* as often as it comes: ``("voice", "voice", "callback")`` is two calls in three."""

    id: str
    name: str
    division: Division | None = None
    media: tuple[str, ...] = ("voice",)
    outbound: bool = False


@dataclass(frozen=True, slots=True)
class Agent:
    """*shift* is the hour at which work starts, where the agent is; *index* counts from 0.

    From *left* on there is no more work. Who is not *listed* is in no directory.
    """

    id: str
    name: str
    email: str = ""
    state: str = "active"
    division: Division | None = None
    queues: tuple[Queue, ...] = ()
    index: int = 0
    shift: int = 8
    left: date | None = None
    listed: bool = True

    @property
    def zone(self) -> str:
        return self.division.zone if self.division else "UTC"


@dataclass(frozen=True, slots=True)
class Team:
    """People who work side by side: calls are handed on within it."""

    id: str
    name: str
    division: Division
    agents: tuple[Agent, ...]


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    name: str
    agents: tuple[Agent, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """What agents choose from; *system* is the word of the platform that it stands for."""

    id: str
    name: str
    system: str
    primary: bool = True


@dataclass(frozen=True, slots=True)
class Organization:
    """Who and what there is. Who worked need not be in it, where work is not made up."""

    id: str
    name: str
    seed: int = 0
    divisions: tuple[Division, ...] = ()
    queues: tuple[Queue, ...] = ()
    agents: tuple[Agent, ...] = ()
    teams: tuple[Team, ...] = ()
    groups: tuple[Group, ...] = ()
    presences: tuple[Presence, ...] = ()

    @property
    def listed(self) -> tuple[Agent, ...]:
        """Whom the directory knows."""
        return tuple(agent for agent in self.agents if agent.listed)


DIVISIONS = {
    "Home": "Europe/London",
    "Europe": "Europe/Warsaw",
    "Americas & Pacific": "America/Los_Angeles",
}

QUEUES: Sequence[tuple[str, str, tuple[str, ...], bool]] = (
    ("Billing", "Home", ("voice", "voice", "voice", "callback"), False),
    ("Sales", "Europe", ("voice",), True),
    ("Support", "Home", ("voice", "voice", "email"), False),
    ("Chat", "Europe", ("chat", "message"), False),
    ("Returns, São Paulo", "Americas & Pacific", ("voice", "message"), False),
)
"""Name, division, media, and whether it also calls out."""

SHIFTS = (7, 8, 8, 9, 9, 12, 13, 14, 17, 22)

PRESENCES = (
    ("Available", "AVAILABLE"),
    ("Away", "AWAY"),
    ("Busy", "BUSY"),
    ("Offline", "OFFLINE"),
    ("Idle", "IDLE"),
    ("On Queue", "ON_QUEUE"),
    ("Meal", "MEAL"),
    ("Training", "TRAINING"),
    ("Meeting", "MEETING"),
    ("Break", "BREAK"),
    ("Coaching", "MEETING"),
)
"""Name and the platform's word; a word that comes again is a secondary presence."""


@lru_cache(2**15, typed=True)  # as each answer names the same again
def identifier(*of: object) -> str:
    """A uuid that is the same wherever and whenever it is asked for."""
    digest = sha256("/".join(map(str, of)).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def organization(seed: int, agents: int, left: date | None = None) -> Organization:
    """The contact centre *seed* with this many people; who exists in it does not depend on that.

    Those who have left worked until the day before *left*.
    """
    divisions = {
        name: Division(identifier(seed, "division", name), name, name == "Home", zone)
        for name, zone in DIVISIONS.items()
    }
    queues = tuple(
        Queue(identifier(seed, "queue", name), name, divisions[division], media, outbound)
        for name, division, media, outbound in QUEUES
    )
    homes = tuple(divisions.values())
    people = tuple(agent(seed, index, homes, queues, left) for index in range(agents))
    return Organization(
        identifier(seed, "organization"),
        "Halcyon Parcels",
        seed,
        homes,
        queues,
        people,
        tuple(_teams(seed, people)),
        _groups(seed, people),
        tuple(_presences(seed)),
    )


def agent(
    seed: int,
    index: int,
    divisions: Sequence[Division],
    queues: Sequence[Queue],
    left: date | None = None,
) -> Agent:
    """Person number *index*. Every third serves one queue, the others two or three."""
    name = full_name(seed, index)
    first = index % len(queues)
    served = sorted({first, *((first + step) % len(queues) for step in (1, 3)[: index % 3])})
    state = STATES.get(index % 50, "active")
    return Agent(
        id=identifier(seed, "agent", index),
        name=name,
        email=f"{_ascii(name)}.{index}@example.com",
        state=state,
        division=divisions[index % 4 % len(divisions)],
        queues=tuple(queues[at] for at in served),
        index=index,
        shift=SHIFTS[(index * 3 + seed) % len(SHIFTS)],
        left=None if state == "active" else left,
        listed=index % 50 != UNLISTED,
    )


def _teams(seed: int, people: Sequence[Agent]) -> Iterator[Team]:
    for first in range(0, len(people), TEAM_SIZE):
        members = tuple(people[first : first + TEAM_SIZE])
        home, number = members[0].division, first // TEAM_SIZE + 1
        assert home
        yield Team(identifier(seed, "team", number), f"Team {number}", home, members)


def _groups(seed: int, people: Sequence[Agent]) -> tuple[Group, ...]:
    return tuple(
        Group(identifier(seed, "group", name), name, tuple(members))
        for name, members in (
            ("Team leads", people[::TEAM_SIZE]),
            ("New starters", people[3::7]),
            ("Late shifts", [each for each in people if each.shift >= SHIFTS[-3]]),
        )
    )


def _presences(seed: int) -> Iterator[Presence]:
    seen: set[str] = set()
    for name, system in PRESENCES:
        yield Presence(identifier(seed, "presence", name), name, system, system not in seen)
        seen.add(system)


def full_name(seed: int, index: int) -> str:
    within = index % 50
    index += NAMESAKES.get(within, within) - within
    given = GIVEN[(index + seed) % len(GIVEN)]
    return f"{given} {FAMILY[(index + index // len(GIVEN) + seed) % len(FAMILY)]}"


def _ascii(name: str) -> str:
    plain = name.casefold().translate(str.maketrans("łøæđ'", "loed-")).replace(" ", ".")
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
