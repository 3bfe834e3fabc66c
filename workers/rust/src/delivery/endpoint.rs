//! Callback URLs.

/// A callback URL in parts. Its path holds the token, so that it is never printed: `redacted` is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub tls: bool,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
    /// As it is in the URL, for the header `Host`.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// The URL without its token, query and credentials, for logs and errors.
    pub redacted: String,
}

impl Endpoint {
    /// Takes a URL apart. The error does not hold it.
    pub(crate) fn parse(url: &str) -> Result<Self, &'static str> {
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it holds characters that a URL must escape");
        }
        let (scheme, rest) = url.split_once("://").ok_or("it is no URL")?;
        let scheme = scheme.to_ascii_lowercase();
        let tls = match scheme.as_str() {
            "http" => false,
            "https" if cfg!(feature = "tls") => true,
            "https" => return Err("it is https, and this worker was built without TLS"),
            _ => return Err("its scheme is neither http nor https"),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = host_and_port(authority, if tls { 443 } else { 80 })?;
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let shown = path.split('?').next().unwrap_or_default();
        let shown = &shown[..=shown.rfind('/').unwrap_or(0)];
        let redacted = format!("{scheme}://{authority}{shown}***");
        Ok(Self { tls, host, port, authority: authority.to_owned(), path, redacted })
    }
}

pub(crate) fn host_and_port(authority: &str, default: u16) -> Result<(String, u16), &'static str> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']').ok_or("it names no host")?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if host.is_empty() {
        return Err("it names no host");
    }
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => default,
        None => return Err("it names no host"),
        Some("") => default,
        Some(digits) => digits.parse().map_err(|_| "its port is no number of a port")?,
    };
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    fn parts(url: &str) -> (String, u16, String, String) {
        let found = Endpoint::parse(url).expect("a URL");
        (found.host, found.port, found.path, found.redacted)
    }

    #[test]
    fn urls_are_taken_apart_and_redacted() {
        let (host, port, path, redacted) = parts("http://user:pw@h:81/wove/events/tok?x=1#f");
        assert_eq!((host.as_str(), port, path.as_str()), ("h", 81, "/wove/events/tok?x=1"));
        assert_eq!(redacted, "http://h:81/wove/events/***");
        let (host, port, path, redacted) = parts("HTTP://[::1]");
        assert_eq!((host.as_str(), port, path.as_str()), ("::1", 80, "/"));
        assert_eq!(redacted, "http://[::1]/***");
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_told() {
        for url in ["", "secret", "ftp://secret/", "http://", "http://h:secret/", "http://h/a b"] {
            let problem = Endpoint::parse(url).err().expect("refused");
            assert!(!problem.contains("secret"));
        }
    }
}
