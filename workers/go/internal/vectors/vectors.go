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
	Code        string
	Path        string
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

// Load reads a file of vectors, all of Message or all of Body.
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
