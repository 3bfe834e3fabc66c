package wove

import (
	"math"
	"time"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/delivery"
)

// limits are the times of the contract that tests make shorter.
type limits struct {
	// start is the deadline of task_started.
	start time.Duration
	// ungated is how long the first try may hold up a task that need not wait for it.
	ungated time.Duration
	// patience is how long a function that was asked to stop is waited for, where it can be
	// left behind.
	patience time.Duration
	// hurry is how long a worker that is shutting down goes on delivering.
	hurry time.Duration
}

var defaultLimits = limits{
	start:    60 * time.Second,
	ungated:  time.Second,
	patience: 5 * time.Second,
	hurry:    15 * time.Second,
}

const (
	shortestDelivery = 300 * time.Second
	longestDelivery  = 3600 * time.Second
	assumedMaxBytes  = 64 << 20
)

// terminalDeadline is for how long a terminal event is tried.
func terminalDeadline(payload *wovepb.TaskPayload, ran time.Duration) time.Duration {
	if asked := delivery.Seconds(payload.GetDeliveryRetrySeconds()); asked > 0 {
		return asked
	}
	return min(max(ran, shortestDelivery), longestDelivery)
}

// maxBytes is the largest event that the receiver takes.
func maxBytes(payload *wovepb.TaskPayload) int {
	if limit := payload.GetMaxEventBytes(); limit > 0 {
		return int(min(int64(limit), math.MaxInt32))
	}
	return assumedMaxBytes
}
