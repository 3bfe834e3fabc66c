package wove_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/wove-dev/wove/workers/go/wove"
)

// weave stands for the weave that waits: it accepts all events, and shows the last one.
func weave() (address string, last func() string, stop func()) {
	var result string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var event struct {
			Type  string
			Value string `json:"result_json"`
			Error struct{ Kind, Message string }
		}
		if err := json.Unmarshal(body, &event); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		result = event.Type + " " + event.Value + event.Error.Message
		w.WriteHeader(http.StatusNoContent)
	}))
	return server.URL + "/wove/events/secret", func() string { return result }, server.Close
}

// A consumer of a queue hands each message to Run.
func ExampleWorker_Run() {
	callback, last, stop := weave()
	defer stop()
	worker := wove.NewWorker(wove.WithEncoding(wove.JSON))
	wove.Register(worker, "area", func(_ context.Context, args struct {
		Width  float64 `json:"width"`
		Height float64 `json:"height"`
	}) (float64, error) {
		return args.Width * args.Height, nil
	})

	messages := []string{`{"width": 3, "height": 1.5}`, `{"width": 3}`}
	for _, arguments := range messages {
		payload, _ := json.Marshal(map[string]any{
			"version": 1, "run_id": "r1", "task_id": "area", "task_name": "area",
			"callback_url": callback, "args_json": arguments,
		})
		summary, err := worker.Run(context.Background(), payload)
		if err != nil {
			fmt.Println(err) // the weave does not know: let the queue deliver it again
			continue
		}
		fmt.Println(summary.Outcome, "-", last())
	}
	// Output:
	// succeeded - task_result 4.5
	// failed - task_error argument "height": it is missing
}

// A function tells how far it is by its context.
func ExampleTaskFrom() {
	count := func(ctx context.Context, args struct {
		Rows []string `json:"rows"`
	}) (int, error) {
		task := wove.TaskFrom(ctx)
		for number := range args.Rows {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			task.Progress(wove.Progress{
				Current: float64(number + 1), Total: float64(len(args.Rows)), Unit: "rows",
			})
		}
		task.Log(wove.Info, "counted")
		return len(args.Rows), nil
	}
	worker := wove.NewWorker()
	wove.Register(worker, "count", count)
	// Output:
}

// A Summary is what a backend stores.
func ExampleSummary() {
	summary := wove.Summary{
		WoveVersion: wove.Version, RunID: "r1", Outcome: wove.Failed, Delivered: true,
		Error:       &wove.SummaryError{Kind: "fs.PathError", Message: "no such file"},
		CallbackURL: "http://web:9010/wove/events/***",
	}
	line, _ := json.Marshal(summary.Error)
	fmt.Println(summary.Outcome, string(line))
	// Output: failed {"kind":"fs.PathError","message":"no such file"}
}
