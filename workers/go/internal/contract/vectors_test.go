package contract

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/receivertest"
	"github.com/wove-dev/wove/workers/go/internal/vectors"
)

func fromBinary[Message proto.Message](t *testing.T, data []byte, into Message) Message {
	t.Helper()
	if err := proto.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
	return into
}

func same(t *testing.T, what string, got, want proto.Message, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !proto.Equal(got, want) {
		t.Fatalf("%s:\ngot  %v\nwant %v", what, got, want)
	}
}

func sameJSON(t *testing.T, what string, got, want []byte, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	var left, right any
	if err := errors.Join(json.Unmarshal(got, &left), json.Unmarshal(want, &right)); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !reflect.DeepEqual(left, right) {
		t.Fatalf("%s:\ngot  %s\nwant %s", what, got, want)
	}
}

func TestPayloadVectors(t *testing.T) {
	for _, vector := range vectors.Load[vectors.Message](t, "payloads.json") {
		t.Run(vector.Name, func(t *testing.T) {
			want := fromBinary(t, vector.Binary, &wovepb.TaskPayload{})
			got, err := ReadPayload(vector.JSON)
			same(t, "read from JSON", got, want, err)
			if vector.Nested != nil {
				got, err = ReadPayload(vector.Nested)
				same(t, "read from nested JSON", got, want, err)
			}
		})
	}
}

func TestAckVectors(t *testing.T) {
	for _, vector := range vectors.Load[vectors.Message](t, "acks.json") {
		t.Run(vector.Name, func(t *testing.T) {
			want := fromBinary(t, vector.Binary, &wovepb.EventAck{})
			got, err := ReadAck(vector.JSON)
			same(t, "read from JSON", got, want, err)
		})
	}
}

func TestEventVectors(t *testing.T) {
	for _, vector := range vectors.Load[vectors.Message](t, "events.json") {
		t.Run(vector.Name, func(t *testing.T) {
			event := fromBinary(t, vector.Binary, &wovepb.Event{})

			flat, err := FlatJSON(event)
			sameJSON(t, "written as flat JSON", flat, vector.JSON, err)
			nested, err := protojson.Marshal(event)
			sameJSON(t, "written as nested JSON", nested, vector.Nested, err)
			binary, err := Binary(event)
			same(t, "written as protobuf", fromBinary(t, binary, &wovepb.Event{}), event, err)

			for _, text := range [][]byte{vector.JSON, vector.Nested} {
				read, err := receivertest.Decode("application/json", text)
				same(t, "read again", read, event, err)
			}
		})
	}
}

func TestAcceptedVectors(t *testing.T) {
	for _, vector := range vectors.Load[vectors.Body](t, "accepted.json") {
		want, got, err := readAs(vector)
		if want == nil {
			continue
		}
		t.Run(vector.Name, func(t *testing.T) {
			if err := protojson.Unmarshal(vector.Expect, want); err != nil {
				t.Fatal(err)
			}
			same(t, "read", got, want, err)
		})
	}
}

func TestRefusedVectors(t *testing.T) {
	for _, vector := range vectors.Load[vectors.Body](t, "refused.json") {
		kind, _, err := readAs(vector)
		if kind == nil {
			continue
		}
		t.Run(vector.Name, func(t *testing.T) { refusedAs(t, err, vector) })
	}
}

// A worker reads no events from others, but the faults of their text are those of any text.
func TestRefusedTexts(t *testing.T) {
	for _, vector := range vectors.Load[vectors.Body](t, "refused.json") {
		switch vector.Code {
		case "invalid_utf8", "invalid_json", "duplicate_key":
		case "too_deep": // of a text; the causes of an error are a message's
			if vector.Path != "" {
				continue
			}
		default:
			continue
		}
		t.Run(vector.Name, func(t *testing.T) {
			_, problem := parse(vector.Data())
			if problem == nil {
				t.Fatal("it was read")
			}
			refusedAs(t, problem, vector)
		})
	}
}

func readAs(vector vectors.Body) (empty, got proto.Message, err error) {
	switch vector.Message {
	case "TaskPayload":
		got, err = ReadPayload(vector.Data())
		return &wovepb.TaskPayload{}, got, err
	case "EventAck":
		got, err = ReadAck(vector.Data())
		return &wovepb.EventAck{}, got, err
	}
	return nil, nil, nil
}

func refusedAs(t *testing.T, err error, vector vectors.Body) {
	t.Helper()
	var problem *Error
	if !errors.As(err, &problem) {
		t.Fatalf("expected an *Error, got %v", err)
	}
	if problem.Code != vector.Code || problem.Path != vector.Path {
		t.Fatalf("got %s at %q, want %s at %q", problem.Code, problem.Path, vector.Code, vector.Path)
	}
}

func TestPayloadInBase64(t *testing.T) {
	const text = `{"version":1,"run_id":"r","callback_url":"http://h/t","args_json":"{}???"}`
	for name, encoded := range map[string]string{
		"standard":        "eyJ2ZXJzaW9uIjoxLCJydW5faWQiOiJyIiwiY2FsbGJhY2tfdXJsIjoiaHR0cDovL2gvdCIsImFyZ3NfanNvbiI6Int9Pz8/In0=",
		"URL-safe":        "eyJ2ZXJzaW9uIjoxLCJydW5faWQiOiJyIiwiY2FsbGJhY2tfdXJsIjoiaHR0cDovL2gvdCIsImFyZ3NfanNvbiI6Int9Pz8_In0",
		"in broken lines": "eyJ2ZXJzaW9uIjoxLCJydW5faWQiOiJyIiwiY2FsbGJhY2tfdXJs\n IjoiaHR0cDovL2gvdCIsImFyZ3NfanNvbiI6Int9Pz8/In0=\n",
	} {
		t.Run(name, func(t *testing.T) {
			want, err := ReadPayload([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := ReadPayload([]byte(encoded))
			same(t, "read", got, want, err)
		})
	}
}

func TestNewerPayloadIsReadAsFarAsItGoes(t *testing.T) {
	got, err := ReadPayload([]byte(
		`{"version":7,"run_id":"r","callback_url":"http://h/t","delivery":"changed","attempt":"x"}`))
	want := &wovepb.TaskPayload{Version: 7, RunId: "r", CallbackUrl: "http://h/t"}
	same(t, "read", got, want, err)
}
