package wovegrpc

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
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
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if path := os.Getenv("WOVE_GRPC_CA"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("WOVE_GRPC_CA: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(data) {
			return nil, errors.New("WOVE_GRPC_CA: the file has no certificate in PEM")
		}
	}
	if path := os.Getenv("WOVE_GRPC_CERTIFICATE"); path != "" {
		own, err := tls.LoadX509KeyPair(path, os.Getenv("WOVE_GRPC_PRIVATE_KEY"))
		if err != nil {
			return nil, fmt.Errorf("WOVE_GRPC_CERTIFICATE and WOVE_GRPC_PRIVATE_KEY: %w", err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	return credentials.NewTLS(config), nil
}
