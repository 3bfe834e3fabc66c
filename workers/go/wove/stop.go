package wove

import (
	"context"
	"errors"
	"sync"
)

// stop is the one place where it is decided whether a function was stopped, has returned, or
// is left behind.
type stop struct {
	mu        sync.Mutex
	reason    string
	returned  bool
	abandoned bool
	// asked is closed when stopping is asked for.
	asked  chan struct{}
	cancel context.CancelCauseFunc
}

// newStop also makes the function's context, which has the values of ctx.
func newStop(ctx context.Context) (*stop, context.Context) {
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	return &stop{asked: make(chan struct{}), cancel: cancel}, inner
}

// ask asks the function to stop. Ignored once it has returned, and the second time.
func (s *stop) ask(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.returned || s.abandoned || s.reason != "" {
		return
	}
	s.reason = reason
	close(s.asked)
	s.cancel(errors.New(reason))
}

// why is the reason for stopping, and whether that was asked for.
func (s *stop) why() (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason, s.reason != ""
}

// begin says whether the function may be called: not after stopping was asked for.
func (s *stop) begin() bool {
	_, asked := s.why()
	return !asked
}

// done says that the function has returned.
func (s *stop) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.returned = true
}

// abandon leaves the function behind; false if it has returned: its own ending counts.
func (s *stop) abandon() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.returned {
		return false
	}
	s.abandoned = true
	return true
}

func (s *stop) isAbandoned() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.abandoned
}
