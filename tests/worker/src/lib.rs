//! The fixed target of the interoperability tests, served from a Worker.
//!
//! | path | what it is |
//! |---|---|
//! | `/rpc` | the target in the Worker, behind the key in `TEST_KEY` |
//! | `/object` | the target in a Durable Object, behind the same key |
//! | `/connect?to=URL` | connects to a server of the target and reports what it finds |
//! | `/connect?to=URL&through=object` | the same, by way of the Durable Object |
//! | `/time` | the date by the library's clock |
#![cfg(target_arch = "wasm32")]

/// What the tests on ordinary machines serve.
#[path = "../../rust/src"]
pub mod shared {
    pub mod fixed_target;
}

use capnweb::{
    Error,
    server::{self, Refusal, Rpc, UpgradeRequest},
};
use shared::fixed_target::FixedTarget;
use worker::{
    Context, DurableObject, Env, Request, Response, Result, State, durable_object, event,
    wasm_bindgen,
};

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    match request.path().as_str() {
        "/rpc" => endpoint(&env)?.fetch(&request, context).await,
        "/object" => {
            env.durable_object("OBJECT")?.get_by_name("one")?.fetch_with_request(request).await
        }
        "/connect" => connect(&request, &env).await,
        "/time" => Response::ok(capnweb::value::Date::now().millis().to_string()),
        _ => Response::error("Not Found", 404),
    }
}

fn endpoint(env: &Env) -> Result<Rpc> {
    let key = env.var("TEST_KEY")?.to_string();
    let rpc = server::rpc()
        .authenticate(move |request: UpgradeRequest| {
            let sent = request.headers().get("x-test-key");
            let known = sent.is_some_and(|sent| server::constant_time_eq(sent, &key));
            async move { known.then_some(()).ok_or_else(|| Refusal::unauthorized("unknown key")) }
        })
        .main(|_| FixedTarget::stub());
    Ok(rpc)
}

/// A client's view of a server: a result, a callback, a pipelined call and an error, or why there
/// is no connection.
async fn connect(request: &Request, env: &Env) -> Result<Response> {
    let url = request.url()?;
    let query = |name| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
    let to = query("to").unwrap_or_default().into_owned();
    let mut connect =
        capnweb::connect(to).header("x-test-key", query("key").as_deref().unwrap_or(""));
    if query("through").is_some() {
        connect = connect.through(env.durable_object("OBJECT")?.get_by_name("one")?);
    }
    let connection = match connect.await {
        Ok(connection) => connection,
        Err(error) => return Response::ok(error.to_string()),
    };
    let api = connection.main();
    let talk = async {
        let double = capnweb::Stub::function(|(n,): (f64,)| async move { Ok::<_, Error>(n * 2.0) });
        let called_back: f64 = api.call("callBack", (double, 21)).decode().await?;
        let counter = api.call("makeCounter", (40,));
        let counted: f64 = counter.call("increment", (2,)).decode().await?;
        let failed = api.call("fail", ("RangeError", "too far")).await;
        let failed = failed.err().map(|error| error.to_string()).unwrap_or_default();
        Ok::<_, Error>(format!("{called_back} {counted} {failed}"))
    };
    let said = talk.await.unwrap_or_else(|error| error.to_string());
    Response::ok(said)
}

/// The endpoint in a Durable Object.
#[durable_object]
pub struct TestObject {
    env: Env,
}

impl DurableObject for TestObject {
    fn new(_: State, env: Env) -> Self {
        Self { env }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        endpoint(&self.env)?.fetch_in_object(&request).await
    }
}
