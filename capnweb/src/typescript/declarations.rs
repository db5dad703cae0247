//! Sets of interfaces and data types, and the file that declares them.

use std::{
    env, fs, io,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    process::ExitCode,
};

use ts_rs::{TS, TypeVisitor};

use super::{Declare, DeclareError, collect::Collector};
use crate::stub::Stub;

/// The environment variable with which [`Declarations::check`] writes the file.
pub const UPDATE: &str = "CAPNWEB_UPDATE";

/// What every file begins with.
const HEAD: &str = "// Made of Rust types by capnweb: change those, and not this file.\n";

/// Interfaces and data types to be declared, with all that they mention: see the
/// [module](super).
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    roots: Vec<fn(&mut Collector)>,
}

impl Declarations {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an interface: `.interface::<dyn Api>()`.
    pub fn interface<I: Declare + ?Sized + 'static>(self) -> Self {
        self.data::<Stub<I>>()
    }

    /// Adds a type that no interface mentions, such as what methods fail with.
    pub fn data<T: TS + 'static>(mut self) -> Self {
        self.roots.push(|collector| {
            collector.visit::<T>();
            T::visit_generics(collector);
        });
        self
    }

    /// The text of an ES module that exports them all: the interfaces, then the data, both in
    /// alphabetical order.
    ///
    /// # Errors
    /// If a type cannot be declared, or not beside another one: everything but
    /// [`NotCurrent`](DeclareError::NotCurrent) and [`Io`](DeclareError::Io).
    pub fn render(&self) -> Result<String, DeclareError> {
        let mut collector = Collector::default();
        // `ts-rs` panics where it has no words for a type. What was collected until then is not
        // rendered.
        let read = panic::catch_unwind(AssertUnwindSafe(|| {
            for root in &self.roots {
                root(&mut collector);
            }
        }));
        if let Err(panic) = read {
            collector.panicked(&*panic);
        }
        let mut text = HEAD.to_owned();
        let body = collector.finish()?;
        let names = [("RpcStub<", "RpcStub"), ("RpcTarget", "RpcTarget")];
        let used = names.iter().filter(|(mark, _)| body.contains(mark));
        let imports: Vec<_> = used.map(|&(_, name)| name).collect();
        if !imports.is_empty() {
            let imports = imports.join(", ");
            text.push_str(&format!("import type {{ {imports} }} from \"capnweb\";\n"));
        }
        text.push_str(&body);
        Ok(text)
    }

    /// Writes the text into a file, unless it is there already: for programs and build scripts.
    ///
    /// # Errors
    /// Those of [`render`](Self::render), and if the file cannot be written.
    pub fn write_to(&self, path: impl AsRef<Path>) -> Result<(), DeclareError> {
        let path = path.as_ref();
        let text = self.render()?;
        // What watches the file does not need to run for nothing.
        if fs::read_to_string(path).is_ok_and(|found| found == text) {
            return Ok(());
        }
        fs::write(path, text).map_err(|error| io_error(path, error))
    }

    /// Does what the arguments of this program say, for a program that does nothing else: writes the
    /// text into the file that is named, or checks the file behind `--check`, which it never writes,
    /// or prints the text if there is no argument. What goes wrong is printed and is the exit code.
    ///
    /// ```no_run
    /// # #[capnweb::interface(typescript)]
    /// # trait Api {}
    /// use std::process::ExitCode;
    /// use capnweb::typescript::Declarations;
    ///
    /// fn main() -> ExitCode {
    ///     Declarations::new().interface::<dyn Api>().command()
    /// }
    /// ```
    pub fn command(&self) -> ExitCode {
        let args: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
        match self.run(&args) {
            Some(Ok(())) => ExitCode::SUCCESS,
            Some(Err(error)) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
            None => {
                eprintln!("arguments: [FILE | --check FILE]");
                ExitCode::from(2)
            }
        }
    }

    /// Checks that a file is what [`write_to`](Self::write_to) would write: for tests. With the
    /// variable [`CAPNWEB_UPDATE`](UPDATE) in the environment, not empty, it is written instead.
    ///
    /// # Errors
    /// If it is not, with the first line that differs, and those of `write_to`.
    pub fn check(&self, path: impl AsRef<Path>) -> Result<(), DeclareError> {
        let path = path.as_ref();
        if env::var_os(UPDATE).is_some_and(|value| !value.is_empty()) {
            return self.write_to(path);
        }
        self.compare(path)
    }

    /// What these arguments of a program say; `None` if they say nothing.
    pub(super) fn run(&self, args: &[PathBuf]) -> Option<Result<(), DeclareError>> {
        match args {
            [] => Some(self.render().map(|text| print!("{text}"))),
            [check, file] if check.as_os_str() == "--check" => Some(self.compare(file)),
            [file] if !file.to_string_lossy().starts_with('-') => Some(self.write_to(file)),
            _ => None,
        }
    }

    fn compare(&self, path: &Path) -> Result<(), DeclareError> {
        let expected = self.render()?;
        let found = match fs::read_to_string(path) {
            Ok(found) => found,
            // That it has to be written is all there is to say.
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(io_error(path, error)),
        };
        difference(&expected, &found).map_or(Ok(()), |(line, expected, found)| {
            Err(DeclareError::NotCurrent { path: path.to_owned(), line, expected, found })
        })
    }
}

fn io_error(path: &Path, error: io::Error) -> DeclareError {
    DeclareError::Io { path: path.to_owned(), error }
}

/// The first line that differs; its end does not count, which version control may have changed.
fn difference(expected: &str, found: &str) -> Option<(usize, String, String)> {
    let (mut expected, mut found) = (expected.lines(), found.lines());
    for number in 1.. {
        let (expected, found) = (expected.next(), found.next());
        if expected.is_none() && found.is_none() {
            break;
        }
        if expected != found {
            let text = |line: Option<&str>| line.unwrap_or_default().to_owned();
            return Some((number, text(expected), text(found)));
        }
    }
    None
}
