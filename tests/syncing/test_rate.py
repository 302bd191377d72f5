"""A sync stays under the rate of requests that the settings allow."""

from dataclasses import replace
from datetime import datetime, timedelta

from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval
from tests.sync_runs import NOW, sync_store


def test_a_sync_stays_under_a_given_rate_of_requests(cloud, store):
    settings = replace(cloud.settings, max_requests_per_minute=240)
    sync_store(settings, store, Interval(NOW - 4 * DAY, NOW))
    request_times = [
        datetime.fromisoformat(request["time"]) for request in cloud.requests("aggregates/query")
    ]

    assert len(request_times) == 4
    # Four requests at 0.25 s are sent over 0.75 s; the first may be on its way a little longer.
    assert max(request_times) - min(request_times) >= timedelta(seconds=0.6)
