package wovegrpc

import (
	"context"
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	wovegrpcpb "github.com/wove-dev/wove/generated/go/wovegrpc/v1"
	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/receivertest"
)

// event is one that came, and how.
type event struct {
	*wovepb.Event
	kind   string
	stream bool
	md     metadata.MD
}

// server answers by its script: a refusal, or an acknowledgement.
type server struct {
	wovegrpcpb.UnimplementedEventServiceServer
	*grpc.Server
	address string
	script  func(event) (*wovepb.EventAck, error)
	// push holds runs to cancel, each sent after a heartbeat.
	push chan string

	mu   sync.Mutex
	seen []event
}

func serve(t *testing.T, script func(event) (*wovepb.EventAck, error), options ...grpc.ServerOption) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		Server: grpc.NewServer(options...), address: listener.Addr().String(),
		script: script, push: make(chan string, 1),
	}
	wovegrpcpb.RegisterEventServiceServer(s.Server, s)
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(s.Stop)
	return s
}

func (s *server) take(ctx context.Context, got *wovepb.Event, stream bool) (*wovepb.EventAck, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	came := event{got, receivertest.Kind(got), stream, md}
	s.mu.Lock()
	s.seen = append(s.seen, came)
	s.mu.Unlock()
	if values := md.Get("authorization"); len(values) != 1 || values[0] != "Bearer "+receivertest.Token {
		return nil, status.Error(codes.Unauthenticated, "wrong token")
	}
	if s.script == nil {
		return &wovepb.EventAck{}, nil
	}
	ack, err := s.script(came)
	if ack == nil {
		ack = &wovepb.EventAck{}
	}
	return ack, err
}

func (s *server) came(kinds ...string) []event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []event
	for _, each := range s.seen {
		for _, kind := range kinds {
			if each.kind == kind {
				found = append(found, each)
			}
		}
	}
	return found
}

var id = metadata.Pairs("wove-receiver", receivertest.ID)

func (s *server) PublishEvent(
	ctx context.Context, request *wovegrpcpb.PublishEventRequest,
) (*wovegrpcpb.PublishEventResponse, error) {
	ack, err := s.take(ctx, request.GetEvent(), false)
	if err != nil {
		_ = grpc.SetTrailer(ctx, id)
		return nil, err
	}
	_ = grpc.SetHeader(ctx, id)
	return &wovegrpcpb.PublishEventResponse{Ack: ack}, nil
}

func (s *server) StreamEvents(stream wovegrpcpb.EventService_StreamEventsServer) error {
	_ = stream.SendHeader(id)
	for {
		request, err := stream.Recv()
		if err != nil {
			return nil
		}
		ack, err := s.take(stream.Context(), request.GetEvent(), true)
		if err != nil {
			ack = &wovepb.EventAck{Code: int32(status.Code(err))}
		}
		ack.EventId, ack.ReceiverId = request.GetEvent().EventId, receivertest.ID
		_ = stream.Send(&wovegrpcpb.StreamEventsResponse{
			Message: &wovegrpcpb.StreamEventsResponse_Ack{Ack: ack},
		})
		select {
		case run := <-s.push:
			_ = stream.Send(&wovegrpcpb.StreamEventsResponse{
				Message: &wovegrpcpb.StreamEventsResponse_CancelTask{
					CancelTask: &wovepb.CancelTask{RunId: run},
				},
			})
		default:
		}
	}
}
