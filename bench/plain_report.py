"""The rival: the same correct query by hand, with requests, json and pandas."""

import json
import sys

import pandas as pd
import requests

SHOWN = {"tHandle": "handle_time_sec", "tAcw": "acw_time_sec", "tHeldComplete": "hold_time_sec"}


def main(url: str, body: str, output: str) -> None:
    session = requests.Session()
    login = session.post(
        f"{url}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=("emulator", "emulator-secret"),
        timeout=30,
    )
    login.raise_for_status()
    session.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
    answer = session.post(
        f"{url}/api/v2/analytics/conversations/aggregates/query",
        data=body,
        headers={"Content-Type": "application/json"},
        timeout=60,
    )
    answer.raise_for_status()
    rows = []
    for group in json.loads(answer.text)["results"]:
        agent = group["group"].get("userId")
        for bucket in group["data"] if agent else ():
            start, end = bucket["interval"].split("/")
            rows += [
                (start, end, agent, metric["metric"], metric["stats"]["sum"] / 1000)
                for metric in bucket["metrics"]
                if metric["metric"] in SHOWN
            ]
    frame = pd.DataFrame(
        rows, columns=["interval_start", "interval_end", "agent_id", "metric", "value"]
    )
    table = frame.pivot_table(
        index=["interval_start", "interval_end", "agent_id"],
        columns="metric",
        values="value",
        aggfunc="sum",
        fill_value=0.0,
    ).reset_index()
    table = table.rename(columns=SHOWN)
    names: dict[str, str] = {}
    ids = sorted(table["agent_id"].unique())
    for at in range(0, len(ids), 100):
        page = session.get(
            f"{url}/api/v2/users",
            params={"id": list(ids[at : at + 100]), "state": ["any"], "pageSize": ["100"]},
            timeout=30,
        )
        page.raise_for_status()
        names |= {user["id"]: user["name"] for user in page.json()["entities"]}
    table["agent_name"] = table["agent_id"].map(names).fillna(table["agent_id"])
    for column in ("interval_start", "interval_end"):
        table[column] = pd.to_datetime(table[column]).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    columns = ["interval_start", "interval_end", "agent_id", "agent_name", *SHOWN.values()]
    table = table.sort_values(["interval_start", "agent_name"])
    table[columns].round(3).to_csv(output, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
