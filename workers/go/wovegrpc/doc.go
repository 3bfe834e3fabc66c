// Package wovegrpc lets a worker report by gRPC to receivers that offer it:
//
//	worker := wove.NewWorker(wove.WithGRPC(wovegrpc.Dial))
//
// Where no channel can be made within three seconds, events go to the callback URL by HTTP.
//
// For TLS (grpcs://) the environment names PEM files: WOVE_GRPC_CA holds the authorities, in
// place of the system's; WOVE_GRPC_CERTIFICATE and WOVE_GRPC_PRIVATE_KEY the worker's own
// certificate, where the receiver asks for one.
package wovegrpc
