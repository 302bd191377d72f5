"""The answers of the dashboard, and who gets them."""

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
from halfhour.model.intervals import HALF_HOUR, epoch_ms
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
    expected: dict[tuple[str, int], int] = defaultdict(int)
    for row in web_cloud.truth("posted", str(DAY)).to_pylist():
        if (row["metric"], row["media_type"]) == (metric, media):
            expected[row["agent_id"], epoch_ms(row["interval_start"])] += row["sum"]
    day = day_answer(client, measure=measure, media=media)

    assert {
        (agent["id"], epoch_ms(datetime.fromisoformat(start))): round(value * 1000)
        for agent in day["agents"]
        for start, value in zip(day["starts"], agent["cells"], strict=True)
        if value
    } == {key: value for key, value in expected.items() if value}


def test_the_profile_adds_up_to_the_cells(client):
    day = day_answer(client, measure="handle")
    handled = day_answer(client, measure="handled")
    for position, bar in enumerate(day["profile"]):
        seconds = [agent["cells"][position] or 0 for agent in day["agents"]]
        assert (bar.get("work") or 0) == pytest.approx(sum(seconds), abs=1e-6)
        counts = [agent["cells"][position] or 0 for agent in handled["agents"]]
        assert (bar.get("handled") or 0) == sum(counts)


@pytest.mark.parametrize(
    ("basis", "work"), [("posted", "half-hours of handle time"), ("worked", "agents at work")]
)
def test_the_profile_says_what_its_bars_are_as_reports_do(client, basis, work):
    assert day_answer(client, basis=basis)["work"] == work


def test_filters_divide_the_agents_and_keep_every_figure(client):
    everything = day_answer(client)
    choices = everything["known"]
    assert choices["team"] == ["Team 1", "Team 2", "Team 3"]
    assert choices["division"] == ["Americas & Pacific", "Europe", "Home"]
    assert set(choices["media"]) == {"voice", "callback", "chat", "email", "message"}
    assert "Billing" in choices["queue"]

    rows = {agent["id"]: agent["cells"] for agent in everything["agents"]}
    teams = [agent for team in choices["team"] for agent in day_answer(client, team=team)["agents"]]
    assert {agent["id"] for agent in teams} <= rows.keys()
    assert all(agent["cells"] == rows[agent["id"]] for agent in teams)
    totals_by_media = [
        agent["total"]
        for media in choices["media"]
        for agent in day_answer(client, media=media)["agents"]
    ]
    assert sum(totals_by_media) == pytest.approx(
        sum(agent["total"] for agent in everything["agents"])
    )


@pytest.mark.parametrize("asked", [{"sort": "load"}, {"sort": "occupancy", "measure": "hold"}])
def test_agents_are_in_the_requested_order(client, asked):
    totals = [agent["total"] for agent in day_answer(client, **asked)["agents"]]
    values = [total for total in totals if total is not None]
    assert values == sorted(values, reverse=True)
    assert totals[len(values) :] == [None] * (len(totals) - len(values))
    assert len(set(values)) > 10


@pytest.mark.parametrize("measure", ["handle", "handled", "on-queue"])
def test_a_total_is_the_sum_of_the_half_hours(client, measure):
    for agent in day_answer(client, measure=measure)["agents"]:
        values = [value for value in agent["cells"] if value is not None]
        assert agent["total"] == (pytest.approx(sum(values), abs=1e-6) if values else None)


@pytest.mark.parametrize("asked", [{"measure": "occupancy"}, {"sort": "occupancy"}])
def test_the_total_of_occupancy_is_that_of_the_day(client, store, asked):
    rows = report(start=DAY.start, end=DAY.end, by="agent", store=store.path, offline=True)
    expected = {row["agent_id"]: row["occupancy_ratio"] for row in rows.to_pylist()}
    agents = day_answer(client, **asked)["agents"]
    assert {agent["id"]: agent["total"] for agent in agents} == expected


def test_agents_sorted_by_name_are_in_report_order_with_distinct_names(client, store):
    agents = day_answer(client)["agents"]
    names = [agent["name"] for agent in agents]
    rows = report(start=DAY.start, end=DAY.end, by="agent", store=store.path, offline=True)

    assert [agent["id"] for agent in agents] == rows["agent_id"].to_pylist()
    assert len(set(names)) == len(names)


def test_a_local_day_has_the_half_hours_that_its_clock_has(client):
    for date, count in (("2026-03-29", 46), ("2026-03-28", 48), ("2025-10-26", 50)):
        day = day_answer(client, day=date, zone="Europe/London")
        assert len(day["starts"]) == len(day["profile"]) == count
    assert day["starts"][2:4] == ["2025-10-26T01:00:00+01:00", "2025-10-26T01:30:00+01:00"]
    assert day["starts"][4] == "2025-10-26T01:00:00+00:00"


def test_missing_and_provisional_times_are_in_the_day_answer(client):
    day = day_answer(client)
    assert day["missing"] == []
    assert day["latest"] == "2026-03-02"
    assert {row["state"] for row in day["days"]} == {"provisional"}
    assert any(agent["young"] for agent in day["agents"])

    earlier_day = day_answer(client, day="2026-02-27")
    assert earlier_day["agents"] == []
    assert earlier_day["missing"] == ["2026-02-27T00:00:00.000Z/2026-02-28T00:00:00.000Z"]


def test_a_cell_has_both_bases_the_status_and_the_conversations(client, store):
    posted = day_answer(client, measure="handle")
    agent = max(posted["agents"], key=lambda agent: agent["total"])
    position = max(range(48), key=lambda position: agent["cells"][position] or 0)
    asked = {"agent": agent["id"], "cell": posted["starts"][position]}
    cell = client.get("/api/cell", params=asked).json()

    figures = {figure["name"]: figure["value"] for figure in cell["figures"]}
    assert figures["handle_time_sec"] == agent["cells"][position]
    worked = {agent["id"]: agent for agent in day_answer(client, basis="worked")["agents"]}
    assert figures["worked_time_sec"] == worked[agent["id"]]["cells"][position]
    assert figures["worked_time_sec"] != figures["handle_time_sec"]
    for kind in ("presence", "routing"):
        times = [status["status_ms"] for status in cell["status"] if status["kind"] == kind]
        assert 0 < sum(times) <= 1_800_000
    assert cell["provisional"] is True
    assert cell["segments"]
    start = DAY.start + position * HALF_HOUR
    for segment in cell["segments"]:
        assert segment["start_ms"] < epoch_ms(start + HALF_HOUR)
        assert segment["end_ms"] > epoch_ms(start)


def test_a_cell_without_conversations_tells_whether_the_store_has_details_of_it(client):
    idle_agent = "01234567-89ab-cdef-0123-456789abcdef"
    for cell, has_details in (("2026-03-02T10:00:00Z", True), ("2026-02-27T10:00:00Z", False)):
        answer = client.get("/api/cell", params={"agent": idle_agent, "cell": cell}).json()
        assert (answer["segments"], answer["has_details"]) == ([], has_details)


def test_an_agent_has_a_name_where_a_half_hour_or_all_weeks_are_blank(client):
    day = day_answer(client)
    agent, position = next(
        (agent, position)
        for agent in day["agents"]
        for position, value in enumerate(agent["cells"])
        if value is None and "(" not in agent["name"] and agent["name"] != agent["id"]
    )
    cell = {"agent": agent["id"], "cell": day["starts"][position]}
    long_ago = {"agent": agent["id"], "day": "2020-03-02"}

    for path, asked in (("cell", cell), ("agent", long_ago)):
        assert client.get(f"/api/{path}", params=asked).json()["agent"] == agent["name"]
    unknown = {**cell, "agent": "01234567-89ab-cdef-0123-456789abcdef"}
    assert client.get("/api/cell", params=unknown).json()["agent"] == unknown["agent"]


def test_an_agents_history_agrees_with_the_days(client):
    day = day_answer(client)
    agent = max(day["agents"], key=lambda agent: agent["total"])
    asked = {"day": "2026-03-02", "agent": agent["id"]}
    history = client.get("/api/agent", params=asked).json()

    by_day = {row["day"]: row for row in history["days"]}
    assert set(by_day) == {"2026-03-01", "2026-03-02"}
    assert by_day["2026-03-02"]["handle_time_sec"] == pytest.approx(agent["total"])
    values = {half_hour["start"]: half_hour["value"] for half_hour in history["half_hours"]}
    cells = dict(zip(day["starts"], agent["cells"], strict=True))
    assert {start: values.get(start) for start in cells} == cells
    hold = client.get("/api/agent", params={**asked, "measure": "hold"}).json()
    assert sum(half_hour["value"] or 0 for half_hour in hold["half_hours"]) == pytest.approx(
        sum(row["hold_time_sec"] or 0 for row in hold["days"])
    )
    assert history["from"] == "2026-02-03"
    assert history["missing"] == ["2026-02-03T00:00:00.000Z/2026-03-01T00:00:00.000Z"]


def test_the_csv_has_the_figures_that_are_on_screen(client):
    day = day_answer(client, team="Team 2")
    asked = {"day": "2026-03-02", "team": "Team 2", "find": "a"}
    answer = client.get("/csv", params=asked)
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.headers["content-disposition"] == 'attachment; filename="halfhour-2026-03-02.csv"'
    cells = {
        (agent["id"], start[:19]): value
        for agent in day["agents"]
        if "a" in agent["name"].casefold()
        for start, value in zip(day["starts"], agent["cells"], strict=True)
        if value is not None
    }
    assert {
        (row["agent_id"], row["interval_start"][:19]): float(row["handle_time_sec"]) for row in rows
    } == cells
    assert client.get("/csv", params={"team": "Team 99"}).status_code == 400


def test_a_deleted_agent_is_marked_on_screen_and_found_by_that(client, store):
    names = {
        agent["id"]: agent["name"]
        for agent in store.directory_entries("agent").to_pylist()
        if agent["state"] == "deleted"
    }
    shown = {
        agent["id"]: agent["name"]
        for agent in day_answer(client)["agents"]
        if "deleted" in agent["name"]
    }

    assert shown == {agent_id: f"{name} (deleted)" for agent_id, name in names.items()} != {}
    for agent_id, name in shown.items():
        asked = {"day": "2026-03-02", "agent": agent_id, "cell": DAY.start.isoformat()}
        for path in ("/api/cell", "/api/agent"):
            assert client.get(path, params=asked).json()["agent"] == name
    answer = client.get("/csv", params={"day": "2026-03-02", "find": "(deleted)"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["agent_name"] for row in rows} == {*names.values()}


BAD_ADDRESSES = [
    ("/api/day", {"queue": "Biling"}, 200, "did you mean 'Billing'"),
    ("/api/day", {"team": "Team 99"}, 200, "team 'Team 99': the store has none of that name"),
    ("/api/day", {"zone": "Asia/Kathmandu"}, 200, "half-hours of Asia/Kathmandu start at :15"),
    (
        "/api/day",
        {"measure": "busy"},
        200,
        "measure busy: the posted basis does not have it; showing handle",
    ),
    (
        "/api/day",
        {"measure": "handled", "basis": "worked"},
        200,
        "the worked basis does not have it",
    ),
    (
        "/api/day",
        {"measure": "occupancy", "media": "voice"},
        200,
        "status covers all work of an agent",
    ),
    ("/api/day", {"sort": "occupancy", "queue": "Billing"}, 200, "showing name instead"),
    ("/api/cell", {"agent": "nobody", "cell": "2026-03-02T10:00:00Z"}, 400, "'nobody'"),
    ("/api/cell", {"cell": "2026-03-02T10:00:00Z"}, 400, "agents ''"),
    ("/api/cell", {"agent": "x", "cell": "ten"}, 400, "'ten' is not the start of a half-hour"),
    ("/api/cell", {"agent": "x", "cell": "2026-03-02T10:00"}, 400, "is not the start"),
    ("/api/cell", {"agent": "x", "cell": "2026-03-02T10:07:00Z"}, 400, "is not the start"),
    ("/api/agent", {"agent": "nobody"}, 400, "'nobody'"),
    ("/csv", {"queue": "Biling"}, 400, "did you mean 'Billing'"),
    ("/csv", {"day": "tomorrow"}, 400, "write a date such as"),
]


@pytest.mark.parametrize(("path", "asked", "status", "sentence"), BAD_ADDRESSES)
def test_bad_input_in_an_address_gets_a_sentence(client, path, asked, status, sentence):
    answer = client.get(path, params={"day": "2026-03-02", **asked})

    assert answer.status_code == status
    assert sentence.replace("'", "&#x27;") in answer.text or sentence in answer.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    """Return a function that runs *commands* in the database at a path."""

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
    """Check that answers from the store are *sentence*, and that all other routes work."""
    for path in ("/api/day", "/api/agent?agent=x", "/api/cell?agent=x&cell=2026-03-02T10:00Z"):
        answer = client.get(path)
        assert (answer.status_code, sentence in answer.json()["error"]) == (503, True)
    file = client.get("/csv")
    assert (file.status_code, sentence in file.text) == (503, True)
    for path in ("/", "/api/state", "/healthz"):
        assert client.get(path).status_code == 200
    metrics = client.get("/metrics")
    assert (metrics.status_code, metrics.text[:2], sentence in metrics.text) == (200, "# ", True)
    assert "\nhalfhour_store_ok 0\n" in metrics.text
    assert "halfhour_held_until_seconds{" not in metrics.text


@pytest.mark.parametrize(
    ("make_file", "sentence"),
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
def test_every_answer_explains_a_file_that_is_no_store(tmp_path, make_file, sentence):
    path = tmp_path / "other.duckdb"
    make_file(path)
    assert_explained(TestClient(create_app(Store(path)), base_url=HERE), sentence)


def test_every_answer_explains_a_store_that_another_program_has_open(tmp_path, store):
    path = tmp_path / "locked.duckdb"
    path.write_bytes(store.path.read_bytes())
    client = TestClient(create_app(Store(path, busy_timeout=0.01)), base_url=HERE)
    with held_elsewhere(path) as other:
        assert_explained(
            client, f"another process (PID {other.pid}) has it open; try again when that"
        )
        other.kill()

    assert client.get("/api/day").status_code == 200  # the cache keeps no failure
    assert "halfhour_store_ok 1" in client.get("/metrics").text


def test_many_readers_and_a_writer_in_one_process_do_not_collide(tmp_path, store):
    path = tmp_path / "busy.duckdb"
    path.write_bytes(store.path.read_bytes())
    busy, client = Store(path), TestClient(create_app(Store(path)), base_url=HERE)
    status = {"status": busy.status_rows(DAY)}

    def write_status(number: int) -> None:
        busy.settle(Source.STATUS, DAY, status, NOW + timedelta(minutes=number))

    def read_day(number: int) -> int:
        return client.get("/api/day", params={"day": "2026-03-02", "find": str(number)}).status_code

    with ThreadPoolExecutor(5) as threads:
        writing = threads.submit(lambda: list(map(write_status, range(15))))
        codes = list(threads.map(read_day, range(40)))
        writing.result()
    assert set(codes) == {200}
    assert busy.settled_windows(Source.STATUS)[-1].read_at == NOW + timedelta(minutes=14)


def test_a_newly_settled_window_is_shown_at_once(tmp_path, store):
    path = tmp_path / "fresh.duckdb"
    path.write_bytes(store.path.read_bytes())
    client = TestClient(create_app(Store(path)), base_url=HERE)
    before = day_answer(client, measure="occupancy")
    version = client.get("/api/state").json()["version"]
    assert day_answer(client, measure="occupancy") == before

    no_status = {"status": Store(path).status_rows(DAY)[:0]}
    Store(path).settle(Source.STATUS, DAY, no_status, NOW + timedelta(days=9))
    after = day_answer(client, measure="occupancy")
    assert client.get("/api/state").json()["version"] != version
    assert any(agent["total"] for agent in before["agents"])
    assert not any(agent["total"] for agent in after["agents"])


def test_every_answer_has_security_headers(client):
    for path in ("/", "/static/main.js", "/api/day", "/api/state", "/csv", "/metrics", "/nothing"):
        headers = client.get(path).headers
        policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


def test_pages_have_no_inline_script_or_style_and_only_relative_addresses(client):
    for path in ("/", "/login"):
        page = client.get(path).text
        assert "<style" not in page
        assert " style=" not in page
        assert " on" not in "".join(html.split(">")[0] for html in page.split("<button")[1:])
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
    metrics = client.get("/metrics").text
    assert f'halfhour_held_until_seconds{{source="posted"}} {NOW.timestamp():.0f}' in metrics
    for line in metrics.splitlines():
        assert line.startswith("#") or float(line.rsplit(" ", 1)[1]) >= 0


@pytest.fixture
def password_client(store: Store, tmp_path: Path) -> Iterator[TestClient]:
    file = tmp_path / "password"
    file.write_text(hash_password(PASSWORD, secrets.token_bytes(16)))
    with TestClient(
        create_app(store, password_auth=PasswordAuth.from_file(file)),
        base_url=HERE,
        follow_redirects=False,
    ) as client:
        yield client


def test_a_visitor_without_the_password_sees_nothing(password_client):
    assert password_client.get("/").headers["location"] == "login"
    for path in ("/api/day", "/api/state", "/api/cell", "/api/agent", "/csv", "/metrics", "/x"):
        assert password_client.get(path).status_code == 401
    wrong = password_client.post("/login", data={"password": "let me in, please"})
    assert (wrong.status_code, dict(wrong.cookies)) == (403, {})
    assert (
        password_client.get("/healthz").status_code
        == password_client.get("/login").status_code
        == 200
    )


def test_a_visitor_with_the_password_has_access_until_log_out(password_client):
    answer = password_client.post("/login", data={"password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "./")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path" not in cookie
    assert PASSWORD not in cookie

    assert password_client.get("/api/day").status_code == 200
    assert password_client.get("/api/state").json()["guarded"] is True
    ((name, session),) = password_client.cookies.items()
    assert password_client.post("/logout").headers["location"] == "login"
    password_client.cookies.set(name, session)
    assert password_client.get("/api/day").status_code == 401
    assert password_client.post("/logout").headers["location"] == "login"  # from another tab


def test_a_log_in_lasts_twelve_hours():
    password_auth = PasswordAuth(b"salt", hash_password(PASSWORD, b"salt"))
    stranger = HTTPConnection({"type": "http", "headers": []})
    session = password_auth.open_session(stranger, PASSWORD, 0)
    cookie = (b"cookie", f"{password_auth.cookie_name(stranger)}={session}".encode())
    visitor = HTTPConnection({"type": "http", "headers": [cookie]})
    answers = [password_auth.is_authenticated(visitor, hours * 3600) for hours in (0, 11.9, 12)]
    assert answers == [True, True, False]


@pytest.mark.parametrize("salts", [(b"one", b"other"), (b"same", b"same")])
def test_dashboards_at_two_ports_of_a_host_have_separate_log_ins(store, salts):
    """Browsers send the cookies of a host to all its ports."""
    first, second = (
        TestClient(
            create_app(store, password_auth=PasswordAuth(salt, hash_password(PASSWORD, salt))),
            base_url=f"{HERE}:{port}",
            follow_redirects=False,
        )
        for salt, port in zip(salts, (8030, 8031), strict=True)
    )
    second.cookies.jar = first.cookies.jar  # both are tabs of one browser
    for client in (first, second):
        assert client.post("/login", data={"password": PASSWORD}).status_code == 303
    assert [client.get("/api/state").status_code for client in (first, second)] == [200, 200]
    first.post("/logout")
    assert [client.get("/api/state").status_code for client in (first, second)] == [401, 200]


def test_a_visitor_who_has_logged_in_is_not_asked_again(password_client):
    shared = "?day=2026-03-02&measure=hold"
    password_client.post("/login", data={"password": PASSWORD})
    assert password_client.get(f"/login{shared}").headers["location"] == f"./{shared}"


def test_machines_log_in_with_the_password_as_a_bearer_token(password_client):
    for _ in range(2):
        good = password_client.get("/metrics", headers={"authorization": f"Bearer {PASSWORD}"})
        assert good.status_code == 200
    bad = {"authorization": f"Bearer {PASSWORD}x"}
    assert [password_client.get("/metrics", headers=bad).status_code for _ in range(9)] == [401] * 9
    # Wrong tokens count as wrong passwords.
    assert password_client.post("/login", data={"password": PASSWORD}).status_code == 429


def test_password_guesses_are_limited_and_do_not_end_other_sessions(password_client):
    password_client.post("/login", data={"password": PASSWORD})
    codes = [
        password_client.post("/login", data={"password": f"guess {number} of many"}).status_code
        for number in range(7)
    ]
    assert codes == [403] * MAX_FAILURES_PER_HOST + [429] * 2
    assert password_client.post("/login", data={"password": PASSWORD}).status_code == 429
    assert password_client.get("/api/day").status_code == 200


def test_simultaneous_password_guesses_are_limited_too(password_client):
    with ThreadPoolExecutor(12) as threads:
        guesses = [f"guess {number} of many" for number in range(12)]
        answers = threads.map(
            lambda guess: password_client.post("/login", data={"password": guess}).status_code,
            guesses,
        )
        codes = sorted(answers)
    assert codes == [403] * MAX_FAILURES_PER_HOST + [429] * (12 - MAX_FAILURES_PER_HOST)


def test_viewing_the_log_in_form_does_not_count_as_a_guess(password_client):
    assert {
        password_client.head("/login").status_code for _ in range(2 * MAX_FAILURES_PER_HOST)
    } == {200}
    assert password_client.post("/login", data={"password": PASSWORD}).status_code == 303


def test_a_password_of_any_letters_works_as_a_bearer_token(store):
    password = "pässwörter genug"
    password_auth = PasswordAuth(b"salt", hash_password(password, b"salt"))
    client = TestClient(create_app(store, password_auth=password_auth), base_url=HERE)
    bearer = {b"Authorization": f"Bearer {password}".encode()}
    assert client.get("/api/day", headers=bearer).status_code == 200
    assert client.get("/api/day", headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize("origin", ["http://[", "null", "https://127.0.0.1.example"])
def test_a_form_with_an_invalid_origin_is_refused(password_client, origin):
    answer = password_client.post("/login", data={"password": PASSWORD}, headers={"Origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize("cell", ["9999-12-31T23:45:00Z", "0001-01-01T00:00:00Z"])
def test_an_impossible_cell_is_refused_with_a_sentence(client, cell):
    answer = client.get("/api/cell", params={"agent": "x", "cell": cell})
    assert answer.status_code == 400
    assert "is not the start of a half-hour" in answer.json()["error"]


def test_a_form_of_another_site_is_refused(password_client):
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        answer = password_client.post(
            "/login", data={"password": PASSWORD}, headers={"origin": origin}
        )
        assert answer.status_code == 403
    assert (
        password_client.post(
            "/login", data={"password": PASSWORD}, headers={"origin": HERE}
        ).status_code
        == 303
    )


@pytest.mark.parametrize("text", ["", PASSWORD, "scrypt$x", "scrypt$???$x", "md5$QUJD$QUJD"])
def test_a_file_without_a_hash_gets_a_sentence(tmp_path, text):
    file = tmp_path / "password"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"'halfhour password .*' writes one") as error:
        PasswordAuth.from_file(file)
    assert PASSWORD not in str(error.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        PasswordAuth.from_file(tmp_path / "nothing")
