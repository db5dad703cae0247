//! A web server whose page calls it with the JavaScript package, and is called back.
//!
//! ```sh
//! npm ci --prefix tests/interop
//! cargo run -p examples --bin browser-server -- 127.0.0.1:8080 \
//!     tests/interop/node_modules/capnweb/dist/index.js
//! ```

use std::error::Error;

use axum::{
    Router,
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};
use capnweb::{Result, Stub, server};
use examples::Greeter;
use tokio::net::TcpListener;

struct English;

impl Greeter for English {
    fn hello(&self, name: String) -> String {
        format!("Hello, {name}!")
    }

    async fn countdown(&self, from: u32, tell: Stub<fn(u32) -> Result<()>>) -> Result<String> {
        for n in (0..=from).rev() {
            tell.call(n).await?;
        }
        Ok("lift-off".to_owned())
    }
}

const PAGE: &str = r#"<!doctype html>
<title>Cap'n Web</title>
<p id="greeting"></p>
<p id="countdown"></p>
<p id="end"></p>
<script type="module">
  import { newWebSocketRpcSession } from "/capnweb.js";

  const show = (id, text) => { document.getElementById(id).textContent += text; };
  const api = newWebSocketRpcSession(`ws://${location.host}/rpc`);
  show("greeting", await api.hello("browser"));
  show("end", await api.countdown(3, n => show("countdown", `${n} `)));
</script>
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: browser-server ADDRESS CAPNWEB_MODULE";
    let (address, module) = (args.next().ok_or(usage)?, args.next().ok_or(usage)?);
    let module = std::fs::read_to_string(&module).map_err(|error| format!("{module}: {error}"))?;
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);

    // Pages from elsewhere are refused: by default only those of this very host may connect.
    let rpc = server::rpc().allow_unauthenticated().main(|_| Stub::<dyn Greeter>::new(English));
    let script =
        async move || ([(header::CONTENT_TYPE, "text/javascript")], module.clone()).into_response();
    let app = Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/capnweb.js", get(script))
        .route_service("/rpc", rpc);
    axum::serve(listener, app).await?;
    Ok(())
}
