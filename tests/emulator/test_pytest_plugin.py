"""The fixture as another project's tests meet it: by its name alone."""

import subprocess
import sys

TESTS = """
    import json
    import urllib.error
    import urllib.request

    import pytest

    def token(cloud):
        import base64
        pair = f"{cloud.client_id}:{cloud.client_secret}".encode()
        return urllib.request.urlopen(urllib.request.Request(
            cloud.url + "/oauth/token",
            data=b"grant_type=client_credentials",
            headers={"Authorization": "Basic " + base64.b64encode(pair).decode()},
        ))

    def test_the_client_is_let_in(genesys_cloud):
        assert json.load(token(genesys_cloud))["token_type"] == "bearer"
        assert [r["path"] for r in genesys_cloud.requests("token")] == ["/oauth/token"]
        assert genesys_cloud.client_secret not in repr(genesys_cloud)

    def test_faults_happen_on_demand(genesys_cloud):
        genesys_cloud.faults({"kind": "status", "status": 503, "endpoint": "token"})
        with pytest.raises(urllib.error.HTTPError, match="503"):
            token(genesys_cloud)

    def test_each_test_begins_anew(genesys_cloud):
        assert genesys_cloud.requests() == []
        assert token(genesys_cloud).status == 200

    def test_a_mistake_is_answered_with_the_nearest(genesys_cloud):
        with pytest.raises(ValueError, match="hang"):
            genesys_cloud.faults({"kind": "hnag"})
"""


def test_any_projects_tests_have_a_genesys_cloud(pytester):
    pytester.makepyfile(TESTS)

    ran = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "ignore::ResourceWarning")

    ran.assert_outcomes(passed=4)


def test_a_project_can_choose_the_options_of_its_cloud(pytester):
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def genesys_cloud_options():
            return ("--agents", "0")
        """
    )
    pytester.makepyfile("def test_it(genesys_cloud): pass")

    ran = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*--agents 0: write a number from 1 to*"])


def test_the_plugin_loads_no_server_into_the_tests_of_others():
    code = "import sys, genesys_emulator.pytest_plugin; print('uvicorn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
