package wove

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync/atomic"
	"time"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/contract"
	"github.com/wove-dev/wove/workers/go/internal/delivery"
)

const maxReasonBytes = 1000

// messages makes and encodes the events of one execution.
type messages struct {
	payload     *wovepb.TaskPayload
	job         Job
	binary      bool
	executionID string
	sequence    atomic.Uint32
}

func newMessages(payload *wovepb.TaskPayload, job Job, binary bool) *messages {
	var drawn [16]byte
	_, _ = rand.Read(drawn[:]) // never fails
	return &messages{
		payload: payload, job: job, binary: binary, executionID: hex.EncodeToString(drawn[:]),
	}
}

// event is one without a frame.
func (m *messages) event() *wovepb.Event {
	sequence := m.sequence.Add(1)
	now := float64(time.Now().UnixMicro()) / 1e6
	return &wovepb.Event{
		RunId:          m.payload.RunId,
		TaskId:         m.payload.TaskId,
		EventId:        m.executionID + "-" + strconv.FormatUint(uint64(sequence), 10),
		EmittedAt:      &now,
		Attempt:        m.payload.Attempt,
		ExecutionId:    m.executionID,
		BackendAttempt: m.job.Delivery,
		Sequence:       sequence,
	}
}

// encode makes the body that is sent on every try.
func (m *messages) encode(event *wovepb.Event) (*delivery.Body, error) {
	if m.binary {
		data, err := contract.Binary(event)
		return &delivery.Body{Event: event, Data: data, ContentType: "application/x-protobuf"}, err
	}
	data, err := contract.FlatJSON(event)
	return &delivery.Body{Event: event, Data: data, ContentType: "application/json"}, err
}

// plain encodes an event whose fields cannot be refused.
func (m *messages) plain(event *wovepb.Event) *delivery.Body {
	body, err := m.encode(event)
	if err != nil {
		panic("wove: an event of plain fields cannot be encoded: " + err.Error())
	}
	return body
}

func (m *messages) started(heartbeat time.Duration) *delivery.Body {
	frame := &wovepb.TaskStarted{
		WorkerId:      workerID(),
		BackendJobId:  scrub(m.job.ID, maxReasonBytes),
		BackendWorker: scrub(m.job.Worker, maxReasonBytes),
	}
	if heartbeat > 0 {
		seconds := heartbeat.Seconds()
		frame.HeartbeatSeconds = &seconds
	}
	event := m.event()
	event.Frame = &wovepb.Event_TaskStarted{TaskStarted: frame}
	return m.plain(event)
}

func (m *messages) heartbeat() *delivery.Body {
	event := m.event()
	event.Frame = &wovepb.Event_Heartbeat{Heartbeat: &wovepb.Heartbeat{}}
	body := m.plain(event)
	body.Once = true
	return body
}

func (m *messages) result(text string) *wovepb.Event {
	event := m.event()
	event.Frame = &wovepb.Event_TaskResult{TaskResult: &wovepb.TaskResult{
		Value: &wovepb.TaskResult_ResultJson{ResultJson: text},
	}}
	return event
}

func (m *messages) failed(info *wovepb.ErrorInfo) *wovepb.Event {
	event := m.event()
	event.Frame = &wovepb.Event_TaskError{TaskError: &wovepb.TaskError{Error: info}}
	return event
}

func (m *messages) cancelled(reason string, forced bool) *wovepb.Event {
	event := m.event()
	event.Frame = &wovepb.Event_TaskCancelled{TaskCancelled: &wovepb.TaskCancelled{
		Reason: scrub(reason, maxReasonBytes), Forced: forced,
	}}
	return event
}

// ascii is short text that no receiver has a reason to refuse.
func ascii(text string) string {
	quoted := strconv.QuoteToASCII(scrub(text, maxReasonBytes))
	quoted = quoted[1 : len(quoted)-1]
	return quoted[:min(len(quoted), maxReasonBytes)]
}
