//! How the server is set up, from the command line and the environment.
//!
//! Owns: what can be set, and telling what is wrong with a setting. Everything is checked here once, so that the rest
//! of the server holds values that are right by their type. The two secrets come from the environment only: arguments
//! can be read by every user of the machine.

use std::env::VarError;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::core::{Limits, Namespace, PublicUrl, Secret};

/// The variable with the UUID under which the secrets of shares are derived.
pub const NAMESPACE_VARIABLE: &str = "SESSIONS_SHARED_SECRET";

/// The variable with the key that clients present to connect.
pub const KEY_VARIABLE: &str = "SESSIONS_RPC_SHARED_KEY";

/// Shares opencode sessions over RPC and keeps them in a directory.
#[derive(Debug, Clone, Parser)]
#[command(
    version,
    after_help = "Secrets are taken from the environment:
  SESSIONS_SHARED_SECRET   the UUID from which the secret of each share is derived
  SESSIONS_RPC_SHARED_KEY  the key that clients present to connect

Where SESSIONS_SHARED_SECRET is not set, the server makes what is missing at its first start, keeps it in the data
directory and shows the key once. Where only the key is missing, nobody can connect.

RUST_LOG sets what is logged (default: info)."
)]
pub struct Cli {
    /// Address to listen on
    #[arg(long, env = "SHARE_LISTEN", value_name = "IP:PORT", default_value = "127.0.0.1:8787")]
    pub listen: String,

    /// Directory to keep shares in; made if need be
    #[arg(long, env = "SHARE_DATA_DIR", value_name = "DIR", default_value = "./data")]
    pub data_dir: PathBuf,

    /// Domain under which shares are reached, for their URLs; or http://HOST:PORT [default: the address to listen on]
    #[arg(long, env = "API_DOMAIN", value_name = "DOMAIN")]
    pub api_domain: Option<String>,

    /// Let anybody connect, without a key
    #[arg(long)]
    pub allow_unauthenticated: bool,

    /// Form of the log, which goes to stderr
    #[arg(long, env = "SHARE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Most items that a sync may carry
    #[arg(long, env = "SHARE_MAX_ITEMS_PER_SYNC", value_name = "COUNT", default_value_t = Limits::default().items_per_sync)]
    pub max_items_per_sync: usize,

    /// Most bytes of JSON that one item of a sync may have
    #[arg(long, env = "SHARE_MAX_ITEM_BYTES", value_name = "BYTES", default_value_t = Limits::default().item_bytes)]
    pub max_item_bytes: usize,

    /// Most bytes of JSON that a share may have
    #[arg(long, env = "SHARE_MAX_SHARE_BYTES", value_name = "BYTES", default_value_t = Limits::default().share_bytes)]
    pub max_share_bytes: usize,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Settings that were checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to keep shares.
    pub data_dir: PathBuf,
    /// Where shares are reached, if it is not where the server listens.
    pub public_url: Option<PublicUrl>,
    /// Where the secrets of shares come from, if it was set.
    pub namespace: Option<Namespace>,
    /// Who may connect.
    pub connections: Connections,
    /// How much a client may store.
    pub limits: Limits,
}

/// Who may connect, as far as it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connections {
    /// Whoever has this key.
    Key(Secret),
    /// Anybody.
    Unauthenticated,
    /// Nothing was set.
    Unset,
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The address to listen on is none.
    #[error("--listen {0:?} is not an address; give an IP and a port, such as 127.0.0.1:8787")]
    Listen(String),
    /// The domain is none.
    #[error(
        "--api-domain {0:?} is not a domain; give one such as share.example.com, or a URL such as http://localhost:8787"
    )]
    ApiDomain(String),
    /// The namespace is not a UUID. Its text is a secret and not repeated.
    #[error("SESSIONS_SHARED_SECRET is not a UUID; set it to one, such as uuidgen prints")]
    Namespace,
    /// The key could never arrive in a header. Its text is a secret and not repeated.
    #[error(
        "SESSIONS_RPC_SHARED_KEY cannot be sent in an HTTP header; use printable ASCII characters without spaces"
    )]
    Key,
    /// A key, and the order to ask for none.
    #[error(
        "SESSIONS_RPC_SHARED_KEY is set and --allow-unauthenticated given; unset the one or leave out the other"
    )]
    KeyButUnauthenticated,
}

impl Config {
    /// Checks the settings. `variable` reads the environment; a secret that is set but empty counts as not set.
    ///
    /// # Errors
    /// [`ConfigError`] for the first setting that cannot be used.
    pub fn new(
        cli: Cli,
        variable: impl Fn(&str) -> Result<String, VarError>,
    ) -> Result<Self, ConfigError> {
        let listen = cli.listen.parse().map_err(|_| ConfigError::Listen(cli.listen))?;
        let public_url = match cli.api_domain.filter(|domain| !domain.is_empty()) {
            Some(domain) => {
                Some(PublicUrl::parse(&domain).map_err(|_| ConfigError::ApiDomain(domain))?)
            }
            None => None,
        };
        let namespace = match secret(&variable, NAMESPACE_VARIABLE, ConfigError::Namespace)? {
            Some(text) => Some(Namespace::parse(&text).map_err(|_| ConfigError::Namespace)?),
            None => None,
        };
        let key = secret(&variable, KEY_VARIABLE, ConfigError::Key)?;
        let connections = match (key, cli.allow_unauthenticated) {
            (Some(_), true) => return Err(ConfigError::KeyButUnauthenticated),
            (Some(key), false) if key.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Connections::Key(Secret::new(key))
            }
            (Some(_), false) => return Err(ConfigError::Key),
            (None, true) => Connections::Unauthenticated,
            (None, false) => Connections::Unset,
        };
        let limits = Limits {
            items_per_sync: cli.max_items_per_sync,
            item_bytes: cli.max_item_bytes,
            share_bytes: cli.max_share_bytes,
        };
        Ok(Self { listen, data_dir: cli.data_dir, public_url, namespace, connections, limits })
    }
}

/// Reads a secret, without the white space that a file or a shell leaves around it.
fn secret(
    variable: impl Fn(&str) -> Result<String, VarError>,
    name: &str,
    invalid: ConfigError,
) -> Result<Option<String>, ConfigError> {
    match variable(name) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(invalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let cli = Cli::try_parse_from([&["share-service"], arguments].concat()).unwrap();
        Config::new(cli, |name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned()).ok_or(VarError::NotPresent)
        })
    }

    #[test]
    fn a_key_lets_in_and_its_absence_does_not() {
        let connections = |arguments: &[&str], key: &str| {
            config(arguments, &[(KEY_VARIABLE, key)]).map(|config| config.connections)
        };
        assert_eq!(connections(&[], " k3y\n"), Ok(Connections::Key(Secret::new("k3y"))));
        assert_eq!(connections(&[], ""), Ok(Connections::Unset));
        assert_eq!(connections(&[], " \n"), Ok(Connections::Unset));
        let open = "--allow-unauthenticated";
        assert_eq!(connections(&[open], ""), Ok(Connections::Unauthenticated));
        assert_eq!(connections(&[open], "k3y"), Err(ConfigError::KeyButUnauthenticated));
        assert_eq!(connections(&[], "two words"), Err(ConfigError::Key));
        assert_eq!(connections(&[], "schlüssel"), Err(ConfigError::Key));
    }

    #[test]
    fn errors_repeat_settings_but_never_secrets() {
        let error = config(&["--listen", "nonsense"], &[]).unwrap_err();
        assert!(error.to_string().contains("\"nonsense\""), "{error}");
        let error = config(&["--api-domain", "a b"], &[]).unwrap_err();
        assert!(error.to_string().contains("\"a b\""), "{error}");
        let error = config(&[], &[(NAMESPACE_VARIABLE, "hunter2")]).unwrap_err();
        assert_eq!(error, ConfigError::Namespace);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn limits_can_be_set() {
        let arguments = ["--max-items-per-sync=1", "--max-item-bytes=2", "--max-share-bytes=3"];
        let limits = config(&arguments, &[]).unwrap().limits;
        assert_eq!(limits, Limits { items_per_sync: 1, item_bytes: 2, share_bytes: 3 });
        assert_eq!(config(&[], &[]).unwrap().limits, Limits::default());
    }
}
