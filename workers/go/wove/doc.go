// Package wove runs tasks of Wove's weaves in Go.
//
// A worker has functions by the name of their task. A program that is started once for each
// payload, by a batch system, a container or Wove's own process executor, calls [Main]:
//
//	func main() {
//		worker := wove.NewWorker()
//		wove.Register(worker, "report", report)
//		wove.Main(worker)
//	}
//
//	func report(ctx context.Context, args struct {
//		Month string `json:"month"`
//		Limit *int   `json:"limit"`
//	}) (Report, error) {
//		...
//	}
//
// A consumer of somebody's queue hands each message to [Worker.Run] instead, as often as it
// likes and several at once.
//
// # Arguments and results
//
// Arguments come by name, each into the field of that JSON name. A field must be given, unless
// it is a pointer or its tag says omitempty or omitzero; an argument without a field is an
// error. Numbers are exact in integers, in [encoding/json.Number] and in
// [encoding/json.RawMessage]; inside an any they are of the former type. A function that takes
// a map, or a RawMessage, is given all arguments.
//
// A result is what [encoding/json] makes of it; a RawMessage is sent as it is.
//
// # Cancelling, errors
//
// The function's context is cancelled when the weave does not want the task any more, or when
// the worker is shutting down. An error that the function returns then is its being stopped; a
// value that it returns all the same counts.
//
// An error is reported with its type, its message and what it wraps; a panic with its stack.
// A process that ends, by [os.Exit] or by a panic in a goroutine of the task's own, takes its
// heartbeats with it: the weave learns that from its backend. Return an error instead.
//
// # Encodings
//
// Events travel as flat JSON or as protobuf over HTTP, and over gRPC in workers that are made
// with [WithGRPC]. Without [WithEncoding] the environment variable WOVE_ENCODING decides
// ("json", "protobuf" or "grpc"), and without that what the payload offers.
package wove
