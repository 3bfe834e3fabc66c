// Command report is a worker of one task. It is the example of the README.
package main

import (
	"context"
	"fmt"

	"github.com/wove-dev/wove/workers/go/wove"
	"github.com/wove-dev/wove/workers/go/wovegrpc"
)

// Arguments come by name. Limit may be left out: it is a pointer.
type Arguments struct {
	Accounts []Account `json:"accounts"`
	Limit    *int64    `json:"limit"`
}

type Account struct {
	Name    string `json:"name"`
	Balance int64  `json:"balance"`
}

// Report is what the weave gets as a dictionary.
type Report struct {
	Balance int64    `json:"balance"`
	Over    []string `json:"over"`
}

func report(ctx context.Context, args Arguments) (*Report, error) {
	task := wove.TaskFrom(ctx)
	found := &Report{Over: []string{}}
	for number, account := range args.Accounts {
		if err := ctx.Err(); err != nil {
			return nil, err // the weave has cancelled the task
		}
		if account.Name == "" {
			return nil, fmt.Errorf("account %d has no name", number)
		}
		found.Balance += account.Balance
		if args.Limit != nil && account.Balance > *args.Limit {
			found.Over = append(found.Over, account.Name)
		}
		task.Progress(wove.Progress{
			Current: float64(number + 1), Total: float64(len(args.Accounts)), Unit: "accounts",
		})
	}
	return found, nil
}

func main() {
	worker := wove.NewWorker(wove.WithGRPC(wovegrpc.Dial))
	wove.Register(worker, "report", report)
	wove.Main(worker)
}
