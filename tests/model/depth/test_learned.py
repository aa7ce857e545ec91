"""A learned estimator depends on each frame alone, says what it is, and is preferred to Draft where it may be."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import torch

pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file

from model.conversion import convert
from model.depth import learned
from model.depth.estimators import available_estimators, find_estimator
from model.depth.learned import LearnedEstimator, estimators_of, installed_estimators
from model.depth.model_folder import WEIGHTS, ModelFolder
from model.depth.model_store import ModelStore
from model.errors import InvalidInputError, ShapeError, WeightsError
from model.settings import Settings
from tests.depth_models import KINDS, manifest_of, save_model, saved


@pytest.fixture(scope="module")
def estimator(tmp_path_factory: pytest.TempPathFactory) -> LearnedEstimator:
    torch.manual_seed(1)
    return LearnedEstimator(saved(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture
def users_store(tmp_path, monkeypatch) -> Iterator[ModelStore]:
    """The store that this process takes for the user's own, empty."""
    monkeypatch.setenv("STEREO_CONVERT_MODELS", str(tmp_path / "store"))
    installed_estimators.cache_clear()
    yield ModelStore(tmp_path / "store")
    installed_estimators.cache_clear()


def install(store: ModelStore, name: str, **changes: str) -> ModelFolder:
    save_model(store.partial(name))
    return store.commit(manifest_of(store.partial(name), **changes))


@pytest.mark.parametrize("kind", KINDS)
def test_depth_covers_the_frame_at_the_networks_size_and_is_finite(kind, tmp_path):
    nearness = LearnedEstimator(saved(tmp_path / "tiny", kind)).estimate(torch.rand(3, 3, 48, 80))
    assert nearness.shape[:2] == (3, 1)
    assert nearness.dtype == torch.float32
    assert torch.isfinite(nearness).all()
    assert nearness.std() > 0
    assert nearness.min() >= 0


def test_size_is_a_whole_number_of_patches_in_the_shape_of_the_frame(estimator):
    # 56 / 48 is nearer to 1 than 56 / 80: 56 rows, 80 · 56 / 48 = 93.3 columns, 14 · 7
    assert estimator.estimate(torch.rand(1, 3, 48, 80)).shape == (1, 1, 56, 98)


def test_order_and_company_of_frames_do_not_matter(estimator):
    frames = torch.rand(5, 3, 40, 60)
    together = estimator.estimate(frames)
    shuffled = torch.tensor([3, 0, 4, 2, 1])
    assert torch.equal(estimator.estimate(frames[shuffled]), together[shuffled])
    assert torch.equal(estimator.estimate(frames[2:3]), together[2:3])


def test_unloaded_weights_come_back_the_same(estimator):
    frames = torch.rand(1, 3, 40, 60)
    before = estimator.estimate(frames)
    estimator.unload()
    assert torch.equal(estimator.estimate(frames), before)


def test_result_is_a_plain_tensor_and_random_numbers_are_untouched(estimator):
    state = torch.get_rng_state()
    nearness = estimator.estimate(torch.full((1, 3, 40, 60), 0.5))
    assert not nearness.requires_grad
    assert not nearness.is_inference()
    assert torch.equal(torch.get_rng_state(), state)


def test_weights_loaded_in_inference_mode_serve_outside_it_too(tmp_path):
    estimator = LearnedEstimator(saved(tmp_path / "tiny"))
    frames = torch.rand(1, 3, 40, 60)
    with torch.inference_mode():
        within = estimator.estimate(frames)
    assert torch.equal(estimator.estimate(frames), within)
    assert not any(weight.is_inference() for weight in estimator._network(frames.device).network.parameters())


@pytest.mark.parametrize("value", [-3.0, 0.0, 1.0, 500.0])
def test_colours_far_outside_a_photographs_give_finite_depth(estimator, value):
    assert torch.isfinite(estimator.estimate(torch.full((1, 3, 40, 60), value))).all()


def test_half_precision_frames_are_computed_in_single(estimator):
    frames = torch.rand(1, 3, 40, 60).half()
    assert torch.equal(estimator.estimate(frames), estimator.estimate(frames.float()))


@pytest.mark.parametrize("shape", [(3, 40, 60), (1, 4, 40, 60), (0, 3, 40, 60), (1, 3, 0, 60)])
def test_frames_of_a_wrong_shape_are_refused(estimator, shape):
    with pytest.raises(ShapeError, match=r"\(T, 3, H, W\)"):
        estimator.estimate(torch.rand(*shape))


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (2, 300)])
def test_tiny_frames_have_depth_too(estimator, size):
    assert estimator.estimate(torch.rand(1, 3, *size)).shape[:2] == (1, 1)


def test_weights_of_nan_are_reported_and_not_passed_on(tmp_path):
    folder = save_model(tmp_path / "tiny")
    weights = load_file(folder / WEIGHTS)
    weights["head.conv3.bias"].fill_(float("nan"))
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match="NaN"):
        LearnedEstimator(ModelFolder(folder, manifest_of(folder))).estimate(torch.rand(1, 3, 40, 60))


def test_batch_fills_the_memory_limit_on_a_gpu_and_is_one_frame_on_the_cpu(estimator):
    network = estimator._network(torch.device("cpu"))
    frame_bytes = 56 * 98 * 8 * 16  # input px, channels of the widest map, bytes for each of these
    assert network.frame_bytes(48, 80) == frame_bytes
    limited = LearnedEstimator(estimator.folder, memory_bytes=3 * frame_bytes + 1)
    elsewhere = torch.empty(17, 3, 48, 80, device="meta")
    assert limited._batch(network, elsewhere) == 3
    assert LearnedEstimator(estimator.folder, memory_bytes=1)._batch(network, elsewhere) == 1
    assert limited._batch(network, torch.empty(17, 3, 48, 80)) == 1


@pytest.mark.gpu
def test_a_gpu_repeats_its_bits_and_agrees_with_the_cpu(estimator):
    frames = torch.rand(9, 3, 48, 80)
    on_gpu = estimator.estimate(frames.cuda())
    assert on_gpu.is_cuda
    assert torch.equal(estimator.estimate(frames.cuda()), on_gpu)
    on_cpu = estimator.estimate(frames)
    assert (on_gpu.cpu() - on_cpu).abs().max() < 0.01 * (on_cpu.max() - on_cpu.min())  # TF32 convolutions: 10 bits


def test_it_says_what_it_is_under_which_licence_and_where_from(estimator):
    assert (estimator.name, estimator.license) == ("tiny", "Apache-2.0")
    assert "depth_anything, relative depth" in estimator.detail
    assert "from a test" in estimator.detail
    assert estimator.version in estimator.detail


def test_an_installed_model_is_preferred_to_draft_and_draft_stays(users_store):
    install(users_store, "tiny")
    assert find_estimator().name == "tiny"
    assert [estimator.name for estimator in available_estimators()] == ["tiny", "Draft"]
    assert find_estimator("draft").name == "Draft"
    assert find_estimator("TINY") is find_estimator()


def test_without_models_draft_is_the_best(users_store):
    assert find_estimator().name == "Draft"


def test_a_noncommercial_model_is_used_only_by_name(users_store):
    install(users_store, "big", license="CC-BY-NC-4.0")
    assert find_estimator().name == "Draft"
    assert find_estimator("big").license == "CC-BY-NC-4.0"
    install(users_store, "tiny")
    installed_estimators.cache_clear()
    assert [estimator.name for estimator in available_estimators()] == ["tiny", "Draft", "big"]


def test_an_unknown_name_lists_what_there_is_and_how_to_add_more(users_store):
    install(users_store, "tiny")
    with pytest.raises(InvalidInputError, match=r"'deep'.*tiny, Draft.*python -m service models add"):
        find_estimator("deep")


def test_a_damaged_model_is_left_out_with_a_line_in_the_log(users_store, caplog):
    install(users_store, "tiny")
    (users_store.path / "tiny" / "stereo-convert.json").write_text("{")
    with caplog.at_level(logging.WARNING):
        assert estimators_of(users_store) == ()
    assert "tiny is left out" in caplog.text


def test_without_transformers_models_are_left_out_with_how_to_get_it(users_store, caplog, monkeypatch):
    install(users_store, "tiny")
    monkeypatch.setattr(learned, "has_transformers", lambda: False)
    with caplog.at_level(logging.WARNING):
        assert estimators_of(users_store) == ()
    assert "pip install 'stereo-convert[depth-models]'" in caplog.text


def test_a_model_added_under_way_waits_for_the_next_process(users_store):
    assert find_estimator().name == "Draft"
    install(users_store, "tiny")
    assert find_estimator().name == "Draft"


def test_a_window_is_converted_with_it(estimator):
    frames = torch.rand(5, 3, 36, 64)
    conversion = convert(frames, None, Settings(engine="stretch"), estimator=estimator)
    assert conversion.right.shape == frames.shape
    assert conversion.max_parallax > conversion.min_parallax
