package wove

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/contract"
	"github.com/wove-dev/wove/workers/go/internal/delivery"
)

const (
	shuttingDown = "its worker is shutting down"
	weaveAsked   = "the weave cancelled it"
	weaveGone    = "the weave no longer waits for it"
	startRefused = "the weave refused its start"
)

// execution is one start of one payload, from task_started to the terminal event's answer.
type execution struct {
	worker   *Worker
	payload  *wovepb.TaskPayload
	endpoint delivery.Endpoint
	task     string
	detached bool
	began    time.Time
	messages *messages
	endings  *endings
	route    delivery.Route
	reporter *delivery.Reporter
	extras   *extras
	stop     *stop
	ctx      context.Context // the function's
	starting sync.WaitGroup
	// heartbeat is the time between heartbeats, in nanoseconds; 0: the receiver takes none.
	heartbeat atomic.Int64
	life      context.Context // ends with the execution
	end       context.CancelFunc
}

func newExecution(
	ctx context.Context, w *Worker, payload *wovepb.TaskPayload, endpoint delivery.Endpoint, job Job,
) *execution {
	e := &execution{
		worker:   w,
		payload:  payload,
		endpoint: endpoint,
		task:     payload.GetTaskName(),
		detached: payload.GetDelivery().GetDeliveryOrphanPolicy() == "detach",
		began:    time.Now(),
	}
	if e.task == "" {
		e.task = payload.TaskId
	}
	e.heartbeat.Store(int64(heartbeatInterval(payload)))
	e.life, e.end = context.WithCancel(context.WithoutCancel(ctx))
	e.route = w.route(e.life, payload, endpoint)
	e.messages = newMessages(payload, job, w.binary(payload))
	e.endings = &endings{e.messages, e.task, maxBytes(payload)}
	e.reporter = delivery.NewReporter(e.route)
	e.extras = &extras{payload: payload, messages: e.messages, route: e.route, heard: e.heard}
	e.stop, e.ctx = newStop(ctx)
	e.ctx = context.WithValue(e.ctx, taskKey{}, &Task{
		Name:        e.task,
		RunID:       payload.RunId,
		TaskID:      payload.TaskId,
		Attempt:     int(payload.Attempt),
		Traceparent: payload.GetTraceparent(),
		extras:      e.extras,
	})
	return e
}

func (e *execution) close() {
	e.end()
	e.starting.Wait()
	e.extras.close()
	e.route.Close()
	e.stop.cancel(nil) // the function has returned, or was left behind: frees its context
}

func (e *execution) run(ctx context.Context, leave bool) (*Summary, error) {
	defer context.AfterFunc(ctx, func() {
		e.stop.ask(shuttingDown)
		e.reporter.Hurry(e.worker.limits.hurry)
	})()
	if e.payload.Version > contract.Version {
		return e.report(e.endings.failed(woveError("version_mismatch", "VersionMismatch",
			fmt.Sprintf("the payload has version %d, and this worker (%s) reads version %d",
				e.payload.Version, userAgent, contract.Version))))
	}
	if summary, err := e.start(); summary != nil {
		return summary, err
	}
	if e.interval() > 0 {
		beats := &pulse{
			route: e.route, interval: e.interval, make: e.messages.heartbeat, heard: e.heard,
			pushed: func() { e.asked(weaveAsked) },
		}
		defer beats.start()()
	}
	ending := e.call(ctx, leave)
	e.extras.close()
	return e.report(ending)
}

// heard takes an answer to anything but a terminal event, from whichever goroutine.
func (e *execution) heard(event *wovepb.Event, answer delivery.Answer) {
	seconds := delivery.Seconds(answer.Ack.GetHeartbeatSeconds())
	if seconds > 0 && e.interval() > 0 {
		e.heartbeat.Store(int64(max(seconds, shortestHeartbeat)))
	}
	if !answer.Stops(event, e.detached) {
		return
	}
	reason := weaveGone
	switch answer.Verdict {
	case delivery.Accepted:
		reason = weaveAsked
	case delivery.Invalid:
		reason = startRefused
	case delivery.Refused:
		if answer.Status != 401 && answer.Status != 404 {
			reason = startRefused
		}
	}
	e.asked(reason)
}

func (e *execution) interval() time.Duration { return time.Duration(e.heartbeat.Load()) }

func (e *execution) asked(reason string) {
	if !e.detached {
		e.stop.ask(reason)
	}
}
