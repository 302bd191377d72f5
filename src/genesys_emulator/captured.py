"""Conversations as the real API writes them, from a file: detail records or job results."""

import gzip
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from genesys_emulator.model import Conversation, Metric, Participant, Segment, Session

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")


class Malformed(ValueError):  # noqa: N818  (it says what the record is)
    """A record that cannot be read; the message names file, record and field."""


class _Field:
    """A value of a record that knows where it stands."""

    def __init__(self, value: Any, where: str) -> None:
        self.value = value
        self.where = where

    def wrong(self, wanted: str) -> Malformed:
        return Malformed(f"{self.where}: {self.value!r:.60} is no {wanted}")

    def get(self, name: str) -> "_Field":
        if not isinstance(self.value, dict):
            raise self.wrong("object")
        return _Field(self.value.get(name), f"{self.where}.{name}")

    def each(self) -> "Iterator[_Field]":
        if not isinstance(self.value, list | None):
            raise self.wrong("list")
        for at, value in enumerate(self.value or ()):
            yield _Field(value, f"{self.where}[{at}]")

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value:
            raise self.wrong("text")
        return self.value

    def number(self) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.wrong("whole number")
        return self.value

    def moment(self) -> int:
        try:
            moment = datetime.fromisoformat(self.text())
            return (moment - _EPOCH) // timedelta(milliseconds=1)
        except (ValueError, TypeError) as error:
            raise self.wrong("ISO 8601 date with a zone") from error

    def or_none(self) -> "_Field | None":
        return None if self.value is None else self


def read(path: Path) -> list[Conversation]:
    """The conversations in *path*, each once.

    It holds one record, a list of them, an object with `conversations`, or any
    of these one a line; plain or gzip. Raises Malformed, or OSError.
    """
    raw = path.read_bytes()
    text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    found: dict[str, Conversation] = {}
    for document in _documents(path, text):
        for record in _records(document):
            conversation = _conversation(record)
            found[conversation.conversation_id] = conversation
    if not found:
        raise Malformed(f"{path.name}: holds no conversation")
    return list(found.values())


def _documents(path: Path, text: bytes) -> Iterator[_Field]:
    try:
        yield _Field(json.loads(text), path.name)
        return
    except ValueError as error:
        lines = text.splitlines()
        if len(lines) < 2 or not lines[0].strip().endswith(b"}"):
            raise Malformed(f"{path.name}: not JSON: {error}") from error
    for number, line in enumerate(lines, start=1):
        try:
            yield _Field(json.loads(line), f"{path.name}: line {number}")
        except ValueError as error:
            raise Malformed(f"{path.name}: line {number}: not JSON: {error}") from error


def _records(document: _Field) -> Iterator[_Field]:
    if isinstance(document.value, list):
        yield from document.each()
    elif document.get("conversations").value is not None:
        yield from document.get("conversations").each()
    else:
        yield document


def _conversation(record: _Field) -> Conversation:
    conversation_id = record.get("conversationId").text()
    named = _Field(record.value, f"conversation {conversation_id}")
    named.get("conversationStart").moment()
    if end := named.get("conversationEnd").or_none():
        end.moment()
    divisions = [division.text() for division in named.get("divisionIds").each()]
    division = divisions[0] if divisions else None
    return Conversation(
        conversation_id,
        tuple(_participant(each, division) for each in named.get("participants").each()),
    )


def _participant(record: _Field, division: str | None) -> Participant:
    user = record.get("userId").or_none()
    name = record.get("participantName").or_none()
    return Participant(
        purpose=record.get("purpose").text(),
        sessions=tuple(_session(each) for each in record.get("sessions").each()),
        user_id=user.text() if user else None,
        name=str(name.value) if name else None,
        division_id=division,
    )


def _session(record: _Field) -> Session:
    direction = record.get("direction").or_none()
    return Session(
        media_type=record.get("mediaType").text(),
        direction=direction.text() if direction else None,
        segments=tuple(_segment(each) for each in record.get("segments").each()),
        metrics=tuple(
            Metric(
                each.get("name").text(),
                each.get("value").number(),
                each.get("emitDate").moment(),
            )
            for each in record.get("metrics").each()
        ),
    )


def _segment(record: _Field) -> Segment:
    end, queue = record.get("segmentEnd").or_none(), record.get("queueId").or_none()
    return Segment(
        record.get("segmentType").text(),
        record.get("segmentStart").moment(),
        end.moment() if end else None,
        queue.text() if queue else None,
    )
