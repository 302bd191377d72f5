"""The options that stand for the parameters named in errors and messages."""

_IRREGULAR = {
    "start": "from",
    "end": "to",
    "queues": "queue",
    "agents": "agent",
    "divisions": "division",
    "teams": "team",
    "names": "name",
    "form": "format",
}


def option_name(parameter: str) -> str:
    """Return the option that stands for *parameter*: ``--with-capacity`` for `with_capacity`."""
    return f"--{_IRREGULAR.get(parameter, parameter).replace('_', '-')}"
