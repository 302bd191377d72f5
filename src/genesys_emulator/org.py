"""A contact centre from a seed: its divisions, queues and people. Nothing here has a time."""

import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from genesys_emulator.names import FAMILY, GIVEN

STATES = {5: "inactive", 6: "deleted"}
"""The state of these of every 50 people; they have left, and their work remains."""

NAMESAKES = {4: 1}
"""These of every 50 people have the name of another."""


@dataclass(frozen=True, slots=True)
class Division:
    id: str
    name: str
    home: bool = False


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
    """*shift* is the hour (UTC) at which work starts; *index* counts from 0."""

    id: str
    name: str
    email: str = ""
    state: str = "active"
    division: Division | None = None
    queues: tuple[Queue, ...] = ()
    index: int = 0
    shift: int = 8


@dataclass(frozen=True, slots=True)
class Organization:
    """What the directory knows. Who worked need not be in it."""

    id: str
    name: str
    seed: int = 0
    divisions: tuple[Division, ...] = ()
    queues: tuple[Queue, ...] = ()
    agents: tuple[Agent, ...] = ()


DIVISIONS = ("Home", "Europe", "Americas & Pacific")

QUEUES: Sequence[tuple[str, str, tuple[str, ...], bool]] = (
    ("Billing", "Home", ("voice", "voice", "voice", "callback"), False),
    ("Sales", "Europe", ("voice",), True),
    ("Support", "Home", ("voice", "voice", "email"), False),
    ("Chat", "Europe", ("chat", "message"), False),
    ("Returns, São Paulo", "Americas & Pacific", ("voice", "message"), False),
)
"""Name, division, media, and whether it also calls out."""

SHIFTS = (7, 8, 8, 9, 9, 12, 13, 14, 17, 22)


def identifier(*of: object) -> str:
    """A uuid that is the same wherever and whenever it is asked for."""
    digest = sha256("/".join(map(str, of)).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def organization(seed: int, agents: int) -> Organization:
    """The contact centre *seed* with this many people; who exists in it does not depend on that."""
    divisions = {
        name: Division(identifier(seed, "division", name), name, home=name == "Home")
        for name in DIVISIONS
    }
    queues = tuple(
        Queue(identifier(seed, "queue", name), name, divisions[division], media, outbound)
        for name, division, media, outbound in QUEUES
    )
    people = tuple(agent(seed, index, tuple(divisions.values()), queues) for index in range(agents))
    return Organization(
        identifier(seed, "organization"),
        "Halcyon Parcels",
        seed,
        tuple(divisions.values()),
        queues,
        people,
    )


def agent(seed: int, index: int, divisions: Sequence[Division], queues: Sequence[Queue]) -> Agent:
    """Person number *index*. Every third serves one queue, the others two or three."""
    name = full_name(seed, index)
    first = index % len(queues)
    served = sorted({first, *((first + step) % len(queues) for step in (1, 3)[: index % 3])})
    return Agent(
        id=identifier(seed, "agent", index),
        name=name,
        email=f"{_ascii(name)}.{index}@example.com",
        state=STATES.get(index % 50, "active"),
        division=divisions[index % 4 % len(divisions)],
        queues=tuple(queues[at] for at in served),
        index=index,
        shift=SHIFTS[(index * 3 + seed) % len(SHIFTS)],
    )


def full_name(seed: int, index: int) -> str:
    within = index % 50
    index += NAMESAKES.get(within, within) - within
    given = GIVEN[(index + seed) % len(GIVEN)]
    return f"{given} {FAMILY[(index + index // len(GIVEN) + seed) % len(FAMILY)]}"


def _ascii(name: str) -> str:
    plain = name.casefold().translate(str.maketrans("łøæđ'", "loed-")).replace(" ", ".")
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
