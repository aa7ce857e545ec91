import pytest

from model.depth.estimators import available_estimators, find_estimator
from model.errors import InvalidInputError


def test_draft_is_there_and_says_what_it_is():
    names = {estimator.name: estimator for estimator in available_estimators()}
    assert names["Draft"].license == "Apache-2.0"
    assert "people" in names["Draft"].detail


def test_no_name_means_the_best():
    assert find_estimator().name == available_estimators()[0].name


def test_names_are_found_whatever_their_case():
    assert find_estimator("draft").name == "Draft"


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInputError, match="no depth estimator is called 'Dpeth'; installed are Draft"):
        find_estimator("Dpeth")
