//! The program, run as a process: by an operator, and by clients in Rust and JavaScript.

#![cfg(unix)]

mod cli;
mod javascript;
mod kills;
mod rpc;
mod server;
