//! Which web pages may connect.

use http::{HeaderMap, HeaderValue, header, uri::Authority};
use url::Url;

use super::Refusal;

/// The rule about the `Origin` header. Requests without one are no browser's and always pass.
#[derive(Clone, Debug)]
pub(crate) enum Origins {
    /// Only pages that come from this very host.
    Same,
    /// Only pages of these origins, in the form in which browsers send them.
    Listed(Vec<String>),
    Any,
}

impl Origins {
    pub(crate) fn listed<O: AsRef<str>>(origins: impl IntoIterator<Item = O>) -> Self {
        Self::Listed(origins.into_iter().map(|origin| normal(origin.as_ref())).collect())
    }

    /// # Errors
    /// A 403 that says what has to be allowed.
    pub(crate) fn check(&self, headers: &HeaderMap, host: Option<&str>) -> Result<(), Refusal> {
        let mut sent = headers.get_all(header::ORIGIN).iter();
        let allowed = match (self, sent.next(), sent.next()) {
            (Self::Any, _, _) | (_, None, _) => true,
            (Self::Same, Some(origin), None) => is_same(origin, host),
            (Self::Listed(list), Some(origin), None) => list.iter().any(|one| origin == one),
            (_, Some(_), Some(_)) => false,
        };
        if allowed {
            return Ok(());
        }
        Err(Refusal::forbidden("web pages of this origin may not connect here"))
    }
}

/// The origin as browsers send it: lower case, without the scheme's own port, without a path.
fn normal(origin: &str) -> String {
    match Url::parse(origin).map(|url| url.origin()) {
        Ok(origin) if origin.is_tuple() => origin.ascii_serialization(),
        // `null`, and the schemes of browser extensions.
        _ => origin.to_owned(),
    }
}

/// Whether a page's origin names the host that the request went to. The scheme cannot be compared:
/// TLS often ends at a proxy.
fn is_same(origin: &HeaderValue, host: Option<&str>) -> bool {
    let origin = origin.to_str().ok().and_then(|text| Url::parse(text).ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    let (Some(origin), Some(host)) = (origin, host) else { return false };
    let port = host.port_u16().or(match origin.scheme() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    });
    !host.as_str().contains('@')
        && origin.host_str().is_some_and(|name| name.eq_ignore_ascii_case(host.host()))
        && origin.port_or_known_default() == port
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(origins: &Origins, origin: &'static str, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        origins.check(&headers, Some(host)).is_ok()
    }

    #[test]
    fn without_an_origin_every_rule_passes() {
        for origins in [Origins::Same, Origins::listed(["https://a.example"]), Origins::Any] {
            assert!(origins.check(&HeaderMap::new(), Some("b.example")).is_ok());
        }
    }

    #[test]
    fn the_same_host_passes_by_default() {
        assert!(allows(&Origins::Same, "https://a.example", "a.example"));
        assert!(allows(&Origins::Same, "https://a.example", "A.example:443"));
        assert!(allows(&Origins::Same, "http://localhost:3000", "localhost:3000"));
        assert!(!allows(&Origins::Same, "http://localhost:3000", "localhost:3001"));
        assert!(!allows(&Origins::Same, "https://evil.example", "a.example"));
        assert!(!allows(&Origins::Same, "https://a.example.evil.example", "a.example"));
        assert!(!allows(&Origins::Same, "https://evil.example", "x@evil.example/@a.example"));
        assert!(!allows(&Origins::Same, "https://evil.example", "a.example@evil.example"));
        assert!(allows(&Origins::Same, "http://[::1]:3000", "[::1]:3000"));
        assert!(!allows(&Origins::Same, "null", "a.example"));
    }

    #[test]
    fn a_list_is_compared_in_the_browsers_form() {
        let origins = Origins::listed(["https://A.example:443/", "null"]);
        assert!(allows(&origins, "https://a.example", "b.example"));
        assert!(allows(&origins, "null", "b.example"));
        assert!(!allows(&origins, "http://a.example", "a.example"));
        assert!(!allows(&origins, "https://b.example", "b.example"));
    }

    #[test]
    fn two_origins_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(header::ORIGIN, HeaderValue::from_static("https://a.example"));
        headers.append(header::ORIGIN, HeaderValue::from_static("https://evil.example"));
        assert!(Origins::listed(["https://a.example"]).check(&headers, None).is_err());
    }
}
