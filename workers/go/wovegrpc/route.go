package wovegrpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	wovegrpcpb "github.com/wove-dev/wove/generated/go/wovegrpc/v1"
	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/delivery"
)

// Dial makes the route of a payload that offers gRPC. It is the argument of wove.WithGRPC, and
// is of no other use.
func Dial(
	_ context.Context, payload *wovepb.TaskPayload, otherwise delivery.Route,
) (delivery.Route, error) {
	parsed, err := parseTarget(payload.GetCallbackGrpc())
	if err != nil {
		return nil, err
	}
	events, err := acquire(purpose{parsed, false})
	if err != nil {
		return nil, err
	}
	release(purpose{parsed, false}, events) // each try acquires it
	return &route{parsed, payload.RunId, payload.GetReceiverId(), otherwise}, nil
}

// route makes a call of PublishEvent for each event.
type route struct {
	target     target
	runID      string
	receiverID string
	otherwise  delivery.Route
}

// outgoing is the context of a call, with the metadata that each one carries.
func (r *route) outgoing(ctx context.Context) context.Context {
	pairs := []string{"authorization", "Bearer " + r.target.token}
	if r.receiverID != "" {
		pairs = append(pairs, "wove-receiver", r.receiverID)
	}
	return metadata.NewOutgoingContext(ctx, metadata.Pairs(pairs...))
}

func (r *route) Post(ctx context.Context, body *delivery.Body, fresh bool) delivery.Answer {
	of := purpose{r.target, false}
	used, err := acquire(of)
	if err != nil {
		return r.otherwise.Post(ctx, body, fresh)
	}
	defer func() { release(of, used) }()
	if fresh {
		replace(of, used)
		if renewed, err := acquire(of); err == nil {
			release(of, used)
			used = renewed
		}
	}
	if used.ready(ctx, r.target) != nil {
		return r.otherwise.Post(ctx, body, fresh)
	}
	var header, trailer metadata.MD
	answer, err := wovegrpcpb.NewEventServiceClient(used.conn).PublishEvent(
		r.outgoing(ctx),
		&wovegrpcpb.PublishEventRequest{
			Body: &wovegrpcpb.PublishEventRequest_Event{Event: body.Event},
		},
		grpc.Header(&header), grpc.Trailer(&trailer),
	)
	return judgeCall(err, answer.GetAck(), header, trailer, r.receiverID)
}

func (r *route) Line(ctx context.Context, cancelled func()) delivery.Line {
	of := purpose{r.target, true}
	used, err := acquire(of)
	if err != nil {
		return r.otherwise.Line(ctx, cancelled)
	}
	if used.ready(ctx, r.target) != nil {
		release(of, used)
		return r.otherwise.Line(ctx, cancelled)
	}
	return &line{route: r, channel: used, cancelled: cancelled}
}

func (r *route) Close() { r.otherwise.Close() }
