//! Checks the share service at the WebSocket address `SHARE_URL` with the key `SHARE_KEY`.

use capnweb_tests::share::ShareService;

#[tokio::main]
async fn main() {
    let variable = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is needed"));
    ShareService::new(variable("SHARE_URL"), variable("SHARE_KEY")).check().await;
}
