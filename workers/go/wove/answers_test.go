package wove

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/receivertest"
	"github.com/wove-dev/wove/workers/go/internal/vectors"
)

var terminal = []string{"task_result", "task_error", "task_cancelled"}

// TestAnswerVectors runs a task for each vector, whose answer the first event of its kind gets.
func TestAnswerVectors(t *testing.T) {
	var all []*answeredRun
	var running sync.WaitGroup
	places := make(chan struct{}, 24) // they mostly wait
	for _, vector := range vectors.Load[vectors.Answer](t, "answers.json") {
		answered := &answeredRun{vector: vector}
		all = append(all, answered)
		running.Add(1)
		go func() {
			defer running.Done()
			places <- struct{}{}
			defer func() { <-places }()
			answered.run(t)
		}()
	}
	running.Wait()
	for _, answered := range all {
		t.Run(answered.vector.Name, func(t *testing.T) {
			if answered.summary == nil {
				t.Fatal(answered.err)
			}
			if slices.Contains(terminal, answered.vector.Event) {
				answered.checkTerminal(t)
			} else {
				answered.check(t)
			}
		})
	}
}

type answeredRun struct {
	vector   vectors.Answer
	receiver *receivertest.Receiver
	called   bool
	stopped  bool
	summary  *Summary
	err      error
}

func (a *answeredRun) run(t *testing.T) {
	a.receiver = receivertest.New(t, a.answer)
	worker := newWorker()
	Register(worker, "task", func(ctx context.Context, _ struct{}) (any, error) {
		a.called = true
		return a.task(ctx)
	})
	payload := a.receiver.Payload("task", "{}", func(p *wovepb.TaskPayload) {
		p.ReceiverId, p.StartGate = a.vector.ReceiverID, a.vector.StartGate
		if a.vector.Detach {
			policy := "detach"
			p.Delivery.DeliveryOrphanPolicy = &policy
		}
		if a.vector.Event == "heartbeat" {
			beatEvery(20 * time.Millisecond)(p)
		}
	})
	a.summary, a.err = worker.Run(context.Background(), payload)
}

// answer is called when its event has been recorded.
func (a *answeredRun) answer(s seen) reply {
	id := func(text *string) map[string]string {
		if text == nil {
			return map[string]string{"Wove-Receiver": ""}
		}
		return map[string]string{"Wove-Receiver": *text}
	}
	if s.Kind == a.vector.Event && s.Event.EventId == a.events()[0].Event.EventId && len(a.sameAs(s)) == 1 {
		return reply{Status: a.vector.Status, Body: a.vector.Body, Header: id(a.vector.WoveReceiver)}
	}
	if s.Kind == "task_started" && a.vector.Event == "task_cancelled" {
		return reply{Status: 200, Body: cancelBody, Header: id(a.vector.ReceiverID)}
	}
	return reply{Header: id(a.vector.ReceiverID)}
}

func (a *answeredRun) events() []seen { return a.receiver.Seen(a.vector.Event) }

// sameAs are the tries of an event.
func (a *answeredRun) sameAs(s seen) (tries []seen) {
	for _, each := range a.receiver.Seen() {
		if each.Event.EventId == s.Event.EventId {
			tries = append(tries, each)
		}
	}
	return tries
}

func (a *answeredRun) repeats() bool {
	return a.vector.Verdict == "retry" || a.vector.Verdict == "elsewhere"
}

// task goes on until it is stopped, or until what follows on the answer says that it was not.
func (a *answeredRun) task(ctx context.Context) (any, error) {
	patience := receivertest.Patience
	switch {
	case a.vector.Event == "task_error":
		return nil, errors.New("failed")
	case slices.Contains(terminal, a.vector.Event):
		return nil, nil
	case a.vector.Event == "task_started" && !a.repeats():
		patience = 10 * time.Millisecond
	case !a.vector.Stop && !a.repeats():
		patience = 500 * time.Millisecond // the answer may have changed how often beats come
	}
	for end := time.Now().Add(patience); time.Now().Before(end) && ctx.Err() == nil; {
		switch a.vector.Event {
		case "progress":
			TaskFrom(ctx).Progress(Progress{Current: 1})
		case "log":
			TaskFrom(ctx).Log(Info, "line")
		}
		if !a.vector.Stop && len(a.events()) > 1 {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	a.stopped = ctx.Err() != nil
	return nil, ctx.Err()
}

// check is about an event that is not terminal.
func (a *answeredRun) check(t *testing.T) {
	events := a.events()
	tries := a.sameAs(events[0])
	start := a.vector.Event == "task_started"
	switch {
	case a.err != nil:
		t.Fatal(a.err)
	case start && a.called == a.vector.Stop:
		t.Fatalf("the function was called: %v", a.called)
	case a.stopped != (a.vector.Stop && !start):
		t.Fatalf("the function was stopped: %v", a.stopped)
	case start && a.repeats() != (len(tries) > 1), !start && len(tries) > 1:
		t.Fatalf("there were %d tries", len(tries))
	case a.vector.Verdict == "elsewhere" && events[0].Conn == events[1].Conn:
		t.Fatal("the next try came over the same connection")
	}
	want, kinds := Succeeded, []string{"task_result"}
	if a.vector.Stop {
		want, kinds = Cancelled, []string{"task_cancelled"}
		if start && a.vector.Verdict == "final" {
			want, kinds = NotStarted, nil
		}
	}
	expectOutcome(t, a.summary, want)
	if ends := a.receiver.Seen(terminal...); len(ends) != len(kinds) || len(ends) > 0 && ends[0].Kind != kinds[0] {
		t.Fatalf("the run ended by %v", a.receiver.Kinds())
	}
}

func (a *answeredRun) checkTerminal(t *testing.T) {
	ends := a.receiver.Seen(terminal...)
	tries := a.sameAs(ends[0])
	want := 1
	delivered := true
	switch a.vector.Verdict {
	case "retry", "elsewhere":
		want = 2
		if len(tries) != 2 || !bytes.Equal(tries[0].Body, tries[1].Body) {
			t.Fatalf("the tries are %v", tries)
		}
		if a.vector.Verdict == "elsewhere" && tries[0].Conn == tries[1].Conn {
			t.Fatal("the next try came over the same connection")
		}
	case "replace":
		want = 2
		code := map[bool]string{false: "event_refused", true: "result_too_large"}[a.vector.Status == 413]
		if len(tries) != 1 || len(ends) != 2 || ends[1].Event.GetTaskError().GetError().GetCode() != code {
			t.Fatalf("the ends are %v", ends)
		}
	case "final":
		delivered = a.vector.Status == 409 || a.vector.Status == 410
	}
	if len(ends) != want || ends[0].Kind != a.vector.Event {
		t.Fatalf("the ends are %v", ends)
	}
	if a.summary.Delivered != delivered || IsUndelivered(a.err) == delivered {
		t.Fatalf("delivered: %v, %v", a.summary.Delivered, a.err)
	}
}

// A start that need not be waited for is refused while the function runs.
func TestALateRefusalOfTheStartStopsTheFunction(t *testing.T) {
	for status, reason := range map[int]string{
		400: startRefused, 403: startRefused, 401: weaveGone, 404: weaveGone, 409: weaveGone, 410: weaveGone,
	} {
		for _, detach := range []bool{false, true} {
			running := make(chan struct{})
			receiver := receivertest.New(t, nil)
			receiver.Script(func(s seen) reply {
				switch starts := len(receiver.Seen("task_started")); {
				case s.Kind != "task_started":
					return reply{}
				case starts == 1:
					return reply{Status: 421}
				}
				<-running
				return reply{Status: status}
			})
			worker := newWorker()
			Register(worker, "task", func(ctx context.Context, _ struct{}) (any, error) {
				close(running)
				patience := receivertest.Patience
				if detach {
					receivertest.Eventually(t, "the start is tried again", func() bool {
						return len(receiver.Seen("task_started")) > 1
					})
					patience = 20 * time.Millisecond
				}
				select {
				case <-ctx.Done():
				case <-time.After(patience):
				}
				return nil, ctx.Err()
			})
			summary := run(t, worker, receiver.Payload("task", "{}", func(p *wovepb.TaskPayload) {
				gate, policy := "none", "detach"
				p.StartGate = &gate
				if detach {
					p.Delivery.DeliveryOrphanPolicy = &policy
				}
			}))
			starts := receiver.Seen("task_started")
			if len(starts) != 2 || starts[0].Conn == starts[1].Conn {
				t.Errorf("%d: the starts are %v", status, starts)
			}
			if detach {
				expectOutcome(t, summary, Succeeded)
				continue
			}
			expectOutcome(t, summary, Cancelled)
			expectCancelled(t, receiver, reason, false)
		}
	}
}

func TestHowLongTheEndIsTried(t *testing.T) {
	for given, want := range map[float64]time.Duration{2.5: 2500 * time.Millisecond, 0: 300 * time.Second, -1: 300 * time.Second} {
		if got := terminalDeadline(&wovepb.TaskPayload{DeliveryRetrySeconds: &given}, time.Second); got != want {
			t.Errorf("%v: %v", given, got)
		}
	}
}
