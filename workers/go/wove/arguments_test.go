package wove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

type inner struct {
	Place string `json:"place"`
}

type everything struct {
	inner
	Number   int             `json:"number"`
	Exact    json.Number     `json:"exact"`
	Raw      json.RawMessage `json:"raw"`
	Any      any             `json:"any"`
	When     time.Time       `json:"when,omitzero"`
	Optional *string         `json:"optional"`
	Names    []string        `json:"names,omitempty"`
	Ignored  string          `json:"-"`
	Plain    bool
	private  string
}

func TestArgumentsByName(t *testing.T) {
	bound, err := bindTo[everything](`{"place":"here","number":1,"exact":9007199254740993,
		"raw":{"a": 1.10},"any":[9007199254740993],"Plain":true}`)
	if err != nil {
		t.Fatal(err)
	}
	want := everything{
		inner: inner{"here"}, Number: 1, Exact: "9007199254740993",
		Raw: json.RawMessage(`{"a": 1.10}`), Any: []any{json.Number("9007199254740993")}, Plain: true,
	}
	if !reflect.DeepEqual(bound, want) {
		t.Errorf("got %+v", bound)
	}
}

func bindTo[In any](text string) (In, error) {
	given, err := readArguments(text)
	if err != nil {
		var none In
		return none, err
	}
	return newBinder[In]()(text, given)
}

func TestAllArgumentsAtOnce(t *testing.T) {
	all, err := bindTo[map[string]any](`{"a":1,"b":null}`)
	if err != nil || !reflect.DeepEqual(all, map[string]any{"a": json.Number("1"), "b": nil}) {
		t.Errorf("got %v, %v", all, err)
	}
	raw, err := bindTo[json.RawMessage](`{"a": 1.0}`)
	if err != nil || string(raw) != `{"a": 1.0}` {
		t.Errorf("got %s, %v", raw, err)
	}
	anything, err := bindTo[any](`{"a":1}`)
	if err != nil || !reflect.DeepEqual(anything, map[string]any{"a": json.Number("1")}) {
		t.Errorf("got %v, %v", anything, err)
	}
}

func TestArgumentsThatDoNotFit(t *testing.T) {
	const rest = `"place":"","exact":1,"raw":1,"any":1,"Plain":false`
	for text, argument := range map[string]string{
		`{` + rest + `}`: "number",
		`{"number":1,"surplus":3141,` + rest + `}`:         "surplus",
		`{"Number":1,` + rest + `}`:                        "Number",
		`{"number":"3141",` + rest + `}`:                   "number",
		`{"number":3141.5,` + rest + `}`:                   "number",
		`{"number":null,` + rest + `}`:                     "number",
		`{"number":1,"private":1,` + rest + `}`:            "private",
		`{"number":1,"names":["a",3141],` + rest + `}`:     "names",
		`{"number":1,"when":"3141",` + rest + `}`:          "when",
		`{"number":99999999999999993141,` + rest + `}`:     "number",
		`{"number":1,"Ignored":"3141","-":1,` + rest + `}`: "-",
	} {
		_, err := bindTo[everything](text)
		var problem *ArgumentError
		if !errors.As(err, &problem) || problem.Argument != argument ||
			strings.Contains(err.Error(), "3141") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := bindTo[map[string]int](`{"a":"3141"}`); err == nil || strings.Contains(err.Error(), "3141") {
		t.Errorf("a map: %v", err)
	}
}

func TestResults(t *testing.T) {
	for want, value := range map[string]any{
		"null":             nil,
		`"<&>"`:            "<&>",
		"9007199254740993": int64(9007199254740993),
		`{"a":1.10}`:       json.RawMessage(`{"a": 1.10}`),
		"[]":               []int{},
	} {
		if got, err := resultText(value); err != nil || got != want {
			t.Errorf("%v: got %s, %v", value, got, err)
		}
	}
	if _, err := resultText(json.RawMessage("{")); err == nil {
		t.Error("broken JSON was taken")
	}
}

func TestMistakesOfTheProgramPanic(t *testing.T) {
	task := func(context.Context, struct{}) (any, error) { return nil, nil }
	for name, register := range map[string]func(*Worker){
		"empty": func(w *Worker) { Register(w, "", task) },
		"twice": func(w *Worker) { Register(w, "a", task); Register(w, "a", task) },
		"nil":   func(w *Worker) { Register[struct{}, any](w, "a", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if reason := recover(); !strings.Contains(fmt.Sprint(reason), "cannot register") {
					t.Errorf("recovered %v", reason)
				}
			}()
			register(NewWorker())
		})
	}
}
