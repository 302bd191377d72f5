"""Who and what a contact centre consists of, from a seed: the same on every machine."""

import random
import uuid
from dataclasses import dataclass

_FIRST = (
    "Ada Amara Björn Chiara Dmitri Élodie Fatima Grace Hiroshi Ingrid João Katarzyna Liam Mei "
    "Noor Oluwaseun Priya Quentin Rosa Søren Tomás Uma Viktor Wanjiru Xiulan Yusuf Zoë"
).split()
_LAST = (
    "Almeida Bianchi Carter Dubois Eriksen Ferreira Gómez Haddad Ivanov Jensen Kowalski Lindqvist "
    "Müller Nakamura O'Brien Patel Quist Rossi Silva Tanaka Usman Vogel Walsh Xu Yılmaz Zhang"
).split()
_QUEUES = (
    ("Billing", "voice"),
    ("Sales", "voice"),
    ("Returns, Repairs", "voice"),
    ("Rückrufe", "callback"),
    ("Web Chat", "chat"),
    ("Messaging", "message"),
    ("Support Mail", "email"),
)
_DIVISIONS = ("Home", "Europe", "Americas")
_HOURS_FROM_UTC = (0, 1, -5)


@dataclass(frozen=True, slots=True)
class Named:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Queue:
    id: str
    name: str
    media_type: str
    division: Named


@dataclass(frozen=True, slots=True)
class Agent:
    """*hours_from_utc* is where the agent's day begins; one without a name has none anywhere."""

    number: int
    id: str
    name: str | None
    state: str
    division: Named
    hours_from_utc: int
    queues: tuple[Queue, ...]


@dataclass(frozen=True, slots=True)
class Org:
    id: str
    name: str
    seed: int
    divisions: tuple[Named, ...]
    queues: tuple[Queue, ...]
    agents: tuple[Agent, ...]


def simulated(seed: int, agents: int) -> Org:
    """An organisation of that many agents.

    Two share a name, and of six or more the last has left (deleted) and the
    one before is inactive, yet both have conversations.
    """
    divisions = tuple(Named(_id(seed, "division", name), name) for name in _DIVISIONS)
    queues = tuple(
        Queue(_id(seed, "queue", name), name, media, divisions[at % len(divisions)])
        for at, (name, media) in enumerate(_QUEUES)
    )
    return Org(
        id=_id(seed, "organization", ""),
        name="Emulated Contact Centre",
        seed=seed,
        divisions=divisions,
        queues=queues,
        agents=tuple(_agent(seed, number, agents, divisions, queues) for number in range(agents)),
    )


def _agent(
    seed: int, number: int, of: int, divisions: tuple[Named, ...], queues: tuple[Queue, ...]
) -> Agent:
    choice = random.Random(f"{seed}/agent/{number}")
    at = number % len(divisions)
    namesake = number - 1 if number == 3 else number
    left = {1: "deleted", 2: "inactive"} if of >= 6 else {}
    return Agent(
        number=number,
        id=_id(seed, "agent", str(number)),
        name=_name(seed, namesake),
        state=left.get(of - number, "active"),
        division=divisions[at],
        hours_from_utc=_HOURS_FROM_UTC[at],
        queues=(queues[number % 3], *choice.sample(queues[3:], 2)),
    )


def _name(seed: int, number: int) -> str:
    start = random.Random(f"{seed}/names").randrange(len(_FIRST) * len(_LAST))
    place = start + number * 29  # coprime to both lengths, so that names repeat late
    return f"{_FIRST[place % len(_FIRST)]} {_LAST[place % len(_LAST)]}"


def _id(seed: int, kind: str, name: str) -> str:
    bits = random.Random(f"{seed}/{kind}/{name}").getrandbits(128)
    return str(uuid.UUID(int=bits, version=4))
