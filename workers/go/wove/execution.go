package wove

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/contract"
	"github.com/wove-dev/wove/workers/go/internal/delivery"
)

const (
	shuttingDown = "its worker is shutting down"
	weaveAsked   = "the weave cancelled it"
	weaveGone    = "the weave no longer waits for it"
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
	life     context.Context // ends with the execution
	end      context.CancelFunc
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
	interval := heartbeatInterval(e.payload)
	if summary, err := e.start(interval); summary != nil {
		return summary, err
	}
	if interval > 0 {
		beats := &pulse{
			route: e.route, interval: interval, make: e.messages.heartbeat, heard: e.heard,
			pushed: func() { e.asked(weaveAsked) },
		}
		defer beats.start()()
	}
	ending := e.call(ctx, leave)
	e.extras.close()
	return e.report(ending)
}

// call runs the function, which has leave to start, and gives its ending.
func (e *execution) call(ctx context.Context, leave bool) ending {
	if !e.stop.begin() {
		reason, _ := e.stop.why()
		return e.endings.stopped(reason, false)
	}
	found, ok := e.worker.function(e.task)
	if !ok {
		return e.endings.failed(unknownTask(e.task, e.worker.names()))
	}
	if e.payload.ArgsJson == nil {
		return e.notLoadable("the payload has no args_json, and this worker reads no pickles")
	}
	given, err := readArguments(*e.payload.ArgsJson)
	if err != nil {
		return e.notLoadable(err.Error())
	}
	ended := make(chan ending, 1)
	go e.invoke(found, given, ended)
	return e.wait(ctx, ended, leave)
}

func (e *execution) notLoadable(problem string) ending {
	return e.endings.failed(woveError("payload_not_loadable", "PayloadNotLoadable",
		fmt.Sprintf("the worker %s could not load the arguments of task %q: %s",
			workerID(), e.task, problem)))
}

// invoke calls the function in this goroutine, which is its own.
func (e *execution) invoke(found function, given arguments, ended chan<- ending) {
	judged := false
	defer func() {
		reason := recover()
		if judged {
			return
		}
		e.stop.done()
		if reason == nil {
			reason = errors.New("the function ended its goroutine (runtime.Goexit)")
		}
		ended <- e.endings.failed(panicError(reason, string(debug.Stack())))
	}()
	value, err := found.call(e.ctx, *e.payload.ArgsJson, given)
	e.stop.done()
	end := e.judge(found, value, err)
	judged = true
	ended <- end
}

// judge makes the ending of what a function gave back.
func (e *execution) judge(found function, value any, err error) ending {
	if err != nil {
		// A function that is being stopped fails in many ways: its context's error, a killed
		// command's, a closed connection's.
		if reason, asked := e.stop.why(); asked {
			return e.endings.stopped(reason, false)
		}
		return e.endings.failed(taskError(err, found.where))
	}
	text, err := resultText(value)
	if err != nil {
		return e.endings.failed(woveError("result_not_picklable", "ResultNotEncodable",
			fmt.Sprintf("task %q returned a %T that cannot be written as JSON: %v",
				e.task, value, safely(err.Error))))
	}
	return e.endings.returned(text)
}

// wait waits for the function; for one that does not stop only where it may be left behind.
func (e *execution) wait(ctx context.Context, ended <-chan ending, leave bool) ending {
	select {
	case found := <-ended:
		return found
	case <-e.stop.asked:
	}
	if !leave {
		select {
		case found := <-ended:
			return found
		case <-ctx.Done():
		}
	}
	timer := time.NewTimer(e.worker.limits.patience)
	defer timer.Stop()
	select {
	case found := <-ended:
		return found
	case <-timer.C:
	}
	if !e.stop.abandon() {
		return <-ended
	}
	reason, _ := e.stop.why()
	return e.endings.stopped(reason, true)
}

// heard takes an answer to anything but a terminal event, from whichever goroutine.
func (e *execution) heard(answer delivery.Answer) {
	if answer.Cancels() {
		e.asked(weaveAsked)
		return
	}
	switch answer.Verdict {
	case delivery.Gone, delivery.Conflict:
		e.asked(weaveGone)
	case delivery.Refused:
		if answer.Status == 401 || answer.Status == 404 {
			e.asked(weaveGone)
		}
	}
}

func (e *execution) asked(reason string) {
	if !e.detached {
		e.stop.ask(reason)
	}
}
