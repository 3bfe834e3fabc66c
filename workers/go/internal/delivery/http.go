package delivery

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/wove-dev/wove/workers/go/internal/contract"
)

const maxAnswerBytes = 1 << 20

// HTTP is the route of POST requests to the callback URL.
type HTTP struct {
	endpoint   Endpoint
	receiverID string
	userAgent  string
	pool       *Pool
}

// NewHTTP makes the route. receiverID is the payload's, or empty.
func NewHTTP(endpoint Endpoint, receiverID, userAgent string, pool *Pool) *HTTP {
	return &HTTP{endpoint, receiverID, userAgent, pool}
}

// Post is described at Route.
func (h *HTTP) Post(ctx context.Context, body *Body, fresh bool) Answer {
	return h.post(ctx, h.pool, body, fresh)
}

func (h *HTTP) post(ctx context.Context, pool *Pool, body *Body, fresh bool) Answer {
	if fresh {
		pool.Renew()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	request, err := http.NewRequestWithContext(
		ctx, http.MethodPost, h.endpoint.URL.String(), bytes.NewReader(body.Data))
	if err != nil {
		return NoAnswer("the request could not be made")
	}
	request.Header.Set("Content-Type", body.ContentType)
	request.Header.Set("User-Agent", h.userAgent)
	if h.receiverID != "" {
		request.Header.Set("Wove-Receiver", h.receiverID)
	}
	if !body.Once {
		// A kept connection that turns out dead says nothing about the receiver: with this
		// entry, which is not sent, net/http tries another connection at once.
		request.Header["Idempotency-Key"] = nil
	}
	if pool.badTLS != nil && h.endpoint.URL.Scheme == "https" {
		return NoAnswer(pool.badTLS.Error())
	}
	// The transport itself, not a Client: a redirect is an answer, and errors do not hold the
	// URL.
	response, err := pool.current().RoundTrip(request)
	if err != nil {
		return NoAnswer(err.Error())
	}
	defer response.Body.Close()
	stalled := time.AfterFunc(answerTimeout, cancel)
	defer stalled.Stop()
	return Judge(read(response), h.receiverID)
}

// Line is described at Route.
func (h *HTTP) Line(context.Context, func()) Line {
	return &httpLine{h, NewPool(1, 0)}
}

// Close is described at Route. The pool is the worker's.
func (h *HTTP) Close() {}

type httpLine struct {
	route *HTTP
	pool  *Pool
}

func (l *httpLine) Post(ctx context.Context, body *Body, fresh bool) Answer {
	return l.route.post(ctx, l.pool, body, fresh)
}

func (l *httpLine) Pushes() bool { return false }

func (l *httpLine) Close() { l.pool.Close() }

// read takes the answer's parts. A body that is no acknowledgement changes nothing.
func read(response *http.Response) Response {
	found := Response{
		Status:     response.StatusCode,
		Text:       strconv.Itoa(response.StatusCode),
		AnsweredBy: response.Header.Get("Wove-Receiver"),
	}
	var asked bool
	found.RetryAfter, asked = RetryAfter(response.Header.Get("Retry-After"))
	if words := http.StatusText(response.StatusCode); words != "" {
		found.Text += " " + words
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return found
	}
	ack, err := contract.ReadAck(data)
	if err != nil {
		return found
	}
	found.Ack = ack
	if !asked {
		found.RetryAfter = Seconds(ack.GetRetryAfterSeconds())
	}
	return found
}
