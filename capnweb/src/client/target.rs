//! What a URL says about where to connect.

use url::{Host, Url};

use super::ConnectError;

/// The two schemes of a transport.
pub(super) struct Schemes {
    pub(super) plain: &'static str,
    pub(super) secure: &'static str,
}

pub(super) const WEBSOCKET: Schemes = Schemes { plain: "ws", secure: "wss" };
#[cfg(any(feature = "client", test))]
pub(super) const HTTP: Schemes = Schemes { plain: "http", secure: "https" };

/// Where to connect, and what to ask for there.
pub(super) struct Target {
    pub(super) secure: bool,
    /// As the resolver and TLS want it: an IPv6 address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The `Host` header: with brackets, and with the port unless it is the scheme's own.
    pub(super) authority: String,
    pub(super) path_and_query: String,
}

impl Target {
    pub(super) fn parse(url: &str, schemes: &Schemes) -> Result<Self, ConnectError> {
        let url = Url::parse(url).map_err(|e| ConnectError::Url(e.to_string()))?;
        let (secure, default_port) = match url.scheme() {
            scheme if scheme == schemes.plain => (false, 80),
            scheme if scheme == schemes.secure => (true, 443),
            other => return Err(ConnectError::Scheme(other.to_owned())),
        };
        if secure && cfg!(all(feature = "client", not(feature = "tls"))) {
            return Err(ConnectError::TlsUnavailable);
        }
        if !url.username().is_empty() || url.password().is_some() {
            let text = "it holds a user name or password; send credentials in a header instead";
            return Err(ConnectError::Url(text.to_owned()));
        }
        let Some(host) = url.host() else {
            return Err(ConnectError::Url("it names no host".to_owned()));
        };
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let host = match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let path_and_query = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let port = url.port().unwrap_or(default_port);
        Ok(Self { secure, host, port, authority, path_and_query })
    }

    /// For error messages: host and port, and nothing of the URL that could be secret.
    pub(super) fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::parse(url, &WEBSOCKET).unwrap()
    }

    #[test]
    fn a_url_names_host_port_and_path() {
        let plain = target("ws://Example.com/rpc?key=1#top");
        assert_eq!((plain.host.as_str(), plain.port), ("example.com", 80));
        assert_eq!(plain.authority, "example.com");
        assert_eq!(plain.path_and_query, "/rpc?key=1");

        let v6 = target("ws://[::1]:8080");
        assert_eq!((v6.host.as_str(), v6.port), ("::1", 8080));
        assert_eq!((v6.authority.as_str(), v6.path_and_query.as_str()), ("[::1]:8080", "/"));
        assert_eq!(v6.address(), "[::1]:8080");
    }

    #[test]
    fn each_transport_has_its_schemes() {
        assert!(Target::parse("http://localhost", &HTTP).is_ok_and(|target| !target.secure));
        assert!(matches!(
            Target::parse("ws://localhost", &HTTP),
            Err(ConnectError::Scheme(scheme)) if scheme == "ws"
        ));
    }
}
