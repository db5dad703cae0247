//! What is rendered of every kind of type.
#![expect(clippy::type_complexity, reason = "signatures that users write, too")]

use std::{collections::HashMap, env, fs, process::Command};

use serde::{Deserialize, Serialize};

mod unfollowed;

use super::{Declarations, DeclareError, TS, UPDATE};
use crate::{
    Promise, Result, Stub, Value,
    fetch::{Blob, Headers, Request, Response},
    session::Caller,
    stream::{ReadableStream, WritableStream},
    typed::Arg,
    value::{BigInt, Bytes, Date, Exception, Object},
};

/// The declarations, without the first line, which says that they were made.
fn render(declarations: Declarations) -> String {
    let text = declarations.render().unwrap();
    let (head, text) = text.split_once('\n').unwrap();
    assert!(head.starts_with("// "));
    text.to_owned()
}

/// The declaration of one type.
fn declared<T: TS + 'static>() -> String {
    let text = render(Declarations::new().data::<T>());
    text.trim().to_owned()
}

#[test]
fn signatures_have_a_word_for_every_kind_of_type() {
    #[crate::interface(crate = "crate", typescript)]
    trait Kinds {
        fn numbers(&self, a: u8, b: i64, c: usize, d: f32) -> u64;
        fn large(&self, a: i128, b: Vec<u128>, c: BigInt) -> Option<u128>;
        fn scalars(&self, a: bool, b: char, c: String) -> Date;
        fn bytes(&self, a: Bytes, b: Vec<u8>) -> [u8; 2];
        fn nothing(&self);
        fn fails(&self) -> Result<()>;
        fn maybe(&self) -> Result<Option<String>>;
        fn any(&self, value: Value, object: Object) -> Value;
        fn containers(&self, a: HashMap<String, u32>, b: (u8, String)) -> Vec<Option<bool>>;
        fn fetch(&self, a: Headers, b: Request, c: Blob) -> Response;
        fn error(&self, error: Exception) -> Result<Exception>;
        fn streams(&self, from: ReadableStream<Bytes>) -> WritableStream<(String, u32)>;
        fn promises(&self, numbers: Vec<Arg<f64>>) -> Promise<String>;
        fn untyped(&self, stub: Stub) -> Stub;
        fn caller(&self, caller: Caller, n: u32);
    }
    assert_eq!(
        render(Declarations::new().interface::<dyn Kinds>()),
        r#"import type { RpcStub, RpcTarget } from "capnweb";

export interface Kinds extends RpcTarget {
  numbers(a: number, b: number, c: number, d: number): number | Promise<number>;
  large(a: bigint, b: Array<bigint>, c: bigint): bigint | null | Promise<bigint | null>;
  scalars(a: boolean, b: string, c: string): Date | Promise<Date>;
  bytes(a: Uint8Array, b: Array<number>): [number, number] | Promise<[number, number]>;
  nothing(): void | Promise<void>;
  fails(): void | Promise<void>;
  maybe(): string | null | Promise<string | null>;
  any(value: unknown, object: { [key in string]: unknown }): unknown;
  containers(a: { [key in string]: number }, b: [number, string]): Array<boolean | null> | Promise<Array<boolean | null>>;
  fetch(a: Headers, b: Request, c: Blob): Response | Promise<Response>;
  error(error: Error): Error | Promise<Error>;
  streams(from: ReadableStream<Uint8Array>): WritableStream<[string, number]> | Promise<WritableStream<[string, number]>>;
  promises(numbers: Array<number>): string | Promise<string>;
  untyped(stub: RpcStub<any>): RpcStub<any> | Promise<RpcStub<any>>;
  caller(n: number): void | Promise<void>;
}
"#
    );
}

#[test]
fn objects_and_functions_are_given_as_they_are_and_received_as_stubs() {
    #[crate::interface(crate = "crate", typescript)]
    trait Node {
        fn parent(&self) -> Option<Stub<dyn Node>>;
        fn add(&self, child: Stub<dyn Node>);
        fn each(&self, visit: Stub<fn(Stub<dyn Node>, u128) -> Result<bool>>);
        fn tick(&self, done: Option<Stub<fn() -> Result<()>>>);
        fn adder(&self) -> Stub<fn(u64) -> Result<u64>>;
        fn pairs(&self, visit: Stub<fn(Vec<(Stub<dyn Node>, String)>) -> Result<()>>);
    }
    assert_eq!(
        render(Declarations::new().interface::<dyn Node>()),
        r#"import type { RpcStub, RpcTarget } from "capnweb";

export interface Node extends RpcTarget {
  parent(): Node | null | Promise<Node | null>;
  add(child: Node): void | Promise<void>;
  each(visit: (a: RpcStub<Node>, b: bigint) => boolean | Promise<boolean>): void | Promise<void>;
  tick(done?: (() => void | Promise<void>) | null): void | Promise<void>;
  adder(): ((a: number) => number | Promise<number>) | Promise<(a: number) => number | Promise<number>>;
  pairs(visit: (a: Array<[RpcStub<Node>, string]>) => void | Promise<void>): void | Promise<void>;
}
"#
    );
}

#[test]
fn members_have_their_names_on_the_wire_and_their_comments() {
    #[crate::interface(crate = "crate", typescript)]
    trait Base {}

    #[crate::interface(crate = "crate", typescript = "Other")]
    trait Renamed {}

    /// What is said of it.
    ///
    /// At */ length.
    #[crate::interface(crate = "crate", typescript)]
    trait Api: Base + Renamed {
        /// Reads it.
        #[rpc(get)]
        fn current_version(&self) -> String;
        #[rpc(get)]
        fn label(&self) -> Option<String>;
        /// First line.
        /// Second line, with [a link](https://example.com), [an item](Self::spaced), [`code`] and
        /// a[0].
        fn do_it(&self, first_one: u8, r#type: u8, function: u8, _2nd: u8);
        #[rpc(name = "with space")]
        fn spaced(&self, required: Option<u8>, b: u8, c: Option<u8>, d: Option<String>);
        #[doc = concat!(" Computed", " docs.")]
        fn computed(&self);
    }
    assert_eq!(
        render(Declarations::new().interface::<dyn Api>()),
        r#"import type { RpcTarget } from "capnweb";

/**
 * What is said of it.
 *
 * At *\/ length.
 */
export interface Api extends Base, Other {
  /** Reads it. */
  readonly currentVersion: string | Promise<string>;
  readonly label: string | null | Promise<string | null>;
  /**
   * First line.
   * Second line, with [a link](https://example.com), an item, `code` and
   * a[0].
   */
  doIt(firstOne: number, type: number, function_: number, _2nd: number): void | Promise<void>;
  "with space"(required: number | null, b: number, c?: number | null, d?: string | null): void | Promise<void>;
  /** Computed docs. */
  computed(): void | Promise<void>;
}

export interface Base extends RpcTarget {}

export interface Other extends RpcTarget {}
"#
    );
}

/// Data, as their serde attributes say.
#[derive(Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(crate = "crate::typescript::ts_rs")]
struct Profile {
    /// How to call them.
    first_name: String,
    born: Option<Date>,
    #[serde(rename = "stats")]
    counts: Counts,
    #[serde(skip)]
    _hidden: u8,
    #[ts(type = "URL")]
    #[serde(with = "crate::value::as_url")]
    page: url::Url,
    #[serde(flatten)]
    flat: Flat,
}

#[derive(Serialize, Deserialize, TS)]
#[ts(crate = "crate::typescript::ts_rs")]
struct Counts {
    logins: u64,
}

#[derive(Serialize, Deserialize, TS)]
#[ts(crate = "crate::typescript::ts_rs")]
struct Flat {
    picture: Bytes,
    #[ts(optional = nullable)]
    note: Option<String>,
}

#[test]
fn data_follow_their_serde_attributes() {
    assert_eq!(
        declared::<Profile>(),
        "export type Counts = { logins: number };

/** Data, as their serde attributes say. */
export type Profile = {
  /** How to call them. */
  firstName: string;
  born: Date | null;
  stats: Counts;
  page: URL;
  picture: Uint8Array;
  note?: string | null;
};"
    );
}

#[test]
fn enums_are_unions() {
    #[derive(Serialize, Deserialize, TS)]
    #[serde(rename_all = "lowercase")]
    #[ts(crate = "crate::typescript::ts_rs")]
    enum Color {
        Red,
        Green,
    }

    #[derive(Serialize, Deserialize, TS)]
    #[serde(tag = "type", content = "data", rename_all = "snake_case")]
    #[ts(crate = "crate::typescript::ts_rs")]
    enum Event {
        Renamed(String),
        Moved {
            from_left: f64,
            from_top: f64,
        },
        Painted {
            /// All over.
            color: Color,
        },
        Gone,
    }

    assert_eq!(
        declared::<Event>(),
        r#"export type Color = "red" | "green";

export type Event =
  | { "type": "renamed"; "data": string }
  | { "type": "moved"; "data": { from_left: number; from_top: number } }
  | {
    "type": "painted";
    "data": {
      /** All over. */
      color: Color;
    };
  }
  | { "type": "gone" };"#
    );
}

#[test]
fn generic_data_are_declared_once() {
    #[derive(Serialize, Deserialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Page<T> {
        items: Vec<T>,
        total: u64,
    }

    #[crate::interface(crate = "crate", typescript)]
    trait Pages {
        fn counts(&self) -> Page<Counts>;
        fn large(&self) -> Page<u128>;
        fn objects(&self) -> Page<Stub<dyn Pages>>;
    }
    assert_eq!(
        render(Declarations::new().interface::<dyn Pages>().interface::<dyn Pages>()),
        r#"import type { RpcTarget } from "capnweb";

export interface Pages extends RpcTarget {
  counts(): Page<Counts> | Promise<Page<Counts>>;
  large(): Page<bigint> | Promise<Page<bigint>>;
  objects(): Page<Pages> | Promise<Page<Pages>>;
}

export type Counts = { logins: number };

export type Page<T> = { items: Array<T>; total: number };
"#
    );
}

#[test]
fn wide_integers_of_data_are_bigints() {
    #[derive(Serialize, Deserialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Wide {
        balance: i128,
        counts: Counts,
    }

    #[derive(Serialize, Deserialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Mixed {
        balance: i128,
        at: u64,
    }

    #[derive(Serialize, Deserialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Told {
        #[ts(type = "bigint")]
        balance: i128,
        at: u64,
    }

    assert_eq!(
        declared::<Wide>(),
        "export type Counts = { logins: number };\n\n\
         export type Wide = { balance: bigint; counts: Counts };"
    );
    assert_eq!(declared::<Told>(), "export type Told = { balance: bigint; at: number };");
    let error = Declarations::new().data::<Mixed>().render().unwrap_err();
    assert!(
        matches!(&error, DeclareError::MixedIntegers { type_name } if type_name.ends_with("Mixed")),
        "{error}"
    );
    let error = Declarations::new().data::<Vec<(u64, i128)>>().render().unwrap_err();
    assert!(matches!(error, DeclareError::MixedIntegers { .. }), "{error}");
}

#[test]
fn a_unit_inside_of_data_is_refused() {
    let error = Declarations::new().data::<Vec<()>>().render().unwrap_err();
    assert!(error.to_string().contains("alloc::vec::Vec has a `()` in it"), "{error}");
}

mod elsewhere {
    use super::*;

    #[derive(Serialize, Deserialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    pub(super) struct Counts {
        pub(super) other: String,
    }

    #[crate::interface(crate = "crate", typescript)]
    pub(super) trait Api {
        fn counts(&self) -> Counts;
    }
}

#[test]
fn two_types_of_one_name_are_refused() {
    #[crate::interface(crate = "crate", typescript)]
    trait Api {}

    let message = |declarations: Declarations| declarations.render().unwrap_err().to_string();
    let text = message(Declarations::new().interface::<dyn elsewhere::Api>().data::<Counts>());
    assert!(
        text.starts_with(
            "capnweb::typescript::tests::elsewhere::Counts and capnweb::typescript::tests::Counts \
             are both called Counts in TypeScript: rename one of them"
        ),
        "{text}"
    );
    let text =
        message(Declarations::new().interface::<dyn elsewhere::Api>().interface::<dyn Api>());
    assert!(
        text.starts_with("capnweb::typescript::tests::elsewhere::Api and capnweb::")
            && text.contains("::Api are both called Api"),
        "{text}"
    );
}

#[test]
fn the_names_of_typescript_are_left_alone() {
    #[derive(Serialize, Deserialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Error {
        code: u32,
    }

    #[derive(Serialize, Deserialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs", rename = "Promise")]
    struct Promised {
        code: u32,
    }

    assert_eq!(declared::<Error>(), "export type Error = { code: number };");
    let both = Declarations::new().data::<Error>().data::<Option<Exception>>();
    let text = both.render().unwrap_err().to_string();
    assert!(text.contains("Error and TypeScript's own Error are both called Error"), "{text}");
    let text = Declarations::new().data::<Promised>().render().unwrap_err().to_string();
    assert!(text.contains("TypeScript's own Promise"), "{text}");
}

#[test]
fn long_declarations_are_laid_out() {
    #[derive(Serialize, Deserialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Long {
        a_rather_long_name_of_a_field: Vec<HashMap<String, (u8, String)>>,
        another_rather_long_name_of_a_field: Option<Stub<fn(u8, u8) -> Result<bool>>>,
    }

    #[derive(Serialize, Deserialize, TS)]
    #[serde(untagged)]
    #[ts(crate = "crate::typescript::ts_rs")]
    enum Choice {
        #[ts(type = "\"with { and | and , in a string\"")]
        Text(String),
        Callback(Vec<Stub<fn(String, String) -> Result<Option<String>>>>),
        Long(Option<Box<Long>>),
    }

    assert_eq!(
        declared::<Choice>(),
        r#"export type Choice =
  | "with { and | and , in a string"
  | Array<((a: string, b: string) => string | null | Promise<string | null>)>
  | Long
  | null;

export type Long = {
  a_rather_long_name_of_a_field: Array<{ [key in string]: [number, string] }>;
  another_rather_long_name_of_a_field: ((a: number, b: number) => boolean | Promise<boolean>) | null;
};"#
    );
}

#[test]
fn a_file_is_written_and_checked() {
    let folder = env::temp_dir().join(format!("capnweb-typescript-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("counts.d.ts");
    let declarations = Declarations::new().data::<Counts>();

    let missing = declarations.check(&path).unwrap_err();
    assert!(matches!(missing, DeclareError::NotCurrent { line: 1, .. }), "{missing}");
    declarations.write_to(&path).unwrap();
    declarations.check(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, declarations.render().unwrap());

    // As version control leaves it on Windows.
    fs::write(&path, text.replace('\n', "\r\n")).unwrap();
    declarations.check(&path).unwrap();

    fs::write(&path, text.replace("logins: number", "logins: string")).unwrap();
    let error = declarations.check(&path).unwrap_err().to_string();
    assert!(error.contains("counts.d.ts is not current: line 3 is"), "{error}");
    assert!(error.contains("logins: string") && error.contains("logins: number"), "{error}");
    assert!(error.contains("CAPNWEB_UPDATE=1"), "{error}");

    let error = declarations.write_to(&folder).unwrap_err();
    assert!(matches!(error, DeclareError::Io { .. }), "{error}");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_check_by_command_never_writes() {
    // A process of its own has the variable from its beginning.
    if env::var_os(UPDATE).is_none() {
        let name = "typescript::tests::a_check_by_command_never_writes";
        let mut again = Command::new(env::current_exe().unwrap());
        let output = again.args(["--exact", name]).env(UPDATE, "1").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let path = env::temp_dir().join(format!("capnweb-checked-{}.d.ts", std::process::id()));
    let declarations = Declarations::new().data::<Counts>();
    let command = |args: &[&str]| {
        let args: Vec<_> = args.iter().map(Into::into).collect();
        declarations.run(&args)
    };
    let file = path.to_str().unwrap();
    let error = command(&["--check", file]).unwrap().unwrap_err();
    assert!(matches!(error, DeclareError::NotCurrent { .. }), "{error}");
    assert!(!path.exists());

    // In a test it would be written.
    declarations.check(&path).unwrap();
    command(&["--check", file]).unwrap().unwrap();
    fs::remove_file(&path).unwrap();
    assert!(command(&["--write", file]).is_none());
}
