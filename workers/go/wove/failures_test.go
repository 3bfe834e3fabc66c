package wove

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/vectors"
)

type later struct{ error }

func (later) Retryable() bool { return true }
func (l later) Unwrap() error { return l.error }

func TestAnErrorsCauses(t *testing.T) {
	disk := &fs.PathError{Op: "open", Path: "/x", Err: errors.New("no disk")}
	info := taskError(fmt.Errorf("report: %w", later{disk}), "main.report (main.go:3)")

	if info.Kind != "fmt.wrapError" || info.Message != "report: open /x: no disk" ||
		info.Source != "task" || !info.GetRetryable() {
		t.Errorf("got %v", info)
	}
	var kinds []string
	for at := info; at != nil; at = at.Cause {
		kinds = append(kinds, at.Kind)
	}
	want := []string{"fmt.wrapError", "wove.later", "fs.PathError", "errors.errorString"}
	if !reflect.DeepEqual(kinds, want) {
		t.Errorf("the chain is %v", kinds)
	}
	for _, part := range []string{"main.report (main.go:3)", "caused by fs.PathError"} {
		if !strings.Contains(info.GetTraceback(), part) {
			t.Errorf("%q is not in %s", part, info.GetTraceback())
		}
	}
}

func TestAGroupOfErrors(t *testing.T) {
	info := describe(errors.Join(errors.New("one"), nil, fmt.Errorf("two: %w", errors.New("three"))))
	if len(info.Exceptions) != 2 || info.Cause != nil ||
		info.Exceptions[0].Message != "one" || info.Exceptions[1].Cause.Message != "three" {
		t.Errorf("got %v", info)
	}
}

// endless wraps itself.
type endless struct{}

func (e endless) Error() string   { return "endless" }
func (e endless) Unwrap() []error { return []error{e, e, e, e} }

func TestCausesHaveLimits(t *testing.T) {
	chain := errors.New("root")
	for range 20 {
		chain = fmt.Errorf("again: %w", chain)
	}
	depth := 0
	for at := describe(chain); at.Cause != nil; at = at.Cause {
		depth++
	}
	if depth != maxCauses {
		t.Errorf("%d levels below the outermost", depth)
	}
	if size := proto.Size(describe(endless{})); size > 1<<20 {
		t.Errorf("an endless error has %d bytes", size)
	}
}

func TestTextsHaveLimits(t *testing.T) {
	long := strings.Repeat("ż", maxTracebackBytes)
	info := taskError(errors.New(long), long)
	if len(info.Message) > maxMessageBytes || len(info.GetTraceback()) > maxTracebackBytes {
		t.Errorf("%d and %d bytes", len(info.Message), len(info.GetTraceback()))
	}
	if !utf8.ValidString(info.Message) || !utf8.ValidString(info.GetTraceback()) {
		t.Error("a character was cut")
	}
	for limit := 3; limit < 20; limit++ {
		if got := scrub("aż🐢ż🐢\xff", limit); !utf8.ValidString(got) || len(got) > limit {
			t.Errorf("cut to %d: %q", limit, got)
		}
	}
	if got := scrub("a\xffb\xc5", 100); got != `a\xffb\xc5` {
		t.Errorf("got %q", got)
	}
}

func TestMinimalTextIsShortASCII(t *testing.T) {
	got := ascii("żółw\n" + strings.Repeat("🐢", 1000))
	if len(got) > maxReasonBytes || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("got %q", got)
	}
}

func TestSummaryVectors(t *testing.T) {
	for _, vector := range vectors.Load[vectors.Message](t, "summaries.json") {
		t.Run(vector.Name, func(t *testing.T) {
			message := &wovepb.RunSummary{}
			if err := proto.Unmarshal(vector.Binary, message); err != nil {
				t.Fatal(err)
			}
			summary := Summary{
				WoveVersion: message.WoveVersion, RunID: message.RunId, Outcome: message.Outcome,
				Delivered: message.Delivered, CallbackURL: message.CallbackUrl,
			}
			if message.Error != nil {
				summary.Error = &SummaryError{message.Error.Kind, message.Error.Message}
			}
			written, err := json.Marshal(summary)
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			_, _ = json.Unmarshal(written, &got), json.Unmarshal(vector.JSON, &want)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("written: %s", written)
			}
			var read Summary
			if err := json.Unmarshal(vector.JSON, &read); err != nil || !reflect.DeepEqual(read, summary) {
				t.Errorf("read: %+v, %v", read, err)
			}
		})
	}
}
