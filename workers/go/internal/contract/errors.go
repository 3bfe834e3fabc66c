// Package contract reads and writes the messages of wove.v1 as a worker meets them: payloads
// and acknowledgements in, events out. Its rules are the comments of the .proto files.
package contract

// Error says what a message did wrong. It never holds a value of the message, which may be
// secret.
type Error struct {
	// Code is one of the closed set that the golden vectors name.
	Code string
	// Path is the field, such as "delivery.delivery_timeout" or "accepts[1]"; empty when the
	// message as a whole is wrong.
	Path string
	// Problem is what is wrong, for people.
	Problem string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Problem
	}
	return e.Path + ": " + e.Problem
}

// inside is the same error, seen from the message that holds this one as outer.
func (e *Error) inside(outer string) *Error {
	path := outer
	if e.Path != "" {
		if e.Path[0] != '[' {
			path += "."
		}
		path += e.Path
	}
	return &Error{e.Code, path, e.Problem}
}
