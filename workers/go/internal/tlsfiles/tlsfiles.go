// Package tlsfiles reads what TLS needs from files that the worker's environment names.
package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// Config is a client's, from the PEM files that three variables name: PREFIX_CA (authorities in
// place of the system's), PREFIX_CERTIFICATE and PREFIX_PRIVATE_KEY (the worker's own).
func Config(prefix string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if path := os.Getenv(prefix + "_CA"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s_CA: %w", prefix, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("%s_CA: the file has no certificate in PEM", prefix)
		}
	}
	if path := os.Getenv(prefix + "_CERTIFICATE"); path != "" {
		own, err := tls.LoadX509KeyPair(path, os.Getenv(prefix+"_PRIVATE_KEY"))
		if err != nil {
			return nil, fmt.Errorf("%s_CERTIFICATE and %s_PRIVATE_KEY: %w", prefix, prefix, err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	return config, nil
}
