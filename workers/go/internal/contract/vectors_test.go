package contract

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
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
		switch vector.Code[0] {
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
	if !slices.Contains(vector.Code, problem.Code) || problem.Path != vector.Path {
		t.Fatalf("got %s at %q, want %v at %q", problem.Code, problem.Path, vector.Code, vector.Path)
	}
}

func TestTextVectors(t *testing.T) {
	for _, vector := range vectors.Load[vectors.Body](t, "texts.json") {
		t.Run(vector.Name, func(t *testing.T) {
			got, err := ReadPayload([]byte(vector.Text))
			if vector.Refused {
				if err == nil {
					t.Fatalf("it was read: %v", got)
				}
				return
			}
			want := &wovepb.TaskPayload{}
			if err := protojson.Unmarshal(vector.Expect, want); err != nil {
				t.Fatal(err)
			}
			same(t, "read", got, want, err)
		})
	}
}

func TestTheFieldsOfEveryVersionMustBeReadable(t *testing.T) {
	_, err := ReadPayload([]byte(`{"version":7,"run_id":5}`))
	refusedAs(t, err, vectors.Body{Code: vectors.Words{"wrong_type"}, Path: "run_id"})
}

func TestOfSeveralNamesThatAreThereTwice(t *testing.T) {
	for text, path := range map[string]string{
		`{"a":{"x":1,"x":2},"b":{"y":1,"y":1}}`: "a.x",
		`{"a":{"x":1,"x":2},"b":1,"b":2,"b":3}`: "b",
		`[[{"a":1}],[0,{"a":1,"b":2,"a":3}]]`:   "[1][1].a",
	} {
		_, problem := parse([]byte(text))
		refusedAs(t, problem, vectors.Body{Code: vectors.Words{"duplicate_key"}, Path: path})
	}
	_, problem := parse([]byte(`{"a":1,"a":2}x`))
	refusedAs(t, problem, vectors.Body{Code: vectors.Words{"invalid_json"}})
}
