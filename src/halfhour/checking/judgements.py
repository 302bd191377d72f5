"""Judge what Genesys has answered: divisions, the clock, the rate limit, permissions."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta

from halfhour.checking.findings import Finding, State, lacks, note, works
from halfhour.checking.permissions import Permission
from halfhour.errors import ApiError
from halfhour.genesys.payloads import DirectoryEntity

CLOCK, DIVISIONS, RATE_LIMIT = "clock", "divisions", "rate limit"
_FORBIDDEN = 403
_FOREIGN_ADDRESS = "ip.not.authorized"
"""The code of a refusal that is due to the address of this machine, and not to a permission."""
_MAX_LISTED = 5


def judge_clock(lead: timedelta, tolerance: timedelta) -> Finding:
    """Return whether a clock that is *lead* ahead of Genesys' clock is right enough."""
    if abs(lead) <= tolerance:
        return works(CLOCK, "agrees with Genesys' clock to a minute")
    shown = timedelta(seconds=round(abs(lead).total_seconds()))
    side = "ahead of" if lead > timedelta(0) else "behind"
    return lacks(
        CLOCK,
        f"this machine's clock is {shown} {side} Genesys' clock, so ranges such as the last 24 "
        "hours are off",
        "set the clock of this machine",
    )


def judge_rate_limit(allowed: int | None, slower: int | None) -> Finding:
    """Return the limit: *allowed* requests a minute by Genesys, or *slower* by the settings."""
    if allowed is None:
        return note(RATE_LIMIT, "Genesys did not say how many requests a minute it allows")
    own = f"; the settings say {slower}" if slower else ""
    return works(RATE_LIMIT, f"{allowed} requests a minute{own}")


def judge_divisions(
    agents: Sequence[DirectoryEntity], active: Collection[str], *, is_complete: bool = True
) -> Finding:
    """Return whether figures of *agents* may be hidden; *active* are the ids that have some.

    If the list of agents is not complete, the finding says so.
    Genesys leaves out, without an error, the figures of agents in divisions that the role does
    not cover. Nobody can tell that from a division in which nobody worked.
    """
    sizes = Counter(_division_name(agent) for agent in agents)
    working = Counter(_division_name(agent) for agent in agents if agent.id in active)
    extent = "" if is_complete else "the first "
    head = (
        f"{working.total()} of {extent}{len(agents)} active agents have figures in the last 24 "
        f"hours, in {len(working)} of {len(sizes)} divisions"
        if working
        else f"none of {extent}{len(agents)} active agents has figures in the last 24 hours"
    )
    silent = sorted(name for name in sizes if name not in working)
    if not silent:
        return works(DIVISIONS, head)
    names = ", ".join(f"{name} ({sizes[name]})" for name in silent[:_MAX_LISTED])
    more = f" and {len(silent) - _MAX_LISTED} more" if silent[_MAX_LISTED:] else ""
    return note(
        DIVISIONS,
        f"{head}; nothing in {names}{more}",
        "if people worked there, ask an admin to grant the role of the OAuth client in these "
        "divisions too",
    )


def judge_refusal(permission: Permission, error: ApiError) -> Finding:
    """Return what the refusal of the request for *permission* means. Raises any other *error*."""
    if error.status != _FORBIDDEN or error.code == _FOREIGN_ADDRESS:
        if permission.is_preview:
            return note(permission.name, f"this preview does not answer: {error}")
        raise error
    message = f"missing; without it you lose {permission.lost}"
    fix = f"ask an admin to add {permission.name} to the role of the OAuth client"
    if permission.needed:
        return Finding(permission.name, State.FAILED, message, fix, error)
    if permission.is_preview:
        return note(permission.name, message)
    return lacks(permission.name, message, fix)


def _division_name(agent: DirectoryEntity) -> str:
    return (agent.division.name if agent.division else None) or "without a division"
