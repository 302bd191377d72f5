"""Conversations by their ids."""

from collections.abc import Collection

from genesys_emulator.centre import Centre
from genesys_emulator.records import Detail


def find(centre: Centre, ids: Collection[str], now: int) -> dict[str, Detail]:
    """Those of these *ids* that had begun before *now*, by id."""
    found: dict[str, Detail] = {}
    for each in centre.begun(0, now):
        if each.conversation_id in ids and each.start < now:
            found[each.conversation_id] = each
            if len(found) == len(ids):
                break
    return found
