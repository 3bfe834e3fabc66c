package wove

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/receivertest"
)

type (
	seen  = receivertest.Seen
	reply = receivertest.Reply
)

// newWorker makes one with the tasks of these tests, and without the environment.
func newWorker(options ...Option) *Worker {
	w := NewWorker(append([]Option{WithEncoding("")}, options...)...)
	Register(w, "echo", func(_ context.Context, args struct {
		Value json.RawMessage `json:"value"`
	}) (json.RawMessage, error) {
		return args.Value, nil
	})
	Register(w, "until cancelled", func(ctx context.Context, _ struct{}) (any, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	})
	return w
}

func run(t *testing.T, w *Worker, payload []byte) *Summary {
	t.Helper()
	summary, err := w.Run(context.Background(), payload)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

func expectKinds(t *testing.T, r *receivertest.Receiver, want ...string) {
	t.Helper()
	if got := r.Kinds(); !slices.Equal(got, want) {
		t.Fatalf("got the events %v, want %v", got, want)
	}
}

func expectOutcome(t *testing.T, summary *Summary, want string) {
	t.Helper()
	if summary.Outcome != want || !summary.Delivered {
		t.Fatalf("got %+v, %+v, want %s", summary, summary.Error, want)
	}
}

func TestARunInEveryEncodingOverHTTP(t *testing.T) {
	const value = `{"n":9007199254740993,"x":1e-7,"text":"\ud800 <&>","none":null}`
	for encoding, contentType := range map[Encoding]string{
		"": "application/x-protobuf", JSON: "application/json", Protobuf: "application/x-protobuf",
	} {
		t.Run(string(encoding), func(t *testing.T) {
			receiver := receivertest.New(t, nil)
			worker := newWorker(WithEncoding(encoding))
			count := uint32(3)
			summary, err := worker.RunJob(context.Background(),
				receiver.Payload("echo", `{"value":`+value+`}`, func(p *wovepb.TaskPayload) { p.Attempt = 2 }),
				Job{ID: "job-1", Worker: "w", Delivery: &count})
			if err != nil {
				t.Fatal(err)
			}
			expectOutcome(t, summary, Succeeded)
			expectKinds(t, receiver, "task_started", "task_result")
			started, result := receiver.Seen()[0], receiver.Seen()[1]
			if got := result.Event.GetTaskResult().GetResultJson(); got != value {
				t.Errorf("the result is %s", got)
			}
			frame := started.Event.GetTaskStarted()
			if frame.WorkerId != workerID() || frame.BackendJobId != "job-1" ||
				frame.BackendWorker != "w" || frame.GetHeartbeatSeconds() != 5 {
				t.Errorf("the start says %v", frame)
			}
			for index, each := range receiver.Seen() {
				event := each.Event
				if event.RunId != "run-1" || event.TaskId != "echo" || event.Attempt != 2 ||
					event.GetBackendAttempt() != 3 || int(event.Sequence) != index+1 ||
					event.ExecutionId == "" || event.EmittedAt == nil ||
					each.Header.Get("Content-Type") != contentType {
					t.Errorf("event %d is %v", index, each)
				}
			}
			if started.Event.EventId == result.Event.EventId || started.Conn != result.Conn {
				t.Error("two events share a name, or do not share a connection")
			}
			line, _ := json.Marshal(summary)
			if strings.Contains(string(line), receivertest.Token) {
				t.Errorf("the summary has the token: %s", line)
			}
		})
	}
}

func TestNothingIsCalledWithoutLeave(t *testing.T) {
	for _, status := range []int{401, 404, 409, 410, 400, 403} {
		receiver := receivertest.New(t, func(seen) reply { return reply{Status: status} })
		called := false
		worker := NewWorker()
		Register(worker, "task", func(context.Context, struct{}) (any, error) {
			called = true
			return nil, nil
		})
		summary := run(t, worker, receiver.Payload("task", "{}"))
		expectOutcome(t, summary, NotStarted)
		expectKinds(t, receiver, "task_started")
		if called {
			t.Errorf("it was called after %d", status)
		}
	}
}

func TestTheGateIsWaitedFor(t *testing.T) {
	var asked, early atomic.Int32
	receiver := receivertest.New(t, func(s seen) reply {
		if s.Kind == "task_started" && asked.Add(1) < 3 {
			return reply{Status: 503}
		}
		return reply{}
	})
	worker := NewWorker()
	Register(worker, "task", func(context.Context, struct{}) (any, error) {
		early.Store(3 - asked.Load())
		return nil, nil
	})
	expectOutcome(t, run(t, worker, receiver.Payload("task", "{}")), Succeeded)
	expectKinds(t, receiver, "task_started", "task_started", "task_started", "task_result")
	if early.Load() != 0 {
		t.Error("it was called before it had leave")
	}
}

func TestAStartThatIsNotDelivered(t *testing.T) {
	receiver := receivertest.New(t, func(seen) reply { return reply{Drop: true} })
	worker := newWorker()
	worker.limits.start = 200 * time.Millisecond
	summary, err := worker.Run(context.Background(), receiver.Payload("echo", `{"value":1}`))
	if !IsUndelivered(err) || strings.Contains(err.Error(), receivertest.Token) {
		t.Fatalf("got %v", err)
	}
	if summary.Outcome != NotStarted || summary.Delivered {
		t.Fatalf("got %+v", summary)
	}
}

func TestAnEndThatIsNotDelivered(t *testing.T) {
	receiver := receivertest.New(t, func(s seen) reply {
		return reply{Drop: s.Kind == "task_result"}
	})
	payload := func(policy string) []byte {
		return receiver.Payload("echo", `{"value":1}`, func(p *wovepb.TaskPayload) {
			seconds := 0.2
			p.DeliveryRetrySeconds = &seconds
			p.Delivery.DeliveryOrphanPolicy = &policy
		})
	}
	summary, err := newWorker().Run(context.Background(), payload("cancel"))
	if !IsUndelivered(err) || summary.Outcome != Succeeded || summary.Delivered {
		t.Fatalf("got %+v, %v", summary, err)
	}
	summary, err = newWorker().Run(context.Background(), payload("detach"))
	if err != nil || summary.Delivered {
		t.Fatalf("detached: got %+v, %v", summary, err)
	}
}

func ungated(p *wovepb.TaskPayload) {
	none := "none"
	p.StartGate = &none
}

func detached(p *wovepb.TaskPayload) {
	policy := "detach"
	p.Delivery.DeliveryOrphanPolicy = &policy
}

func TestWithoutAGateTheFunctionIsNotHeldUp(t *testing.T) {
	receiver := receivertest.New(t, func(s seen) reply {
		if s.Kind == "task_started" {
			return reply{Status: 503}
		}
		return reply{}
	})
	summary := run(t, newWorker(), receiver.Payload("echo", `{"value":1}`, ungated))
	expectOutcome(t, summary, Succeeded)
	receiver.Last(t, "task_result")
}

func TestWithoutAGateALateRefusalStops(t *testing.T) {
	var asked atomic.Int32
	receiver := receivertest.New(t, func(s seen) reply {
		if s.Kind != "task_started" {
			return reply{}
		}
		if asked.Add(1) == 1 {
			return reply{Status: 503}
		}
		return reply{Status: 410}
	})
	summary := run(t, newWorker(), receiver.Payload("until cancelled", "{}", ungated))
	expectOutcome(t, summary, Cancelled)
}

func TestDetachedRunsIgnoreCancels(t *testing.T) {
	var beats atomic.Int32
	receiver := receivertest.New(t, func(s seen) reply {
		switch s.Kind {
		case "task_started":
			return reply{Status: 410}
		case "heartbeat":
			if beats.Add(1)%2 == 0 {
				return reply{Status: 410}
			}
			return reply{Status: 200, Body: `{"cancel":{}}`}
		}
		return reply{}
	})
	worker := NewWorker()
	Register(worker, "task", func(ctx context.Context, _ struct{}) (bool, error) {
		for beats.Load() < 4 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		return ctx.Err() == nil, nil
	})
	summary := run(t, worker, receiver.Payload("task", "{}", detached, beatEvery(10*time.Millisecond)))
	expectOutcome(t, summary, Succeeded)
	if got := receiver.Last(t, "task_result").Event.GetTaskResult().GetResultJson(); got != "true" {
		t.Error("its context was cancelled")
	}
}

// beatEvery sets the interval of heartbeats.
func beatEvery(interval time.Duration) func(*wovepb.TaskPayload) {
	return func(p *wovepb.TaskPayload) {
		seconds := 3 * interval.Seconds()
		p.Delivery.DeliveryHeartbeatSeconds = &seconds
	}
}

func TestAnErrorEndsTheTask(t *testing.T) {
	receiver := receivertest.New(t, nil)
	worker := newWorker()
	Register(worker, "fail", func(context.Context, struct{}) (any, error) {
		return nil, errors.New("no such month")
	})
	summary := run(t, worker, receiver.Payload("fail", "{}"))
	expectOutcome(t, summary, Failed)
	if summary.Error.Kind != "errors.errorString" || summary.Error.Message != "no such month" {
		t.Errorf("the summary says %+v", summary.Error)
	}
	info := receiver.Last(t, "task_error").Event.GetTaskError().GetError()
	if info.Source != "task" || info.Code != "" || !strings.Contains(info.GetTraceback(), "run_test.go") {
		t.Errorf("the error is %v", info)
	}
}

func TestWhateverEndsAFunctionIsAnError(t *testing.T) {
	worker := newWorker()
	Register(worker, "panic", func(context.Context, struct{}) (any, error) { panic("at the disco") })
	Register(worker, "nil map", func(context.Context, struct{}) (any, error) {
		var none map[string]int
		none["x"] = 1
		return nil, nil
	})
	Register(worker, "exit", func(context.Context, struct{}) (any, error) {
		runtimeGoexit()
		return nil, nil
	})
	Register(worker, "bad result", func(context.Context, struct{}) (any, error) {
		return func() {}, nil
	})
	Register(worker, "panicking result", func(context.Context, struct{}) (any, error) {
		return panickingResult{}, nil
	})
	Register(worker, "bad error", func(context.Context, struct{}) (any, error) {
		var none *badError
		return nil, none
	})
	for task, want := range map[string]struct{ source, code, message string }{
		"panic":            {"task", "", "panic: at the disco"},
		"nil map":          {"task", "", "panic: assignment to entry in nil map"},
		"exit":             {"task", "", "runtime.Goexit"},
		"bad result":       {"wove", "result_not_picklable", "func()"},
		"panicking result": {"wove", "result_not_picklable", "wove.panickingResult"},
		"bad error":        {"task", "", "panicked"},
	} {
		t.Run(task, func(t *testing.T) {
			receiver := receivertest.New(t, nil)
			expectOutcome(t, run(t, worker, receiver.Payload(task, "{}")), Failed)
			expectKinds(t, receiver, "task_started", "task_error")
			info := receiver.Last(t, "task_error").Event.GetTaskError().GetError()
			if info.Source != want.source || info.Code != want.code ||
				!strings.Contains(info.Message, want.message) {
				t.Errorf("the error is %v", info)
			}
			if want.source == "task" && info.GetTraceback() == "" {
				t.Error("it has no traceback")
			}
		})
	}
}

type panickingResult struct{}

func (panickingResult) MarshalJSON() ([]byte, error) { panic("no") }

type badError struct{ text string }

func (e *badError) Error() string { return e.text }

func TestWhatCannotBeRunIsWovesError(t *testing.T) {
	for name, test := range map[string]struct {
		task, arguments, code, message string
		change                         func(*wovepb.TaskPayload)
	}{
		"an unknown task":  {"nope", "{}", "unknown_task", "echo, until cancelled", nil},
		"no arguments":     {"echo", "", "payload_not_loadable", "", func(p *wovepb.TaskPayload) { p.ArgsJson = nil }},
		"broken arguments": {"echo", `{"value":`, "payload_not_loadable", "", nil},
		"a list":           {"echo", "[1]", "payload_not_loadable", "", nil},
		"null":             {"echo", "null", "payload_not_loadable", "", nil},
		"a newer version":  {"echo", "{}", "version_mismatch", "", func(p *wovepb.TaskPayload) { p.Version = 2 }},
	} {
		t.Run(name, func(t *testing.T) {
			receiver := receivertest.New(t, nil)
			change := test.change
			if change == nil {
				change = func(*wovepb.TaskPayload) {}
			}
			expectOutcome(t, run(t, newWorker(), receiver.Payload(test.task, test.arguments, change)), Failed)
			info := receiver.Last(t, "task_error").Event.GetTaskError().GetError()
			if info.Source != "wove" || info.Code != test.code || !strings.Contains(info.Message, test.message) {
				t.Errorf("the error is %v", info)
			}
			if started := len(receiver.Seen("task_started")); (started == 0) != (test.code == "version_mismatch") {
				t.Errorf("it started %d times", started)
			}
		})
	}
}

func TestEventsThatAreRefused(t *testing.T) {
	for status, code := range map[int]string{
		400: "event_refused", 413: "result_too_large", 415: "event_refused",
	} {
		receiver := receivertest.New(t, func(s seen) reply {
			if s.Kind == "task_started" {
				return reply{}
			}
			return reply{Status: status} // also to the one in its place
		})
		summary, err := newWorker().Run(
			context.Background(), receiver.Payload("echo", `{"value":"żółw"}`))
		if summary == nil || summary.Outcome != Failed || summary.Delivered || !IsUndelivered(err) ||
			strings.Contains(err.Error(), "callback_url") {
			t.Errorf("got %+v, %v", summary, err)
		}
		expectKinds(t, receiver, "task_started", "task_result", "task_error")
		sent := receiver.Last(t, "task_error")
		info := sent.Event.GetTaskError().GetError()
		if info.Source != "wove" || info.Code != code || info.Cause != nil || info.Traceback != nil {
			t.Errorf("the error is %v", info)
		}
		if sent.Event.EventId == receiver.Last(t, "task_result").Event.EventId {
			t.Error("it has the name of the event that was refused")
		}
	}
}

func TestResultsThatAreTooLargeAreNotSent(t *testing.T) {
	receiver := receivertest.New(t, nil)
	limit := uint32(2000)
	payload := receiver.Payload("echo", `{"value":"`+strings.Repeat("x", 2000)+`"}`,
		func(p *wovepb.TaskPayload) { p.MaxEventBytes = &limit })
	expectOutcome(t, run(t, newWorker(), payload), Failed)
	expectKinds(t, receiver, "task_started", "task_error")
	if code := receiver.Last(t, "task_error").Event.GetTaskError().GetError().Code; code != "result_too_large" {
		t.Errorf("its code is %s", code)
	}
}

func TestErrorsThatAreTooLargeAreSentWithLess(t *testing.T) {
	receiver := receivertest.New(t, nil)
	limit := uint32(3000)
	worker := newWorker()
	Register(worker, "fail", func(context.Context, struct{}) (any, error) {
		return nil, errors.New(strings.Repeat("long", 10_000))
	})
	payload := receiver.Payload("fail", "{}", func(p *wovepb.TaskPayload) { p.MaxEventBytes = &limit })
	expectOutcome(t, run(t, worker, payload), Failed)
	sent := receiver.Last(t, "task_error")
	if len(sent.Body) > int(limit) || sent.Event.GetTaskError().GetError().Source != "task" {
		t.Errorf("%d bytes: %v", len(sent.Body), sent.Event)
	}
}

func TestSeveralAtOnce(t *testing.T) {
	receiver := receivertest.New(t, nil)
	worker := newWorker()
	var all sync.WaitGroup
	for range 20 {
		all.Add(1)
		go func() {
			defer all.Done()
			summary, err := worker.Run(context.Background(), receiver.Payload("echo", `{"value":1}`))
			if err != nil || summary.Outcome != Succeeded {
				t.Errorf("got %+v, %v", summary, err)
			}
		}()
	}
	all.Wait()
	executions := map[string]int{}
	for _, each := range receiver.Seen("task_started", "task_result") {
		executions[each.Event.ExecutionId]++
	}
	if len(executions) != 20 {
		t.Errorf("there were %d executions", len(executions))
	}
}

func TestWhatIsNoPayload(t *testing.T) {
	for _, text := range []string{
		"", "nonsense", "[]", `{"version":1}`, `{"version":2}`,
		`{"version":1,"run_id":"r","callback_url":"ftp://h/secret"}`,
	} {
		summary, err := newWorker().Run(context.Background(), []byte(text))
		var problem *PayloadError
		if summary != nil || !errors.As(err, &problem) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %v, %v", text, summary, err)
		}
	}
}
