//! Everything that can be reached from some types, by its name.

use std::{
    any::{Any, TypeId, type_name},
    collections::{BTreeMap, HashSet},
    mem,
};

use ts_rs::{Config, TS, TypeVisitor};

use super::{DeclareError, comment, declare::interface_name, integers::Contents, layout};
use crate::stub::Stub;

/// What TypeScript itself calls so, and the declarations too. A type of such a name would take its
/// place in the whole file.
const GLOBALS: &[&str] = &[
    "Blob",
    "Date",
    "Error",
    "Headers",
    "ReadableStream",
    "Request",
    "Response",
    "Uint8Array",
    "WritableStream",
];

/// What may be mentioned in any file.
const RESERVED: &[&str] = &["Array", "Promise", "RpcStub", "RpcTarget"];

/// Collects what it visits.
#[derive(Default)]
pub(super) struct Collector {
    seen: HashSet<TypeId>,
    names: BTreeMap<String, Named>,
    /// The type that is being visited.
    current: String,
    error: Option<DeclareError>,
}

/// What stands behind a name.
struct Named {
    id: TypeId,
    /// For errors.
    path: String,
    /// None if it is a global of TypeScript.
    declaration: Option<Declaration>,
}

#[derive(PartialEq)]
struct Declaration {
    is_interface: bool,
    text: String,
}

impl Collector {
    /// All declarations.
    pub(super) fn finish(self) -> Result<String, DeclareError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let all = || self.names.values().filter_map(|named| named.declaration.as_ref());
        let interfaces = all().filter(|declaration| declaration.is_interface);
        let data = all().filter(|declaration| !declaration.is_interface);
        Ok(interfaces.chain(data).map(|declaration| format!("\n{}", declaration.text)).collect())
    }

    /// Takes what a panic says of the type that was being visited for an error like others.
    pub(super) fn panicked(&mut self, panic: &(dyn Any + Send)) {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let reason = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason");
        let type_name = mem::take(&mut self.current);
        self.fail(DeclareError::Undeclarable { type_name, reason: reason.to_owned() });
    }

    /// Puts a type behind its name, and tells whether it was not there yet.
    fn add(&mut self, name: String, new: Named) -> bool {
        if RESERVED.contains(&&*name) {
            self.fail(taken(&name, new.path, format!("TypeScript's own {name}")));
            return false;
        }
        match self.names.get(&name) {
            None => {
                self.names.insert(name, new);
                true
            }
            // A type with constants as parameters is several types here. That is well if they are
            // declared in the same way.
            Some(old)
                if old.id == new.id
                    || (old.path == new.path && old.declaration == new.declaration) =>
            {
                false
            }
            Some(old) => {
                let error = taken(&name, old.path.clone(), new.path);
                self.fail(error);
                false
            }
        }
    }

    /// The first error is told.
    fn fail(&mut self, error: DeclareError) {
        self.error.get_or_insert(error);
    }

    fn read<T: TS + 'static + ?Sized>(&mut self) {
        let mentioned = Contents::of_name::<T>();
        self.check::<T>(mentioned);
        let id = TypeId::of::<T::WithoutGenerics>();
        if T::output_path().is_none() {
            let name = T::name(&Config::new());
            let name = name.split('<').next().unwrap_or_default();
            if GLOBALS.contains(&name) {
                let path = format!("TypeScript's own {name}");
                self.add(name.to_owned(), Named { id, path, declaration: None });
            }
            T::visit_dependencies(self);
            return;
        }
        let contents = Contents::of_declaration::<T>();
        self.check::<T::WithoutGenerics>(contents);
        let config = contents.config();
        let text = T::decl(&config);
        // This is all that is to be seen of a unit struct.
        if text.ends_with("= null;") {
            self.fail(DeclareError::UnitStruct { type_name: path::<T>() });
        }
        let declaration = Declaration {
            is_interface: interface_name::<T>().is_some(),
            text: with_docs::<T>(&text),
        };
        let named = Named { id, path: path::<T>(), declaration: Some(declaration) };
        if self.add(T::ident(&config), named) {
            T::visit_dependencies(self);
        }
    }

    fn check<T: TS + ?Sized + 'static>(&mut self, contents: Contents) {
        if contents.is_mixed() {
            self.fail(DeclareError::MixedIntegers { type_name: path::<T>() });
        }
        if contents.has_unit {
            self.fail(DeclareError::Unit { type_name: path::<T>() });
        }
    }
}

impl TypeVisitor for Collector {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        let outer = mem::replace(&mut self.current, path::<T>());
        self.read::<T>();
        self.current = outer;
    }
}

fn with_docs<T: TS + ?Sized>(declaration: &str) -> String {
    let docs = T::docs().unwrap_or_default();
    let docs = comment::comment(comment::lines_of(&docs), "");
    let declaration = match declaration.strip_prefix("type ") {
        Some(_) => layout::alias(declaration),
        None => declaration.to_owned(),
    };
    format!("{docs}export {declaration}\n")
}

fn taken(name: &str, first: String, second: String) -> DeclareError {
    DeclareError::NameTaken { name: name.to_owned(), first, second }
}

/// The path of a type in Rust, without what it was given; for a stub that of its interface.
fn path<T: ?Sized>() -> String {
    let without_parameters = |name: &'static str| name.split('<').next().unwrap_or_default();
    let name = type_name::<T>();
    let stub = without_parameters(type_name::<Stub>());
    let interface =
        name.strip_prefix(stub).and_then(|rest| rest.strip_prefix("<dyn ")?.strip_suffix('>'));
    interface.unwrap_or_else(|| without_parameters(name)).to_owned()
}
