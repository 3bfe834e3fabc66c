package wove

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"
)

const (
	// maxCauses is how many levels of causes and members are described below an error.
	maxCauses         = 8
	maxMembers        = 32
	maxDescribed      = 200
	maxMessageBytes   = 64 << 10
	maxTracebackBytes = 256 << 10
	maxKindBytes      = 1 << 10
)

// taskError describes an error that a function returned. Go's errors have no stack: who
// returned it stands for one, with what the error says of itself in detail (%+v).
func taskError(err error, where string) *wovepb.ErrorInfo {
	info := describe(err)
	var trace strings.Builder
	fmt.Fprintf(&trace, "returned by %s\n", where)
	for at, prefix := info, ""; at != nil; at, prefix = at.Cause, "caused by " {
		fmt.Fprintf(&trace, "%s%s: %s\n", prefix, at.Kind, at.Message)
	}
	if detail := safely(func() string { return fmt.Sprintf("%+v", err) }); detail != info.Message {
		fmt.Fprintf(&trace, "\n%s\n", detail)
	}
	return finish(info, err, trace.String())
}

// panicError describes a panic, or the end of the function's goroutine.
func panicError(reason any, stack string) *wovepb.ErrorInfo {
	err, isError := reason.(error)
	var info *wovepb.ErrorInfo
	if isError {
		info = describe(err)
		info.Message = scrub("panic: "+info.Message, maxMessageBytes)
	} else {
		message := safely(func() string { return fmt.Sprint(reason) })
		info = &wovepb.ErrorInfo{Kind: "panic", Message: scrub("panic: "+message, maxMessageBytes)}
	}
	return finish(info, err, info.Message+"\n\n"+stack)
}

func finish(info *wovepb.ErrorInfo, err error, trace string) *wovepb.ErrorInfo {
	info.Source = "task"
	trace = cutMiddle(trace, maxTracebackBytes)
	info.Traceback = &trace
	info.Retryable = retryable(err)
	return info
}

// retryable asks an error that knows whether another try may succeed.
func retryable(err error) (found *bool) {
	defer func() {
		if recover() != nil {
			found = nil
		}
	}()
	var knows interface{ Retryable() bool }
	if errors.As(err, &knows) {
		answer := knows.Retryable()
		return &answer
	}
	return nil
}

// woveError describes a failure in running or delivering a task.
func woveError(code, kind, message string) *wovepb.ErrorInfo {
	return &wovepb.ErrorInfo{
		Kind: kind, Message: scrub(message, maxMessageBytes), Source: "wove", Code: code,
	}
}

// describe gives an error and what it wraps, within the limits of event.proto.
func describe(err error) *wovepb.ErrorInfo {
	left := maxDescribed
	return describeTo(err, maxCauses, &left)
}

func describeTo(err error, depth int, left *int) *wovepb.ErrorInfo {
	*left--
	info := &wovepb.ErrorInfo{
		Kind:    scrub(typeName(err), maxKindBytes),
		Message: scrub(safely(err.Error), maxMessageBytes),
	}
	if depth == 0 || *left <= 0 {
		return info
	}
	for index, inner := range wrapped(err) {
		if index == maxMembers || *left <= 0 {
			break
		}
		if _, group := err.(interface{ Unwrap() []error }); group {
			info.Exceptions = append(info.Exceptions, describeTo(inner, depth-1, left))
		} else {
			info.Cause = describeTo(inner, depth-1, left)
		}
	}
	return info
}

// wrapped gives the errors that err wraps. They are the task's: their code may panic.
func wrapped(err error) (found []error) {
	defer func() {
		if recover() != nil {
			found = nil
		}
	}()
	switch err := err.(type) {
	case interface{ Unwrap() []error }:
		for _, member := range err.Unwrap() {
			if member != nil {
				found = append(found, member)
			}
		}
	default:
		if cause := errors.Unwrap(err); cause != nil {
			found = append(found, cause)
		}
	}
	return found
}

func typeName(value any) string { return strings.TrimLeft(fmt.Sprintf("%T", value), "*") }

// safely calls a task's own code that gives a text.
func safely(text func() string) (found string) {
	defer func() {
		if reason := recover(); reason != nil {
			found = "<no text: its method panicked>"
		}
	}()
	return text()
}

// scrub is text that any field can hold: valid Unicode, at most limit bytes of UTF-8.
func scrub(text string, limit int) string {
	text = valid(text)
	if len(text) <= limit {
		return text
	}
	return whole(text[:limit-3]) + "..."
}

// cutMiddle is scrub for text whose beginning and end say most.
func cutMiddle(text string, limit int) string {
	text = valid(text)
	if len(text) <= limit {
		return text
	}
	mark := fmt.Sprintf("\n... %d bytes cut ...\n", len(text)-limit)
	half := (limit - len(mark)) / 2
	end := text[len(text)-half:]
	for len(end) > 0 && !utf8.RuneStart(end[0]) {
		end = end[1:]
	}
	return whole(text[:half]) + mark + end
}

// valid writes bytes that are no UTF-8 as \xNN.
func valid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var out strings.Builder
	for len(text) > 0 {
		character, size := utf8.DecodeRuneInString(text)
		if character == utf8.RuneError && size == 1 {
			fmt.Fprintf(&out, `\x%02x`, text[0])
		} else {
			out.WriteString(text[:size])
		}
		text = text[size:]
	}
	return out.String()
}

// whole takes the character off the end that a cut has split.
func whole(text string) string {
	for len(text) > 0 && !utf8.ValidString(text[max(0, len(text)-utf8.UTFMax):]) {
		last, size := utf8.DecodeLastRuneInString(text)
		if last != utf8.RuneError || size != 1 {
			break
		}
		text = text[:len(text)-1]
	}
	return text
}
