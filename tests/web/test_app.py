"""What the dashboard answers, and to whom."""

import csv
import io
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient

from halfhour import report
from halfhour.errors import ConfigError
from halfhour.model.intervals import HALF_HOUR, Interval, epoch_ms
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.web.app import create_app
from halfhour.web.auth import MAX_FAILURES_PER_HOST, PasswordAuth, hash_password
from tests.processes import held_elsewhere
from tests.web.conftest import DAY, NOW

PASSWORD = "correct horse battery"
HERE = "http://127.0.0.1"


@pytest.fixture(scope="module")
def client(store: Store) -> TestClient:
    return TestClient(create_app(store), base_url=HERE)


def day_answer(client: TestClient, **asked: str) -> Any:
    answer = client.get("/api/day", params={"day": "2026-03-02", **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("media", ["chat", "email", "message"])
@pytest.mark.parametrize(
    ("measure", "metric"),
    [("handle", "tHandle"), ("acw", "tAcw"), ("hold", "tHeldComplete"), ("talk", "tTalkComplete")],
)
def test_the_cells_are_what_was_posted(client, web_cloud, media, measure, metric):
    right: dict[tuple[str, int], int] = defaultdict(int)
    for row in web_cloud.truth("posted", str(DAY)).to_pylist():
        if (row["metric"], row["media_type"]) == (metric, media):
            right[row["agent_id"], epoch_ms(row["interval_start"])] += row["sum"]
    found = day_answer(client, measure=measure, media=media)

    assert {
        (agent["id"], epoch_ms(datetime.fromisoformat(start))): round(value * 1000)
        for agent in found["agents"]
        for start, value in zip(found["starts"], agent["cells"], strict=True)
        if value
    } == {key: value for key, value in right.items() if value}


def test_the_profile_adds_up_to_the_cells(client):
    found = day_answer(client, measure="handle")
    handled = day_answer(client, measure="handled")
    for at, part in enumerate(found["profile"]):
        cells = [agent["cells"][at] for agent in found["agents"] if agent["cells"][at] is not None]
        assert (part.get("work") or 0) == pytest.approx(sum(cells), abs=1e-6)
        counts = [agent["cells"][at] or 0 for agent in handled["agents"]]
        assert (part.get("handled") or 0) == sum(counts)


@pytest.mark.parametrize(
    ("basis", "work"), [("posted", "half-hours of handle time"), ("worked", "agents at work")]
)
def test_the_profile_says_what_its_bars_are_as_reports_do(client, basis, work):
    assert day_answer(client, basis=basis)["work"] == work


def test_filters_part_the_agents_and_keep_every_figure(client):
    everything = day_answer(client)
    known = everything["known"]
    assert known["team"] == ["Team 1", "Team 2", "Team 3"]
    assert known["division"] == ["Americas & Pacific", "Europe", "Home"]
    assert set(known["media"]) == {"voice", "callback", "chat", "email", "message"}
    assert "Billing" in known["queue"]

    rows = {agent["id"]: agent["cells"] for agent in everything["agents"]}
    teams = [agent for team in known["team"] for agent in day_answer(client, team=team)["agents"]]
    assert {agent["id"] for agent in teams} <= rows.keys()
    assert all(agent["cells"] == rows[agent["id"]] for agent in teams)
    of_media = [
        agent["total"]
        for media in known["media"]
        for agent in day_answer(client, media=media)["agents"]
    ]
    assert sum(of_media) == pytest.approx(sum(agent["total"] for agent in everything["agents"]))


@pytest.mark.parametrize("asked", [{"sort": "load"}, {"sort": "occupancy", "measure": "hold"}])
def test_agents_stand_in_the_order_that_is_asked_for(client, asked):
    totals = [agent["total"] for agent in day_answer(client, **asked)["agents"]]
    known = [each for each in totals if each is not None]
    assert known == sorted(known, reverse=True)
    assert totals[len(known) :] == [None] * (len(totals) - len(known))
    assert len(set(known)) > 10


@pytest.mark.parametrize("measure", ["handle", "handled", "on-queue"])
def test_a_total_is_the_sum_of_the_half_hours(client, measure):
    for agent in day_answer(client, measure=measure)["agents"]:
        known = [each for each in agent["cells"] if each is not None]
        assert agent["total"] == (pytest.approx(sum(known), abs=1e-3) if known else None)


@pytest.mark.parametrize("asked", [{"measure": "occupancy"}, {"sort": "occupancy"}])
def test_the_total_of_occupancy_is_that_of_the_day(client, store, asked):
    rows = report(start=DAY.start, end=DAY.end, by="agent", store=store.path, offline=True)
    right = {row["agent_id"]: row["occupancy_ratio"] for row in rows.to_pylist()}
    assert {agent["id"]: agent["total"] for agent in day_answer(client, **asked)["agents"]} == right


def test_agents_sorted_by_name_are_in_report_order_with_distinct_names(client, store):
    agents = day_answer(client)["agents"]
    names = [agent["name"] for agent in agents]
    listed = report(start=DAY.start, end=DAY.end, by="agent", store=store.path, offline=True)[
        "agent_id"
    ]

    assert [agent["id"] for agent in agents] == listed.to_pylist()
    assert len(set(names)) == len(names)


def test_a_local_day_has_the_half_hours_that_its_clock_has(client):
    for asked, count in (("2026-03-29", 46), ("2026-03-28", 48), ("2025-10-26", 50)):
        found = day_answer(client, day=asked, zone="Europe/London")
        assert len(found["starts"]) == len(found["profile"]) == count
    assert found["starts"][2:4] == ["2025-10-26T01:00:00+01:00", "2025-10-26T01:30:00+01:00"]
    assert found["starts"][4] == "2025-10-26T01:00:00+00:00"


def test_missing_and_provisional_times_are_in_the_day_answer(client):
    found = day_answer(client)
    assert found["missing"] == []
    assert found["latest"] == "2026-03-02"
    assert {each["state"] for each in found["days"]} == {"provisional"}
    assert any(agent["young"] for agent in found["agents"])

    other = day_answer(client, day="2026-02-27")
    assert other["agents"] == []
    assert other["missing"] == ["2026-02-27T00:00:00.000Z/2026-02-28T00:00:00.000Z"]


def test_a_cell_is_told_on_both_bases_with_status_and_conversations(client, store):
    found = day_answer(client, measure="handle")
    agent = max(found["agents"], key=lambda each: each["total"])
    at = max(range(48), key=lambda each: agent["cells"][each] or 0)
    asked = {"agent": agent["id"], "cell": found["starts"][at]}
    told = client.get("/api/cell", params=asked).json()

    figures = {each["name"]: each["value"] for each in told["figures"]}
    assert figures["handle_time_sec"] == agent["cells"][at]
    worked = day_answer(client, basis="worked")
    (same,) = [each for each in worked["agents"] if each["id"] == agent["id"]]
    assert figures["worked_time_sec"] == same["cells"][at]
    assert figures["worked_time_sec"] != figures["handle_time_sec"]
    for kind in ("presence", "routing"):
        status = [each["status_ms"] for each in told["status"] if each["kind"] == kind]
        assert 0 < sum(status) <= 1_800_000
    assert told["provisional"] is True
    assert told["segments"]
    start = DAY.start + at * HALF_HOUR
    within = Interval(start, start + HALF_HOUR)
    for each in told["segments"]:
        assert each["start_ms"] < within.end.timestamp() * 1000
        assert each["end_ms"] > within.start.timestamp() * 1000


def test_an_agent_has_a_name_where_a_half_hour_or_all_weeks_are_blank(client):
    found = day_answer(client)
    agent, at = next(
        (agent, at)
        for agent in found["agents"]
        for at, value in enumerate(agent["cells"])
        if value is None and "(" not in agent["name"] and agent["name"] != agent["id"]
    )
    cell = {"agent": agent["id"], "cell": found["starts"][at]}
    long_ago = {"agent": agent["id"], "day": "2020-03-02"}

    for path, asked in (("cell", cell), ("agent", long_ago)):
        told = client.get(f"/api/{path}", params=asked).json()
        assert told["agent"] == agent["name"]
    nobody = {**cell, "agent": "01234567-89ab-cdef-0123-456789abcdef"}
    assert client.get("/api/cell", params=nobody).json()["agent"] == nobody["agent"]


def test_an_agents_weeks_are_those_of_the_days(client):
    found = day_answer(client)
    agent = max(found["agents"], key=lambda each: each["total"])
    asked = {"day": "2026-03-02", "agent": agent["id"]}
    told = client.get("/api/agent", params=asked).json()

    by_day = {each["day"]: each for each in told["days"]}
    assert set(by_day) == {"2026-03-01", "2026-03-02"}
    assert by_day["2026-03-02"]["handle_time_sec"] == pytest.approx(agent["total"])
    parts = {each["start"]: each["value"] for each in told["half_hours"]}
    shown = dict(zip(found["starts"], agent["cells"], strict=True))
    assert {start: parts.get(start) for start in shown} == shown
    hold = client.get("/api/agent", params={**asked, "measure": "hold"}).json()
    assert sum(each["value"] or 0 for each in hold["half_hours"]) == pytest.approx(
        sum(each["hold_time_sec"] or 0 for each in hold["days"])
    )
    assert told["from"] == "2026-02-03"
    assert told["missing"] == ["2026-02-03T00:00:00.000Z/2026-03-01T00:00:00.000Z"]


def test_the_csv_holds_what_is_on_screen(client):
    found = day_answer(client, team="Team 2")
    asked = {"day": "2026-03-02", "team": "Team 2", "find": "a"}
    answer = client.get("/csv", params=asked)
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.headers["content-disposition"] == 'attachment; filename="halfhour-2026-03-02.csv"'
    shown = {
        (agent["id"], start[:19]): value
        for agent in found["agents"]
        if "a" in agent["name"].casefold()
        for start, value in zip(found["starts"], agent["cells"], strict=True)
        if value is not None
    }
    assert {
        (row["agent_id"], row["interval_start"][:19]): float(row["handle_time_sec"]) for row in rows
    } == shown
    assert client.get("/csv", params={"team": "Team 99"}).status_code == 400


BAD = [
    ("/api/day", {"queue": "Biling"}, 200, "did you mean 'Billing'"),
    ("/api/day", {"team": "Team 99"}, 200, "team 'Team 99': none of that name is known here"),
    ("/api/day", {"zone": "Asia/Kathmandu"}, 200, "half-hours of Asia/Kathmandu start at :15"),
    (
        "/api/day",
        {"measure": "busy"},
        200,
        "measure busy: it is not known on the posted basis; showing handle",
    ),
    ("/api/day", {"measure": "handled", "basis": "worked"}, 200, "not known on the worked basis"),
    ("/api/day", {"measure": "occupancy", "media": "voice"}, 200, "of all that an agent does"),
    ("/api/day", {"sort": "occupancy", "queue": "Billing"}, 200, "showing name instead"),
    ("/api/cell", {"agent": "nobody", "cell": "2026-03-02T10:00:00Z"}, 400, "'nobody'"),
    ("/api/cell", {"cell": "2026-03-02T10:00:00Z"}, 400, "agents ''"),
    ("/api/cell", {"agent": "x", "cell": "ten"}, 400, "'ten' is no start of a half-hour"),
    ("/api/cell", {"agent": "x", "cell": "2026-03-02T10:00"}, 400, "is no start"),
    ("/api/cell", {"agent": "x", "cell": "2026-03-02T10:07:00Z"}, 400, "is no start"),
    ("/api/agent", {"agent": "nobody"}, 400, "'nobody'"),
    ("/csv", {"queue": "Biling"}, 400, "did you mean 'Billing'"),
    ("/csv", {"day": "tomorrow"}, 400, "is no date"),
]


@pytest.mark.parametrize(("path", "asked", "status", "sentence"), BAD)
def test_bad_input_in_an_address_gets_a_sentence(client, path, asked, status, sentence):
    answer = client.get(path, params={"day": "2026-03-02", **asked})

    assert answer.status_code == status
    assert sentence.replace("'", "&#x27;") in answer.text or sentence in answer.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    path=st.sampled_from(["/api/day", "/api/cell", "/api/agent", "/csv"]),
    asked=st.dictionaries(
        st.sampled_from(["day", "zone", "measure", "basis", "queue", "team", "agent", "cell"]),
        st.one_of(
            st.text(max_size=20),
            st.sampled_from(["2026-03-02", "worked", "2026-03-02T10:00:00Z", "Europe/London"]),
        ),
    ),
)
def test_no_query_string_breaks_an_answer(client, path, asked):
    answer = client.get(path, params=asked)

    assert answer.status_code in (200, 400)
    if path != "/csv":
        assert answer.json()


def database_made_by(*commands: str) -> Callable[[Path], None]:
    """Makes a database with *commands*, or changes the store that is there."""

    def make(path: Path) -> None:
        with duckdb.connect(str(path)) as connection:
            for command in commands:
                connection.execute(command)

    return make


def newer_store(path: Path) -> None:
    Store(path).ensure_created({"granularity": "1800"})
    database_made_by("update settings set value = '99' where name = 'version'")(path)


def damaged_store(path: Path) -> None:
    Store(path).ensure_created({"granularity": "1800"})
    path.write_bytes(path.read_bytes()[:60_000])


def assert_explained(client: TestClient, sentence: str) -> None:
    """Whatever is asked of the store is answered with it, and all else as ever."""
    for where in ("/api/day", "/api/agent?agent=x", "/api/cell?agent=x&cell=2026-03-02T10:00Z"):
        answer = client.get(where)
        assert (answer.status_code, sentence in answer.json()["error"]) == (503, True)
    file = client.get("/csv")
    assert (file.status_code, sentence in file.text) == (503, True)
    for where in ("/", "/api/state", "/healthz"):
        assert client.get(where).status_code == 200
    told = client.get("/metrics")
    assert (told.status_code, told.text[:2], sentence in told.text) == (200, "# ", True)
    assert "\nhalfhour_store_ok 0\n" in told.text
    assert "halfhour_held_until_seconds{" not in told.text


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "there is no store; 'halfhour sync' makes one"),
        (lambda path: path.write_text("not a store"), "this file is not a halfhour store"),
        (
            database_made_by("create table t (a int)"),
            "this DuckDB database is not a halfhour store",
        ),
        (
            database_made_by(
                "create table settings (a int)", "create table settled (window_start int)"
            ),
            "this DuckDB database is not a halfhour store",
        ),
        (
            database_made_by(
                "create table settled (window_start int)",
                "create table settings as select 'version' as name, 'one' as value",
            ),
            "this DuckDB database is not a halfhour store",
        ),
        (newer_store, "install a newer halfhour to use it"),
        (damaged_store, "the file is damaged; put a copy in its place"),
    ],
)
def test_every_answer_explains_a_file_that_is_no_store(tmp_path, make, sentence):
    path = tmp_path / "other.duckdb"
    make(path)
    assert_explained(TestClient(create_app(Store(path)), base_url=HERE), sentence)


def test_every_answer_explains_a_store_that_another_program_has_open(tmp_path, store):
    path = tmp_path / "held.duckdb"
    path.write_bytes(store.path.read_bytes())
    client = TestClient(create_app(Store(path, busy_timeout=0.01)), base_url=HERE)
    with held_elsewhere(path) as other:
        assert_explained(
            client, f"another process (PID {other.pid}) has it open; try again when that"
        )
        other.kill()

    assert client.get("/api/day").status_code == 200  # a failure is not kept
    assert "halfhour_store_ok 1" in client.get("/metrics").text


def test_many_readers_and_a_writer_in_one_process_do_not_collide(tmp_path, store):
    path = tmp_path / "busy.duckdb"
    path.write_bytes(store.path.read_bytes())
    busy, client = Store(path), TestClient(create_app(Store(path)), base_url=HERE)
    status = {"status": busy.status_rows(DAY)}

    def written(number: int) -> None:
        busy.settle(Source.STATUS, DAY, status, NOW + timedelta(minutes=number))

    def read(number: int) -> int:
        return client.get("/api/day", params={"day": "2026-03-02", "find": str(number)}).status_code

    with ThreadPoolExecutor(5) as threads:
        writing = threads.submit(lambda: list(map(written, range(15))))
        found = list(threads.map(read, range(40)))
        writing.result()
    assert set(found) == {200}
    assert busy.settled_windows(Source.STATUS)[-1].read_at == NOW + timedelta(minutes=14)


def test_a_newly_settled_window_is_shown_at_once(tmp_path, store):
    path = tmp_path / "fresh.duckdb"
    path.write_bytes(store.path.read_bytes())
    client = TestClient(create_app(Store(path)), base_url=HERE)
    before, version = (
        day_answer(client, measure="occupancy"),
        client.get("/api/state").json()["version"],
    )
    assert day_answer(client, measure="occupancy") == before

    none = {"status": Store(path).status_rows(DAY)[:0]}
    Store(path).settle(Source.STATUS, DAY, none, NOW + timedelta(days=9))
    after = day_answer(client, measure="occupancy")
    assert client.get("/api/state").json()["version"] != version
    assert any(agent["total"] for agent in before["agents"])
    assert not any(agent["total"] for agent in after["agents"])


def test_every_answer_keeps_a_browser_from_mischief(client):
    for path in ("/", "/static/main.js", "/api/day", "/api/state", "/csv", "/metrics", "/nothing"):
        headers = client.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


def test_the_page_has_no_script_or_style_of_its_own_and_only_relative_addresses(client):
    for path in ("/", "/login"):
        page = client.get(path).text
        assert "<style" not in page
        assert " style=" not in page
        assert " on" not in "".join(part.split(">")[0] for part in page.split("<button")[1:])
        assert 'src="/' not in page
        assert 'href="/' not in page
        assert "//" not in page.replace("<!--", "")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil"])
def test_another_host_name_gets_nothing(client, host):
    for path in ("/", "/api/day", "/csv", "/static/main.js"):
        assert client.get(path, headers={"host": host}).status_code == 400


def test_no_address_leads_out_of_the_folder_that_a_proxy_shows(client):
    for path in ("/api/day/", "/csv/", "/login/", "/static"):
        assert client.get(path, follow_redirects=False).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_every_method_that_changes_something_is_refused(client, method):
    for path in ("/", "/api/day", "/api/state", "/csv", "/metrics", "/healthz"):
        assert client.request(method, path).status_code == 405


def test_files_beside_the_pages_are_not_served(client):
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/"):
        assert client.get(path).status_code == 404


def test_health_check_and_metrics_can_be_read_by_machines(client):
    assert client.get("/healthz").text == "halfhour\n"
    told = client.get("/metrics").text
    assert f'halfhour_held_until_seconds{{source="posted"}} {NOW.timestamp():.0f}' in told
    for line in told.splitlines():
        assert line.startswith("#") or float(line.rsplit(" ", 1)[1]) >= 0


@pytest.fixture
def guarded(store: Store, tmp_path: Path) -> Iterator[TestClient]:
    file = tmp_path / "password"
    file.write_text(hash_password(PASSWORD, secrets.token_bytes(16)))
    with TestClient(
        create_app(store, doorkeeper=PasswordAuth.from_file(file)),
        base_url=HERE,
        follow_redirects=False,
    ) as client:
        yield client


def test_a_visitor_without_the_password_sees_nothing(guarded):
    assert guarded.get("/").headers["location"] == "login"
    for path in ("/api/day", "/api/state", "/api/cell", "/api/agent", "/csv", "/metrics", "/x"):
        assert guarded.get(path).status_code == 401
    wrong = guarded.post("/login", data={"password": "let me in, please"})
    assert (wrong.status_code, dict(wrong.cookies)) == (403, {})
    assert guarded.get("/healthz").status_code == guarded.get("/login").status_code == 200


def test_a_visitor_with_the_password_is_let_in_until_log_out(guarded):
    answer = guarded.post("/login", data={"password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "./")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path" not in cookie
    assert PASSWORD not in cookie

    assert guarded.get("/api/day").status_code == 200
    assert guarded.get("/api/state").json()["guarded"] is True
    ((name, session),) = guarded.cookies.items()
    assert guarded.post("/logout").headers["location"] == "login"
    guarded.cookies.set(name, session)
    assert guarded.get("/api/day").status_code == 401
    assert guarded.post("/logout").headers["location"] == "login"  # in another tab


def test_a_log_in_is_good_for_twelve_hours():
    keeper = PasswordAuth(b"salt", hash_password(PASSWORD, b"salt"))
    stranger = HTTPConnection({"type": "http", "headers": []})
    session = keeper.open_session(stranger, PASSWORD, 0)
    cookie = (b"cookie", f"{keeper.cookie_name(stranger)}={session}".encode())
    who = HTTPConnection({"type": "http", "headers": [cookie]})
    known = [keeper.is_authenticated(who, hours * 3600) for hours in (0, 11.9, 12)]
    assert known == [True, True, False]


@pytest.mark.parametrize("salts", [(b"one", b"other"), (b"same", b"same")])
def test_dashboards_of_one_host_have_log_ins_of_their_own(store, salts):
    """Such as at two ports, which browsers send the same cookies to."""
    boards = [
        TestClient(
            create_app(store, doorkeeper=PasswordAuth(salt, hash_password(PASSWORD, salt))),
            base_url=f"{HERE}:{port}",
            follow_redirects=False,
        )
        for salt, port in zip(salts, (8030, 8031), strict=True)
    ]
    boards[1].cookies.jar = boards[0].cookies.jar  # that of one browser
    for board in boards:
        assert board.post("/login", data={"password": PASSWORD}).status_code == 303
    assert [board.get("/api/state").status_code for board in boards] == [200, 200]
    boards[0].post("/logout")
    assert [board.get("/api/state").status_code for board in boards] == [401, 200]


def test_a_visitor_who_has_logged_in_is_not_asked_again(guarded):
    shared = "?day=2026-03-02&measure=hold"
    guarded.post("/login", data={"password": PASSWORD})
    assert guarded.get(f"/login{shared}").headers["location"] == f"./{shared}"


def test_machines_log_in_with_the_password_as_a_bearer_token(guarded):
    for _ in range(2):
        good = guarded.get("/metrics", headers={"authorization": f"Bearer {PASSWORD}"})
        assert good.status_code == 200
    bad = {"authorization": f"Bearer {PASSWORD}x"}
    assert [guarded.get("/metrics", headers=bad).status_code for _ in range(9)] == [401] * 9
    # and guessing so is as limited as guessing at the door
    assert guarded.post("/login", data={"password": PASSWORD}).status_code == 429


def test_password_guesses_are_limited_and_do_not_end_other_sessions(guarded):
    guarded.post("/login", data={"password": PASSWORD})
    codes = [
        guarded.post("/login", data={"password": f"guess {n} of many"}).status_code
        for n in range(7)
    ]
    assert codes == [403] * MAX_FAILURES_PER_HOST + [429] * 2
    assert guarded.post("/login", data={"password": PASSWORD}).status_code == 429
    assert guarded.get("/api/day").status_code == 200


def test_guessing_many_at_once_is_no_faster(guarded):
    with ThreadPoolExecutor(12) as threads:
        guesses = [f"guess {n} of many" for n in range(12)]
        answers = threads.map(
            lambda guess: guarded.post("/login", data={"password": guess}).status_code, guesses
        )
        codes = sorted(answers)
    assert codes == [403] * MAX_FAILURES_PER_HOST + [429] * (12 - MAX_FAILURES_PER_HOST)


def test_viewing_the_log_in_form_counts_as_no_guess(guarded):
    assert {guarded.head("/login").status_code for _ in range(2 * MAX_FAILURES_PER_HOST)} == {200}
    assert guarded.post("/login", data={"password": PASSWORD}).status_code == 303


def test_a_password_of_any_letters_works_as_a_bearer_token(store):
    password = "pässwörter genug"
    keeper = PasswordAuth(b"salt", hash_password(password, b"salt"))
    client = TestClient(create_app(store, doorkeeper=keeper), base_url=HERE)
    bearer = {b"Authorization": f"Bearer {password}".encode()}
    assert client.get("/api/day", headers=bearer).status_code == 200
    assert client.get("/api/day", headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize("origin", ["http://[", "null", "https://127.0.0.1.example"])
def test_a_form_with_an_invalid_origin_is_refused(guarded, origin):
    answer = guarded.post("/login", data={"password": PASSWORD}, headers={"Origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize("cell", ["9999-12-31T23:45:00Z", "0001-01-01T00:00:00Z"])
def test_an_impossible_cell_is_refused_with_a_sentence(client, cell):
    answer = client.get("/api/cell", params={"agent": "x", "cell": cell})
    assert answer.status_code == 400
    assert "is no start of a half-hour" in answer.json()["error"]


def test_a_form_from_elsewhere_is_refused(guarded):
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        answer = guarded.post("/login", data={"password": PASSWORD}, headers={"origin": origin})
        assert answer.status_code == 403
    assert (
        guarded.post("/login", data={"password": PASSWORD}, headers={"origin": HERE}).status_code
        == 303
    )


@pytest.mark.parametrize("text", ["", PASSWORD, "scrypt$x", "scrypt$???$x", "md5$QUJD$QUJD"])
def test_a_file_without_a_hash_gets_a_sentence(tmp_path, text):
    file = tmp_path / "password"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"'halfhour password .*' writes one") as caught:
        PasswordAuth.from_file(file)
    assert PASSWORD not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        PasswordAuth.from_file(tmp_path / "nothing")
