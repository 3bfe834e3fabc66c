// Package delivery brings events to a receiver: one try over a route, what its answer means
// (the table of ack.proto), and the tries after it.
package delivery

import (
	"math"
	"net/http"
	"strconv"
	"time"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"
)

// Verdict is what to do after an answer.
type Verdict int

const (
	// Accepted: done.
	Accepted Verdict = iota
	// Retry: try again later. Having no answer is this too.
	Retry
	// Elsewhere: try again on a new connection, another receiver has answered.
	Elsewhere
	// Invalid: the receiver does not take this event (400, 413, 415).
	Invalid
	// Conflict: another terminal event, or another execution, was first (409).
	Conflict
	// Gone: nobody waits for the run (410).
	Gone
	// Refused: another final answer (401, 404, and what no receiver should send).
	Refused
)

// Answer is an answer, judged.
type Answer struct {
	Verdict Verdict
	// Status is HTTP's code, or the one that stands for gRPC's; 0 without an answer.
	Status int
	// Text is the answer in words.
	Text string
	// Ack is the acknowledgement, where there was one that can be read.
	Ack *wovepb.EventAck
	// RetryAfter is how long the receiver asks to wait.
	RetryAfter time.Duration
}

// Final says whether the event needs no other try.
func (a Answer) Final() bool { return a.Verdict != Retry && a.Verdict != Elsewhere }

// Cancels says whether the receiver asks to stop the task.
func (a Answer) Cancels() bool {
	return a.Verdict == Accepted && a.Ack.GetCancel() != nil
}

// Delivered says, of the answer to a terminal event, whether the receiver has what it needs of
// this execution: the event, or another ending of the run.
func (a Answer) Delivered() bool {
	return a.Verdict == Accepted || a.Verdict == Conflict || a.Verdict == Gone
}

// Stops says whether the task must not be called any more, or be stopped if it runs, after this
// answer to an event that is not terminal.
//
// A detached task's weave may be gone, which keeps it from nothing; and once it runs, no answer
// stops it.
func (a Answer) Stops(event *wovepb.Event, detached bool) bool {
	switch {
	case !a.Final():
		return false
	case a.Verdict == Accepted:
		return a.Cancels() && !detached
	case event.GetTaskStarted() != nil:
		return !(detached && a.Verdict == Gone)
	default:
		return refusesAll(a.Status) && !detached
	}
}

// refusesAll says whether nothing that this execution sends will be taken after an answer.
func refusesAll(status int) bool {
	return status == 401 || status == 404 || status == 409 || status == 410
}

// NoAnswer is the answer of a try that got none.
func NoAnswer(text string) Answer { return Answer{Verdict: Retry, Text: text} }

// Response is what came back, before it is judged.
type Response struct {
	Status int
	Text   string
	// AnsweredBy is the id that the answer carries; empty if it has none.
	AnsweredBy string
	RetryAfter time.Duration
	Ack        *wovepb.EventAck
}

// Judge applies the table of ack.proto.
//
// receiverID is the payload's; empty for receivers that have none, to which the plain table
// applies.
func Judge(response Response, receiverID string) Answer {
	answer := Answer{
		Verdict:    verdict(response.Status),
		Status:     response.Status,
		Text:       response.Text,
		RetryAfter: response.RetryAfter,
	}
	if answer.Verdict == Accepted {
		answer.Ack = response.Ack
	}
	if receiverID == "" {
		return answer
	}
	switch {
	case response.AnsweredBy == "":
		// A balancer's or a proxy's own answer, whatever its status.
		answer.Verdict, answer.Ack = Retry, nil
		answer.Text += ", not from a Wove receiver"
	case response.AnsweredBy != receiverID &&
		(response.Status == http.StatusNotFound || response.Status == http.StatusGone):
		answer.Verdict = Elsewhere
		answer.Text += " from another receiver"
	}
	return answer
}

func verdict(status int) Verdict {
	switch status {
	case 400, 413, 415:
		return Invalid
	case 409:
		return Conflict
	case 410:
		return Gone
	case 408, 429:
		return Retry
	case 421:
		return Elsewhere
	}
	switch {
	case status >= 200 && status < 300:
		return Accepted
	case status >= 400 && status < 500:
		return Refused
	default:
		return Retry
	}
}

// Seconds is the duration of so many seconds; 0 for those that are not finite or below 0.
func Seconds(seconds float64) time.Duration {
	if !(seconds > 0) || math.IsInf(seconds, 1) {
		return 0
	}
	return time.Duration(math.Min(seconds*float64(time.Second), math.MaxInt64/2))
}

// RetryAfter reads the header of that name, in both of its forms; false if it says nothing.
func RetryAfter(text string) (time.Duration, bool) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return Seconds(seconds), seconds >= 0 && !math.IsInf(seconds, 1)
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(date)), true
	}
	return 0, false
}
