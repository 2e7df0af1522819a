"""The use cases of sharing: data sources, imports, and the audience library."""

from symbolon.sharing.library import Audiences
from symbolon.sharing.request import ImportRequest
from symbolon.sharing.rows import Rows
from symbolon.sharing.shared import SharedAudiences
from symbolon.sharing.sources import Sources

__all__ = ["Audiences", "ImportRequest", "Rows", "SharedAudiences", "Sources"]
