package contract

import (
	"bytes"
	"errors"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"
)

// Binary is the event as protobuf.
func Binary(event *wovepb.Event) ([]byte, error) { return proto.Marshal(event) }

// FlatJSON is the event as the documented JSON: the fields of its frame beside its own, and
// the frame's name as "type".
func FlatJSON(event *wovepb.Event) ([]byte, error) {
	message := event.ProtoReflect()
	frame := message.WhichOneof(message.Descriptor().Oneofs().ByName("frame"))
	if frame == nil {
		return nil, errors.New("the event has no frame")
	}
	inner, err := protojson.Marshal(message.Get(frame).Message().Interface())
	if err != nil {
		return nil, err
	}
	outer, err := protojson.Marshal(withoutFrame(message, frame))
	if err != nil {
		return nil, err
	}
	// No field of a frame has the name of one of Event, so that the two can be joined as text,
	// which spares a large result another pass.
	flat := make([]byte, 0, len(inner)+len(outer)+64)
	flat = append(flat, `{"type":"`+frame.JSONName()+`"`...)
	for _, part := range [][]byte{outer, inner} {
		if fields := bytes.TrimSpace(part[1 : len(part)-1]); len(fields) > 0 {
			flat = append(flat, ',')
			flat = append(flat, fields...)
		}
	}
	return append(flat, '}'), nil
}

func withoutFrame(message protoreflect.Message, frame protoreflect.FieldDescriptor) proto.Message {
	envelope := message.New()
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field != frame {
			envelope.Set(field, value)
		}
		return true
	})
	return envelope.Interface()
}
