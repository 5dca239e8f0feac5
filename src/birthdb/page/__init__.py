"""Pages to decide on: what is known of a run, or of all collections, for the terminal and as one HTML file.

A page is a title and sections; a section is text, facts, a table, statements or a plot. ``review`` and ``dashboard``
put them together from a database, reading only; ``html`` writes a page that needs no network and no script.
"""

from birthdb.page.html import html
from birthdb.page.review import review
from birthdb.page.sections import Page, Section
from birthdb.page.status import dashboard

__all__ = ["Page", "Section", "dashboard", "html", "review"]
