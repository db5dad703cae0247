//! JavaScript's `Headers`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    codec::token::{self, Token},
    wire::{
        http::{Pairs, header_value, is_header_name, read_headers},
        write_string,
    },
};

/// The headers of a request or response, as JavaScript's `Headers` has them: names in lower case
/// and in alphabetical order, several values of one name as one text. Only `set-cookie` can stand
/// there several times.
///
/// Values are texts of bytes: no character is beyond U+00FF.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Headers(Vec<(String, String)>);

/// A text cannot be the name or the value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidHeader {
    text: String,
    is_name: bool,
}

/// The one header whose values cannot be written as one.
const SET_COOKIE: &str = "set-cookie";

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Headers with these names and values. Several values of one name are joined.
    ///
    /// # Errors
    /// At the first name or value that cannot be one.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, InvalidHeader> {
        let pairs: Result<Vec<_>, _> = pairs
            .into_iter()
            .map(|(name, value)| Ok((valid_name(name.as_ref())?, valid_value(value.as_ref())?)))
            .collect();
        let mut pairs = pairs?;
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut headers: Vec<(String, String)> = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            match headers.last_mut() {
                Some((last, values)) if *last == name && name != SET_COOKIE => {
                    join(&name, values, &value);
                }
                _ => headers.push((name, value)),
            }
        }
        Ok(Self(headers))
    }

    /// The value of this header, all of them if there were several; of `set-cookie` the first.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// The values of this header, of which there is more than one only for `set-cookie`.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        let name = name.to_ascii_lowercase();
        let first = self.first(&name);
        self.0.iter().skip(first).take_while(move |(n, _)| *n == name).map(|(_, v)| v.as_str())
    }

    /// Whether there is a header of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets a header, in the place of all that there were of this name.
    ///
    /// # Errors
    /// If this cannot be a header.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), InvalidHeader> {
        let (name, value) = (valid_name(name)?, valid_value(value)?);
        self.remove(&name);
        self.0.insert(self.first(&name), (name, value));
        Ok(())
    }

    /// Adds a value to what there is of this name.
    ///
    /// # Errors
    /// If this cannot be a header.
    pub fn append(&mut self, name: &str, value: &str) -> Result<(), InvalidHeader> {
        let (name, value) = (valid_name(name)?, valid_value(value)?);
        let behind = self.0.partition_point(|(known, _)| *known <= name);
        match self.0[..behind].last_mut() {
            Some((known, values)) if *known == name && name != SET_COOKIE => {
                join(&name, values, &value);
            }
            _ => self.0.insert(behind, (name, value)),
        }
        Ok(())
    }

    /// Takes all headers of this name out. Returns whether there were any.
    pub fn remove(&mut self, name: &str) -> bool {
        let (name, len) = (name.to_ascii_lowercase(), self.0.len());
        self.0.retain(|(known, _)| *known != name);
        self.0.len() < len
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + DoubleEndedIterator {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The list of pairs that they are on the wire.
    pub(super) fn write(&self, out: &mut String) {
        out.push('[');
        for (i, (name, value)) in self.iter().enumerate() {
            out.push_str(if i > 0 { ",[" } else { "[" });
            write_string(out, name);
            out.push(',');
            write_string(out, value);
            out.push(']');
        }
        out.push(']');
    }

    /// The index of the first header of this name, or of where it would stand.
    fn first(&self, name: &str) -> usize {
        self.0.partition_point(|(known, _)| known.as_str() < name)
    }
}

impl InvalidHeader {
    pub(super) fn name(text: &str) -> Self {
        Self { text: text.to_owned(), is_name: true }
    }

    pub(super) fn value(text: &str) -> Self {
        Self { text: text.to_owned(), is_name: false }
    }
}

/// Reads the list of pairs that headers are on the wire.
pub(crate) fn from_wire<E: de::Error>(list: &str) -> Result<Headers, E> {
    let pairs = read_headers(list).map_err(|refusal| E::custom(refusal.message))?;
    from_read(pairs)
}

/// Headers of pairs that have been read.
pub(super) fn from_read<E: de::Error>(pairs: Pairs<'_>) -> Result<Headers, E> {
    Headers::from_pairs(pairs).map_err(E::custom)
}

fn valid_name(name: &str) -> Result<String, InvalidHeader> {
    if is_header_name(name) {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(InvalidHeader::name(name))
    }
}

fn valid_value(value: &str) -> Result<String, InvalidHeader> {
    match header_value(value) {
        Some(value) => Ok(value.to_owned()),
        None => Err(InvalidHeader::value(value)),
    }
}

fn join(name: &str, values: &mut String, value: &str) {
    values.push_str(if name == "cookie" { "; " } else { ", " });
    values.push_str(value);
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = if self.is_name { "name" } else { "value" };
        write!(f, "{:?} is no {part} of a header", self.text)
    }
}

impl std::error::Error for InvalidHeader {}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = String::new();
        self.write(&mut list);
        token::serialize(serializer, Token::Headers, &list)
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_wire(&token::deserialize::<_, String>(deserializer, Token::Headers)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(headers: &Headers) -> Vec<(&str, &str)> {
        headers.iter().collect()
    }

    #[test]
    fn are_kept_in_normal_form() {
        let given = [
            ("Set-Cookie", "1"),
            ("B", " 2\t"),
            ("set-cookie", "2"),
            ("a", ""),
            ("b", "3"),
            ("Cookie", "x=1"),
            ("cookie", "y=2"),
        ];
        let expected = [
            ("a", ""),
            ("b", "2, 3"),
            ("cookie", "x=1; y=2"),
            ("set-cookie", "1"),
            ("set-cookie", "2"),
        ];
        assert_eq!(pairs(&Headers::from_pairs(given).unwrap()), expected);
        let mut headers = Headers::new();
        for (name, value) in given {
            headers.append(name, value).unwrap();
        }
        assert_eq!(pairs(&headers), expected);
        assert_eq!(headers.get("B"), Some("2, 3"));
        assert_eq!(headers.get_all("Set-Cookie").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn are_set_and_removed_in_any_case() {
        let mut headers = Headers::from_pairs([("Set-Cookie", "1"), ("Set-Cookie", "2")]).unwrap();
        headers.set("SET-COOKIE", "3").unwrap();
        headers.set("A", "x").unwrap();
        assert_eq!(pairs(&headers), [("a", "x"), ("set-cookie", "3")]);
        assert!(headers.remove("Set-cookie") && !headers.remove("set-cookie"));
        assert!(headers.contains("a") && !headers.contains("set-cookie"));
    }

    #[test]
    fn refuse_what_javascript_refuses() {
        let mut headers = Headers::new();
        for name in ["", "a b", "a:", "é", "a\n"] {
            assert!(headers.append(name, "x").is_err(), "{name:?}");
        }
        for value in ["a\nb", "a\rb", "a\0", "€"] {
            assert!(headers.append("a", value).is_err(), "{value:?}");
        }
        for value in ["", "é", "a\u{1}\u{7f}b", "\n a \r\n"] {
            assert!(headers.set("a", value).is_ok(), "{value:?}");
        }
        assert_eq!(headers.get("a"), Some("a"));
    }
}
