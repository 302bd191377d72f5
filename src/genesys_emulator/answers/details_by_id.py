"""Details of conversations by their ids."""

from collections.abc import Collection

from genesys_emulator.simulation.detail_records import Detail
from genesys_emulator.simulation.restatements import Snapshot
from genesys_emulator.simulation.source import Centre


def find_details(centre: Centre, ids: Collection[str], snapshot: Snapshot) -> dict[str, Detail]:
    """Find the conversations with these *ids*; ids that are not known are left out."""
    by_id: dict[str, Detail] = {}
    for detail in centre.conversations_begun(0, snapshot.now):
        if detail.conversation_id in ids and detail.is_known(snapshot):
            by_id[detail.conversation_id] = detail
            if len(by_id) == len(ids):
                break
    return by_id
