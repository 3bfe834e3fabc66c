package delivery

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/contract"
	"github.com/wove-dev/wove/workers/go/internal/receivertest"
)

func TestTheTableOfAnswers(t *testing.T) {
	for status, want := range map[int]Verdict{
		200: Accepted, 204: Accepted, 302: Retry, 400: Invalid, 401: Refused, 403: Refused,
		404: Refused, 408: Retry, 409: Conflict, 410: Gone, 413: Invalid, 415: Invalid,
		421: Elsewhere, 422: Refused, 429: Retry, 500: Retry, 502: Retry, 503: Retry, 504: Retry,
	} {
		for _, receiver := range []string{"", "r1"} {
			got := Judge(Response{Status: status, AnsweredBy: receiver}, receiver)
			if got.Verdict != want {
				t.Errorf("%d from %q: got %v, want %v", status, receiver, got.Verdict, want)
			}
		}
		if got := Judge(Response{Status: status}, "r1"); got.Verdict != Retry {
			t.Errorf("%d from nobody: got %v, want a retry", status, got.Verdict)
		}
		other := Judge(Response{Status: status, AnsweredBy: "r2"}, "r1").Verdict
		if status == 404 || status == 410 {
			want = Elsewhere
		}
		if other != want {
			t.Errorf("%d from another: got %v, want %v", status, other, want)
		}
	}
}

func TestRetryAfterInBothForms(t *testing.T) {
	for text, want := range map[string]time.Duration{"1.5": 1500 * time.Millisecond, "0": 0} {
		if got, ok := RetryAfter(text); got != want || !ok {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
	date := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	if got, ok := RetryAfter(date); !ok || got < 50*time.Minute || got > time.Hour {
		t.Errorf("date: %v", got)
	}
	for _, text := range []string{"", "soon", "-3", "NaN", "inf"} {
		if got, ok := RetryAfter(text); got != 0 || ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestEndpointsHideTheirToken(t *testing.T) {
	for text, want := range map[string]string{
		"http://web:9010/wove/events/secret": "http://web:9010/wove/events/***",
		"https://u:p@web/secret?also=this":   "https://web/***",
		"http://web/a%2Fb/sec%2Fret":         "http://web/a%2Fb/***",
	} {
		got, err := ParseEndpoint(text)
		if err != nil || got.Redacted != want {
			t.Errorf("%s: got %q, %v", text, got.Redacted, err)
		}
	}
	for _, text := range []string{
		"ftp://web/secret", "http:///secret", "web/secret", "http://web/sec ret", "http://[/secret",
	} {
		if _, err := ParseEndpoint(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestBackoffHasLimits(t *testing.T) {
	for tries := range 200 {
		limit := maxBackoff
		if tries <= 1 {
			limit = firstBackoff
		}
		if got := Backoff(tries); got < 0 || got > limit {
			t.Fatalf("after %d tries: %v", tries, got)
		}
	}
}

func reporterTo(t *testing.T, address string, receiverID string) *Reporter {
	t.Helper()
	endpoint, err := ParseEndpoint(address + "/wove/events/" + receivertest.Token)
	if err != nil {
		t.Fatal(err)
	}
	pool := Shared()
	t.Cleanup(pool.Close)
	return NewReporter(NewHTTP(endpoint, receiverID, "test", pool))
}

func bodyOf(t *testing.T, text string) *Body {
	t.Helper()
	event := &wovepb.Event{
		RunId: "run-1", EventId: "e-1", Frame: &wovepb.Event_TaskResult{
			TaskResult: &wovepb.TaskResult{Value: &wovepb.TaskResult_ResultJson{ResultJson: text}},
		},
	}
	data, err := contract.FlatJSON(event)
	if err != nil {
		t.Fatal(err)
	}
	return &Body{Event: event, Data: data, ContentType: "application/json"}
}

func TestRetriesRepeatTheBody(t *testing.T) {
	var came atomic.Int32
	receiver := receivertest.New(t, func(receivertest.Seen) receivertest.Reply {
		switch came.Add(1) {
		case 1:
			return receivertest.Reply{Status: 500}
		case 2:
			return receivertest.Reply{Drop: true}
		case 3:
			return receivertest.Reply{Status: 204, Header: map[string]string{"Wove-Receiver": ""}}
		}
		return receivertest.Reply{}
	})
	answer, err := reporterTo(t, receiver.URL, receivertest.ID).Deliver(
		context.Background(), bodyOf(t, "1"), receivertest.Patience)
	if err != nil || answer.Verdict != Accepted {
		t.Fatalf("got %v, %v", answer, err)
	}
	seen := receiver.Seen()
	if len(seen) < 4 {
		t.Fatalf("it came %d times", len(seen))
	}
	for _, each := range seen {
		if !bytes.Equal(each.Body, seen[0].Body) {
			t.Errorf("a retry has another body: %s", each.Body)
		}
		if got := each.Header.Get("Wove-Receiver"); got != receivertest.ID {
			t.Errorf("Wove-Receiver is %q", got)
		}
		if _, sent := each.Header["Idempotency-Key"]; sent {
			t.Error("Idempotency-Key was sent")
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	var came atomic.Int32
	receiver := receivertest.New(t, func(receivertest.Seen) receivertest.Reply {
		if came.Add(1) == 1 {
			return receivertest.Reply{Status: 503, Header: map[string]string{"Retry-After": "0.5"}}
		}
		return receivertest.Reply{}
	})
	began := time.Now()
	_, err := reporterTo(t, receiver.URL, "").Deliver(
		context.Background(), bodyOf(t, "1"), receivertest.Patience)
	if err != nil || time.Since(began) < 500*time.Millisecond {
		t.Fatalf("after %v: %v", time.Since(began), err)
	}
}

func TestAnotherReceiverIsLeftByANewConnection(t *testing.T) {
	var came atomic.Int32
	receiver := receivertest.New(t, func(receivertest.Seen) receivertest.Reply {
		switch came.Add(1) {
		case 1:
			return receivertest.Reply{}
		case 2:
			return receivertest.Reply{Status: 421}
		case 3:
			return receivertest.Reply{
				Status: 410, Header: map[string]string{"Wove-Receiver": "receiver-2"},
			}
		}
		return receivertest.Reply{}
	})
	reporter := reporterTo(t, receiver.URL, receivertest.ID)
	for range 2 {
		_, err := reporter.Deliver(context.Background(), bodyOf(t, "1"), receivertest.Patience)
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := receiver.Seen()
	if len(seen) != 4 || seen[0].Conn != seen[1].Conn ||
		seen[1].Conn == seen[2].Conn || seen[2].Conn == seen[3].Conn {
		t.Fatalf("connections: %v", seen)
	}
}

// A receiver that refuses a large body early closes the connection while it is being sent.
func TestAnEarlyRefusalIsHeard(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1024))
			_, _ = conn.Write([]byte("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n" +
				"Connection: close\r\nWove-Receiver: receiver-1\r\n\r\n"))
			_ = conn.Close()
		}
	}()
	reporter := reporterTo(t, "http://"+listener.Addr().String(), receivertest.ID)
	body := bodyOf(t, `"`+strings.Repeat("x", 32<<20)+`"`)
	for range 5 {
		answer := reporter.route.Post(context.Background(), body, false)
		if answer.Status != http.StatusRequestEntityTooLarge {
			t.Fatalf("got %v", answer)
		}
	}
}

func TestTheDeadlineEndsIt(t *testing.T) {
	receiver := receivertest.New(t, func(receivertest.Seen) receivertest.Reply {
		return receivertest.Reply{Status: 503}
	})
	_, err := reporterTo(t, receiver.URL, "").Deliver(
		context.Background(), bodyOf(t, "1"), 300*time.Millisecond)
	var undelivered *Undelivered
	if !errors.As(err, &undelivered) || undelivered.Tries < 1 ||
		strings.Contains(err.Error(), receivertest.Token) {
		t.Fatalf("got %v", err)
	}
}

func TestHurryEndsALongWait(t *testing.T) {
	receiver := receivertest.New(t, func(receivertest.Seen) receivertest.Reply {
		return receivertest.Reply{Status: 503, Header: map[string]string{"Retry-After": "3600"}}
	})
	reporter := reporterTo(t, receiver.URL, "")
	time.AfterFunc(50*time.Millisecond, func() { reporter.Hurry(100 * time.Millisecond) })
	_, err := reporter.Deliver(context.Background(), bodyOf(t, "1"), time.Hour)
	if err == nil {
		t.Fatal("it was delivered")
	}
}

func TestErrorsOfConnectionsHoldNoToken(t *testing.T) {
	reporter := reporterTo(t, "http://127.0.0.1:1", "")
	answer := reporter.route.Post(context.Background(), bodyOf(t, "1"), false)
	if answer.Final() || strings.Contains(answer.Text, receivertest.Token) {
		t.Fatalf("got %v", answer)
	}
}
