package wove

import (
	"context"
	"slices"
	"time"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/delivery"
)

const (
	defaultHeartbeat  = 5 * time.Second
	shortestHeartbeat = 10 * time.Millisecond
	// beatTimeout is how long an answer to a heartbeat is waited for.
	beatTimeout = 10 * time.Second
)

// heartbeatInterval is the time between heartbeats; 0 where the receiver takes none.
func heartbeatInterval(payload *wovepb.TaskPayload) time.Duration {
	if !slices.Contains(payload.Accepts, "heartbeat") {
		return 0
	}
	asked := payload.GetDelivery().GetDeliveryHeartbeatSeconds()
	if !(asked > 0) {
		return defaultHeartbeat
	}
	return max(delivery.Seconds(asked/3), shortestHeartbeat)
}

// pulse sends the heartbeats of one execution, from a goroutine and a connection of its own. A
// beat is made when it is due and sent once: the next one says more.
type pulse struct {
	route delivery.Route
	// interval is the time between beats; a receiver may change it.
	interval func() time.Duration
	make     func() *delivery.Body
	heard    func(*wovepb.Event, delivery.Answer)
	// pushed is called when the receiver asks out of turn to stop the run.
	pushed func()
}

// start begins; the function that it gives ends it, and returns when it has ended.
func (p *pulse) start() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

func (p *pulse) run(ctx context.Context) {
	line := p.route.Line(ctx, p.pushed)
	defer line.Close()
	due := time.Now()
	if !line.Pushes() {
		due = due.Add(p.interval())
	} // else the first beat, at once, opens the way for what is pushed
	failures, fresh := 0, false
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		try, cancel := context.WithTimeout(ctx, min(max(p.interval(), time.Second), beatTimeout))
		beat := p.make()
		answer := line.Post(try, beat, fresh)
		cancel()
		if ctx.Err() != nil {
			return
		}
		fresh = answer.Verdict == delivery.Elsewhere
		if answer.Final() {
			failures = 0
			p.heard(beat.Event, answer)
			due = due.Add(p.interval())
		} else {
			failures++
			due = time.Now().Add(min(p.interval(), delivery.Backoff(failures)+firstPause))
		}
		// After a long wait, such as a machine's sleep, beats are not made up for.
		if now := time.Now(); due.Before(now) {
			due = now
		}
		timer.Reset(time.Until(due))
	}
}

// firstPause keeps a failing beat from being tried in a tight loop.
const firstPause = 50 * time.Millisecond
