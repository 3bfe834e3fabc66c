// Command wove-tasks is a worker of five small tasks, which show and test what a worker does.
package main

import (
	"context"
	"encoding/json"
	"math/big"
	"time"

	"github.com/wove-dev/wove/workers/go/wove"
	"github.com/wove-dev/wove/workers/go/wovegrpc"
)

func main() {
	worker := wove.NewWorker(wove.WithGRPC(wovegrpc.Dial))
	wove.Register(worker, "add", add)
	wove.Register(worker, "echo", echo)
	wove.Register(worker, "fail", fail)
	wove.Register(worker, "slow", slow)
	wove.Register(worker, "progress", progress)
	wove.Main(worker)
}

// add is exact where both numbers are whole, whatever their size.
func add(_ context.Context, args struct {
	A json.Number `json:"a"`
	B json.Number `json:"b"`
}) (json.Number, error) {
	a, aWhole := new(big.Int).SetString(args.A.String(), 10)
	b, bWhole := new(big.Int).SetString(args.B.String(), 10)
	if aWhole && bWhole {
		return json.Number(a.Add(a, b).String()), nil
	}
	left, err := args.A.Float64()
	if err != nil {
		return "", err
	}
	right, err := args.B.Float64()
	if err != nil {
		return "", err
	}
	sum, err := json.Marshal(left + right)
	return json.Number(sum), err
}

func echo(_ context.Context, args struct {
	Value json.RawMessage `json:"value"`
}) (json.RawMessage, error) {
	return args.Value, nil
}

// failure has a message of its own beside that of its cause.
type failure struct {
	message string
	cause   error
}

func (f *failure) Error() string { return f.message }
func (f *failure) Unwrap() error { return f.cause }

func fail(_ context.Context, args struct {
	Message string  `json:"message"`
	Cause   *string `json:"cause"`
}) (any, error) {
	failed := &failure{message: args.Message}
	if args.Cause != nil {
		failed.cause = &failure{message: *args.Cause}
	}
	return nil, failed
}

func slow(ctx context.Context, args struct {
	Seconds json.Number `json:"seconds"`
}) (json.Number, error) {
	seconds, err := args.Seconds.Float64()
	if err != nil {
		return "", err
	}
	select {
	case <-time.After(time.Duration(seconds * float64(time.Second))):
		return args.Seconds, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func progress(ctx context.Context, args struct {
	Steps int `json:"steps"`
}) (int, error) {
	task := wove.TaskFrom(ctx)
	for step := 1; step <= args.Steps; step++ {
		task.Progress(wove.Progress{
			Current: float64(step), Total: float64(args.Steps), Unit: "steps",
		})
		if step == args.Steps/2 {
			task.Log(wove.Info, "halfway")
		}
	}
	return args.Steps, nil
}
