"""Unified ID 2.0 and EUID: e-mail addresses and telephone numbers, SHA-256 in base64."""

from __future__ import annotations

from symbolon.ids.normalise.forms import ADDRESS
from symbolon.ids.normalise.rule import Rule
from symbolon.ids.normalise.steps import LOWER_ASCII, ONE_AT, TRIM_SPACES, must, unaliased

_READY = must(r"\+[0-9]{10,15}", "must be `+` and 10 to 15 digits already", "not `+` and 10 to 15 digits already")
_DOCS = "unifiedid.com, Normalization and Encoding; IABTechLab/uid2-operator, InputUtil and its tests"
#: the operator takes hexadecimal too
_HASHES = (("sha256", "base64"), ("sha256", "hex"))


RULES = (
    Rule(
        party="uid2",
        field="email",
        version="1",
        effective="2021-01-01",
        source=_DOCS,
        steps=(TRIM_SPACES, LOWER_ASCII, ONE_AT, unaliased("gmail.com")),
        simple=ADDRESS,
        form="gmail",
        hashes=_HASHES,
        golden=(
            ("user@example.com", "", "user@example.com", "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ="),
            ("JANE.SAOIRSE@gmail.com", "", "janesaoirse@gmail.com", "ku4mBX7Z3qJTXWyLFB1INzkyR2WZGW4ANSJUiW21iI8="),
            ("JaneSaoirse+Work@gmail.com", "", "janesaoirse@gmail.com", "ku4mBX7Z3qJTXWyLFB1INzkyR2WZGW4ANSJUiW21iI8="),
            (
                "janesaoirse+work@example.com",
                "",
                "janesaoirse+work@example.com",
                "KKruSBUjDNO069iMUVImVQZm6RrAGZKeOtrD9mwogYA=",
            ),
            ("foo@bar.com", "", "foo@bar.com", "DH5qQFhi5ALrdqcPiib8cy0Hwykx6frpqxWCkR0uijs="),
            ("TEst.TEST@Test.com ", "", "test.test@test.com", "dvECjPKZHya0/SIhSGwP0m8SgTv1vzLxPULUOsm880M="),
            ("test+test@test.com", "", "test+test@test.com", "rQ4yzdOz4uG8N54326QyZD6/JwqrXn4lmy34cVCojB8="),
            ("test+test@gmail.com", "", "test@gmail.com", "h5JGBrQTGorO7q6IaFMfu5cSqqB6XTp1aybOD11spnQ="),
            (
                "test.user@googlemail.com",
                "",
                "test.user@googlemail.com",
                "9g+FVXEEg/bQghVwE8oGd5FzqlRUpvAlXc8iWPAHqDQ=",
            ),
        ),
        negative=(
            "",
            " @",
            "@",
            "a@",
            "@b",
            "@b.com",
            "+",
            " ",
            "+@gmail.com",
            ".+@gmail.com",
            "a@ba@z.com",
        ),
        notes="googlemail.com is not taken for gmail.com. Blanks other than spaces and capitals other than A-Z stay. "
        "The operator in Java drops spaces inside the local part, the client in Python keeps them; so do we.",
    ),
    Rule(
        party="uid2",
        field="phone",
        version="1",
        effective="2021-01-01",
        source=_DOCS,
        steps=(_READY,),
        simple=r"^\+[0-9]{10,15}$",
        form="identity",
        hashes=_HASHES,
        golden=(("+12345678901", "", "+12345678901", "EObwtHBUqDNZR33LNSMdtt5cafsYFuGmuY4ZLenlue4="),),
        negative=(
            "",
            "1234567890",
            "+12345678",
            "+123456789",
            "+ 123456789",
            "+1234567890123456",
            "+1234567890A",
            "+1234567890 ",
            "+12345+67890",
            "555-555-5555",
            "+\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669\u0660",
        ),
        notes="The client in Python also takes digits of other scripts, the operator does not; neither do we.",
    ),
)
