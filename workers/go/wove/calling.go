package wove

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// call runs the function, which has leave to start, and gives its ending.
func (e *execution) call(ctx context.Context, leave bool) ending {
	if !e.stop.begin() {
		reason, _ := e.stop.why()
		return e.endings.stopped(reason, false)
	}
	found, ok := e.worker.function(e.task)
	if !ok {
		return e.endings.failed(unknownTask(e.task, e.worker.names()))
	}
	if e.payload.ArgsJson == nil {
		return e.notLoadable("the payload has no args_json, and this worker reads no pickles")
	}
	given, err := readArguments(*e.payload.ArgsJson)
	if err != nil {
		return e.notLoadable(err.Error())
	}
	ended := make(chan ending, 1)
	go e.invoke(found, given, ended)
	return e.wait(ctx, ended, leave)
}

func (e *execution) notLoadable(problem string) ending {
	return e.endings.failed(woveError("payload_not_loadable", "PayloadNotLoadable",
		fmt.Sprintf("the worker %s could not load the arguments of task %q: %s",
			workerID(), e.task, problem)))
}

// invoke calls the function in this goroutine, which is its own.
func (e *execution) invoke(found function, given arguments, ended chan<- ending) {
	judged := false
	defer func() {
		reason := recover()
		if judged {
			return
		}
		e.stop.done()
		if reason == nil {
			reason = errors.New("the function ended its goroutine (runtime.Goexit)")
		}
		ended <- e.endings.failed(panicError(reason, string(debug.Stack())))
	}()
	value, err := found.call(e.ctx, *e.payload.ArgsJson, given)
	e.stop.done()
	end := e.judge(found, value, err)
	judged = true
	ended <- end
}

// judge makes the ending of what a function gave back.
func (e *execution) judge(found function, value any, err error) ending {
	if err != nil {
		// A function that is being stopped fails in many ways: its context's error, a killed
		// command's, a closed connection's.
		if reason, asked := e.stop.why(); asked {
			return e.endings.stopped(reason, false)
		}
		return e.endings.failed(taskError(err, found.where))
	}
	text, err := resultText(value)
	if err != nil {
		return e.endings.failed(woveError("result_not_picklable", "ResultNotEncodable",
			fmt.Sprintf("task %q returned a %T that cannot be written as JSON: %v",
				e.task, value, safely(err.Error))))
	}
	return e.endings.returned(text)
}

// wait waits for the function; for one that does not stop only where it may be left behind.
func (e *execution) wait(ctx context.Context, ended <-chan ending, leave bool) ending {
	select {
	case found := <-ended:
		return found
	case <-e.stop.asked:
	}
	if !leave {
		select {
		case found := <-ended:
			return found
		case <-ctx.Done():
		}
	}
	timer := time.NewTimer(e.worker.limits.patience)
	defer timer.Stop()
	select {
	case found := <-ended:
		return found
	case <-timer.C:
	}
	if !e.stop.abandon() {
		return <-ended
	}
	reason, _ := e.stop.why()
	return e.endings.stopped(reason, true)
}
