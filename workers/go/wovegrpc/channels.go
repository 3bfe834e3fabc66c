package wovegrpc

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"
)

const (
	// connectTimeout is how long a channel may take to be made before HTTP is used instead.
	connectTimeout = 3 * time.Second
	// avoidFor is for how long an address is not tried again after that.
	avoidFor = time.Minute
	// lingerFor is how long a channel is kept for the next run.
	lingerFor = 30 * time.Second
)

var (
	errNotConnected = errors.New("no channel could be made")
	errAvoided      = errors.New("no channel could be made a moment ago")
)

// channels are this process's, by what they are for. Those of events are shared by all runs
// that report to one receiver, and so are those of heartbeats.
var channels = struct {
	mu    sync.Mutex
	open  map[purpose]*channel
	avoid map[target]time.Time
}{open: map[purpose]*channel{}, avoid: map[target]time.Time{}}

type purpose struct {
	target target
	beats  bool
}

// channel is a connection and how many use it.
type channel struct {
	conn   *grpc.ClientConn
	users  int
	unused *time.Timer
}

// acquire gives a channel; release lets go of it.
func acquire(of purpose) (*channel, error) {
	channels.mu.Lock()
	defer channels.mu.Unlock()
	found := channels.open[of]
	if found == nil {
		conn, err := connect(of.target)
		if err != nil {
			return nil, err
		}
		found = &channel{conn: conn}
		channels.open[of] = found
	}
	if found.unused != nil {
		found.unused.Stop()
		found.unused = nil
	}
	found.users++
	return found, nil
}

func release(of purpose, used *channel) {
	channels.mu.Lock()
	defer channels.mu.Unlock()
	used.users--
	if used.users > 0 {
		return
	}
	if channels.open[of] != used { // it was replaced
		used.conn.Close()
		return
	}
	used.unused = time.AfterFunc(lingerFor, func() {
		channels.mu.Lock()
		defer channels.mu.Unlock()
		if used.users == 0 && channels.open[of] == used {
			delete(channels.open, of)
			used.conn.Close()
		}
	})
}

// replace makes the next acquire connect anew.
func replace(of purpose, used *channel) {
	channels.mu.Lock()
	defer channels.mu.Unlock()
	if channels.open[of] == used {
		delete(channels.open, of)
	}
}

func connect(to target) (*grpc.ClientConn, error) {
	secrets, err := to.transportCredentials()
	if err != nil {
		return nil, err
	}
	return grpc.NewClient(to.address,
		grpc.WithTransportCredentials(secrets),
		grpc.WithDisableRetry(), // retries are the reporter's
		grpc.WithDisableServiceConfig(),
		grpc.WithNoProxy(), // as over HTTP: the address is one of the user's own network
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 30 * time.Second, Timeout: 10 * time.Second,
		}),
	)
}

// ready waits until the channel is connected. Its error says to use HTTP, for which it leaves
// time.
func (c *channel) ready(ctx context.Context, to target) error {
	if c.conn.GetState() == connectivity.Ready {
		return nil
	}
	if avoided(to) {
		return errAvoided
	}
	timeout := connectTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline)/2)
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tried := false
	for {
		state := c.conn.GetState()
		switch {
		case state == connectivity.Ready:
			return nil
		case state != connectivity.TransientFailure:
			tried = true
			c.conn.Connect()
		case tried:
			avoid(to)
			return errNotConnected
		default: // from an earlier try: the next one is due now
			c.conn.ResetConnectBackoff()
		}
		if !c.conn.WaitForStateChange(limited, state) {
			if ctx.Err() == nil {
				avoid(to)
			}
			return errNotConnected
		}
	}
}

func avoided(to target) bool {
	channels.mu.Lock()
	defer channels.mu.Unlock()
	return time.Now().Before(channels.avoid[to])
}

// avoid also forgets the addresses that are no longer avoided.
func avoid(to target) {
	channels.mu.Lock()
	defer channels.mu.Unlock()
	now := time.Now()
	for other, until := range channels.avoid {
		if now.After(until) {
			delete(channels.avoid, other)
		}
	}
	channels.avoid[to] = now.Add(avoidFor)
}
