package contract

import (
	"bytes"
	"unicode/utf8"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"
)

// Version is the newest version of a payload that this package reads.
const Version = 1

const maxRunID = 255

// ReadPayload reads a payload from its JSON or from base64 of that.
//
// A payload of a newer version is returned as far as it can be read: it is the caller's to
// refuse, and to report that where the payload says.
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
	version, problem := versionOf(parsed)
	if problem != nil {
		return nil, problem
	}
	if version > Version {
		fillReadable(payload.ProtoReflect(), parsed)
		return payload, nil
	}
	if problem := fill(payload.ProtoReflect(), parsed); problem != nil {
		return nil, problem
	}
	if problem := checkPayload(payload); problem != nil {
		return nil, problem
	}
	return payload, nil
}

// unwrap gives the JSON, which may have come as base64. Schedulers break long lines.
func unwrap(data []byte) ([]byte, error) {
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 || bytes.IndexByte([]byte(`{["`), trimmed[0]) >= 0 {
		return data, nil
	}
	joined := string(bytes.Join(bytes.Fields(trimmed), nil))
	decoded, problem := readBytes(value{kind: text, text: joined})
	if problem != nil {
		return nil, &Error{"invalid_json", "", "expected a JSON object, or base64 of one"}
	}
	return decoded, nil
}

func versionOf(parsed value) (uint32, *Error) {
	only := &wovepb.TaskPayload{}
	reduced := value{kind: parsed.kind}
	for _, member := range parsed.members {
		if member.name == "version" {
			reduced.members = append(reduced.members, member)
		}
	}
	if problem := fill(only.ProtoReflect(), reduced); problem != nil {
		return 0, problem
	}
	return only.Version, nil
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
