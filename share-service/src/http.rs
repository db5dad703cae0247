//! The routes of the server, and what is common to them.
//!
//! Owns: which path leads where, and that nothing reaches the RPC routes without passing [`Access`]. Refuses to know:
//! the RPC protocol, which is handed in as a handler.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{MethodRouter, any, get};
use serde_json::json;

use crate::access::Access;

/// The routes of the server. `rpc` serves `/rpc` and `/rpc/share`; a request that [`Access`] refuses never gets there.
pub fn router(access: Access, rpc: MethodRouter) -> Router {
    let guarded = rpc.layer(middleware::from_fn_with_state(Arc::new(access), guard));
    Router::new()
        .route("/rpc", guarded.clone())
        .route("/rpc/share", guarded)
        .route("/healthz", get(|| async { "ok" }))
        .route("/api/", any(not_found))
        .route("/api/{*path}", any(not_found))
}

/// An error as every route reports it.
pub fn error(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"error": message}))).into_response()
}

async fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "Not Found")
}

async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let Err(refusal) = access.check(request.headers()) else { return next.run(request).await };
    tracing::info!(path = request.uri().path(), reason = %refusal, "connection refused");
    let mut response = error(refusal.status(), &refusal.to_string());
    // Whoever has no key is not to hold a connection, and clients that wanted an upgrade do not reuse it.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    if refusal.status() == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;
    use crate::core::Secret;

    async fn answer(access: Access, path: &str, key: Option<&str>) -> (StatusCode, String) {
        let mut request = Request::get(path);
        if let Some(key) = key {
            request = request.header("x-opencode-share-key", key);
        }
        let app = router(access, any(|| async { "rpc" }));
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
        (status, String::from_utf8(body.into()).unwrap())
    }

    fn keyed() -> Access {
        Access::Key(Secret::new("k3y"))
    }

    #[tokio::test]
    async fn both_rpc_routes_are_behind_the_key() {
        for path in ["/rpc", "/rpc/share"] {
            assert_eq!(answer(keyed(), path, Some("k3y")).await, (StatusCode::OK, "rpc".into()));
            for key in [None, Some("wrong")] {
                let (status, body) = answer(keyed(), path, key).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{path} {key:?}");
                let body: Value = serde_json::from_str(&body).unwrap();
                assert!(body["error"].is_string(), "{body}");
                assert!(!body.to_string().contains("k3y"), "{body}");
            }
            let (status, _) = answer(Access::Closed, path, Some("k3y")).await;
            assert_eq!(status, StatusCode::FORBIDDEN);
            let (status, _) = answer(Access::Unauthenticated, path, None).await;
            assert_eq!(status, StatusCode::OK);
        }
    }

    #[tokio::test]
    async fn unknown_api_paths_are_answered_in_json() {
        for path in ["/api/", "/api/nothing", "/api/share/x/y/z"] {
            let (status, body) = answer(keyed(), path, None).await;
            assert_eq!(
                (status, body.as_str()),
                (StatusCode::NOT_FOUND, r#"{"error":"Not Found"}"#)
            );
        }
    }

    #[tokio::test]
    async fn health_needs_no_key() {
        assert_eq!(answer(Access::Closed, "/healthz", None).await, (StatusCode::OK, "ok".into()));
    }
}
