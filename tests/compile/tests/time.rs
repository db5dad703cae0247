//! How long interfaces take to compile: a crate of them, with all implementations and calls.
//!
//! With `CAPNWEB_FULL=1` 20 interfaces of 10 methods are built for release, in a bounded time. By
//! default two of them are only checked. Measured is the compiler's time on processors: it does not
//! depend on what else the machine does, and one on two cores is no longer.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Seconds, for the generated crate alone.
const LIMIT: f64 = 20.0;

#[test]
fn interfaces_compile_quickly() {
    let full = std::env::var_os("CAPNWEB_FULL").is_some();
    let krate = Crate::new();
    // What the interfaces stand on is built first, and not measured.
    krate.compile(0, full);
    let took = krate.compile(if full { 20 } else { 2 }, full);
    println!("compiled in {took:.1} seconds");
    assert!(!full || took < LIMIT, "20 interfaces took {took:.1} seconds");
}

/// A generated crate.
struct Crate(PathBuf);

impl Crate {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interfaces");
        fs::create_dir_all(folder.join("src")).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        let library = root.join("capnweb");
        let manifest = format!(
            "[workspace]\n\n[package]\nname = \"interfaces\"\nedition = \"2024\"\n\n[dependencies]\n\
             capnweb = {{ path = {library:?}, default-features = false, features = [\"macros\"] }}\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        // The versions that everything else is tested with.
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        Self(folder)
    }

    /// Returns the seconds that it took.
    fn compile(&self, interfaces: usize, release: bool) -> f64 {
        fs::write(self.0.join("src/lib.rs"), source(interfaces)).unwrap();
        let mode = if release { "build --release" } else { "check" };
        // The shell knows how long its children were on processors.
        let script = format!(
            "TIMEFORMAT='%U %S'; time \"$0\" {mode} --quiet --offline --jobs 2 --target-dir target"
        );
        let output = Command::new("bash")
            .args(["-c", &script, env!("CARGO")])
            .current_dir(&self.0)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "the generated crate does not compile:\n{text}");
        let times = text.lines().last().unwrap().split(' ');
        times.map(|seconds| seconds.parse::<f64>().unwrap()).sum()
    }
}

/// So many interfaces of ten methods each, with an implementation and a call of each method.
fn source(interfaces: usize) -> String {
    let mut source = String::from("//! Generated.\n");
    for number in 0..interfaces {
        writeln!(source, "pub mod interface_{number} {{{INTERFACE}}}").unwrap();
    }
    source
}

const INTERFACE: &str = r#"
    use capnweb::{Error, Record, Result, Stub, Value};
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Serialize, Deserialize, Record)]
    #[serde(rename_all = "camelCase")]
    pub struct Item {
        pub item_id: u32,
        pub name: String,
        pub tags: Vec<String>,
        pub parent: Option<Box<Item>>,
    }

    #[capnweb::interface]
    pub trait Api {
        /// All of a kind.
        async fn list(&self, kind: String, limit: Option<u32>) -> Result<Vec<Item>>;
        async fn find(&self, id: u32) -> Result<Option<Item>>;
        async fn insert(&self, item: Item) -> Result<u32>;
        async fn remove(&self, ids: Vec<u32>) -> Result<()>;
        async fn watch(&self, changed: Stub<fn(Item) -> Result<bool>>) -> Result<u32>;
        async fn open(&self, id: u32) -> Result<Stub<dyn Api>>;
        fn count(&self) -> u32;
        fn scale(&self, x: f64, y: f64, z: f64) -> (f64, f64, f64);
        fn any(&self, value: Value) -> Value;
        #[rpc(get)]
        fn version(&self) -> String;
    }

    pub struct Server;

    impl Api for Server {
        async fn list(&self, _kind: String, _limit: Option<u32>) -> Result<Vec<Item>> {
            Ok(Vec::new())
        }

        async fn find(&self, _id: u32) -> Result<Option<Item>> {
            Ok(None)
        }

        async fn insert(&self, item: Item) -> Result<u32> {
            Ok(item.item_id)
        }

        async fn remove(&self, _ids: Vec<u32>) -> Result<()> {
            Err(Error::msg("nothing is removed"))
        }

        async fn watch(&self, changed: Stub<fn(Item) -> Result<bool>>) -> Result<u32> {
            drop(changed);
            Ok(0)
        }

        async fn open(&self, _id: u32) -> Result<Stub<dyn Api>> {
            Ok(Stub::new(Server))
        }

        fn count(&self) -> u32 {
            0
        }

        fn scale(&self, x: f64, y: f64, z: f64) -> (f64, f64, f64) {
            (x, y, z)
        }

        fn any(&self, value: Value) -> Value {
            value
        }

        fn version(&self) -> String {
            "1.0".to_owned()
        }
    }

    pub async fn calls() -> Result<()> {
        let api = Stub::<dyn Api>::new(Server);
        for item in api.list("kind", None).await? {
            api.insert(item).await?;
        }
        api.find(api.count()).await?;
        api.remove(vec![1]).await?;
        api.watch(Stub::new(async |item: Item| Ok(item.item_id > 1))).await?;
        api.open(1).find(2).name().await?;
        api.scale(1.0, 2.0, 3.0).await?;
        api.any(Value::Null).await?;
        api.version().await?;
        Ok(())
    }
"#;
