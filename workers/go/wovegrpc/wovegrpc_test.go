package wovegrpc

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	wovepb "github.com/wove-dev/wove/generated/go/wovepb/v1"

	"github.com/wove-dev/wove/workers/go/internal/receivertest"
	"github.com/wove-dev/wove/workers/go/wove"
)

func newWorker() *wove.Worker {
	// Ports are used again: what an earlier test has learned of one is not true any more.
	channels.mu.Lock()
	clear(channels.avoid)
	channels.mu.Unlock()
	worker := wove.NewWorker(wove.WithGRPC(Dial), wove.WithEncoding(wove.GRPC))
	wove.Register(worker, "quick", func(context.Context, struct{}) (int, error) { return 7, nil })
	wove.Register(worker, "until cancelled", func(ctx context.Context, _ struct{}) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	return worker
}

// offer puts an address of gRPC into a payload, and heartbeats every so often.
func offer(scheme, address string, beats time.Duration) func(*wovepb.TaskPayload) {
	return func(p *wovepb.TaskPayload) {
		url := scheme + "://" + address + "/" + receivertest.Token
		seconds := 3 * beats.Seconds()
		p.CallbackGrpc, p.Delivery.DeliveryHeartbeatSeconds = &url, &seconds
	}
}

func expect(t *testing.T, worker *wove.Worker, payload []byte, outcome string) {
	t.Helper()
	summary, err := worker.Run(context.Background(), payload)
	if err != nil || summary.Outcome != outcome {
		t.Fatalf("got %+v, %v, want %s", summary, err, outcome)
	}
}

func TestEventsByGRPC(t *testing.T) {
	web, receiver := receivertest.New(t, nil), serve(t, nil)
	expect(t, newWorker(), web.Payload("quick", "{}", offer("grpc", receiver.address, time.Hour)), wove.Succeeded)

	if len(web.Seen()) != 0 {
		t.Error("something came by HTTP")
	}
	results := receiver.came("task_result")
	if len(receiver.came("task_started")) != 1 || len(results) != 1 ||
		results[0].GetTaskResult().GetResultJson() != "7" {
		t.Fatalf("got %v", receiver.seen)
	}
	if got := results[0].md.Get("wove-receiver"); len(got) != 1 || got[0] != receivertest.ID {
		t.Errorf("wove-receiver is %v", got)
	}
}

func TestRetriesByGRPC(t *testing.T) {
	var tries atomic.Int32
	receiver := serve(t, func(e event) (*wovepb.EventAck, error) {
		if e.kind == "task_result" {
			switch tries.Add(1) {
			case 1:
				return nil, status.Error(codes.Unavailable, "later")
			case 2:
				return nil, status.Error(codes.Aborted, "elsewhere")
			}
		}
		return nil, nil
	})
	web := receivertest.New(t, nil)
	expect(t, newWorker(), web.Payload("quick", "{}", offer("grpc", receiver.address, time.Hour)), wove.Succeeded)
	results := receiver.came("task_result")
	if len(results) != 3 || results[0].EventId != results[2].EventId {
		t.Errorf("got %v", results)
	}
}

func TestTheTableOfCodes(t *testing.T) {
	for code, outcome := range map[codes.Code]string{
		codes.Unauthenticated: wove.NotStarted, codes.FailedPrecondition: wove.NotStarted,
		codes.NotFound: wove.NotStarted, codes.PermissionDenied: wove.NotStarted,
		codes.InvalidArgument: wove.NotStarted,
	} {
		receiver := serve(t, func(event) (*wovepb.EventAck, error) {
			return nil, status.Error(code, "no")
		})
		web := receivertest.New(t, nil)
		payload := web.Payload("quick", "{}", offer("grpc", receiver.address, time.Hour))
		expect(t, newWorker(), payload, outcome)
	}
}

func TestHeartbeatsAndPushedCancelsOnOneStream(t *testing.T) {
	receiver := serve(t, nil)
	receiver.push <- "run-1"
	web := receivertest.New(t, nil)
	// The first heartbeat comes at once, and what is pushed after it; the second never would.
	payload := web.Payload("until cancelled", "{}", offer("grpc", receiver.address, time.Hour))
	expect(t, newWorker(), payload, wove.Cancelled)
	for _, beat := range receiver.came("heartbeat") {
		if !beat.stream {
			t.Error("a heartbeat came outside of the stream")
		}
	}
	if len(receiver.came("task_cancelled")) != 1 {
		t.Errorf("got %v", receiver.seen)
	}
}

func TestACancelInTheAnswerToAHeartbeat(t *testing.T) {
	var beats atomic.Int32
	receiver := serve(t, func(e event) (*wovepb.EventAck, error) {
		if e.kind == "heartbeat" {
			switch beats.Add(1) {
			case 1:
				return nil, status.Error(codes.Unavailable, "later")
			case 3:
				return &wovepb.EventAck{Cancel: &wovepb.CancelTask{}}, nil
			}
		}
		return nil, nil
	})
	web := receivertest.New(t, nil)
	payload := web.Payload("until cancelled", "{}", offer("grpc", receiver.address, 10*time.Millisecond))
	expect(t, newWorker(), payload, wove.Cancelled)
}

func TestWithoutAChannelEventsGoByHTTP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	_ = listener.Close()
	web := receivertest.New(t, func(s receivertest.Seen) receivertest.Reply {
		if s.Kind == "heartbeat" {
			return receivertest.Reply{Status: 410}
		}
		return receivertest.Reply{}
	})
	for _, address := range []string{nobody, "there.is.invalid:1", "", "no port"} {
		payload := web.Payload("until cancelled", "{}", offer("grpc", address, 10*time.Millisecond))
		expect(t, newWorker(), payload, wove.Cancelled)
	}
}

func TestAChannelThatIsLostGivesWayToHTTP(t *testing.T) {
	web := receivertest.New(t, nil)
	receiver := serve(t, nil)
	worker := newWorker()
	wove.Register(worker, "cut", func(context.Context, struct{}) (any, error) {
		receiver.Stop()
		receivertest.Eventually(t, "a heartbeat comes by HTTP", func() bool {
			return len(web.Seen("heartbeat")) > 0
		})
		return nil, nil
	})
	expect(t, worker, web.Payload("cut", "{}", offer("grpc", receiver.address, 10*time.Millisecond)), wove.Succeeded)
	web.Last(t, "task_result")
}

func TestTLSFromTheEnvironment(t *testing.T) {
	certificate, key := selfSigned(t)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pem, _ := os.ReadFile(certificate)
	pool.AppendCertsFromPEM(pem)
	receiver := serve(t, nil, grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool,
	})))
	t.Setenv("WOVE_GRPC_CA", certificate)
	t.Setenv("WOVE_GRPC_CERTIFICATE", certificate)
	t.Setenv("WOVE_GRPC_PRIVATE_KEY", key)
	web := receivertest.New(t, nil)
	expect(t, newWorker(), web.Payload("quick", "{}", offer("grpcs", receiver.address, time.Hour)), wove.Succeeded)
	if len(receiver.came("task_result")) != 1 {
		t.Error("it did not come by gRPC")
	}

	t.Setenv("WOVE_GRPC_CA", key)
	if _, err := (target{secure: true}).transportCredentials(); err == nil {
		t.Error("a file without certificates was taken")
	}

	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	t.Setenv("WOVE_GRPC_CA", "/nowhere/ca.pem")
	elsewhere := offer("grpcs", "127.0.0.1:1", time.Hour) // the channel of the other address is kept
	expect(t, newWorker(), web.Payload("quick", "{}", elsewhere), wove.Succeeded)
	for _, word := range []string{"events go by HTTP", "WOVE_GRPC_CA", "/nowhere/ca.pem"} {
		if !strings.Contains(logged.String(), word) {
			t.Errorf("the log does not say %q: %s", word, logged.String())
		}
	}
}

// selfSigned makes a certificate for 127.0.0.1 and its key, as files.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, data []byte) string {
		path := filepath.Join(t.TempDir(), name)
		text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data})
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", signed), write("key.pem", "EC PRIVATE KEY", encoded)
}

func TestAddressesThatCannotBeUsed(t *testing.T) {
	for _, text := range []string{"http://h:1/secret", "grpc://h/secret", "grpc://[/secret"} {
		if _, err := parseTarget(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}
	got, err := parseTarget("grpcs://[::1]:50051/to%2Fken")
	if err != nil || got != (target{"[::1]:50051", true, "to/ken"}) {
		t.Errorf("got %v, %v", got, err)
	}
}
