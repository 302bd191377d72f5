"""`--pseudonyms` through the command line: no name and no id gets out."""

import re

import pytest

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
KEY = "a key that nobody guesses"
STORE = ("--store", "s.duckdb")


@pytest.mark.parametrize("form", ["csv", "json", "table", "heatmap", "html", "svg", "wfm"])
def test_no_name_and_no_id_is_in_a_report(cloud, halfhour, form):
    known = cloud.truth("posted", "2026-03-02T00:00:00Z/2026-03-03T00:00:00Z").to_pylist()
    ids = {row["agent_id"] for row in known} | {row["queue_id"] for row in known} - {None}
    words = ["report", *DAY, *STORE, "--format", form]
    words += ["--layout", "generic"] if form == "wfm" else []
    plain = halfhour(*words)
    ran = halfhour(*words, "--pseudonyms", HALFHOUR_PSEUDONYM_KEY=KEY)

    assert ran.code == 0, ran.err
    assert not [each for each in ids if each in ran.out]
    assert "Björn" in plain.out
    assert "Björn" not in ran.out
    assert re.search(r"Agent [0-9a-f]{8}", ran.out)
    assert KEY not in ran.out + ran.err


@pytest.mark.parametrize(
    ("key", "said"), [({}, "there is no key"), ({"HALFHOUR_PSEUDONYM_KEY": "short"}, "too short")]
)
def test_without_a_key_there_are_none(halfhour, key, said):
    ran = halfhour("report", *DAY, "--pseudonyms", **key)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_nor_in_what_reconcile_and_revisions_show(cloud, halfhour):
    halfhour("sync", *DAY, *STORE)
    plain = halfhour("reconcile", *STORE, "--format", "csv")
    ran = halfhour(
        "reconcile", *STORE, "--format", "csv", "--pseudonyms", HALFHOUR_PSEUDONYM_KEY=KEY
    )

    assert ran.code == 0, ran.err
    assert "Björn" in plain.out
    assert "Björn" not in ran.out
    assert plain.out.count("\n") == ran.out.count("\n")
