package delivery

import (
	"errors"
	"net/url"
	"strings"
)

// Endpoint is a callback URL. Its path holds the token.
type Endpoint struct {
	// URL is where events are posted.
	URL *url.URL
	// Redacted is the URL without its token, query and credentials, for logs and errors.
	Redacted string
}

// ParseEndpoint takes a callback URL apart. Its errors do not hold the URL.
func ParseEndpoint(text string) (Endpoint, error) {
	for _, character := range []byte(text) {
		if character <= ' ' || character >= 0x7f {
			return Endpoint{}, errors.New("it holds characters that a URL must escape")
		}
	}
	parsed, err := url.Parse(text)
	switch {
	case err != nil:
		return Endpoint{}, errors.New("it is no URL")
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return Endpoint{}, errors.New("its scheme is neither http nor https")
	case parsed.Hostname() == "":
		return Endpoint{}, errors.New("it names no host")
	}
	path := parsed.EscapedPath()
	path = path[:strings.LastIndex(path, "/")+1]
	if path == "" {
		path = "/"
	}
	return Endpoint{parsed, parsed.Scheme + "://" + parsed.Host + path + "***"}, nil
}
