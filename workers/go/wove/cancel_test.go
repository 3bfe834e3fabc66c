package wove

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/receivertest"
)

func runtimeGoexit() { runtime.Goexit() }

const cancelBody = `{"cancel":{"run_id":"run-1","task_id":"until cancelled"}}`

func expectCancelled(t *testing.T, r *receivertest.Receiver, reason string, forced bool) {
	t.Helper()
	frame := r.Last(t, "task_cancelled").Event.GetTaskCancelled()
	if frame.Reason != reason || frame.Forced != forced {
		t.Errorf("it says %v", frame)
	}
}

func TestCancelInTheAnswerToTheStart(t *testing.T) {
	receiver := receivertest.New(t, func(s seen) reply {
		if s.Kind == "task_started" {
			return reply{Status: 200, Body: cancelBody}
		}
		return reply{}
	})
	summary := run(t, newWorker(), receiver.Payload("until cancelled", "{}"))
	expectOutcome(t, summary, Cancelled)
	expectCancelled(t, receiver, weaveAsked, false)
}

func TestCancelInTheAnswerToAHeartbeat(t *testing.T) {
	for name, test := range map[string]struct {
		answer reply
		reason string
	}{
		"cancel":   {reply{Status: 200, Body: cancelBody}, weaveAsked},
		"gone":     {reply{Status: 410}, weaveGone},
		"conflict": {reply{Status: 409}, weaveGone},
		"token":    {reply{Status: 404}, weaveGone},
	} {
		t.Run(name, func(t *testing.T) {
			receiver := receivertest.New(t, func(s seen) reply {
				if s.Kind == "heartbeat" {
					return test.answer
				}
				return reply{}
			})
			summary := run(t, newWorker(),
				receiver.Payload("until cancelled", "{}", beatEvery(20*time.Millisecond)))
			expectOutcome(t, summary, Cancelled)
			expectCancelled(t, receiver, test.reason, false)
		})
	}
}

func TestARunningTaskIsNotStoppedByTrouble(t *testing.T) {
	var beats atomic.Int32
	receiver := receivertest.New(t, func(s seen) reply {
		if s.Kind != "heartbeat" {
			return reply{}
		}
		switch beats.Add(1) % 4 {
		case 0:
			return reply{Status: 421}
		case 1:
			return reply{Status: 410, Header: map[string]string{"Wove-Receiver": "another"}}
		case 2:
			return reply{Status: 404, Header: map[string]string{"Wove-Receiver": ""}}
		}
		return reply{Drop: true}
	})
	worker := NewWorker()
	Register(worker, "task", func(ctx context.Context, _ struct{}) (any, error) {
		for beats.Load() < 8 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		return nil, ctx.Err()
	})
	expectOutcome(t, run(t, worker, receiver.Payload("task", "{}", beatEvery(10*time.Millisecond))), Succeeded)
}

func TestCancelIsIgnoredOnceReturned(t *testing.T) {
	var beats atomic.Int32
	receiver := receivertest.New(t, func(s seen) reply {
		switch {
		case s.Kind == "heartbeat":
			beats.Add(1)
			return reply{Status: 200, Body: cancelBody}
		case s.Kind == "task_result" && beats.Load() < 3:
			return reply{Status: 503}
		}
		return reply{}
	})
	summary := run(t, newWorker(), receiver.Payload("echo", `{"value":1}`, beatEvery(20*time.Millisecond)))
	expectOutcome(t, summary, Succeeded)
	if beats.Load() < 3 {
		t.Error("heartbeats did not go on until the end was acknowledged")
	}
}

func TestAValueThatIsReturnedAllTheSameCounts(t *testing.T) {
	worker := NewWorker()
	running := make(chan struct{})
	Register(worker, "task", func(ctx context.Context, _ struct{}) (int, error) {
		close(running)
		<-ctx.Done()
		return 7, nil
	})
	receiver := receivertest.New(t, func(s seen) reply {
		if s.Kind == "heartbeat" {
			<-running
			return reply{Status: 200, Body: cancelBody}
		}
		return reply{}
	})
	expectOutcome(t, run(t, worker, receiver.Payload("task", "{}", beatEvery(20*time.Millisecond))), Succeeded)
}

func TestAnyErrorOfAFunctionThatIsStoppedIsItsStopping(t *testing.T) {
	receiver := receivertest.New(t, func(s seen) reply {
		if s.Kind == "heartbeat" {
			return reply{Status: 200, Body: cancelBody}
		}
		return reply{}
	})
	worker := NewWorker()
	Register(worker, "task", func(ctx context.Context, _ struct{}) (int, error) {
		<-ctx.Done()
		return 0, errors.New("signal: killed")
	})
	expectOutcome(t, run(t, worker, receiver.Payload("task", "{}", beatEvery(20*time.Millisecond))), Cancelled)
}

func TestAWorkerThatIsShuttingDown(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	receiver := receivertest.New(t, nil)
	worker := NewWorker()
	Register(worker, "task", func(ctx context.Context, _ struct{}) (any, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	})
	summary, err := worker.Run(ctx, receiver.Payload("task", "{}"))
	if err != nil {
		t.Fatal(err)
	}
	expectOutcome(t, summary, Cancelled)
	expectCancelled(t, receiver, shuttingDown, false)
}

func TestAFunctionThatDoesNotStopIsLeftBehind(t *testing.T) {
	release := make(chan struct{})
	ended := make(chan struct{})
	deaf := func(worker *Worker) {
		worker.limits.patience = 50 * time.Millisecond
		Register(worker, "task", func(ctx context.Context, _ struct{}) (any, error) {
			defer close(ended)
			<-release
			TaskFrom(ctx).Progress(Progress{Current: 1}) // of no consequence
			return nil, nil
		})
	}
	t.Run("by a program when the weave asks", func(t *testing.T) {
		receiver := receivertest.New(t, func(s seen) reply {
			if s.Kind == "heartbeat" {
				return reply{Status: 200, Body: cancelBody}
			}
			return reply{}
		})
		worker := NewWorker()
		deaf(worker)
		payload := receiver.Payload("task", "{}", beatEvery(20*time.Millisecond))
		summary, left, err := worker.run(context.Background(), payload, Job{}, true)
		if err != nil || !left {
			t.Fatalf("left behind: %v, %v", left, err)
		}
		expectOutcome(t, summary, Cancelled)
		expectCancelled(t, receiver, weaveAsked, true)
		close(release)
		<-ended
		expectKinds(t, receiver, "task_started", "task_cancelled")
	})
	t.Run("by anybody who is shutting down", func(t *testing.T) {
		release, ended = make(chan struct{}), make(chan struct{})
		receiver := receivertest.New(t, nil)
		worker := NewWorker()
		deaf(worker)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(50*time.Millisecond, cancel)
		summary, err := worker.Run(ctx, receiver.Payload("task", "{}"))
		if err != nil {
			t.Fatal(err)
		}
		expectOutcome(t, summary, Cancelled)
		expectCancelled(t, receiver, shuttingDown, true)
		close(release)
		<-ended
	})
}

func TestAConsumerWaitsForAFunctionThatDoesNotStop(t *testing.T) {
	var asked atomic.Bool
	receiver := receivertest.New(t, func(s seen) reply {
		if s.Kind == "heartbeat" {
			asked.Store(true)
			return reply{Status: 200, Body: cancelBody}
		}
		return reply{}
	})
	worker := NewWorker()
	worker.limits.patience = time.Millisecond
	Register(worker, "task", func(ctx context.Context, _ struct{}) (any, error) {
		<-ctx.Done()
		time.Sleep(100 * time.Millisecond)
		return "done all the same", nil
	})
	expectOutcome(t, run(t, worker, receiver.Payload("task", "{}", beatEvery(20*time.Millisecond))), Succeeded)
}

func TestHeartbeats(t *testing.T) {
	receiver := receivertest.New(t, func(s seen) reply {
		if s.Kind == "task_started" {
			return reply{Status: 200, Body: `{"heartbeat_seconds":0.02}`}
		}
		return reply{}
	})
	worker := NewWorker()
	Register(worker, "task", func(context.Context, struct{}) (any, error) {
		receivertest.Eventually(t, "three heartbeats have come", func() bool {
			return len(receiver.Seen("heartbeat")) >= 3
		})
		return nil, nil
	})
	run(t, worker, receiver.Payload("task", "{}", beatEvery(time.Hour)))
	if got := receiver.Seen("task_started")[0].Event.GetTaskStarted().GetHeartbeatSeconds(); got != 3600 {
		t.Errorf("it announced one every %v s", got)
	}
	beats := receiver.Seen("heartbeat")
	names := map[string]bool{}
	for _, beat := range beats {
		names[beat.Event.EventId] = true
		if beat.Conn != beats[0].Conn || beat.Conn == receiver.Seen("task_started")[0].Conn {
			t.Error("heartbeats have no connection of their own")
		}
	}
	if len(names) != len(beats) {
		t.Error("a heartbeat was sent twice")
	}
}

func TestNothingIsSentThatIsNotAccepted(t *testing.T) {
	receiver := receivertest.New(t, nil)
	worker := NewWorker()
	Register(worker, "task", func(ctx context.Context, _ struct{}) (any, error) {
		TaskFrom(ctx).Progress(Progress{Current: 1})
		TaskFrom(ctx).Log(Info, "line")
		time.Sleep(50 * time.Millisecond)
		return nil, nil
	})
	run(t, worker, receiver.Payload("task", "{}", beatEvery(10*time.Millisecond),
		func(p *wovepb.TaskPayload) { p.Accepts = []string{"later"} }))
	if seen := receiver.Seen(); len(seen) != 2 || seen[0].Event.GetTaskStarted().HeartbeatSeconds != nil {
		t.Errorf("got %v", seen)
	}
}

func TestProgressAndLogs(t *testing.T) {
	receiver := receivertest.New(t, nil)
	worker := NewWorker()
	Register(worker, "task", func(ctx context.Context, _ struct{}) (string, error) {
		task := TaskFrom(ctx)
		for step := range 300 { // more than are queued
			task.Progress(Progress{Current: float64(step), Total: 300, Unit: "steps"})
		}
		task.Log(Warning, "line \xff")
		return task.RunID + " " + task.Name, nil
	})
	run(t, worker, receiver.Payload("task", "{}"))
	steps := receiver.Seen("progress")
	if len(steps) != 300 {
		t.Fatalf("%d of 300 came", len(steps))
	}
	for step, each := range steps {
		frame := each.Event.GetProgress()
		if frame.GetCurrent() != float64(step) || frame.GetTotal() != 300 || frame.Unit != "steps" {
			t.Errorf("step %d is %v", step, frame)
		}
	}
	if line := receiver.Last(t, "log").Event.GetLog(); line.Level != "warning" || line.Message != `line \xff` {
		t.Errorf("the line is %v", line)
	}
	if got := receiver.Last(t, "task_result").Event.GetTaskResult().GetResultJson(); got != `"run-1 task"` {
		t.Errorf("the task knows %s", got)
	}
}

func TestProgressIsNeverRetried(t *testing.T) {
	receiver := receivertest.New(t, func(s seen) reply {
		return reply{Drop: s.Kind == "progress"}
	})
	worker := NewWorker()
	Register(worker, "task", func(ctx context.Context, _ struct{}) (any, error) {
		for range 50 {
			TaskFrom(ctx).Progress(Progress{Current: 1})
		}
		return nil, nil
	})
	expectOutcome(t, run(t, worker, receiver.Payload("task", "{}")), Succeeded)
	names := map[string]bool{}
	for _, each := range receiver.Seen("progress") {
		if names[each.Event.EventId] {
			t.Error("one was sent twice")
		}
		names[each.Event.EventId] = true
	}
}

func TestATaskWithoutAWorker(t *testing.T) {
	TaskFrom(context.Background()).Progress(Progress{Current: 1})
	TaskFrom(context.Background()).Log(Info, "nobody hears it")
}
