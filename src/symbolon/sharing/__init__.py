"""The use cases of sharing: data sources, imports, and the audience library."""

from symbolon.sharing.library import Audiences
from symbolon.sharing.request import ImportRequest
from symbolon.sharing.rows import Rows
from symbolon.sharing.sources import Sources
from symbolon.sharing.standing import ShareLedger

__all__ = ["Audiences", "ImportRequest", "Rows", "ShareLedger", "Sources"]
