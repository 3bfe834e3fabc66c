package wovegrpc

import (
	"errors"
	"net/url"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/wove-dev/wove/workers/go/internal/tlsfiles"
)

// target is a payload's callback_grpc in parts.
type target struct {
	address string
	secure  bool
	token   string
}

// parseTarget takes the address apart. Its errors do not hold it: it has a secret.
func parseTarget(text string) (target, error) {
	parsed, err := url.Parse(text)
	switch {
	case err != nil:
		return target{}, errors.New("callback_grpc is no URL")
	case parsed.Scheme != "grpc" && parsed.Scheme != "grpcs":
		return target{}, errors.New("the scheme of callback_grpc is neither grpc nor grpcs")
	case parsed.Port() == "":
		return target{}, errors.New("callback_grpc has no port")
	}
	return target{parsed.Host, parsed.Scheme == "grpcs", strings.TrimPrefix(parsed.Path, "/")}, nil
}

// transportCredentials are what the channel needs, from files that the environment names.
func (t target) transportCredentials() (credentials.TransportCredentials, error) {
	if !t.secure {
		return insecure.NewCredentials(), nil
	}
	config, err := tlsfiles.Config("WOVE_GRPC")
	if err != nil {
		return nil, err
	}
	return credentials.NewTLS(config), nil
}
