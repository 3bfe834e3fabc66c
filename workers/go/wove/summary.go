package wove

import (
	"os"
	"strconv"
	"sync"
)

// What a run came to.
const (
	// Succeeded: the function returned.
	Succeeded = "succeeded"
	// Failed: it returned an error or panicked, or could not be run.
	Failed = "failed"
	// Cancelled: it was stopped.
	Cancelled = "cancelled"
	// NotStarted: it was not called, because the receiver did not let it start or could not
	// be reached.
	NotStarted = "not_started"
)

const maxSummaryMessage = 1000

// Summary is what a worker gives back to its backend. Its JSON is small and plain enough for
// every backend to store; it never holds the task's value or the token of the callback URL.
type Summary struct {
	WoveVersion string `json:"wove_version"`
	RunID       string `json:"run_id"`
	// Outcome is Succeeded, Failed, Cancelled or NotStarted.
	Outcome string `json:"outcome"`
	// Delivered: nothing is left to tell the receiver. It has the last event, or another end.
	Delivered bool `json:"delivered"`
	// Error is nil where there is nothing to say beyond the outcome.
	Error *SummaryError `json:"error"`
	// CallbackURL is where the events went, with the token cut out.
	CallbackURL string `json:"callback_url"`
}

// SummaryError is the short form of an error.
type SummaryError struct {
	Kind    string `json:"kind,omitempty"`
	Message string `json:"message,omitempty"`
}

func summaryError(kind, message string) *SummaryError {
	if kind == "" && message == "" {
		return nil
	}
	message = scrub(message, 4*maxSummaryMessage)
	if runes := []rune(message); len(runes) > maxSummaryMessage {
		message = string(runes[:maxSummaryMessage])
	}
	return &SummaryError{kind, message}
}

// workerID names this process for people.
var workerID = sync.OnceValue(func() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return scrub(host, 200) + ":" + strconv.Itoa(os.Getpid())
})
