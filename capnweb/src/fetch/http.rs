//! Headers to and from the types of the crate `http`.

use ::http::{HeaderMap, HeaderName, HeaderValue};

use super::{Headers, InvalidHeader};

impl From<&HeaderMap> for Headers {
    /// Bytes beyond ASCII become the characters of the same number, as JavaScript shows them.
    fn from(map: &HeaderMap) -> Self {
        let latin1 =
            |value: &HeaderValue| value.as_bytes().iter().copied().map(char::from).collect();
        let pairs = map.iter().map(|(name, value)| (name.as_str(), latin1(value)));
        let pairs: Vec<(&str, String)> = pairs.collect();
        // Whatever is a header there is one here, too.
        Self::from_pairs(pairs).unwrap_or_default()
    }
}

impl TryFrom<&Headers> for HeaderMap {
    type Error = InvalidHeader;

    /// # Errors
    /// If a value holds a control character: JavaScript permits some that HTTP does not.
    fn try_from(headers: &Headers) -> Result<Self, InvalidHeader> {
        let mut map = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers.iter() {
            // No character of a value is beyond a byte.
            let bytes: Vec<u8> = value.chars().map(|c| c as u8).collect();
            let valid_name = HeaderName::from_bytes(name.as_bytes());
            let valid_name = valid_name.map_err(|_| InvalidHeader::name(name))?;
            let value = HeaderValue::from_bytes(&bytes).map_err(|_| InvalidHeader::value(value))?;
            map.append(valid_name, value);
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_survive_the_way_there_and_back() {
        let headers =
            Headers::from_pairs([("a", "é"), ("set-cookie", "1"), ("set-cookie", "2")]).unwrap();
        let map = HeaderMap::try_from(&headers).unwrap();
        assert_eq!(map.get("a").unwrap().as_bytes(), b"\xe9");
        assert_eq!(map.get_all("set-cookie").iter().count(), 2);
        assert_eq!(Headers::from(&map), headers);
    }

    #[test]
    fn what_http_forbids_is_refused_by_name() {
        let headers = Headers::from_pairs([("a", "x\u{1}")]).unwrap();
        let error = HeaderMap::try_from(&headers).unwrap_err();
        assert_eq!(error.to_string(), r#""x\u{1}" is no value of a header"#);
    }
}
