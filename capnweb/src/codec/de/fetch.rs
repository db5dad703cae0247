//! Requests and responses being read.

use std::borrow::Cow;

use serde::de::{
    DeserializeSeed, SeqAccess,
    value::{BorrowedStrDeserializer, CowStrDeserializer},
};

use super::Decoder;
use crate::{codec::error::CodecError, wire::http::Init};

/// The texts of a request or response, and the body behind them.
pub(super) struct FetchParts<'de> {
    url: Option<Cow<'de, str>>,
    init: Option<&'de str>,
    body: Option<Decoder<'de>>,
}

impl<'de> Decoder<'de> {
    /// The list of headers behind their tag.
    pub(super) fn headers(&mut self) -> Result<&'de str, CodecError> {
        self.next_text().map(|(_, list)| list)
    }

    /// Steps over a request behind its tag.
    pub(super) fn request(&mut self) -> Result<FetchParts<'de>, CodecError> {
        let url = self.special_text()?;
        let (at, init) = self.next_text()?;
        let body = Init::read(init)?.position("body").map(|body| self.inner(at + body));
        Ok(FetchParts { url: Some(url), init: Some(init), body })
    }

    /// Steps over a response behind its tag.
    pub(super) fn response(&mut self) -> Result<FetchParts<'de>, CodecError> {
        let (body, _) = self.next_text()?;
        let (_, init) = self.next_text()?;
        Ok(FetchParts { url: None, init: Some(init), body: Some(self.inner(body)) })
    }

    /// Where the next element is, and its text.
    fn next_text(&mut self) -> Result<(usize, &'de str), CodecError> {
        self.cursor.expect(b',')?;
        let start = self.cursor.pos();
        self.cursor.skip_value()?;
        Ok((start, self.cursor.since(start)))
    }

    /// A decoder of what stands at this place, one level deeper.
    fn inner(&self, at: usize) -> Decoder<'de> {
        Decoder {
            cursor: self.cursor.back_to(at),
            slots: self.slots,
            depth: self.depth + 1,
            layers: self.layers,
        }
    }
}

impl<'de> SeqAccess<'de> for FetchParts<'de> {
    type Error = CodecError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, CodecError> {
        if let Some(url) = self.url.take() {
            return seed.deserialize(CowStrDeserializer::new(url)).map(Some);
        }
        if let Some(init) = self.init.take() {
            return seed.deserialize(BorrowedStrDeserializer::new(init)).map(Some);
        }
        match self.body.take() {
            Some(mut body) => seed.deserialize(&mut body).map(Some),
            None => Ok(None),
        }
    }
}
