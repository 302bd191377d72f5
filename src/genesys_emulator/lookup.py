"""Conversations by their ids."""

from collections.abc import Collection

from genesys_emulator.centre import Centre
from genesys_emulator.corrections import AsOf
from genesys_emulator.records import Detail


def find(centre: Centre, ids: Collection[str], as_of: AsOf) -> dict[str, Detail]:
    """Those of these *ids* that are known, by id."""
    found: dict[str, Detail] = {}
    for each in centre.begun(0, as_of.now):
        if each.conversation_id in ids and each.known(as_of):
            found[each.conversation_id] = each
            if len(found) == len(ids):
                break
    return found
