//! The HTTP types of JavaScript's `fetch`, and blobs: values like any other, that can stand
//! wherever a value can.
//!
//! Owns [`Headers`], [`Request`], [`Response`] and [`Blob`]. They keep to the rules of the
//! JavaScript classes, so that what one side can make the other can read. Nothing here opens a
//! connection: a request that was received has been *described*, and not sent to anybody.
//!
//! ```
//! use capnweb::{Error, Stub, fetch::{Blob, Headers, Request, Response}};
//!
//! # async fn example(api: Stub) -> Result<(), Error> {
//! let mut request = Request::new("POST", "https://example.com/upload".parse().unwrap());
//! request.headers.set("content-type", "text/plain").unwrap();
//! request.body = "hello".into();
//! let response: Response = api.call("fetch", (request,)).decode().await?;
//! let page = response.body.collect(1 << 20).await?;
//!
//! let thumbnail: Blob = api.call("thumbnail", (Blob::new("image/png", page),)).decode().await?;
//! assert_eq!(thumbnail.content_type(), "image/png");
//! # Ok(())
//! # }
//! ```

mod blob;
mod body;
mod headers;
#[cfg(any(feature = "client", feature = "server"))]
mod http;
mod json;
mod parts;
mod request;
mod response;

pub use self::{
    blob::Blob,
    body::Body,
    headers::{Headers, InvalidHeader},
    request::Request,
    response::Response,
};
pub(crate) use self::{
    blob::Incoming,
    headers::from_wire as headers_from_wire,
    parts::{Parts, Read},
};
