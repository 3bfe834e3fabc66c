"""The response table, row by row, at the hub."""

from __future__ import annotations

import pytest

from tests.unit.receiver.events import RUN, TERMINAL_KINDS, TOKEN, Desk, make, started

OTHERS = ("heartbeat", "progress", "log", "unknown")


def test_an_accepted_event_is_204_and_reaches_the_sink(desk: Desk) -> None:
    run = desk.open()
    assert desk.status(started()) == 204
    assert desk.sink.kinds == [(RUN, "task_started")]
    assert (run.execution_id, run.worker_id, run.backend_job_id) == ("x1", "worker-of-x1", "job-7")
    assert (run.started_at, run.heartbeat_seconds, run.state) == (desk.clock.now, 5.0, "open")


@pytest.mark.parametrize("kind", TERMINAL_KINDS)
def test_a_terminal_event_ends_the_run_with_its_type(desk: Desk, kind: str) -> None:
    run = desk.open()
    assert desk.status(make(kind)) == 204
    assert (run.state, run.cause) == ("ended", kind)
    assert desk.sink.kinds == [(RUN, kind)]
    assert desk.hub.run(RUN) is None  # nothing is kept of it but a tombstone


@pytest.mark.parametrize("kind", [*TERMINAL_KINDS, "task_started"])
@pytest.mark.parametrize("event_id", ["e-1", ""])
def test_a_duplicate_is_204_and_delivered_once(desk: Desk, kind: str, event_id: str) -> None:
    desk.open()
    event = make(kind, event_id=event_id)
    assert [desk.status(event) for _ in range(3)] == [204, 204, 204]
    assert desk.sink.kinds == [(RUN, kind)]


@pytest.mark.parametrize("kind", ["progress", "log"])
def test_a_repeated_sequence_number_is_delivered_once(desk: Desk, kind: str) -> None:
    desk.open()
    desk.status(started(seq=1))
    for seq in (2, 4, 3, 2, 4, 3):
        assert desk.status(make(kind, seq=seq)) == 204
    assert [event.sequence for _, event in desk.sink.events] == [1, 2, 4, 3]


def test_beats_are_not_deduplicated(desk: Desk) -> None:
    run = desk.open()
    desk.status(make("heartbeat", seq=5))
    desk.clock.move(3)
    desk.status(make("heartbeat", seq=5))
    assert run.last_heard_at == desk.clock.now
    assert len(desk.sink.events) == 2


def test_a_terminal_event_counts_whatever_its_sequence_number(desk: Desk) -> None:
    run = desk.open()
    desk.status(make("progress", seq=9))
    assert desk.status(make("task_result", seq=9)) == 204
    assert run.cause == "task_result"


@pytest.mark.parametrize("first", TERMINAL_KINDS)
@pytest.mark.parametrize("second", TERMINAL_KINDS)
@pytest.mark.parametrize("ids", [("a", "b"), ("a", ""), ("", "b")])
def test_another_terminal_event_is_409(
    desk: Desk, first: str, second: str, ids: tuple[str, str]
) -> None:
    run = desk.open()
    desk.status(make(first, event_id=ids[0]))
    assert desk.status(make(second, event_id=ids[1])) == 409
    assert run.cause == first
    assert desk.sink.kinds == [(RUN, first)]


def test_without_event_ids_another_type_is_409(desk: Desk) -> None:
    desk.open()
    desk.status(make("task_result", event_id=""))
    assert desk.status(make("task_error", event_id="")) == 409


@pytest.mark.parametrize("kind", [*OTHERS, "task_started"])
def test_a_late_event_of_another_kind_is_204_and_dropped(desk: Desk, kind: str) -> None:
    desk.open()
    desk.status(make("task_result"))
    assert desk.status(make(kind)) == 204
    assert desk.sink.kinds == [(RUN, "task_result")]


def test_a_finished_job_that_is_delivered_again_does_not_start(desk: Desk) -> None:
    desk.open()
    desk.status(started())
    desk.status(make("task_result"))
    assert desk.status(started(execution="x2")) == 409
    assert desk.status(started(execution="")) == 204


def test_an_unknown_frame_is_204_and_dropped(desk: Desk) -> None:
    run = desk.open()
    assert desk.status(make("unknown")) == 204
    assert run.heard
    assert desk.sink.events == []


def test_an_unknown_frame_for_an_unknown_run_is_410(desk: Desk) -> None:
    desk.open()
    assert desk.status(make("unknown", run="nobody")) == 410


class TestTokens:
    def test_wrong_token_is_404(self, desk: Desk) -> None:
        run = desk.open()
        for receiver in (None, desk.hub.receiver_id):
            assert desk.status(make("task_result"), token="no", receiver=receiver) == 404
        assert run.state == "open"
        assert desk.hub.last_contact_at is None

    def test_wrong_token_for_an_unknown_run_is_404(self, desk: Desk) -> None:
        desk.open()
        assert desk.status(make("task_result", run="nobody"), token="no") == 404

    def test_a_token_of_another_weave_does_not_open_this_run(self, desk: Desk) -> None:
        desk.open()
        desk.hub.add_token("another-weave's")
        assert desk.status(make("task_result"), token="another-weave's") == 404

    def test_odd_tokens_compare(self, desk: Desk) -> None:
        desk.open()
        for token in ("", "é", "\udce9", TOKEN + "x", TOKEN[:-1]):
            assert desk.status(make("task_result"), token=token) == 404

    def test_the_door_refuses_by_token_alone(self, desk: Desk) -> None:
        desk.open()
        assert desk.hub.refusal(TOKEN, None) is None
        wrong = desk.hub.refusal("no", None)
        elsewhere = desk.hub.refusal("no", "another")
        assert wrong is not None
        assert elsewhere is not None
        assert (wrong.status, elsewhere.status) == (404, 421)


class TestWhoAnswered:
    def test_an_unknown_run_is_410_only_where_it_was_addressed(self, desk: Desk) -> None:
        desk.open()
        event = make("task_started", run="nobody")
        assert desk.status(event) == 410
        assert desk.status(event, receiver="another") == 421

    def test_a_wrong_token_addressed_elsewhere_is_421(self, desk: Desk) -> None:
        run = desk.open()
        assert desk.status(make("task_result"), token="no", receiver="another") == 421
        assert desk.status(make("task_result", run="x"), token="no", receiver="another") == 421
        assert run.state == "open"

    def test_without_an_addressee_the_plain_rules_hold(self, desk: Desk) -> None:
        desk.open()
        assert desk.status(make("task_result", run="nobody"), receiver=None) == 410
        assert desk.status(make("task_result"), token="no", receiver=None) == 404
        assert desk.status(make("task_result"), receiver=None) == 204


class TestEndedWithoutAnEvent:
    @pytest.mark.parametrize("kind", [*TERMINAL_KINDS, *OTHERS, "task_started"])
    @pytest.mark.parametrize("how", ["end_run", "close_item"])
    def test_everything_is_410(self, desk: Desk, kind: str, how: str) -> None:
        run = desk.open()
        desk.status(started())
        if how == "end_run":
            assert desk.hub.end_run(RUN, "timed_out")
        else:
            desk.hub.close_item(RUN)
        assert run.state == "ended"
        assert desk.status(make(kind)) == 410
        assert desk.sink.kinds == [(RUN, "task_started")]


class TestOneEnding:
    def test_an_event_beats_a_verdict(self, desk: Desk) -> None:
        run = desk.open()
        desk.status(make("task_result"))
        assert desk.hub.end_run(RUN, "worker_lost") is False
        assert run.cause == "task_result"

    def test_a_verdict_beats_an_event(self, desk: Desk) -> None:
        run = desk.open()
        assert desk.hub.end_run(RUN, "worker_lost") is True
        assert desk.hub.end_run(RUN, "timed_out") is False
        assert desk.status(make("task_result")) == 410
        assert (run.cause, desk.sink.events) == ("worker_lost", [])

    def test_of_an_unknown_run_nothing_ends(self, desk: Desk) -> None:
        assert desk.hub.end_run("nobody", "timed_out") is False
        assert desk.hub.request_cancel("nobody") is False
        assert desk.hub.execution_dead("nobody") is False
        desk.hub.close_item("nobody")
        assert desk.hub.run("nobody") is None

    def test_a_run_is_opened_once(self, desk: Desk) -> None:
        desk.open()
        with pytest.raises(ValueError, match="is open already"):
            desk.open()


class TestCancel:
    @pytest.mark.parametrize("kind", ["heartbeat", "progress", "log", "unknown", "task_started"])
    def test_a_running_worker_is_told_by_any_answer(self, desk: Desk, kind: str) -> None:
        run = desk.open()
        desk.status(started())
        assert desk.hub.request_cancel(RUN) is True
        answer = desk.answer(make(kind))
        assert answer.status == 200
        assert answer.ack.HasField("cancel")
        assert (answer.ack.cancel.run_id, answer.ack.cancel.task_id) == (RUN, "report")
        assert answer.ack.receiver_id == desk.hub.receiver_id
        assert run.state == "open"

    @pytest.mark.parametrize("kind", TERMINAL_KINDS)
    def test_asking_ends_nothing(self, desk: Desk, kind: str) -> None:
        run = desk.open()
        desk.status(started())
        desk.hub.request_cancel(RUN)
        assert desk.status(make(kind)) == 204
        assert run.cause == kind
        assert desk.sink.kinds[-1] == (RUN, kind)

    def test_an_ended_run_cannot_be_asked(self, desk: Desk) -> None:
        desk.open()
        desk.hub.end_run(RUN, "timed_out", item_goes_on=True)
        assert desk.hub.request_cancel(RUN) is False

    def test_the_gate_stays_shut_and_the_weave_learns_it(self, desk: Desk) -> None:
        run = desk.open()
        desk.hub.request_cancel(RUN)
        assert desk.status(started()) == 410
        assert (run.state, run.cause, run.started_at) == ("ended", "cancelled", None)
        assert desk.sink.kinds == [(RUN, "task_cancelled")]
        assert desk.status(started()) == 410
        assert desk.sink.kinds == [(RUN, "task_cancelled")]

    def test_a_copy_of_an_accepted_start_proves_nothing(self, desk: Desk) -> None:
        run = desk.open()
        desk.status(started())
        desk.hub.request_cancel(RUN)
        assert desk.status(started()) == 200
        assert run.state == "open"

    def test_without_a_gate_a_refusal_would_prove_nothing(self, desk: Desk) -> None:
        run = desk.open(gated=False)
        desk.hub.request_cancel(RUN)
        assert desk.status(started()) == 200
        assert run.state == "open"

    def test_a_detached_run_is_never_told_to_stop(self, desk: Desk) -> None:
        run = desk.open(detached=True, gated=False)
        desk.status(started())
        assert desk.hub.request_cancel(RUN) is False
        assert desk.status(make("heartbeat")) == 204
        assert run.cancel_requested is False


def test_a_receiver_that_shuts_down_says_so(desk: Desk) -> None:
    run = desk.open()
    desk.hub.closing = True
    answer = desk.answer(make("task_result"))
    assert (answer.status, answer.retry_after) == (503, 1.0)
    assert run.state == "open"
    refusal = desk.hub.refusal(TOKEN, None)
    assert refusal is not None
    assert refusal.status == 503


def test_one_sink_that_fails_does_not_take_the_others_events(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def put(self, batch: object) -> None:
            raise RuntimeError("the loop is closed")

    desk.hub.open_run("run-0", task_id="t", token=TOKEN, sink=Broken())
    desk.open()
    for run in ("run-0", RUN):
        desk.hub.handle(make("task_result", run=run), token=TOKEN, receiver=None)
    desk.hub.flush()
    assert desk.sink.kinds == [(RUN, "task_result")]
    assert "1 events are lost" in caplog.text


def test_a_batch_holds_what_was_accepted_since_the_last(desk: Desk) -> None:
    desk.open()
    assert not desk.hub.has_batches
    for event in (started(seq=1), make("progress", seq=2), make("task_result", seq=3)):
        desk.hub.handle(event, token=TOKEN, receiver=None)
    assert desk.hub.has_batches
    desk.hub.flush()
    desk.hub.flush()
    assert [len(batch) for batch in desk.sink.batches] == [3]


def test_last_contact_is_when_anybody_was_heard(desk: Desk) -> None:
    desk.open()
    desk.clock.move(4)
    desk.status(make("heartbeat", run="nobody"))
    assert desk.hub.last_contact_at == desk.clock.now
