package delivery

import (
	"context"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"
)

// Body is an event, and what is sent of it on every try.
type Body struct {
	Event *wovepb.Event
	// Data is the event encoded.
	Data []byte
	// ContentType is that of Data.
	ContentType string
	// Once says that the event is never sent a second time.
	Once bool
}

// Route is the way from one execution to its receiver. Any goroutine may use it.
type Route interface {
	// Post is one try. Having no answer is an answer too. With fresh it uses a new connection.
	Post(ctx context.Context, body *Body, fresh bool) Answer
	// Line makes a connection of its own, for heartbeats. cancelled is called, from any
	// goroutine, when the receiver asks out of turn to stop the run.
	Line(ctx context.Context, cancelled func()) Line
	// Close lets go of what the route holds.
	Close()
}

// Line is a connection of its own, used by one goroutine.
type Line interface {
	// Post is as Route's.
	Post(ctx context.Context, body *Body, fresh bool) Answer
	// Pushes says whether the receiver can ask out of turn once there has been a heartbeat.
	Pushes() bool
	Close()
}

// Dialer makes a route that is tried before another one, for a payload that offers it.
type Dialer func(ctx context.Context, payload *wovepb.TaskPayload, otherwise Route) (Route, error)
