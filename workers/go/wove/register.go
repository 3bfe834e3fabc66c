package wove

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
)

// arguments are those of a call by name, as JSON text.
type arguments map[string]json.RawMessage

// function is a registered one, without its types.
type function struct {
	// where names it and its place in the source.
	where string
	call  func(ctx context.Context, text string, given arguments) (any, error)
}

// Register makes task the function of a task's name. It panics when the name is empty or
// taken: that is a mistake in the program.
//
// In is a struct with a field for each argument, or anything else that encoding/json can read
// all arguments into; Out is anything that it can write.
func Register[In, Out any](
	w *Worker, name string, task func(ctx context.Context, arguments In) (Out, error),
) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, taken := w.functions[name]; taken || name == "" || task == nil {
		panic(fmt.Sprintf("wove: cannot register task %q: it is empty, taken, or nil", name))
	}
	bind := newBinder[In]()
	w.functions[name] = function{
		where: place(task),
		call: func(ctx context.Context, text string, given arguments) (any, error) {
			in, err := bind(text, given)
			if err != nil {
				return nil, err
			}
			return task(ctx, in)
		},
	}
}

// place is the name and the place in the source of a function.
func place(task any) string {
	found := runtime.FuncForPC(reflect.ValueOf(task).Pointer())
	if found == nil {
		return "a function"
	}
	file, line := found.FileLine(found.Entry())
	return fmt.Sprintf("%s (%s:%d)", found.Name(), file, line)
}

// readArguments reads args_json, which is the JSON text of an object.
func readArguments(text string) (arguments, error) {
	var given arguments
	if err := json.Unmarshal([]byte(text), &given); err != nil || given == nil {
		return nil, fmt.Errorf("args_json is not the text of a JSON object")
	}
	return given, nil
}

// resultText is a function's value as JSON text.
func resultText(value any) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return string(bytes.TrimRight(out.Bytes(), "\n")), nil
}
