package wove

import "fmt"

// PayloadError says that what Run was given is no payload. There is nobody to report to.
type PayloadError struct {
	// Reason holds no value of the payload.
	Reason string
}

func (e *PayloadError) Error() string { return "this is no Wove payload: " + e.Reason }

// UndeliveredError says that the receiver has not taken the last event: it could not be
// reached, or has refused it. The weave does not know what became of the task.
type UndeliveredError struct {
	// Part is what could not be reported: "the start" or "the end".
	Part string
	// Task is the task's name.
	Task string
	// URL is where the events should have gone, without its token.
	URL string
	// Reason is what the tries met.
	Reason string
	// Refused: the receiver was reached.
	Refused bool
}

func (e *UndeliveredError) Error() string {
	problem := fmt.Sprintf("the worker %s could not report %s of task %q to %s: %s",
		workerID(), e.Part, e.Task, e.URL, e.Reason)
	if e.Refused {
		return problem
	}
	return problem + ". That address must lead from the worker to the weave's process: see " +
		"callback_url in executor_config."
}

// ArgumentError says that a function does not take the arguments that it was given.
type ArgumentError struct {
	// Argument is the name of one that is missing, too many, or of another type.
	Argument string
	// Problem holds no value of an argument.
	Problem string
}

func (e *ArgumentError) Error() string {
	return fmt.Sprintf("argument %q: %s", e.Argument, e.Problem)
}
