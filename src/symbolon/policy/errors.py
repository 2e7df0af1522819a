"""What policy refuses."""

from __future__ import annotations

from symbolon.errors import PolicyDenied


class TermsNotAccepted(PolicyDenied):
    """The data source has legal terms, and nobody has accepted them yet."""

    code = "policy.terms"
