//! Blobs, headers, requests and responses, made on one side and read on the other.

use capnweb::{
    Error, Value,
    fetch::{Blob, Body, Headers, Request, Response},
    value::{Bytes, Object},
};
use capnweb_tests::clean;
use futures::{StreamExt, stream};

fn text(value: &Object, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{value:?}")).to_owned()
}

/// Longer than the first window of a stream, in chunks that split characters.
fn long_text() -> String {
    "0123456789abcdé😀".repeat(30_000)
}

#[tokio::test]
async fn a_blob_arrives_complete_with_its_type() {
    clean(async |js| {
        for data in [String::new(), "hello".to_owned(), long_text()] {
            let blob = Blob::new("Text/Plain", data.clone());
            let read: Object = js.main.call("readBlob", (blob,)).decode().await.unwrap();
            assert_eq!(text(&read, "type"), "text/plain");
            assert!(text(&read, "text") == data);

            let made = js.main.call("makeBlob", ("text/css", &data));
            let made: Blob = made.decode().await.unwrap();
            assert_eq!(made.content_type(), "text/css");
            assert!(made.as_slice() == data.as_bytes());
        }
    })
    .await;
}

#[tokio::test]
async fn a_blob_that_was_never_awaited_leaves_nothing_behind() {
    clean(async |js| {
        drop(js.main.call("makeBlob", ("text/css", long_text())));
        js.round_trip().await;
    })
    .await;
}

#[tokio::test]
async fn headers_come_back_in_normal_form() {
    clean(async |js| {
        let pairs = [("B", "2"), ("a", "é"), ("Set-Cookie", "1"), ("set-cookie", "2"), ("b", "3")];
        let sent = Headers::from_pairs(pairs).unwrap();
        let came: Headers = js.main.call("echo", (&sent,)).decode().await.unwrap();
        assert_eq!(came, sent);
    })
    .await;
}

#[tokio::test]
async fn a_request_arrives_whatever_its_body_is() {
    clean(async |js| {
        let chunks = long_text().into_bytes();
        let chunks: Vec<_> = chunks.chunks(100_001).map(|c| Ok(Bytes::from(c))).collect();
        let streamed = capnweb::stream::ReadableStream::new(stream::iter(chunks));
        let bodies: [(Body, String); 4] = [
            ("a text".into(), "a text".to_owned()),
            ("".into(), String::new()),
            (b"bytes".to_vec().into(), "bytes".to_owned()),
            (streamed.into(), long_text()),
        ];
        for (body, expected) in bodies {
            let mut request = Request::new("PUT", "http://example.com/a?b#c".parse().unwrap());
            request.headers.set("X-A", "1").unwrap();
            request.init.insert("redirect", "manual");
            request.body = body;
            let read: Object = js.main.call("readBody", (request,)).decode().await.unwrap();
            assert_eq!(text(&read, "method"), "PUT");
            assert_eq!(text(&read, "url"), "http://example.com/a?b#c");
            assert!(text(&read, "text") == expected);
            assert_eq!(read.get("headers"), Some(&Value::from([Value::from(["x-a", "1"])])));
        }
        let request = Request::new("GET", "http://example.com/".parse().unwrap());
        let read: Object = js.main.call("readBody", (request,)).decode().await.unwrap();
        assert_eq!(read.get("text"), Some(&Value::Null));
    })
    .await;
}

#[tokio::test]
async fn a_request_in_a_result_is_read_as_it_comes() {
    clean(async |js| {
        let made = js.main.call("makeRequest", ("http://example.com/", long_text()));
        let made: Request = made.decode().await.unwrap();
        assert_eq!((made.method.as_str(), made.url.as_str()), ("POST", "http://example.com/"));
        assert_eq!(made.headers.get("x-made-by"), Some("the fixed target"));
        assert!(matches!(made.body, Body::Stream(_)));
        let chunks: Result<Vec<Bytes>, Error> =
            made.body.into_stream().collect::<Vec<_>>().await.into_iter().collect();
        let bytes: Vec<u8> = chunks.unwrap().iter().flat_map(|c| c.to_vec()).collect();
        assert!(bytes == long_text().as_bytes());
    })
    .await;
}

#[tokio::test]
async fn responses_go_both_ways() {
    clean(async |js| {
        let made: Response =
            js.main.call("makeResponse", (404, "no such page")).decode().await.unwrap();
        assert_eq!((made.status, made.headers.get("x-made-by")), (404, Some("the fixed target")));
        assert_eq!(&made.body.collect(100).await.unwrap()[..], b"no such page");
        let made: Response =
            js.main.call("makeResponse", (204, Value::Null)).decode().await.unwrap();
        assert_eq!((made.status, made.body.is_empty()), (204, true));

        let mut response = Response::new(long_text());
        response.status = 201;
        response.status_text = "Made".to_owned();
        response.headers.set("x-a", "1").unwrap();
        let read: Object = js.main.call("readBody", (response,)).decode().await.unwrap();
        assert_eq!(read.get("status"), Some(&Value::Number(201.0)));
        assert_eq!(text(&read, "statusText"), "Made");
        assert!(text(&read, "text") == long_text());
        let read: Object =
            js.main.call("readBody", (Response::of_status(304),)).decode().await.unwrap();
        assert_eq!(read.get("text"), Some(&Value::Null));
    })
    .await;
}

#[tokio::test]
async fn what_javascript_would_refuse_is_not_sent() {
    clean(async |js| {
        let mut request = Request::new("GET", "http://example.com/".parse().unwrap());
        request.body = "a body".into();
        let response = Response::of_status(99);
        let with_function = {
            let mut request = Request::new("GET", "http://example.com/".parse().unwrap());
            request.init.insert("cf", Value::Date(capnweb::value::Date::now()));
            request
        };
        for value in [request.into(), response.into(), with_function.into()] {
            let value: Value = value;
            let error = js.main.call("readBody", (&value,)).await.unwrap_err();
            assert_eq!(error.kind(), capnweb::ErrorKind::Encode, "{error}");
            assert!(error.message().starts_with("args[0]: "), "{error}");
        }
    })
    .await;
}
