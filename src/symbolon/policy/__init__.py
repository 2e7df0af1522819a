"""What may be shared and sent: terms of a data source, and the profiles that stay out."""

from symbolon.policy.errors import TermsNotAccepted
from symbolon.policy.exports import SHARED_ID, WITHHELD_SINCE, withheld_from_exports
from symbolon.policy.imports import require_terms, withheld_from_imports
from symbolon.policy.messages import withheld_from_messages

__all__ = [
    "SHARED_ID",
    "WITHHELD_SINCE",
    "TermsNotAccepted",
    "require_terms",
    "withheld_from_exports",
    "withheld_from_imports",
    "withheld_from_messages",
]
