"""The organization of a contact centre, made from a seed: divisions, queues, agents, teams."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256

from genesys_emulator.simulation.names import FAMILY, GIVEN

STATES = {5: "inactive", 6: "deleted"}
"""State by number among every 50 agents; these have left, and their work remains."""

NAMESAKES = {4: 1}
"""Agents with the name of another, by number among every 50."""

UNLISTED = 7
"""The one of every 50 agents who works but is in no list, and so has no name."""

TEAM_SIZE = 20


@dataclass(frozen=True, slots=True)
class Division:
    """A division; *zone* is the time zone in which its agents work."""

    id: str
    name: str
    home: bool = False
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue; *media* with weights: ``("voice", "voice", "callback")`` is two calls in three."""

    id: str
    name: str
    division: Division | None = None
    media: tuple[str, ...] = ("voice",)
    outbound: bool = False


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent. *shift* is the local hour at which work starts; *index* counts from 0.

    From *left* on the agent does not work. An agent who is not *listed* is in
    no directory.
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
    def time_zone(self) -> str:
        return self.division.zone if self.division else "UTC"


@dataclass(frozen=True, slots=True)
class Team:
    """Agents who work together: calls are transferred within a team."""

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
    """A presence that agents choose; *system* is the platform's word for it."""

    id: str
    name: str
    system: str
    primary: bool = True


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization. In a captured one, agents who worked may be missing."""

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
    def listed_agents(self) -> tuple[Agent, ...]:
        """The agents that the directory lists."""
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
"""Name, division, media, and whether the queue also makes outbound calls."""

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
"""Name and the platform's word; a word that occurs again is a secondary presence."""


VARIANTS = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The digit of a UUID that tells its variant, by the digit of the digest in its place."""


def make_id(*parts: object) -> str:
    """Return a UUID of version 4 that depends on the parts alone, on every machine."""
    digest = sha256("/".join(map(str, parts)).encode()).hexdigest()
    variant = VARIANTS[digest[16]]
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


stable_id = lru_cache(2**15, typed=True)(make_id)
"""Returns the same as `make_id`, for ids that many answers use again."""


def make_organization(seed: int, agents: int, left: date | None = None) -> Organization:
    """Make organization number *seed* with this many agents; each is the same for any number.

    Agents who have left worked until the day before *left*.
    """
    divisions = {
        name: Division(stable_id(seed, "division", name), name, name == "Home", zone)
        for name, zone in DIVISIONS.items()
    }
    queues = tuple(
        Queue(stable_id(seed, "queue", name), name, divisions[division], media, outbound)
        for name, division, media, outbound in QUEUES
    )
    homes = tuple(divisions.values())
    people = tuple(make_agent(seed, index, homes, queues, left) for index in range(agents))
    return Organization(
        stable_id(seed, "organization"),
        "Halcyon Parcels",
        seed,
        homes,
        queues,
        people,
        tuple(_make_teams(seed, people)),
        _make_groups(seed, people),
        tuple(_make_presences(seed)),
    )


def make_agent(
    seed: int,
    index: int,
    divisions: Sequence[Division],
    queues: Sequence[Queue],
    left: date | None = None,
) -> Agent:
    """Make agent number *index*. Every third serves one queue, the others two or three."""
    name = full_name(seed, index)
    first = index % len(queues)
    served = sorted({first, *((first + step) % len(queues) for step in (1, 3)[: index % 3])})
    state = STATES.get(index % 50, "active")
    return Agent(
        id=stable_id(seed, "agent", index),
        name=name,
        email=f"{_ascii_name(name)}.{index}@example.com",
        state=state,
        division=divisions[index % 4 % len(divisions)],
        queues=tuple(queues[at] for at in served),
        index=index,
        shift=SHIFTS[(index * 3 + seed) % len(SHIFTS)],
        left=None if state == "active" else left,
        listed=index % 50 != UNLISTED,
    )


def _make_teams(seed: int, people: Sequence[Agent]) -> Iterator[Team]:
    for first in range(0, len(people), TEAM_SIZE):
        members = tuple(people[first : first + TEAM_SIZE])
        home, number = members[0].division, first // TEAM_SIZE + 1
        assert home
        yield Team(stable_id(seed, "team", number), f"Team {number}", home, members)


def _make_groups(seed: int, people: Sequence[Agent]) -> tuple[Group, ...]:
    return tuple(
        Group(stable_id(seed, "group", name), name, tuple(members))
        for name, members in (
            ("Team leads", people[::TEAM_SIZE]),
            ("New starters", people[3::7]),
            ("Late shifts", [agent for agent in people if agent.shift >= SHIFTS[-3]]),
        )
    )


def _make_presences(seed: int) -> Iterator[Presence]:
    seen: set[str] = set()
    for name, system in PRESENCES:
        yield Presence(stable_id(seed, "presence", name), name, system, system not in seen)
        seen.add(system)


def full_name(seed: int, index: int) -> str:
    within = index % 50
    index += NAMESAKES.get(within, within) - within
    given = GIVEN[(index + seed) % len(GIVEN)]
    return f"{given} {FAMILY[(index + index // len(GIVEN) + seed) % len(FAMILY)]}"


def _ascii_name(name: str) -> str:
    plain = name.casefold().translate(str.maketrans("łøæđ'", "loed-")).replace(" ", ".")
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
