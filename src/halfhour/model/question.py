"""The question that a person asks, as one value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from halfhour.errors import ConfigError, suggest_name
from halfhour.model import time_ranges
from halfhour.model.intervals import HALF_HOUR, INTERVAL_WIDTHS, Interval
from halfhour.model.vocabulary import MEDIA_TYPES, WORDS_BY_GENESYS_NAME, Basis, By, Source


@dataclass(frozen=True, slots=True)
class Question:
    """A question about agents' work, as a person asks it.

    *queues* and *agents* are names or ids, *media* are media types, *divisions* and *teams* are
    names of the divisions and teams of agents; an empty tuple means all. *width* is the width of
    the intervals that a row stands for or adds up.
    """

    interval: Interval
    zone: tzinfo
    by: By = By.INTERVAL
    basis: Basis = Basis.POSTED
    queues: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    with_capacity: bool = False
    sort: str = ""
    top: int | None = None
    width: timedelta = HALF_HOUR

    @classmethod
    def parse(
        cls,
        *,
        now: datetime,
        start: str | datetime | None = None,
        end: str | datetime | None = None,
        last: str | None = None,
        zone: str = "UTC",
        by: str = By.INTERVAL,
        basis: str = Basis.POSTED,
        granularity: str = "30m",
        queues: str | Sequence[str] = (),
        agents: str | Sequence[str] = (),
        media: str | Sequence[str] = (),
        divisions: str | Sequence[str] = (),
        teams: str | Sequence[str] = (),
        with_capacity: bool = False,
        sort: str = "",
        top: int | None = None,
    ) -> "Question":
        """Return the question that these words ask at *now*.

        A text in place of a sequence is one name. Raises ConfigError, which names the parameter
        that cannot be understood.
        """
        require_choice("by", by, By)
        require_choice("basis", basis, Basis)
        require_choice("granularity", granularity, INTERVAL_WIDTHS)
        chosen_media = _as_names(media)
        for media_type in chosen_media:
            require_choice("media", media_type, MEDIA_TYPES)
        if with_capacity and by != By.INTERVAL:
            raise ConfigError(
                "⟨with_capacity⟩ needs ⟨by⟩ interval, because Genesys does not say how these "
                "figures add up"
            )
        if with_capacity and (queues or media):
            raise ConfigError(
                "⟨with_capacity⟩ counts all work of an agent; leave out ⟨queues⟩ and ⟨media⟩"
            )
        if top is not None and top < 1:
            raise ConfigError(f"⟨top⟩ {top}: write a number above 0")
        return cls(
            time_ranges.parse_interval(start=start, end=end, last=last, zone=zone, now=now),
            time_ranges.parse_zone(zone),
            By(by),
            Basis(basis),
            _as_names(queues),
            _as_names(agents),
            chosen_media,
            _as_names(divisions),
            _as_names(teams),
            with_capacity,
            sort,
            top,
            INTERVAL_WIDTHS[granularity],
        )

    @property
    def granularity(self) -> timedelta:
        """The granularity that the data must have to answer the question."""
        return min(self.width, time_ranges.required_granularity(self.interval))

    @property
    def has_work_filter(self) -> bool:
        """Tell whether the question is about a part of agents' work, such as a queue.

        Status covers all that an agent does, so such a question has no status.
        """
        return bool(self.queues or self.media)

    @property
    def required_sources(self) -> tuple[Source, ...]:
        """The sources that answer the question."""
        return {
            Basis.POSTED: (Source.POSTED,),
            Basis.WORKED: (Source.DETAILS,),
            Basis.BOTH: (Source.POSTED, Source.DETAILS),
        }[self.basis]


def _as_names(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def require_choice(parameter: str, value: str, choices: Iterable[str]) -> None:
    """Raise ConfigError with the nearest of *choices* if *value* is none of them."""
    names = list(choices)
    if value not in names:
        raise ConfigError(describe_choices(f"⟨{parameter}⟩", value, names))


def describe_choices(
    label: str, value: str, choices: Iterable[str], *, aliases: Iterable[str] = (), advice: str = ""
) -> str:
    """Return that *value* of *label* is none of *choices*, with the nearest one and *advice*.

    The *aliases* of choices are not listed, but one of them can be the nearest.
    """
    names = list(choices)
    word = WORDS_BY_GENESYS_NAME.get(value.lower(), value)
    hint = suggest_name(word, [*names, *aliases], advice)
    return f"{label} {value!r}: choose one of {', '.join(names)}{hint}"
