package wove

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wove-dev/wove/workers/go/internal/receivertest"
)

// TestMain lets this test program also be the worker program of its own tests.
func TestMain(m *testing.M) {
	if os.Getenv("WOVE_TEST_AS_WORKER") != "" {
		worker := newWorker()
		Register(worker, "variable", func(context.Context, struct{}) (bool, error) {
			_, there := os.LookupEnv(payloadVariable)
			os.Stdout.WriteString("unfinished")
			return there, nil
		})
		Register(worker, "deaf", func(context.Context, struct{}) (any, error) { select {} })
		Main(worker)
	}
	os.Exit(m.Run())
}

type ended struct {
	status         int
	stdout, stderr string
}

func startProgram(t *testing.T, variable string, arguments ...string) (*exec.Cmd, func() ended) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), receivertest.Patience)
	t.Cleanup(cancel)
	program := exec.CommandContext(ctx, os.Args[0], arguments...)
	program.Env = append(os.Environ(), "WOVE_TEST_AS_WORKER=1", payloadVariable+"="+variable)
	var stdout, stderr bytes.Buffer
	program.Stdout, program.Stderr = &stdout, &stderr
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	return program, func() ended {
		_ = program.Wait()
		return ended{program.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	}
}

func lastLine(t *testing.T, text string) (summary Summary) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &summary); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return summary
}

func TestWhereTheProgramFindsItsPayload(t *testing.T) {
	receiver := receivertest.New(t, nil)
	payload := receiver.Payload("variable", "{}")
	encoded := base64.StdEncoding.EncodeToString(payload)
	file := filepath.Join(t.TempDir(), "payload")
	if err := os.WriteFile(file, []byte(encoded), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, given := range map[string]struct {
		variable  string
		arguments []string
	}{
		"argument":                      {"nonsense", []string{string(payload)}},
		"argument in base64":            {"", []string{encoded}},
		"file":                          {"", []string{"@" + file}},
		"variable":                      {string(payload), nil},
		"variable in base64":            {encoded, nil},
		"variable in lines of a script": {encoded[:60] + "\n" + encoded[60:] + "\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, wait := startProgram(t, given.variable, given.arguments...)
			end := wait()
			if end.status != exitDelivered {
				t.Fatalf("got %+v", end)
			}
			if summary := lastLine(t, end.stdout); summary.Outcome != Succeeded || !summary.Delivered {
				t.Errorf("got %+v", summary)
			}
			if got := receiver.Last(t, "task_result").Event.GetTaskResult().GetResultJson(); got != "false" {
				t.Error("the variable was there when the task ran")
			}
		})
	}
}

func TestWhatTheProgramCannotRead(t *testing.T) {
	for name, arguments := range map[string][]string{
		"nothing": nil, "an empty argument": {""}, "nonsense": {"***"}, "a list": {"[]"},
		"a file that is not there": {"@/there/is/none"},
	} {
		t.Run(name, func(t *testing.T) {
			_, wait := startProgram(t, "", arguments...)
			if end := wait(); end.status != exitNoPayload || !strings.HasPrefix(end.stderr, "wove: ") {
				t.Errorf("got %+v", end)
			}
		})
	}
}

func TestAProgramThatCannotDeliver(t *testing.T) {
	receiver := receivertest.New(t, func(s seen) reply { return reply{Drop: s.Kind == "task_error"} })
	payload := receiver.Payload("nope", "{}")
	payload = bytes.Replace(payload, []byte(`{`), []byte(`{"delivery_retry_seconds":0.2,`), 1)
	_, wait := startProgram(t, string(payload))
	end := wait()
	if end.status != exitUndelivered || lastLine(t, end.stdout).Delivered {
		t.Errorf("got %+v", end)
	}
	if strings.Contains(end.stdout+end.stderr, receivertest.Token) {
		t.Errorf("the token is in %+v", end)
	}
}

func TestAProgramThatIsTerminated(t *testing.T) {
	receiver := receivertest.New(t, nil)
	program, wait := startProgram(t, "", string(receiver.Payload("until cancelled", "{}")))
	receivertest.Eventually(t, "it has started", func() bool { return len(receiver.Seen()) > 0 })
	time.Sleep(50 * time.Millisecond)
	if err := program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	end := wait()
	if end.status != exitDelivered || lastLine(t, end.stdout).Outcome != Cancelled {
		t.Errorf("got %+v", end)
	}
	expectCancelled(t, receiver, shuttingDown, false)
}

func TestAProgramWhoseTaskDoesNotStop(t *testing.T) {
	receiver := receivertest.New(t, func(s seen) reply {
		if s.Kind == "heartbeat" {
			return reply{Status: 200, Body: cancelBody}
		}
		return reply{}
	})
	_, wait := startProgram(t, "", string(receiver.Payload("deaf", "{}", beatEvery(20*time.Millisecond))))
	end := wait()
	if end.status != exitDelivered || lastLine(t, end.stdout).Outcome != Cancelled {
		t.Errorf("got %+v", end)
	}
	expectCancelled(t, receiver, weaveAsked, true)
}
