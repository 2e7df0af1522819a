"""A definition of a data source is checked whole: an unknown field is told beside all other faults."""

from __future__ import annotations

import pytest

from symbolon.errors import UnknownNameError
from symbolon.records import DataSource, Protection
from symbolon.sharing.errors import SourceError


def test_an_unknown_field_is_told_with_the_other_faults(project) -> None:
    with pytest.raises(SourceError) as caught:
        project.sources.add(DataSource(name="no name", key="emial", protection=Protection.AES_CBC, dpid=-1))
    faults = caught.value.details["faults"]
    assert len(faults) == 4
    assert faults[-1] == "there is no profile field `emial` (did you mean `email`?)"


def test_alone_it_has_its_own_code(project) -> None:
    with pytest.raises(UnknownNameError) as caught:
        project.sources.add(DataSource(name="crm", key="emial"))
    assert caught.value.details["near"] == ["email"]


def test_no_field_at_all_is_told_once(project) -> None:
    with pytest.raises(SourceError) as caught:
        project.sources.add(DataSource(name="crm", key=""))
    assert len(caught.value.details["faults"]) == 1
