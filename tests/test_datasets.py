"""The data of the experiments: the right images, signals of the right difficulty, splits that leak nothing."""

import hashlib
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bncourse import datasets
from bncourse.datasets import digits, digits1d, split, standardize


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# digits


def test_digits_are_the_images_that_others_report_on():
    images, labels = digits()
    assert (images.shape, images.dtype) == ((1797, 8, 8), np.uint8)
    assert (labels.shape, labels.dtype) == ((1797,), np.intp)
    assert (images.min(), images.max()) == (0, 16)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert sha256(images.tobytes()) == "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"
    assert sha256(labels.astype("u1").tobytes()) == "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0"


def test_digits_may_be_changed_by_who_asked_for_them():
    images, labels = digits()
    images[:], labels[:] = 0, 0
    images, labels = digits()
    assert images.any()
    assert labels.any()


def test_digits_file_is_small_and_the_one_whose_licence_lies_beside_it():
    packed = (files("bncourse") / "data" / "digits.npz").read_bytes()
    assert len(packed) < 100_000
    licence = (files("bncourse") / "data" / "LICENSE-digits.md").read_text(encoding="utf-8")
    for needed in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0", sha256(packed)):
        assert needed in licence


# digits1d


def test_digits1d_are_standardized_balanced_and_in_random_order():
    signals, labels = digits1d()
    assert (signals.shape, signals.dtype) == ((4000, 40), np.float64)
    assert (labels.shape, labels.dtype) == ((4000,), np.intp)
    assert np.bincount(labels).tolist() == [400] * 10
    assert abs(signals.mean()) < 0.1
    assert abs(signals.std() - 1) < 0.05
    assert 0.05 < np.mean(labels[1:] == labels[:-1]) < 0.15


@given(count=st.integers(1, 60), seed=st.integers(0, 2**32), length=st.integers(12, 80))
def test_digits1d_follow_the_seed_and_nothing_else(count, seed, length):
    signals, labels = digits1d(count, seed, length=length)
    assert signals.shape == (count, length)
    assert np.isfinite(signals).all()
    assert np.ptp(np.bincount(labels, minlength=10)) <= 1
    again, same = digits1d(count, seed, length=length)
    np.testing.assert_array_equal(again, signals)
    np.testing.assert_array_equal(same, labels)
    assert not np.isin(digits1d(count, seed + 1, length=length)[0], signals).any()


def test_digits1d_are_the_same_on_every_machine():
    signals, labels = digits1d(4, seed=0)
    assert labels.tolist() == [2, 0, 1, 3]
    np.testing.assert_allclose(signals[0, ::8], [-0.420078, -0.71839, -1.041614, 0.241812, 0.984192], atol=1e-6)


def test_the_generator_of_all_numpy_is_left_alone():
    before = np.random.get_state()[1:3]  # noqa: NPY002 -- the state in question is this one
    digits(), digits1d(20), split(20, 0)
    after = np.random.get_state()[1:3]  # noqa: NPY002
    np.testing.assert_array_equal(after[0], before[0])
    assert after[1] == before[1]


def slid_correlation(signals):
    """The correlation of every two signals where it is largest, when one is slid over the other: (count, count)."""
    centred = signals - signals.mean(axis=1, keepdims=True)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    waves = np.fft.rfft(centred, 2 * signals.shape[1])
    return np.fft.irfft(waves[:, np.newaxis] * waves.conj()).max(axis=2)


@pytest.mark.parametrize("seed", range(5))
def test_signals_of_a_class_correlate_more_than_those_of_different_classes(seed):
    signals, labels = digits1d(300, seed)
    same = labels[:, np.newaxis] == labels
    other = ~same
    np.fill_diagonal(same, False)
    as_they_stand = np.corrcoef(signals)
    assert as_they_stand[same].mean() > as_they_stand[other].mean() + 0.01
    slid = slid_correlation(signals)
    assert slid[same].mean() > slid[other].mean() + 0.04
    for digit in range(10):
        mine = labels == digit
        assert slid[mine][same[mine]].mean() > slid[mine][other[mine]].mean()


def test_strokes_are_told_apart_when_nothing_hides_them():
    correlation = np.corrcoef(datasets._STROKES)
    assert np.max(correlation - np.eye(10)) < 0.85


def linear_accuracy(signals, labels):
    """Of least squares on one-hot labels, trained on the first half, tested on the second."""
    half = len(signals) // 2
    x = np.column_stack([signals, np.ones(len(signals))])
    weight = np.linalg.lstsq(x[:half], np.eye(10)[labels[:half]], rcond=None)[0]
    return np.mean(np.argmax(x[half:] @ weight, axis=1) == labels[half:])


def neighbour_accuracy(signals, labels):
    """Of the nearest neighbour in the first half."""
    half = len(signals) // 2
    known, asked = signals[:half], signals[half:]
    distance = np.sum(known**2, axis=1) - 2 * asked @ known.T
    return np.mean(labels[:half][np.argmin(distance, axis=1)] == labels[half:])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_digits1d_need_more_than_a_linear_classifier_and_digits_do_not(seed):
    signals, labels = digits1d(4000, seed)
    assert 0.25 < linear_accuracy(signals, labels) < 0.40
    assert 0.50 < neighbour_accuracy(signals, labels) < 0.70
    images, labels = digits()
    assert linear_accuracy(standardize(images)[0], labels) > 0.85


@pytest.mark.parametrize("count", [0, -1, 2.5, "10"])
def test_digits1d_say_which_count_they_need(count):
    with pytest.raises(ValueError, match=r"count is .*; expected a whole number, 1 or more"):
        digits1d(count)


@pytest.mark.parametrize("length", [11, 40.0])
def test_digits1d_say_which_length_they_need(length):
    with pytest.raises(ValueError, match=r"length is .*; expected a whole number, 12 or more"):
        digits1d(10, length=length)


# split


@given(
    count=st.integers(20, 500),
    seed=st.integers(0, 2**32),
    validation=st.floats(0.05, 0.45) | st.just(0),
    test=st.floats(0.05, 0.45) | st.just(0),
)
def test_split_shares_out_every_sample_once(count, seed, validation, test):
    parts = split(count, seed, validation=validation, test=test)
    assert [part.dtype for part in parts] == [np.intp] * 3
    assert [len(part) for part in parts[1:]] == [round(count * validation), round(count * test)]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(count))
    for part, same in zip(parts, split(count, seed, validation=validation, test=test), strict=True):
        np.testing.assert_array_equal(part, same)


def test_split_differs_by_seed():
    firsts = {tuple(split(1797, seed)[2]) for seed in range(20)}
    assert len(firsts) == 20
    chosen = np.bincount(np.concatenate([split(50, seed)[2] for seed in range(500)]), minlength=50)
    assert chosen.min() > 60  # 100 expected of each sample, standard deviation 9
    assert chosen.max() < 140


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"count": 0}, "count is 0; expected a whole number, 1 or more"),
        ({"count": 10, "test": 1.0}, "test is 1.0; give the part"),
        ({"count": 10, "validation": -0.1}, "validation is -0.1; give the part"),
        ({"count": 10, "test": float("nan")}, "test is nan; give the part"),
        ({"count": 2}, "validation is 0.2, which is no sample of 2; take more samples, or validation=0"),
        ({"count": 10, "validation": 0.5, "test": 0.5}, "leave none of 10 to train on; lower one"),
    ],
)
def test_split_says_what_to_ask_for(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        split(seed=0, **arguments)


# standardize


def test_standardize_uses_the_training_part_only():
    images, _ = digits()
    train, validation, test = split(len(images), 0)
    parts = standardize(images[train], images[validation], images[test])
    assert [part.shape for part in parts] == [(1079, 64), (359, 64), (359, 64)]
    np.testing.assert_allclose(parts[0].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.mean(parts[0] ** 2), 1, rtol=1e-12)
    np.testing.assert_array_equal(standardize(images[train], images[test][:1])[1], parts[2][:1])


def test_standardize_keeps_the_ratios_of_spreads_and_silent_features_silent():
    images, _ = digits()
    flat = images.reshape(len(images), -1)
    (scaled,) = standardize(images)
    np.testing.assert_allclose(scaled.std(axis=0), flat.std(axis=0) / np.sqrt(flat.var(axis=0).mean()), rtol=1e-10)
    assert not scaled[:, flat.std(axis=0) == 0].any()
    assert images.dtype == np.uint8


def test_standardize_takes_an_empty_part():
    _, none = standardize(np.eye(3), np.empty((0, 3)))
    assert none.shape == (0, 3)


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ([np.empty((0, 3))], r"train has shape \(0, 3\)"),
        ([np.ones(3)], r"train has shape \(3,\)"),
        ([np.ones((4, 3))], "train is constant"),
        ([np.eye(3), np.eye(2)], r"part 2 has shape \(2, 2\); its samples must be \(3,\)"),
    ],
)
def test_standardize_says_what_is_wrong_with_the_data(parts, sentence):
    with pytest.raises(ValueError, match=sentence):
        standardize(*parts)
