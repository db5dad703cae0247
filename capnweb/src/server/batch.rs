//! HTTP batches on hyper: reading the request, and one deadline for all that it asks for.

use std::sync::Arc;

use bytestring::ByteString;
use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use tokio::time::{Instant, timeout_at};

use super::{
    Refusal, ResponseBody,
    admission::Settings,
    exchange::{Exchange, split, too_large},
    service::{Admitted, BoxError, Endpoint},
};

impl Endpoint {
    /// Answers a batch, if it is let in.
    pub(super) async fn batch<B>(
        self: Arc<Self>,
        parts: Parts,
        body: B,
    ) -> Result<Response<ResponseBody>, Refusal>
    where
        B: Body<Data: Send, Error: Into<BoxError>> + Send,
    {
        let settings = &self.settings;
        let deadline = Instant::now() + settings.batch_timeout;
        let Admitted { entry, permit, stop } = self.admit(parts).await?;
        let _until_answered = (permit, stop);
        let Ok(body) = timeout_at(deadline, read(body, settings)).await else {
            let text = "the batch did not arrive in time";
            return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, text));
        };
        let messages = split(&body?, settings)?;
        let exchange = Exchange::start(&*entry, settings.options.clone());
        match timeout_at(deadline, exchange.run(messages)).await {
            Ok(known) => {
                known?;
                Ok(text(exchange.answer().await?))
            }
            Err(_) => {
                tracing::warn!("a batch took longer than {:?}", settings.batch_timeout);
                let text = "the batch takes too long; ask for less in one";
                Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, text))
            }
        }
    }
}

/// The body, of which no more is read than is allowed.
async fn read<B>(body: B, settings: &Settings) -> Result<ByteString, Refusal>
where
    B: Body<Error: Into<BoxError>>,
{
    let limit = settings.max_message_size;
    // What says beforehand that it is larger need not be read at all.
    let announced = body.size_hint().lower();
    if usize::try_from(announced).is_ok_and(|announced| announced <= limit) {
        match Limited::new(body, limit).collect().await {
            Ok(body) => {
                return ByteString::try_from(body.to_bytes())
                    .map_err(|_| Refusal::bad_request("a batch is UTF-8 text"));
            }
            Err(error) if error.is::<LengthLimitError>() => {}
            Err(error) => {
                tracing::debug!(%error, "a batch did not arrive");
                return Err(Refusal::bad_request("the batch did not arrive completely"));
            }
        }
    }
    Err(too_large(format_args!("{limit} bytes")))
}

fn text(body: String) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::from(body));
    let kind = HeaderValue::from_static("text/plain;charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
