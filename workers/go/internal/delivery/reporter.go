package delivery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 10 * time.Second
	// shortestTry is what a try is given even when its deadline is upon it.
	shortestTry = 100 * time.Millisecond
	// slowest is how many bytes a second make it on the slowest link that is waited for.
	slowest = 64 << 10
	// proxyRefusals is how often in a row 413 comes from a proxy before it is believed.
	proxyRefusals = 3
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
	return r.deliver(ctx, body, time.Now(), within, nil, false)
}

// DeliverReplaceable is Deliver for an event whose place a smaller one can take: after some
// times 413 in a row from a proxy the answer is Invalid.
func (r *Reporter) DeliverReplaceable(
	ctx context.Context, body *Body, within time.Duration,
) (Answer, error) {
	return r.deliver(ctx, body, time.Now(), within, nil, true)
}

// GoOn is Deliver after a first try, which began then and got an answer that is not final.
func (r *Reporter) GoOn(
	ctx context.Context, body *Body, begin time.Time, within time.Duration, first Answer,
) (Answer, error) {
	return r.deliver(ctx, body, begin, within, &first, false)
}

func (r *Reporter) deliver(
	ctx context.Context, body *Body, begin time.Time, within time.Duration, first *Answer,
	replaceable bool,
) (Answer, error) {
	fresh, tooLarge := false, 0
	for tries := 1; ; tries++ {
		answer := r.try(ctx, body, begin.Add(within), fresh, first)
		first = nil
		if answer.Final() {
			return answer, nil
		}
		if answer.Status == http.StatusRequestEntityTooLarge {
			tooLarge++
		} else {
			tooLarge = 0
		}
		if replaceable && tooLarge == proxyRefusals {
			answer.Verdict = Invalid
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
	left := min(r.left(deadline), patience(body))
	try, cancel := context.WithTimeout(ctx, max(left, shortestTry))
	defer cancel()
	return r.route.Post(try, body, fresh)
}

// patience is how long a try may take. A large event has time to be sent.
func patience(body *Body) time.Duration {
	return answerTimeout + time.Duration(len(body.Data)/slowest)*time.Second
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
