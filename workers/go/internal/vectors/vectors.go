// Package vectors reads the golden vectors of the contract, for tests.
package vectors

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Message is a message in every form that it has.
type Message struct {
	Name   string
	JSON   json.RawMessage
	Nested json.RawMessage
	Binary []byte
}

// Body is one that must be accepted, or refused.
type Body struct {
	Name        string
	Message     string
	ContentType *string `json:"content_type"`
	Body        string
	BodyBase64  []byte  `json:"body_base64"`
	BodyParts   [][]any `json:"body_parts"`
	Expect      json.RawMessage
	// Code has one word, or several of which any will do.
	Code Words
	Path string
	// Refused says that a text must be refused, in the files that hold both.
	Refused bool
	// Text is a payload as a program finds it.
	Text string
}

// Words are written as a text, or as a list of them.
type Words []string

// UnmarshalJSON takes either.
func (w *Words) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = Words{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(w))
}

// Answer is one, and what a worker does about it.
type Answer struct {
	Name         string
	Status       int
	WoveReceiver *string `json:"wove_receiver"`
	Body         string
	ReceiverID   *string `json:"receiver_id"`
	Event        string
	Detach       bool
	StartGate    *string `json:"start_gate"`
	Verdict      string
	Stop         bool
}

// Data is the body itself.
func (b Body) Data() []byte {
	if b.BodyBase64 != nil {
		return b.BodyBase64
	}
	var joined strings.Builder
	for _, part := range b.BodyParts {
		joined.WriteString(strings.Repeat(part[0].(string), int(part[1].(float64))))
	}
	return []byte(b.Body + joined.String())
}

// Load reads a file of vectors, all of one kind.
func Load[Vector any](t *testing.T, name string) []Vector {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(here), "..", "..", "..", "..")
	data, err := os.ReadFile(filepath.Join(root, "tests", "contract", "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []Vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) == 0 {
		t.Fatalf("%s is empty", name)
	}
	return vectors
}
