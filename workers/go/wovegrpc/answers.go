package wovegrpc

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/delivery"
)

// httpStatus is HTTP's word for a code, by the table of event_service.proto.
func httpStatus(code codes.Code) int {
	switch code {
	case codes.OK:
		return 200
	case codes.InvalidArgument:
		return 400
	case codes.Unauthenticated:
		return 404
	case codes.FailedPrecondition:
		return 409
	case codes.NotFound:
		return 410
	case codes.ResourceExhausted:
		return 413
	case codes.Aborted:
		return 421
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return 503
	case codes.Unknown, codes.Internal:
		return 500
	default:
		return 403
	}
}

// judgeCall judges what a call came to.
func judgeCall(
	err error, ack *wovepb.EventAck, header, trailer metadata.MD, receiverID string,
) delivery.Answer {
	code := status.Code(err)
	answered := first(header, "wove-receiver")
	if answered == "" {
		answered = first(trailer, "wove-receiver")
	}
	wait, _ := delivery.RetryAfter(first(trailer, "retry-after"))
	return delivery.Judge(delivery.Response{
		Status:     httpStatus(code),
		Text:       code.String(),
		AnsweredBy: answered,
		RetryAfter: wait,
		Ack:        ack,
	}, receiverID)
}

// judgeAck judges the answer to one event of a stream.
func judgeAck(ack *wovepb.EventAck, header metadata.MD, receiverID string) delivery.Answer {
	code := codes.Code(uint32(ack.GetCode()))
	if ack.GetCode() < 0 {
		code = codes.Unknown
	}
	answered := ack.GetReceiverId()
	if answered == "" {
		answered = first(header, "wove-receiver")
	}
	return delivery.Judge(delivery.Response{
		Status:     httpStatus(code),
		Text:       code.String(),
		AnsweredBy: answered,
		RetryAfter: delivery.Seconds(ack.GetRetryAfterSeconds()),
		Ack:        ack,
	}, receiverID)
}

func first(of metadata.MD, key string) string {
	if values := of.Get(key); len(values) > 0 {
		return values[0]
	}
	return ""
}
