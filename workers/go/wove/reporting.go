package wove

import (
	"context"
	"errors"
	"log/slog"
	"time"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/delivery"
)

// start announces the execution and, where there is a gate, waits for leave. It gives a
// summary if the function must not be called.
func (e *execution) start() (*Summary, error) {
	body := e.messages.started(e.interval())
	var answer delivery.Answer
	if e.payload.GetStartGate() == "none" {
		answer = e.startUngated(body)
	} else {
		var err error
		answer, err = e.reporter.Deliver(e.life, body, e.worker.limits.start)
		if err != nil && !e.detached {
			problem := e.undelivered("the start", err)
			return e.summary(NotStarted, false, "CallbackUnreachable", problem.Error()), problem
		}
	}
	switch {
	case !answer.Final(): // to be found out while the function runs
	case answer.Verdict == delivery.Accepted || !answer.Stops(body.Event, e.detached):
		e.heard(body.Event, answer)
	default:
		message := "the receiver answered " + answer.Text + " to task_started"
		return e.summary(NotStarted, true, "StartRefused", message), nil
	}
	return nil, nil
}

// startUngated gives the first try a moment, which keeps the events in order, and leaves the
// others to a goroutine.
func (e *execution) startUngated(body *delivery.Body) delivery.Answer {
	begin := time.Now()
	try, cancel := context.WithTimeout(e.life, e.worker.limits.ungated)
	answer := e.route.Post(try, body, false)
	cancel()
	if !answer.Final() {
		e.starting.Add(1)
		go func() {
			defer e.starting.Done()
			// A reporter of its own: what hurries the end is not about the start.
			later := delivery.NewReporter(e.route)
			answer, err := later.GoOn(e.life, body, begin, e.worker.limits.start, answer)
			if err == nil {
				e.heard(body.Event, answer)
			}
		}()
	}
	return answer
}

// report delivers the terminal event.
func (e *execution) report(end ending) (*Summary, error) {
	within := terminalDeadline(e.payload, time.Since(e.began))
	answer, err := e.reporter.DeliverReplaceable(e.life, end.body, within)
	if err == nil && answer.Verdict == delivery.Invalid {
		end = e.endings.inPlaceOf(end, answer)
		answer, err = e.reporter.Deliver(e.life, end.body, within)
	}
	if err != nil {
		problem := e.undelivered("the end", err)
		summary := e.summary(end.outcome, false, "CallbackUnreachable", problem.Error())
		if e.detached { // its weave may be gone for good, and that is no failure
			return summary, nil
		}
		return summary, problem
	}
	if !answer.Delivered() {
		problem := e.undelivered("the end", errors.New("the receiver answered "+answer.Text))
		problem.Refused = true
		return e.summary(end.outcome, false, end.kind, end.message), problem
	}
	return e.summary(end.outcome, true, end.kind, end.message), nil
}

func (e *execution) undelivered(part string, err error) *UndeliveredError {
	return &UndeliveredError{
		Part: part, Task: e.task, URL: e.endpoint.Redacted, Reason: err.Error(),
	}
}

func (e *execution) summary(outcome string, delivered bool, kind, message string) *Summary {
	return &Summary{
		WoveVersion: userAgent,
		RunID:       e.payload.RunId,
		Outcome:     outcome,
		Delivered:   delivered,
		Error:       summaryError(kind, message),
		CallbackURL: e.endpoint.Redacted,
	}
}

// route is the way to the payload's receiver, by gRPC where that is offered and wanted.
func (w *Worker) route(
	ctx context.Context, payload *wovepb.TaskPayload, endpoint delivery.Endpoint,
) delivery.Route {
	var route delivery.Route = delivery.NewHTTP(endpoint, payload.GetReceiverId(), userAgent, w.pool)
	wanted := w.encoding != JSON && w.encoding != Protobuf
	if wanted && w.dial != nil && payload.GetCallbackGrpc() != "" {
		// A Dial that cannot use the address, or the files for TLS, leaves the HTTP route.
		dialed, err := w.dial(ctx, payload, route)
		if err == nil {
			return dialed
		}
		slog.WarnContext(ctx, "wove: no gRPC, events go by HTTP", "reason", err)
	}
	return route
}

// binary says whether bodies of HTTP requests are protobuf.
func (w *Worker) binary(payload *wovepb.TaskPayload) bool {
	switch w.encoding {
	case JSON:
		return false
	case Protobuf:
		return true
	default:
		return payload.GetReceiverId() != ""
	}
}

// IsUndelivered says whether an error of Run is that the last event could not be delivered.
func IsUndelivered(err error) bool {
	var undelivered *UndeliveredError
	return errors.As(err, &undelivered)
}
