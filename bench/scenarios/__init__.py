"""The scenarios: every subclass of ``Scenario`` in a module of this folder, in the order of the modules' ``ORDER``."""

from importlib import import_module
from pkgutil import iter_modules

from bench.scenario import Scenario


def known() -> list[type[Scenario]]:
    """Return every scenario; a module's place in the report is its ``ORDER``, else it comes last."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    modules.sort(key=lambda module: (getattr(module, "ORDER", 1000), module.__name__))
    return [
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, Scenario)
        and thing.__module__ == module.__name__
        and hasattr(thing, "name")
    ]
