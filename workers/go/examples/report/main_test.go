package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/wove-dev/wove/workers/go/internal/receivertest"
	"github.com/wove-dev/wove/workers/go/wove"
)

func TestTheReadmeHasThisProgram(t *testing.T) {
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(program), "\n") // the comment before the package
	if !strings.Contains(string(readme), "```go\n"+code+"```\n") {
		t.Error("README.md has another version of main.go")
	}
}

func TestReport(t *testing.T) {
	receiver := receivertest.New(t, nil)
	worker := wove.NewWorker()
	wove.Register(worker, "report", report)
	_, err := worker.Run(context.Background(), receiver.Payload("report",
		`{"accounts":[{"name":"a","balance":500},{"name":"b","balance":-5}],"limit":100}`))
	if err != nil {
		t.Fatal(err)
	}
	result := receiver.Last(t, "task_result").Event.GetTaskResult().GetResultJson()
	if result != `{"balance":495,"over":["a"]}` {
		t.Errorf("got %s", result)
	}
	if got := len(receiver.Seen("progress")); got != 2 {
		t.Errorf("%d reports of progress", got)
	}
}
