package wove

import (
	"context"
	"os"
	"slices"
	"sync"

	"github.com/wove-dev/wove/workers/go/internal/contract"
	"github.com/wove-dev/wove/workers/go/internal/delivery"
)

// Version is the version of this library.
const Version = "0.1.0"

// userAgent is also the wove_version of summaries.
const userAgent = "wove-go/" + Version

// Encoding is how events travel.
type Encoding string

const (
	// JSON is flat JSON over HTTP.
	JSON Encoding = "json"
	// Protobuf is binary protobuf over HTTP.
	Protobuf Encoding = "protobuf"
	// GRPC is gRPC, where the payload offers it and the worker has it.
	GRPC Encoding = "grpc"
)

// Worker has functions by the name of their task, and runs payloads. Its methods may be called
// by several goroutines at once.
type Worker struct {
	mu        sync.RWMutex
	functions map[string]function
	encoding  Encoding
	dial      delivery.Dialer
	pool      *delivery.Pool
	limits    limits
}

// Option changes what NewWorker makes.
type Option func(*Worker)

// WithEncoding makes the worker use one encoding, whatever the environment says.
func WithEncoding(encoding Encoding) Option {
	return func(w *Worker) { w.encoding = encoding }
}

// WithGRPC lets the worker use gRPC where a payload offers it. Its argument is the Dial of the
// package wovegrpc beside this one, which links gRPC into the program.
func WithGRPC(dial delivery.Dialer) Option {
	return func(w *Worker) { w.dial = dial }
}

// NewWorker makes a worker without functions.
func NewWorker(options ...Option) *Worker {
	w := &Worker{
		functions: map[string]function{},
		encoding:  Encoding(os.Getenv("WOVE_ENCODING")),
		pool:      delivery.Shared(),
		limits:    defaultLimits,
	}
	for _, option := range options {
		option(w)
	}
	return w
}

// Job says what the backend calls the delivery that is run, for those who look into both.
type Job struct {
	// ID is the backend's own identifier of the job.
	ID string
	// Worker is the backend's own name of this worker.
	Worker string
	// Delivery is the backend's own count of deliveries of this job; nil where it tells none.
	Delivery *uint32
}

// Run runs a payload, as the adapter submitted it or in base64, and reports to its weave.
//
// It returns when that is done. The job of the backend should count as failed only if the
// error is not nil: a *PayloadError says that this is no payload, an *UndeliveredError that
// the last event could not be delivered. What the task itself did is in the summary.
//
// Cancelling ctx says that the worker is shutting down: the task is stopped and that is
// reported. A function that goes on for five seconds after that is left behind.
func (w *Worker) Run(ctx context.Context, payload []byte) (*Summary, error) {
	return w.RunJob(ctx, payload, Job{})
}

// RunJob is Run for a worker that knows its backend's job.
func (w *Worker) RunJob(ctx context.Context, payload []byte, job Job) (*Summary, error) {
	summary, _, err := w.run(ctx, payload, job, false)
	return summary, err
}

// run also says whether the function was left behind. With leave a function that does not
// stop when the weave asks is left behind too, because its process ends next.
func (w *Worker) run(
	ctx context.Context, data []byte, job Job, leave bool,
) (*Summary, bool, error) {
	payload, err := contract.ReadPayload(data)
	if err != nil {
		return nil, false, &PayloadError{err.Error()}
	}
	if payload.RunId == "" || payload.CallbackUrl == "" {
		return nil, false, &PayloadError{"its version is newer than this worker, " +
			"and it does not say where to report that"}
	}
	endpoint, err := delivery.ParseEndpoint(payload.CallbackUrl)
	if err != nil {
		return nil, false, &PayloadError{"callback_url: " + err.Error()}
	}
	e := newExecution(ctx, w, payload, endpoint, job)
	defer e.close()
	summary, err := e.run(ctx, leave)
	return summary, e.stop.isAbandoned(), err
}

// names are those of the registered functions, in order.
func (w *Worker) names() []string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	names := make([]string, 0, len(w.functions))
	for name := range w.functions {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (w *Worker) function(name string) (function, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	found, ok := w.functions[name]
	return found, ok
}
