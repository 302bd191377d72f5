import pytest

from halfhour.errors import ConfigError
from halfhour.genesys.regions import DOMAINS_BY_REGION, Hosts, hosts_of_region


def test_all_18_regions_are_known():
    assert len(DOMAINS_BY_REGION) == len(set(DOMAINS_BY_REGION.values())) == 18


@pytest.mark.parametrize(("region", "domain"), DOMAINS_BY_REGION.items())
def test_an_aws_region_and_its_domain_mean_the_same(region, domain):
    expected = Hosts(f"https://login.{domain}", f"https://api.{domain}")

    assert (
        hosts_of_region(region)
        == hosts_of_region(region.replace("-", "_"))
        == hosts_of_region(domain)
        == expected
    )
    assert (
        hosts_of_region(f"https://api.{domain}/") == hosts_of_region(f" APPS.{domain} ") == expected
    )


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9", "http://emulator:80"]
)
def test_a_base_url_serves_both_the_api_and_the_login(url):
    assert hosts_of_region(url) == Hosts(url, url)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:9", True),
        ("http://emulator:80", False),
        ("mypurecloud.de", False),
    ],
)
def test_only_a_loopback_address_counts_as_this_machine(url, local):
    assert hosts_of_region(url).on_this_machine is local


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("mypurecloud.con", "did you mean 'mypurecloud.com'"),
        ("eu-west-9", "did you mean 'eu-west-"),
        ("", "write an AWS region"),
        ("http://api.mypurecloud.com", "http would send the client secret unencrypted"),
        ("http://10.0.0.7:80", "http would send the client secret unencrypted"),
        ("ftp://mypurecloud.com", "is not a base URL"),
        ("https://:443", "is not a base URL"),
        ("https://api..example", "is not a base URL"),
        (f"https://{'a' * 70}.example", "is not a base URL"),
        ("https://host:notaport", "is not a base URL"),
        ("https://api.mypurecloud.com/api/v2", "is not a base URL"),
        ("https://user:password@host", "is not a base URL"),
    ],
)
def test_an_invalid_region_is_refused_with_a_sentence(region, message):
    with pytest.raises(ConfigError) as caught:
        hosts_of_region(region)

    assert message in str(caught.value)
    assert "password" not in str(caught.value)
