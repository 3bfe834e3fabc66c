package wove

import (
	"context"
	"math"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"
)

// Task is what a function may know of its run, and how it says how far it is.
//
// All methods may be called by any goroutine, and on nil, where they do nothing: a function
// can be tested without a worker.
type Task struct {
	// Name is the task's name.
	Name string
	// RunID names this run, and TaskID its task in the weave.
	RunID, TaskID string
	// Attempt counts the submissions of this task before this one.
	Attempt int
	// Traceparent is the W3C trace context of the weave, or empty.
	Traceparent string

	extras *extras
}

type taskKey struct{}

// TaskFrom gives the task whose function has ctx; nil if there is none.
func TaskFrom(ctx context.Context) *Task {
	task, _ := ctx.Value(taskKey{}).(*Task)
	return task
}

// Progress is how far a task is.
type Progress struct {
	Current float64
	// Total is 0 where it is not known.
	Total float64
	// Unit is what is counted, such as "rows".
	Unit    string
	Message string
}

// Progress tells the weave how far the task is, if the weave listens. It does not wait for the
// weave, except when a great many are on their way; none is sent twice.
func (t *Task) Progress(progress Progress) {
	if t == nil || !t.extras.takes("progress") {
		return
	}
	frame := &wovepb.Progress{
		Unit:    scrub(progress.Unit, maxKindBytes),
		Message: scrub(progress.Message, maxMessageBytes),
	}
	if finite(progress.Current) {
		frame.Current = &progress.Current
	}
	if progress.Total != 0 && finite(progress.Total) {
		frame.Total = &progress.Total
	}
	t.extras.send(func(event *wovepb.Event) {
		event.Frame = &wovepb.Event_Progress{Progress: frame}
	})
}

// Level says how much a line of a log matters.
type Level string

// The levels that the contract knows.
const (
	Debug    Level = "debug"
	Info     Level = "info"
	Warning  Level = "warning"
	Error    Level = "error"
	Critical Level = "critical"
)

// Log sends one line of the task's log to the weave, as Progress does.
func (t *Task) Log(level Level, message string) {
	if t == nil || !t.extras.takes("log") {
		return
	}
	frame := &wovepb.Log{
		Level:   scrub(string(level), maxKindBytes),
		Message: scrub(message, maxMessageBytes),
	}
	t.extras.send(func(event *wovepb.Event) {
		event.Frame = &wovepb.Event_Log{Log: frame}
	})
}

func finite(number float64) bool { return !math.IsNaN(number) && !math.IsInf(number, 0) }
