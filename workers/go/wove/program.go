package wove

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// payloadVariable carries the payload where there is no argument.
const payloadVariable = "WOVE_BACKEND_PAYLOAD"

// The exit statuses of Main.
const (
	exitDelivered   = 0
	exitUndelivered = 1
	exitNoPayload   = 2
)

// Main is the program of a worker that is started once for each payload, and does not return.
//
// The payload is the first argument, or else the environment variable WOVE_BACKEND_PAYLOAD:
// its JSON, or base64 of that. An argument @path names a file that holds either. The last line
// of standard output is the run's summary. The exit status is 0 when the last event was
// delivered, whatever the task did; 1 when it could not be, or was refused; 2 when there is no
// payload. SIGTERM and SIGINT stop the task and report that.
func Main(w *Worker) {
	// A second signal ends the process: by then the first one has been heard.
	ctx, heard := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, heard)
	p := program{worker: w, arguments: os.Args[1:], stdout: os.Stdout, stderr: os.Stderr}
	// A function that was left behind still runs: os.Exit ends it.
	os.Exit(p.run(ctx))
}

type program struct {
	worker    *Worker
	arguments []string
	stdout    io.Writer
	stderr    io.Writer
}

func (p *program) run(ctx context.Context) int {
	payload, err := p.payload()
	if err != nil {
		return p.fail(exitNoPayload, err)
	}
	switch p.worker.encoding {
	case "", JSON, Protobuf, GRPC:
	default:
		fmt.Fprintf(p.stderr, "wove: WOVE_ENCODING is none of json, protobuf, grpc: ignored\n")
	}
	summary, _, err := p.worker.run(ctx, payload, Job{}, true)
	if summary != nil {
		p.print(summary)
	}
	switch {
	case err == nil:
		return exitDelivered
	case IsUndelivered(err):
		return p.fail(exitUndelivered, err)
	default:
		return p.fail(exitNoPayload, err)
	}
}

// payload finds it, and takes it out of the environment, which children of the task inherit.
func (p *program) payload() ([]byte, error) {
	text := os.Getenv(payloadVariable)
	os.Unsetenv(payloadVariable)
	if len(p.arguments) > 0 {
		text = p.arguments[0]
		if path, named := strings.CutPrefix(text, "@"); named {
			data, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("the payload cannot be read: %w", err)
			}
			text = string(data)
		}
	}
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("no payload: give it as an argument, or in %s", payloadVariable)
	}
	return []byte(text), nil
}

// print writes the summary as a line of its own, whatever the task left unfinished there.
func (p *program) print(summary *Summary) {
	var line bytes.Buffer
	line.WriteByte('\n')
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(summary); err != nil {
		return // only text and a bool: cannot be
	}
	_, _ = p.stdout.Write(line.Bytes())
}

func (p *program) fail(status int, err error) int {
	fmt.Fprintf(p.stderr, "wove: %v\n", err)
	return status
}
