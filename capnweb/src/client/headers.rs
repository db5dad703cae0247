//! The headers that an application adds to a request.

use std::{fmt, mem};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::ConnectError;

/// Headers, and the first thing that was wrong with what was to be one: builders report it when
/// they are used.
pub(super) struct Headers {
    map: HeaderMap,
    invalid: Option<ConnectError>,
    /// Those that the request sets itself; nobody else may.
    reserved: &'static [HeaderName],
}

impl Headers {
    pub(super) fn new(reserved: &'static [HeaderName]) -> Self {
        Self { map: HeaderMap::new(), invalid: None, reserved }
    }

    pub(super) fn add<N, V>(&mut self, name: N, value: V)
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        match (name.try_into(), value.try_into()) {
            (Ok(name), Ok(value)) if !self.reserved.contains(&name) => {
                self.map.append(name, value);
            }
            (Ok(name), _) => self.refuse(name.to_string()),
            (Err(_), _) => self.refuse(String::new()),
        }
    }

    pub(super) fn bearer(&mut self, token: &str) {
        match HeaderValue::try_from(format!("Bearer {token}")) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.map.insert(header::AUTHORIZATION, value);
            }
            Err(_) => self.refuse(header::AUTHORIZATION.to_string()),
        }
    }

    fn refuse(&mut self, name: String) {
        self.invalid.get_or_insert(ConnectError::Header(name));
    }

    /// Takes the headers out, with `Host` where the application has set none.
    ///
    /// # Errors
    /// What was wrong with one of them.
    pub(super) fn take(&mut self, authority: &str) -> Result<HeaderMap, ConnectError> {
        if let Some(invalid) = self.invalid.take() {
            return Err(invalid);
        }
        let mut map = mem::take(&mut self.map);
        if !map.contains_key(header::HOST) {
            let host = HeaderValue::try_from(authority)
                .map_err(|error| ConnectError::Url(error.to_string()))?;
            map.insert(header::HOST, host);
        }
        Ok(map)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No values: they may be secret.
        f.debug_list().entries(self.map.keys()).finish()
    }
}
