//! The fixed target's methods that take and make blobs, requests and responses.

use capnweb::{
    Call, Error, Reply, Value,
    fetch::{Blob, Body, Headers, Request, Response},
    value::Object,
};

/// The methods of this file.
pub(super) const METHODS: &[&str] =
    &["readBlob", "makeBlob", "readBody", "makeRequest", "makeResponse"];

pub(super) fn call(call: Call) -> Reply {
    match call.method() {
        "readBlob" => call.reply(|(blob,): (Blob,)| {
            let text = String::from_utf8_lossy(blob.as_slice());
            Ok(Object::from_iter([("type", blob.content_type()), ("text", &text)]))
        }),
        "makeBlob" => call.reply(|(of, text): (String, String)| Ok(Blob::new(&of, text))),
        "readBody" => call.reply_async(|(message,): (Value,)| read_body(message)),
        "makeRequest" => call.reply(|(url, text): (String, String)| {
            let url = url.parse().map_err(Error::type_error)?;
            let mut request = Request::new("POST", url);
            request.headers = made_by()?;
            request.body = Body::from(text).into_stream().into();
            Ok(request)
        }),
        "makeResponse" => call.reply(|(status, text): (u16, Option<String>)| {
            let mut response = Response::of_status(status);
            response.headers = made_by()?;
            response.body = text.map_or(Body::Empty, Body::from);
            Ok(response)
        }),
        _ => call.no_such_method(),
    }
}

fn made_by() -> Result<Headers, Error> {
    Headers::from_pairs([("x-made-by", "the fixed target")]).map_err(Error::type_error)
}

async fn read_body(message: Value) -> Result<Object, Error> {
    let mut about = Object::new();
    let (headers, body) = match message {
        Value::Request(request) => {
            about.insert("method", request.method);
            about.insert("url", request.url.as_str());
            (request.headers, request.body)
        }
        Value::Response(response) => {
            about.insert("status", f64::from(response.status));
            about.insert("statusText", response.status_text);
            (response.headers, response.body)
        }
        other => return Err(Error::type_error(format_args!("{other:?} has no body"))),
    };
    let headers = headers.iter().filter(|(name, _)| *name != "content-type");
    about.insert(
        "headers",
        headers.map(|(name, value)| Value::from([name, value])).collect::<Value>(),
    );
    let text = match body {
        Body::Empty => None,
        body => Some(String::from_utf8_lossy(&body.collect(1 << 24).await?).into_owned()),
    };
    about.insert("text", text);
    Ok(about)
}
