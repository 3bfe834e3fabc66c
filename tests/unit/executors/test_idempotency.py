"""The idempotency key in its three forms, and the job id that it makes."""

from __future__ import annotations

import hashlib

import pytest

from wove.executors.idempotency import job_id, resolve_key

ARGS = {"user": "ann", "day": 7}


def by_dictionary(args):
    return f"{args['user']}/{args['day']}"


def by_keywords(*, user, **others):
    return f"{user}/{sorted(others)}"


@pytest.mark.parametrize(
    ("option", "key"),
    [
        (None, None),
        ("nightly", "nightly"),
        ("report-{user}-{day:03}", "report-ann-007"),
        (by_dictionary, "ann/7"),
        (by_keywords, "ann/['day']"),
        (lambda args: 42, "42"),
    ],
)
def test_forms(option, key):
    assert resolve_key(option, ARGS, "report") == key


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("report-{account}", r"Task 'report': .*'report-\{account\}'.*KeyError.*user, day"),
        ("report-{}", "IndexError|ValueError"),
        ("report-{", "ValueError"),
        ("report-{user.name}", "AttributeError"),
        (lambda args: None, "gave None"),
        (lambda args: "", "gave ''"),
    ],
)
def test_what_cannot_be_a_key(option, words):
    with pytest.raises(ValueError, match=words):
        resolve_key(option, ARGS, "report")


def test_a_callables_own_error_is_its_own():
    with pytest.raises(ZeroDivisionError):
        resolve_key(lambda args: 1 / 0, ARGS, "report")


def test_the_job_id():
    digest = hashlib.sha256(b"nightly").hexdigest()
    assert job_id("nightly", 0) == digest[:32] + "-0"
    assert job_id("nightly", 12) == digest[:32] + "-12"
    assert len(job_id("\ud800 is no text", 0)) == 34
