"""A simulated day as it is kept: encoded, with the times by which conversations are chosen.

It takes a third of the memory of its conversations, and those that a request does not need are
never decoded.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import compress, pairwise, repeat

import msgspec

from genesys_emulator.simulation.conversations import Conversation, Value, active_times
from genesys_emulator.simulation.status import StatusChanges
from genesys_emulator.simulation.team_day import TeamDay

_encoder = msgspec.msgpack.Encoder()
_decode_conversation = msgspec.msgpack.Decoder(Conversation).decode
_decode_changes = msgspec.msgpack.Decoder(dict[str, StatusChanges]).decode


class PackedDay(Value, frozen=True):
    """The day of a team: its conversations *encoded*, one after the other.

    *edges* are where they begin, and where the last one ends; *starts* and *ends* are their
    times in ms. These are arrays of 64 bits.
    """

    encoded: bytes
    edges: bytes
    starts: bytes
    ends: bytes
    changes: msgspec.Raw

    def all_conversations(self) -> Iterator[Conversation]:
        return self._decode_chosen(repeat(True))

    def conversations_begun(self, start: int, end: int) -> Iterator[Conversation]:
        """Yield the conversations that begin in [start, end)."""
        return self._decode_chosen([start <= begun < end for begun in _numbers(self.starts)])

    def conversations_between(self, start: int, end: int) -> Iterator[Conversation]:
        """Yield the conversations that begin before *end* and do not end before *start*."""
        times = zip(_numbers(self.starts), _numbers(self.ends), strict=True)
        return self._decode_chosen([begun < end and over >= start for begun, over in times])

    def _decode_chosen(self, chosen: Iterable[bool]) -> Iterator[Conversation]:
        encoded = memoryview(self.encoded)
        for first, end in compress(pairwise(_numbers(self.edges)), chosen):
            yield _decode_conversation(encoded[first:end])

    def changes_by_agent(self) -> Mapping[str, StatusChanges]:
        """Return the changes of status of each agent by id."""
        return _decode_changes(self.changes)


def pack_day(day: TeamDay) -> PackedDay:
    """Encode *day*."""
    times = [active_times(conversation) for conversation in day.conversations]
    changes = {
        agent_id: StatusChanges(presences, day.routings[agent_id])
        for agent_id, presences in day.presences.items()
    }
    encoded, edges = bytearray(), [0]
    for conversation in day.conversations:
        _encoder.encode_into(conversation, encoded, -1)
        edges.append(len(encoded))
    return PackedDay(
        bytes(encoded),
        _as_bytes(edges),
        _as_bytes(start for start, _, _ in times),
        _as_bytes(end for _, _, end in times),
        msgspec.Raw(_encoder.encode(changes)),
    )


def _as_bytes(numbers: Iterable[int]) -> bytes:
    return array("q", numbers).tobytes()


def _numbers(column: bytes) -> memoryview:
    return memoryview(column).cast("q")
