package wove

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
)

// field is where one argument goes.
type field struct {
	index    []int
	required bool
}

// newBinder makes what turns arguments into an In.
func newBinder[In any]() func(text string, given arguments) (In, error) {
	kind := reflect.TypeFor[In]()
	if kind.Kind() != reflect.Struct || readsItself(kind) {
		return func(text string, _ arguments) (in In, err error) {
			return in, decode("", []byte(text), reflect.ValueOf(&in).Elem())
		}
	}
	fields := fieldsOf(kind)
	return func(_ string, given arguments) (in In, err error) {
		return in, bind(fields, given, reflect.ValueOf(&in).Elem())
	}
}

// fieldsOf gives the fields of a struct by their JSON names.
func fieldsOf(kind reflect.Type) map[string]field {
	fields := map[string]field{}
	for _, found := range reflect.VisibleFields(kind) {
		name, options, _ := strings.Cut(found.Tag.Get("json"), ",")
		inlined := found.Anonymous && name == "" && found.Type.Kind() == reflect.Struct
		through := len(found.Index) > 1 && !reachable(kind, found.Index)
		if !found.IsExported() || inlined || through || name == "-" && options == "" {
			continue
		}
		if name == "" {
			name = found.Name
		}
		may := strings.Split(options, ",")
		optional := found.Type.Kind() == reflect.Pointer ||
			slices.Contains(may, "omitempty") || slices.Contains(may, "omitzero")
		fields[name] = field{found.Index, !optional}
	}
	return fields
}

// reachable says whether no pointer, which may be nil, lies on the way to a promoted field.
func reachable(kind reflect.Type, index []int) bool {
	for _, step := range index[:len(index)-1] {
		kind = kind.Field(step).Type
		if kind.Kind() != reflect.Struct {
			return false
		}
	}
	return true
}

func bind(fields map[string]field, given arguments, into reflect.Value) error {
	for _, name := range sorted(given) {
		target, ok := fields[name]
		if !ok {
			return &ArgumentError{name, "the function takes no such argument"}
		}
		if err := decode(name, given[name], into.FieldByIndex(target.index)); err != nil {
			return err
		}
	}
	for _, name := range sorted(fields) {
		if _, ok := given[name]; !ok && fields[name].required {
			return &ArgumentError{name, "it is missing"}
		}
	}
	return nil
}

// decode reads one value. Its error tells types and places but, unlike the errors of
// encoding/json, no values.
func decode(name string, text []byte, into reflect.Value) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into.Addr().Interface()); err != nil {
		problem := "it is no " + into.Type().String()
		var mismatch *json.UnmarshalTypeError
		if errors.As(err, &mismatch) && mismatch.Field != "" {
			problem += ": its " + mismatch.Field + " is no " + mismatch.Type.String()
		}
		return &ArgumentError{name, problem}
	}
	if bytes.Equal(bytes.TrimSpace(text), []byte("null")) && !takesNull(into.Type()) {
		return &ArgumentError{name, "it is null, and no " + into.Type().String()}
	}
	return nil
}

// takesNull says whether null is a value of the type, and not only left out by encoding/json.
func takesNull(kind reflect.Type) bool {
	switch kind.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		return true
	default:
		return readsItself(kind)
	}
}

func readsItself(kind reflect.Type) bool {
	return reflect.PointerTo(kind).Implements(reflect.TypeFor[json.Unmarshaler]())
}

func sorted[V any](of map[string]V) []string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
