"""Conversations by their ids."""

from collections.abc import Collection

from genesys_emulator.simulation.detail_records import Detail
from genesys_emulator.simulation.restatements import Snapshot
from genesys_emulator.simulation.source import Centre


def find(centre: Centre, ids: Collection[str], as_of: Snapshot) -> dict[str, Detail]:
    """Those of these *ids* that are known, by id."""
    found: dict[str, Detail] = {}
    for each in centre.conversations_begun(0, as_of.now):
        if each.conversation_id in ids and each.is_known(as_of):
            found[each.conversation_id] = each
            if len(found) == len(ids):
                break
    return found
