package delivery

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/wove-dev/wove/workers/go/internal/tlsfiles"
)

const (
	connectTimeout = 10 * time.Second
	// answerTimeout is how long a try may take that has next to nothing to send, and how long
	// sending may go without progress.
	answerTimeout = 30 * time.Second
	// leftoverTimeout is how long an answer may take that is looked for after the request
	// could not be sent whole.
	leftoverTimeout = time.Second
	idleTimeout     = time.Minute
)

// Pool keeps connections alive between requests. Any goroutine may use it.
type Pool struct {
	mu        sync.Mutex
	transport *http.Transport
	badTLS    error
}

// NewPool makes a pool of at most so many idle connections to a host, each kept for so long;
// 0 for ever.
func NewPool(idle int, kept time.Duration) *Pool {
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: 15 * time.Second}
	// Without a usable file https:// addresses cannot be posted to; http:// ones can.
	secrets, err := tlsfiles.Config("WOVE_HTTPS")
	return &Pool{badTLS: err, transport: &http.Transport{
		TLSClientConfig: secrets,
		// No Proxy: a callback address leads to a process inside the user's network, which a
		// proxy for the outside world seldom reaches.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &patientConn{Conn: conn, readEnded: make(chan struct{})}, nil
		},
		MaxIdleConnsPerHost:    idle,
		IdleConnTimeout:        kept,
		TLSHandshakeTimeout:    connectTimeout,
		DisableCompression:     true,
		WriteBufferSize:        64 << 10,
		MaxResponseHeaderBytes: 64 << 10,
	}}
}

// Shared makes the pool that all executions of a worker use.
func Shared() *Pool { return NewPool(16, idleTimeout) }

func (p *Pool) current() *http.Transport {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.transport
}

// Renew makes all later requests use new connections.
func (p *Pool) Renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.transport
	p.transport = old.Clone()
	old.CloseIdleConnections()
}

// Close closes the connections that no request is using.
func (p *Pool) Close() { p.current().CloseIdleConnections() }

// patientConn gives an answer the chance to be read that a receiver has sent before it broke
// the connection, such as the refusal of a body that is too large: net/http would let the
// failed write win. It also limits how long a write may go without progress.
type patientConn struct {
	net.Conn
	once      sync.Once
	readEnded chan struct{}
}

func (c *patientConn) Read(data []byte) (int, error) {
	read, err := c.Conn.Read(data)
	if err != nil {
		c.once.Do(func() { close(c.readEnded) })
	}
	return read, err
}

func (c *patientConn) Write(data []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(answerTimeout)); err != nil {
		return 0, err
	}
	written, err := c.Conn.Write(data)
	if err != nil {
		timer := time.NewTimer(leftoverTimeout)
		defer timer.Stop()
		select {
		case <-c.readEnded:
		case <-timer.C:
		}
	}
	return written, err
}

func (c *patientConn) Close() error {
	c.once.Do(func() { close(c.readEnded) })
	return c.Conn.Close()
}
