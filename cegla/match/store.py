"""The one table of likely duplicates."""

from cegla.storage import statements

SQL = statements.load(__file__)
