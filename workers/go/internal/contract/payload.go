package contract

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"
)

// Version is the newest version of a payload that this package reads.
const Version = 1

const maxRunID = 255

// ReadPayload reads a payload from its JSON or from base64 of that.
//
// Of a payload of a newer version only the version, the callback URL and the names of the run
// and the task are read, whatever the rest has become, and none of them is required: it is the
// caller's to refuse, and to report that where the payload says.
func ReadPayload(data []byte) (*wovepb.TaskPayload, error) {
	data, err := unwrap(data)
	if err != nil {
		return nil, err
	}
	parsed, problem := parse(data)
	if problem != nil {
		return nil, problem
	}
	payload := &wovepb.TaskPayload{}
	if problem := fillOnly(payload.ProtoReflect(), parsed, isFirst); problem != nil {
		return nil, problem
	}
	if payload.Version > Version {
		return payload, nil
	}
	if problem := fillOnly(payload.ProtoReflect(), parsed, isLater); problem != nil {
		return nil, problem
	}
	if problem := checkPayload(payload); problem != nil {
		return nil, problem
	}
	return payload, nil
}

// isFirst says which fields mean the same in every version.
func isFirst(name string) bool {
	switch name {
	case "version", "callback_url", "run_id", "task_id":
		return true
	}
	return false
}

func isLater(name string) bool { return !isFirst(name) }

// unwrap gives the JSON, which may have come as base64: of the standard alphabet, with padding.
// Schedulers break long lines. What begins like other JSON is left to the parser to refuse.
func unwrap(data []byte) ([]byte, error) {
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 || bytes.IndexByte([]byte(`{["`), trimmed[0]) >= 0 {
		return data, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(trimmed), nil)))
	if err != nil {
		return nil, &Error{"invalid_json", "", "expected a JSON object, or base64 of one"}
	}
	return decoded, nil
}

func checkPayload(payload *wovepb.TaskPayload) *Error {
	switch {
	case payload.Version == 0:
		return &Error{"missing_field", "version", "expected the payload's version"}
	case payload.RunId == "":
		return &Error{"missing_field", "run_id", "expected the run's name"}
	case utf8.RuneCountInString(payload.RunId) > maxRunID:
		return &Error{"invalid_id", "run_id", "expected at most 255 characters"}
	case payload.CallbackUrl == "":
		return &Error{"missing_field", "callback_url", "expected a URL"}
	}
	return nil
}

// ReadAck reads the JSON of an acknowledgement.
func ReadAck(data []byte) (*wovepb.EventAck, error) {
	parsed, problem := parse(data)
	if problem != nil {
		return nil, problem
	}
	ack := &wovepb.EventAck{}
	if problem := fill(ack.ProtoReflect(), parsed); problem != nil {
		return nil, problem
	}
	if ack.HeartbeatSeconds != nil && *ack.HeartbeatSeconds <= 0 {
		return nil, &Error{"out_of_range", "heartbeat_seconds", "expected seconds above 0"}
	}
	return ack, nil
}
