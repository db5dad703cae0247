//! The program: settings in, exit code out. Everything else is in the library.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use share_service::config::{Cli, Config, LogFormat};
use share_service::server;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Exit code for settings that cannot be used; the same as for arguments that cannot be parsed.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.log_format);
    let config = match Config::new(cli, |name| std::env::var(name)) {
        Ok(config) => config,
        Err(error) => return fail(error, USAGE.into()),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error, ExitCode::FAILURE),
    };
    // Dropping the runtime, at the end of this function, waits for what is being written.
    match runtime.block_on(server::run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error, ExitCode::FAILURE),
    }
}

fn fail(error: impl Display, code: ExitCode) -> ExitCode {
    // Without a stderr there is nobody left to tell; the exit code remains.
    let _ = writeln!(io::stderr(), "share-service: {error}");
    code
}

fn log_to_stderr(format: LogFormat) {
    let filter =
        EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
