//! A payload's `callback_grpc`, and the files of TLS.

use std::{env, fs};

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

/// What a channel needs, from files that the environment names. None if one cannot be read.
pub(super) fn tls_config() -> Option<ClientTlsConfig> {
    let file = |name| env::var_os(name).filter(|path| !path.is_empty()).map(fs::read);
    let mut config = match file("WOVE_GRPC_CA") {
        Some(data) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(data.ok()?)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    if let Some(certificate) = file("WOVE_GRPC_CERTIFICATE") {
        let key = file("WOVE_GRPC_PRIVATE_KEY")?;
        config = config.identity(Identity::from_pem(certificate.ok()?, key.ok()?));
    }
    Some(config)
}

#[cfg(test)]
mod tests {
    use super::Target;

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
