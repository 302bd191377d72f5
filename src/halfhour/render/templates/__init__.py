"""Templates of markup. Values are escaped as text, unless they are `Markup`."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

_JINJA_ENVIRONMENT = Environment(
    loader=PackageLoader("halfhour.render", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render_template(name: str, **values: Any) -> str:
    """Return the template *name* filled with *values*."""
    return _JINJA_ENVIRONMENT.get_template(name).render(values)
