from hypothesis import settings

pytest_plugins = ["pytester"]

# How fast a test is says nothing on a shared machine.
settings.register_profile("halfhour", deadline=None)
settings.load_profile("halfhour")
