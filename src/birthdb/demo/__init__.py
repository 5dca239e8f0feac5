"""``birthdb demo``: the whole story on real data, on a server of its own that is gone afterwards."""

from birthdb.demo.story import run

__all__ = ["run"]
