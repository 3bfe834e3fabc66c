package wove

import (
	"fmt"
	"strings"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/delivery"
)

// ending is a terminal event, encoded, and what the summary says of it.
type ending struct {
	outcome string
	body    *delivery.Body
	kind    string
	message string
}

// endings makes terminal events that fit the receiver.
type endings struct {
	messages *messages
	task     string
	maxBytes int
}

func (n *endings) returned(text string) ending {
	body, problem := n.fitting(n.messages.result(text))
	if problem != "" {
		return n.tooLarge(problem)
	}
	return ending{outcome: Succeeded, body: body}
}

func (n *endings) failed(info *wovepb.ErrorInfo) ending {
	body, problem := n.fitting(n.messages.failed(info))
	if problem != "" {
		return n.minimal(info.Source, info.Code, info.Kind, info.Message)
	}
	return ending{Failed, body, info.Kind, info.Message}
}

func (n *endings) stopped(reason string, forced bool) ending {
	event := n.messages.cancelled(reason, forced)
	return ending{outcome: Cancelled, body: n.messages.plain(event), message: reason}
}

// minimal is a task_error that no receiver has a reason to refuse.
func (n *endings) minimal(source, code, kind, message string) ending {
	kind, message = ascii(kind), ascii(message)
	event := n.messages.failed(&wovepb.ErrorInfo{
		Kind: kind, Message: message, Source: source, Code: code,
	})
	return ending{Failed, n.messages.plain(event), kind, message}
}

// inPlaceOf is sent once when the receiver has refused the event of e.
func (n *endings) inPlaceOf(e ending, answer delivery.Answer) ending {
	if answer.Status == 413 {
		return n.tooLarge("the receiver answered " + answer.Text)
	}
	was := "a result"
	if e.kind != "" {
		was = e.kind + ": " + e.message
	}
	return n.minimal("wove", "event_refused", "EventRefused", fmt.Sprintf(
		"the receiver refused the event of task %q: %s; it was %s", n.task, answer.Text, was))
}

func (n *endings) tooLarge(problem string) ending {
	return n.minimal("wove", "result_too_large", "ResultTooLarge", fmt.Sprintf(
		"the result of task %q is too large to send: %s. Return less, or store it and return "+
			"where it is.", n.task, problem))
}

func (n *endings) fitting(event *wovepb.Event) (body *delivery.Body, problem string) {
	body, err := n.messages.encode(event)
	if err != nil {
		return nil, "it cannot be encoded"
	}
	if len(body.Data) > n.maxBytes {
		return nil, fmt.Sprintf("its event has %d bytes, the receiver takes %d",
			len(body.Data), n.maxBytes)
	}
	return body, ""
}

// unknownTask says which tasks there are.
func unknownTask(name string, known []string) *wovepb.ErrorInfo {
	there := strings.Join(known, ", ")
	if there == "" {
		there = "none"
	}
	return woveError("unknown_task", "UnknownTask", fmt.Sprintf(
		"this worker (%s) has no function for task %q; there are: %s",
		workerID(), name, there))
}
