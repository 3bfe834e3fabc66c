package wovegrpc

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	wovegrpcpb "github.com/wove-dev/wove/generated/go/wovegrpc/v1"
	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/delivery"
)

// line carries one run's heartbeats on a call of StreamEvents, and opens another one when
// that has ended. Between its heartbeats it takes what the receiver pushes.
type line struct {
	route     *route
	channel   *channel
	cancelled func()
	call      *call
	// otherwise takes the heartbeats while there is no channel.
	otherwise delivery.Line
}

func (l *line) Pushes() bool { return true }

func (l *line) Post(ctx context.Context, body *delivery.Body, fresh bool) delivery.Answer {
	if fresh {
		l.renew()
	}
	if l.call != nil && l.call.ended() {
		l.hangUp()
	}
	if l.call == nil {
		if l.channel.ready(ctx, l.route.target) != nil {
			return l.postOtherwise(ctx, body, fresh)
		}
		opened, err := l.open()
		if err != nil {
			return judgeCall(err, nil, nil, nil, l.route.receiverID)
		}
		l.call = opened
	}
	answer, ok := l.call.exchange(ctx, body.Event)
	if !ok {
		l.hangUp()
	}
	return answer
}

func (l *line) postOtherwise(
	ctx context.Context, body *delivery.Body, fresh bool,
) delivery.Answer {
	if l.otherwise == nil {
		l.otherwise = l.route.otherwise.Line(ctx, l.cancelled)
	}
	return l.otherwise.Post(ctx, body, fresh)
}

func (l *line) Close() {
	l.hangUp()
	if l.otherwise != nil {
		l.otherwise.Close()
	}
	release(purpose{l.route.target, true}, l.channel)
}

func (l *line) hangUp() {
	if l.call != nil {
		l.call.close()
		l.call = nil
	}
}

// renew changes to a new channel.
func (l *line) renew() {
	of := purpose{l.route.target, true}
	replace(of, l.channel)
	renewed, err := acquire(of)
	if err != nil {
		return
	}
	l.hangUp()
	release(of, l.channel)
	l.channel = renewed
}

func (l *line) open() (*call, error) {
	ctx, cancel := context.WithCancel(l.route.outgoing(context.Background()))
	stream, err := wovegrpcpb.NewEventServiceClient(l.channel.conn).StreamEvents(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	c := &call{
		route: l.route, cancelled: l.cancelled, stream: stream, cancel: cancel,
		acks: make(chan *wovepb.EventAck, 1), over: make(chan struct{}),
	}
	c.reading.Add(1)
	go c.read()
	return c, nil
}

// call is one call of StreamEvents.
type call struct {
	route     *route
	cancelled func()
	stream    wovegrpcpb.EventService_StreamEventsClient
	cancel    context.CancelFunc
	acks      chan *wovepb.EventAck
	reading   sync.WaitGroup
	over      chan struct{} // closed when the call has ended, with err
	err       error
}

// exchange sends one event and waits for its answer; false if the call is of no more use.
func (c *call) exchange(ctx context.Context, event *wovepb.Event) (delivery.Answer, bool) {
	defer context.AfterFunc(ctx, c.cancel)() // also frees a Send that a full window holds up
	sent := c.stream.Send(&wovegrpcpb.StreamEventsRequest{
		Body: &wovegrpcpb.StreamEventsRequest_Event{Event: event},
	})
	for sent == nil {
		select {
		case ack := <-c.acks:
			if ack.GetEventId() != "" && ack.GetEventId() != event.EventId {
				continue // of a heartbeat that was given up
			}
			header, _ := c.stream.Header() // it was there before the answer
			return judgeAck(ack, header, c.route.receiverID), true
		case <-c.over:
			sent = c.err
		case <-ctx.Done():
			return delivery.NoAnswer("no answer in time"), false
		}
	}
	select {
	case <-c.over: // whatever Send says, how the call ended is what Recv says
	case <-ctx.Done():
		return delivery.NoAnswer("no answer in time"), false
	}
	header, _ := c.stream.Header()
	return judgeCall(c.err, nil, header, c.stream.Trailer(), c.route.receiverID), false
}

// read takes what comes down.
func (c *call) read() {
	defer c.reading.Done()
	defer close(c.over)
	for {
		message, err := c.stream.Recv()
		if err != nil {
			c.err = err
			if errors.Is(err, io.EOF) { // the receiver ended the call in good order
				c.err = status.Error(codes.Unavailable, "the call has ended")
			}
			return
		}
		if ack := message.GetAck(); ack != nil {
			select {
			case c.acks <- ack:
			case <-c.stream.Context().Done():
			}
		} else if stop := message.GetCancelTask(); stop != nil && stop.RunId == c.route.runID {
			c.cancelled()
		}
	}
}

func (c *call) ended() bool {
	select {
	case <-c.over:
		return true
	default:
		return false
	}
}

func (c *call) close() {
	_ = c.stream.CloseSend()
	c.cancel()
	c.reading.Wait()
}
