//! TLS for `https://` callback URLs, with files that the worker's environment names.

use std::env;
use std::ffi::OsString;
use std::io;
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

pub(super) type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// The handshake is made with the first request.
pub(super) fn wrap(tcp: TcpStream, host: &str) -> io::Result<TlsStream> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(config()?, name).map_err(io::Error::other)?;
    Ok(StreamOwned::new(connection, tcp))
}

fn config() -> io::Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots()?);
    let config = match file("WOVE_HTTPS_CERTIFICATE") {
        Some(certificate) => {
            let key = private_key(file("WOVE_HTTPS_PRIVATE_KEY"))?;
            let chain = certificates("WOVE_HTTPS_CERTIFICATE", certificate)?;
            builder.with_client_auth_cert(chain, key).map_err(|error| {
                let pair = "WOVE_HTTPS_CERTIFICATE and WOVE_HTTPS_PRIVATE_KEY";
                io::Error::other(format!("{pair}: {error}"))
            })?
        }
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}

/// The authorities: those of `WOVE_HTTPS_CA`, or else the system's.
fn roots() -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match file("WOVE_HTTPS_CA") {
        Some(path) => {
            for authority in certificates("WOVE_HTTPS_CA", path)? {
                roots.add(authority).map_err(io::Error::other)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

/// The certificates of a PEM file, of which there must be one.
fn certificates(variable: &str, path: OsString) -> io::Result<Vec<CertificateDer<'static>>> {
    let found =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(io::Error::other(format!("{variable}: the file has no certificate in PEM"))),
        Err(error) => Err(io::Error::other(format!("{variable}: {error}"))),
    }
}

fn private_key(path: Option<OsString>) -> io::Result<PrivateKeyDer<'static>> {
    let Some(path) = path else {
        return Err(io::Error::other("WOVE_HTTPS_CERTIFICATE needs WOVE_HTTPS_PRIVATE_KEY"));
    };
    PrivateKeyDer::from_pem_file(path).map_err(|error| {
        let asked = "WOVE_HTTPS_PRIVATE_KEY must name a key in PEM without a password";
        io::Error::other(format!("{asked}: {error}"))
    })
}

fn file(variable: &str) -> Option<OsString> {
    env::var_os(variable).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_cannot_be_read_is_named_by_its_variable() {
        for path in [None, Some("/nowhere/worker.key"), Some("Cargo.toml")] {
            let error = private_key(path.map(OsString::from)).unwrap_err().to_string();
            assert!(error.contains("WOVE_HTTPS_PRIVATE_KEY"), "{error}");
        }
    }
}
