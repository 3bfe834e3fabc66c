//! A payload's `callback_grpc`, and the files of TLS.

use std::{env, ffi::OsString, fs};

use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use crate::delivery::host_and_port;

/// The address in parts. It is never printed: it has a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub tls: bool,
    pub host: String,
    pub port: u16,
    pub authority: String,
    pub token: String,
}

impl Target {
    /// Takes an address apart. The error does not hold it.
    pub(super) fn parse(address: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = address.split_once("://").ok_or("callback_grpc is no URL")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "grpc" => false,
            "grpcs" => true,
            _ => return Err("the scheme of callback_grpc is neither grpc nor grpcs"),
        };
        let (authority, token) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = host_and_port(authority, 0)?;
        if port == 0 {
            return Err("callback_grpc has no port");
        }
        let token = unescape(token).ok_or("the token of callback_grpc is no text")?;
        Ok(Self { tls, host, port, authority: authority.to_owned(), token })
    }

    pub(super) fn uri(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority)
    }
}

/// Takes the percent escapes of a URL out of a text.
fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut found = parts.next()?.as_bytes().to_vec();
    for part in parts {
        found.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        found.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(found).ok()
}

/// What a channel needs, from files that the environment names. The error names the variable.
pub(super) fn tls_config() -> Result<ClientTlsConfig, String> {
    tls_config_of(|name| env::var_os(name))
}

fn tls_config_of(named: impl Fn(&str) -> Option<OsString>) -> Result<ClientTlsConfig, String> {
    let file = |name: &str| match named(name).filter(|path| !path.is_empty()) {
        None => Ok(None),
        Some(path) => match fs::read(&path) {
            Ok(data) => Ok(Some(data)),
            Err(error) => Err(format!("{name}: {}: {error}", path.display())),
        },
    };
    let mut config = match file("WOVE_GRPC_CA")? {
        Some(data) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(data)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    if let Some(certificate) = file("WOVE_GRPC_CERTIFICATE")? {
        let key = file("WOVE_GRPC_PRIVATE_KEY")?
            .ok_or("WOVE_GRPC_CERTIFICATE needs WOVE_GRPC_PRIVATE_KEY")?;
        config = config.identity(Identity::from_pem(certificate, key));
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::{Target, tls_config_of};

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        for variable in ["WOVE_GRPC_CA", "WOVE_GRPC_CERTIFICATE"] {
            let named = |name: &str| (name == variable).then(|| "/nowhere/a.pem".into());
            let problem = tls_config_of(named).expect_err("an error");
            assert!(problem.starts_with(&format!("{variable}: /nowhere/a.pem: ")), "{problem}");
        }
    }

    #[test]
    fn addresses_are_taken_apart() {
        let found = Target::parse("grpcs://[::1]:4711/t%2Fok").expect("an address");
        assert_eq!((found.host.as_str(), found.port, found.tls), ("::1", 4711, true));
        assert_eq!((found.uri().as_str(), found.token.as_str()), ("https://[::1]:4711", "t/ok"));
        for wrong in [
            "",
            "http://h:1/tok",
            "grpc://h/tok",
            "grpc://:1/tok",
            "grpc://h:x/tok",
            "grpc://h:1/%f",
        ] {
            assert!(Target::parse(wrong).is_err());
        }
    }
}
