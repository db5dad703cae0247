//! The two secrets of the server: those that were set, and those that it makes for itself so that it can be tried out
//! without setting anything.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::config::Connections;
use crate::core::{Namespace, Secret};
use crate::store::{Store, StoreError};

/// The file in the data directory with the secrets that the server made.
const FILE_NAME: &str = "credentials.json";

/// What the server works with.
#[derive(Debug)]
pub struct Credentials {
    /// Where the secrets of shares come from.
    pub namespace: Namespace,
    /// Who may connect.
    pub access: Access,
    /// The key that was made just now, and the file it is in. Nobody has seen it yet.
    pub new_key: Option<(Secret, PathBuf)>,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The file with them cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file with them is not what the server wrote.
    #[error(
        "{FILE_NAME} in the data directory is damaged; restore it, or set SESSIONS_SHARED_SECRET and SESSIONS_RPC_SHARED_KEY and remove it"
    )]
    Damaged,
    /// The system has no random numbers.
    #[error("cannot make a secret: {0}")]
    Random(getrandom::Error),
}

/// The file, under the names by which the secrets are set.
#[derive(Default, Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "SESSIONS_SHARED_SECRET")]
    namespace: Option<String>,
    #[serde(rename = "SESSIONS_RPC_SHARED_KEY", skip_serializing_if = "Option::is_none")]
    key: Option<Secret>,
}

impl Credentials {
    /// Takes what was set. If the namespace was not, this is a server that nobody has set up: what is missing then is
    /// made once and kept in the data directory. If it was, a missing key means that nobody may connect. Blocks.
    ///
    /// # Errors
    /// [`CredentialsError`] if secrets have to be made or read and cannot be.
    pub fn resolve(
        namespace: Option<Namespace>,
        connections: Connections,
        store: &Store,
    ) -> Result<Self, CredentialsError> {
        let (namespace, made) = match namespace {
            Some(namespace) => (namespace, None),
            None => {
                let made = Made::load_or_make(store, connections == Connections::Unset)?;
                (made.namespace.clone(), Some(made))
            }
        };
        let (access, new_key) = match (connections, made) {
            (Connections::Key(key), _) => (Access::Key(key), None),
            (Connections::Unauthenticated, _) => (Access::Unauthenticated, None),
            (Connections::Unset, Some(Made { key: Some(key), new_in, .. })) => {
                let new_key = new_in.map(|path| (key.clone(), path));
                (Access::Key(key), new_key)
            }
            (Connections::Unset, _) => (Access::Closed, None),
        };
        Ok(Self { namespace, access, new_key })
    }
}

/// Secrets that the server made, now or at an earlier start.
struct Made {
    namespace: Namespace,
    key: Option<Secret>,
    /// The file, if the key was made now.
    new_in: Option<PathBuf>,
}

impl Made {
    fn load_or_make(store: &Store, needs_key: bool) -> Result<Self, CredentialsError> {
        let stored: Stored = match store.read_private(FILE_NAME)? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|_| CredentialsError::Damaged)?,
            None => Stored::default(),
        };
        let makes_namespace = stored.namespace.is_none();
        let namespace = match stored.namespace {
            Some(text) => Namespace::parse(&text).map_err(|_| CredentialsError::Damaged)?,
            None => Namespace::from_random(random()?),
        };
        let makes_key = needs_key && stored.key.is_none();
        let key = if makes_key { Some(new_key()?) } else { stored.key };
        let mut new_in = None;
        if makes_namespace || makes_key {
            let file = Stored { namespace: Some(namespace.reveal()), key: key.clone() };
            let json = serde_json::to_vec_pretty(&file).map_err(|_| CredentialsError::Damaged)?;
            let path = store.write_private(FILE_NAME, &json)?;
            new_in = makes_key.then_some(path);
        }
        Ok(Self { namespace, key, new_in })
    }
}

fn new_key() -> Result<Secret, CredentialsError> {
    Ok(Secret::new(format!("{:032x}", u128::from_ne_bytes(random()?))))
}

fn random() -> Result<[u8; 16], CredentialsError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(CredentialsError::Random)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn namespace() -> Option<Namespace> {
        Some(Namespace::from_random([7; 16]))
    }

    fn store() -> (TempDir, Store) {
        let directory = TempDir::new().unwrap();
        let store = Store::open(directory.path()).unwrap();
        (directory, store)
    }

    #[test]
    fn with_nothing_set_both_are_made_once_and_kept() {
        let (_directory, store) = store();
        let first = Credentials::resolve(None, Connections::Unset, &store).unwrap();
        let (key, path) = first.new_key.expect("the key is made at the first start");
        assert!(path.ends_with(FILE_NAME));
        assert_eq!(key.reveal().len(), 32);
        assert_eq!(first.access, Access::Key(key));
        let second = Credentials::resolve(None, Connections::Unset, &store).unwrap();
        assert_eq!(second.access, first.access);
        assert_eq!(second.namespace, first.namespace);
        assert_eq!(second.new_key, None, "it is shown once");
    }

    #[test]
    fn a_server_that_was_set_up_without_a_key_is_closed() {
        let (_directory, store) = store();
        Credentials::resolve(None, Connections::Unset, &store).unwrap();
        let set_up = Credentials::resolve(namespace(), Connections::Unset, &store).unwrap();
        assert_eq!(set_up.access, Access::Closed);
        assert_eq!(set_up.namespace, namespace().unwrap());
    }

    #[test]
    fn what_was_set_is_used_and_no_key_made_that_nobody_sees() {
        let (_directory, store) = store();
        let set = Connections::Key(Secret::new("k3y"));
        let with_key = Credentials::resolve(None, set, &store).unwrap();
        assert_eq!(with_key.access, Access::Key(Secret::new("k3y")));
        assert_eq!(with_key.new_key, None);
        let open = Credentials::resolve(None, Connections::Unauthenticated, &store).unwrap();
        assert_eq!(open.access, Access::Unauthenticated);
        assert_eq!(open.namespace, with_key.namespace);
        let unset = Credentials::resolve(None, Connections::Unset, &store).unwrap();
        assert!(unset.new_key.is_some(), "made and shown when it is first needed");
        assert_eq!(unset.namespace, with_key.namespace);
    }

    #[test]
    fn a_damaged_file_is_not_replaced() {
        let (_directory, store) = store();
        for damage in ["", "{", r#"{"SESSIONS_SHARED_SECRET": "x"}"#] {
            store.write_private(FILE_NAME, damage.as_bytes()).unwrap();
            let resolved = Credentials::resolve(None, Connections::Unset, &store);
            assert!(matches!(resolved, Err(CredentialsError::Damaged)), "{damage:?}");
            let kept = store.read_private(FILE_NAME).unwrap().unwrap();
            assert_eq!(kept, damage.as_bytes());
        }
    }
}
