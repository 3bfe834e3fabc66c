// Package receivertest is a receiver that says what a test tells it to, over HTTP.
package receivertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"
)

// ID is the receiver's own.
const ID = "receiver-1"

// Token is the secret of the callback URL.
const Token = "token-that-nobody-may-see"

// Patience is how long anything is waited for.
const Patience = 30 * time.Second

// Seen is a request that came.
type Seen struct {
	Event  *wovepb.Event
	Kind   string
	Body   []byte
	Header http.Header
	// Conn tells connections apart.
	Conn string
}

// Reply is an answer. The zero value is 204.
type Reply struct {
	Status int
	Body   string
	Header map[string]string
	// Drop breaks the connection instead.
	Drop bool
}

// Receiver records what comes and answers by its script.
type Receiver struct {
	*httptest.Server
	mu     sync.Mutex
	seen   []Seen
	script func(Seen) Reply
}

// New starts a receiver that the test stops at its end. A nil script accepts all.
func New(t testing.TB, script func(Seen) Reply) *Receiver {
	r := &Receiver{script: script}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// Script changes how it answers.
func (r *Receiver) Script(script func(Seen) Reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = script
}

// ServeHTTP takes an event.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	event, err := Decode(request.Header.Get("Content-Type"), body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	seen := Seen{event, Kind(event), body, request.Header.Clone(), request.RemoteAddr}
	r.mu.Lock()
	r.seen = append(r.seen, seen)
	script := r.script
	r.mu.Unlock()
	reply := Reply{}
	if script != nil {
		reply = script(seen)
	}
	if reply.Drop {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Wove-Receiver", ID)
	for name, value := range reply.Header {
		w.Header().Set(name, value)
	}
	if w.Header().Get("Wove-Receiver") == "" {
		w.Header().Del("Wove-Receiver")
	}
	if reply.Status == 0 {
		reply.Status = http.StatusNoContent
	}
	w.WriteHeader(reply.Status)
	_, _ = io.WriteString(w, reply.Body)
}

// Payload is the JSON of one that reports here.
func (r *Receiver) Payload(task, arguments string, change ...func(*wovepb.TaskPayload)) []byte {
	id := ID
	payload := &wovepb.TaskPayload{
		Version: 1, Adapter: "test", RunId: "run-1", TaskId: task, TaskName: &task,
		CallbackUrl: r.URL + "/wove/events/" + Token, ArgsJson: &arguments, ReceiverId: &id,
		Delivery: &wovepb.Delivery{}, Accepts: []string{"heartbeat", "progress", "log"},
	}
	for _, each := range change {
		each(payload)
	}
	data, err := protojson.Marshal(payload)
	if err != nil {
		panic(err)
	}
	return data
}

// Seen gives what has come so far, of some kinds or of all.
func (r *Receiver) Seen(kinds ...string) []Seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []Seen
	for _, each := range r.seen {
		if len(kinds) == 0 {
			found = append(found, each)
		}
		for _, kind := range kinds {
			if each.Kind == kind {
				found = append(found, each)
			}
		}
	}
	return found
}

// Last gives the last request of a kind, which must have come.
func (r *Receiver) Last(t testing.TB, kind string) Seen {
	t.Helper()
	found := r.Seen(kind)
	if len(found) == 0 {
		t.Fatalf("no %s came, but %v", kind, r.Kinds())
	}
	return found[len(found)-1]
}

// Kinds gives the frames that have come, without heartbeats.
func (r *Receiver) Kinds() []string {
	var kinds []string
	for _, seen := range r.Seen() {
		if seen.Kind != "heartbeat" {
			kinds = append(kinds, seen.Kind)
		}
	}
	return kinds
}

// Kind is the name of an event's frame.
func Kind(event *wovepb.Event) string {
	message := event.ProtoReflect()
	frame := message.WhichOneof(message.Descriptor().Oneofs().ByName("frame"))
	if frame == nil {
		return ""
	}
	return frame.JSONName()
}

// Decode reads an event: protobuf, nested JSON or flat JSON.
func Decode(contentType string, body []byte) (*wovepb.Event, error) {
	event := &wovepb.Event{}
	if contentType == "application/x-protobuf" {
		return event, proto.Unmarshal(body, event)
	}
	var flat map[string]json.RawMessage
	if err := json.Unmarshal(body, &flat); err != nil {
		return nil, err
	}
	if kind, ok := flat["type"]; ok {
		body = nest(flat, kind)
	}
	return event, protojson.Unmarshal(body, event)
}

func nest(flat map[string]json.RawMessage, kind json.RawMessage) []byte {
	outer, inner := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	fields := (&wovepb.Event{}).ProtoReflect().Descriptor().Fields()
	for name, value := range flat {
		if name == "type" {
			continue
		}
		if fields.ByJSONName(name) != nil {
			outer[name] = value
		} else {
			inner[name] = value
		}
	}
	frame, _ := json.Marshal(inner)
	outer[string(bytes.Trim(kind, `"`))] = frame
	nested, _ := json.Marshal(outer)
	return nested
}

// Eventually waits until a condition holds.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); {
		if holds() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatal(fmt.Sprintf("waited in vain until %s", what))
}
