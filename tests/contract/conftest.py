"""Genesys' own client, and an organisation for it."""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes import Cloud, emulator


@pytest.fixture(scope="module")
def sdk() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import PureCloudPlatformClientV2 as official  # noqa: N813
    return official


@pytest.fixture(scope="module")
def organisation() -> Iterator[Cloud]:
    yield from emulator("--now", "2026-03-03T00:00:00Z", "--agents", "30")


@pytest.fixture
def client(sdk: Any, organisation: Cloud) -> Any:
    organisation.reset()
    return sdk.ApiClient(host=organisation.url).get_client_credentials_token(
        "emulator", "emulator-secret"
    )


def everything_in(model: Any) -> str:
    """A model of the SDK, and all the models in it, as text."""
    return json.dumps(model.to_dict(), default=str)
