"""What may be shared: terms of a data source, and the profiles that stay out."""

from symbolon.policy.errors import TermsNotAccepted
from symbolon.policy.imports import require_terms, withheld_from_imports

__all__ = ["TermsNotAccepted", "require_terms", "withheld_from_imports"]
