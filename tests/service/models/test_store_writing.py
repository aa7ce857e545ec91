import pytest

from model.errors import InvalidInputError, WeightsError
from model.sasi.fill_store import FillManifest, FillStore
from service.models.fill_install import remove_fill
from service.models.store_writing import check_free, writing


@pytest.fixture
def fill(tmp_path):
    """A store that holds a fill network by its manifest alone."""
    folder = tmp_path / ".fills" / "wan"
    folder.mkdir(parents=True)
    fills = FillStore(tmp_path)
    fills.write_manifest(folder, FillManifest("wan", "Apache-2.0", "1"))
    return fills


def test_fills_and_depth_models_share_one_lock(fill):
    with writing(fill.store):
        with pytest.raises(InvalidInputError, match="another process is changing"):
            remove_fill(fill, "wan")
        assert fill.names() == ("wan",)
    remove_fill(fill, "wan")
    assert fill.names() == ()


def test_the_lock_ends_with_what_failed_under_it(tmp_path):
    with pytest.raises(WeightsError, match=r"cannot write to .*: No space left"), writing(tmp_path):
        raise OSError(28, "No space left")
    with writing(tmp_path):
        pass


def test_a_name_is_free_of_all_kinds(fill):
    check_free(fill.store, "other")
    for name in ("wan", "lite"):
        with pytest.raises(InvalidInputError, match=f"{name} is a fill network here already"):
            check_free(fill.store, name)
