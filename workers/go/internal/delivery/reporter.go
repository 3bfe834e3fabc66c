package delivery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 10 * time.Second
	// shortestTry is what a try is given even when its deadline is upon it.
	shortestTry = 100 * time.Millisecond
)

// Undelivered says that the deadline passed without a final answer.
type Undelivered struct {
	Tries int
	For   time.Duration
	// Last is what the last try met, in words.
	Last string
}

func (u *Undelivered) Error() string {
	return fmt.Sprintf("%d tries in %.0f s, the last: %s", u.Tries, u.For.Seconds(), u.Last)
}

// Reporter delivers the events of one execution over its route.
type Reporter struct {
	route   Route
	mu      sync.Mutex
	latest  time.Time
	hurried chan struct{}
}

// NewReporter makes a reporter that delivers over route.
func NewReporter(route Route) *Reporter {
	return &Reporter{route: route, hurried: make(chan struct{})}
}

// Deliver sends an event until there is a final answer, for so long at most. The event is the
// same on every try. Its error is an *Undelivered.
func (r *Reporter) Deliver(ctx context.Context, body *Body, within time.Duration) (Answer, error) {
	return r.deliver(ctx, body, time.Now(), within, nil)
}

// GoOn is Deliver after a first try, which began then and got an answer that is not final.
func (r *Reporter) GoOn(
	ctx context.Context, body *Body, begin time.Time, within time.Duration, first Answer,
) (Answer, error) {
	return r.deliver(ctx, body, begin, within, &first)
}

func (r *Reporter) deliver(
	ctx context.Context, body *Body, begin time.Time, within time.Duration, first *Answer,
) (Answer, error) {
	fresh := false
	for tries := 1; ; tries++ {
		answer := r.try(ctx, body, begin.Add(within), fresh, first)
		first = nil
		if answer.Final() {
			return answer, nil
		}
		fresh = answer.Verdict == Elsewhere
		left := r.left(begin.Add(within))
		if left <= 0 || ctx.Err() != nil {
			return answer, &Undelivered{tries, time.Since(begin), answer.Text}
		}
		r.pause(ctx, min(Backoff(tries)+answer.RetryAfter, left))
	}
}

// try is one, unless there has been one.
func (r *Reporter) try(
	ctx context.Context, body *Body, deadline time.Time, fresh bool, had *Answer,
) Answer {
	if had != nil {
		return *had
	}
	try, cancel := context.WithTimeout(ctx, max(r.left(deadline), shortestTry))
	defer cancel()
	return r.route.Post(try, body, fresh)
}

// Hurry gives up everything that is not delivered in so long from now.
func (r *Reporter) Hurry(within time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.latest.IsZero() {
		r.latest = time.Now().Add(within)
		close(r.hurried)
	}
}

func (r *Reporter) left(deadline time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.latest.IsZero() && r.latest.Before(deadline) {
		deadline = r.latest
	}
	return time.Until(deadline)
}

// pause waits. Whoever is hurried wakes up, and from then on waits only a little.
func (r *Reporter) pause(ctx context.Context, wait time.Duration) {
	hurried := r.hurried
	select {
	case <-hurried:
		hurried, wait = nil, min(wait, maxBackoff/10)
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-hurried:
	case <-ctx.Done():
	}
}

// Backoff is how long to wait after so many tries: full jitter below an exponential limit.
func Backoff(tries int) time.Duration {
	limit := min(maxBackoff, firstBackoff<<min(max(tries-1, 0), 16))
	return time.Duration(rand.Int64N(int64(limit) + 1))
}
