package wove

import (
	"context"
	"slices"
	"sync"
	"time"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/delivery"
)

const (
	maxQueued = 256
	// extraTimeout is how long one such event may take.
	extraTimeout = 5 * time.Second
	// queueTimeout is how long a task waits for a place in the queue.
	queueTimeout = time.Second
	// drainTimeout is how long the end waits for those that are queued.
	drainTimeout = 2 * time.Second
)

// extras sends progress and logs: in order, once each, beside the task. What cannot be sent is
// forgotten, and so is everything for a moment after there was no answer: a receiver that is
// away does not slow the task down.
type extras struct {
	payload  *wovepb.TaskPayload
	messages *messages
	route    delivery.Route
	heard    func(*wovepb.Event, delivery.Answer)

	mu     sync.Mutex
	queue  chan *delivery.Body
	closed bool
	cancel context.CancelFunc
	ended  chan struct{}
}

func (x *extras) takes(frame string) bool { return slices.Contains(x.payload.Accepts, frame) }

// send queues an event, which fill gives its frame.
func (x *extras) send(fill func(*wovepb.Event)) {
	x.mu.Lock() // also keeps the queue in the order of the events' numbers
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	if x.queue == nil {
		ctx, cancel := context.WithCancel(context.Background())
		x.queue, x.cancel, x.ended = make(chan *delivery.Body, maxQueued), cancel, make(chan struct{})
		go x.run(ctx)
	}
	event := x.messages.event()
	fill(event)
	body, err := x.messages.encode(event)
	if err != nil || len(body.Data) > maxBytes(x.payload) {
		return
	}
	body.Once = true
	timer := time.NewTimer(queueTimeout)
	defer timer.Stop()
	select {
	case x.queue <- body:
	case <-timer.C:
	}
}

func (x *extras) run(ctx context.Context) {
	defer close(x.ended)
	var silentUntil time.Time
	failures, fresh := 0, false
	for body := range x.queue {
		if ctx.Err() != nil || time.Now().Before(silentUntil) {
			continue
		}
		try, cancel := context.WithTimeout(ctx, extraTimeout)
		answer := x.route.Post(try, body, fresh)
		cancel()
		fresh = answer.Verdict == delivery.Elsewhere
		switch {
		case answer.Final():
			failures = 0
			x.heard(body.Event, answer)
		case answer.Status == 0:
			failures++
			silentUntil = time.Now().Add(delivery.Backoff(failures))
		default:
			silentUntil = time.Now().Add(answer.RetryAfter)
		}
	}
}

// close sends what is queued, within reason, and takes no more.
func (x *extras) close() {
	x.mu.Lock()
	started := x.queue != nil && !x.closed
	x.closed = true
	if started {
		close(x.queue)
	}
	x.mu.Unlock()
	if !started {
		return
	}
	defer x.cancel()
	timer := time.NewTimer(drainTimeout)
	defer timer.Stop()
	select {
	case <-x.ended:
	case <-timer.C:
		x.cancel()
		<-x.ended
	}
}
