//! Benchmarks: this library beside its ceiling, in the same run.
//!
//! The ceiling (`raw`) moves the very same frames over the same WebSocket library, decodes and
//! encodes the payloads with serde, and does nothing else: no tables, no errors, no limits.
//! Client and server are processes of their own, pinned to one core where `taskset` is there, so
//! that the CPU time of both counts. Rounds are interleaved; medians and the ratio per round are
//! printed: of calls per second, and of calls per second of CPU time of both processes together,
//! which holds on a busy machine too (on Linux; elsewhere it is left out).
//!
//!     cargo run --release -p capnweb-bench -- [--rounds N] [scenario...]

mod document;
mod library;
mod raw;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Instant,
};

use clap::{Parser, Subcommand, ValueEnum};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    /// How many rounds are interleaved.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// What is measured. Default: everything.
    scenarios: Vec<Scenario>,
}

#[derive(Subcommand)]
enum Role {
    /// Serve (used by the benchmark itself).
    Serve { system: System },
    /// Be the client (used by the benchmark itself).
    Call { system: System, scenario: Scenario, port: u16, server: u32 },
}

#[derive(Clone, Copy, ValueEnum, PartialEq)]
enum System {
    Capnweb,
    Raw,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Debug)]
enum Scenario {
    /// One call at a time.
    S1,
    /// 256 calls in flight on one connection.
    S2,
    /// Three dependent calls in one round trip.
    S3,
    /// Echo of a document of 65 KB.
    S4a,
}

impl Scenario {
    fn calls(self) -> usize {
        match self {
            Scenario::S1 => 60_000,
            Scenario::S2 => 600_000,
            Scenario::S3 => 30_000,
            Scenario::S4a => 1_500,
        }
    }
}

fn main() {
    let arguments = Arguments::parse();
    match arguments.role {
        Some(Role::Serve { system }) => runtime().block_on(async {
            match system {
                System::Capnweb => library::serve().await,
                System::Raw => raw::serve().await,
            }
        }),
        Some(Role::Call { system, scenario, port, server }) => {
            let calls = scenario.calls();
            let took = runtime().block_on(async {
                match system {
                    System::Capnweb => library::call(scenario, port, calls, server).await,
                    System::Raw => raw::call(scenario, port, calls, server).await,
                }
            });
            println!("{} {}", calls as f64 / took.wall, calls as f64 / took.cpu);
        }
        None => compare(arguments.rounds, &arguments.scenarios),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made")
}

/// What something took, in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    wall: f64,
    /// CPU time of client and server.
    cpu: f64,
}

/// Runs calls to warm up, and then `calls` of them, which count.
pub(crate) async fn timed(calls: usize, server: u32, mut run: impl AsyncFnMut(usize)) -> Took {
    run(calls / 10).await;
    let cpu = || cpu_seconds(std::process::id()) + cpu_seconds(server);
    let (start, before) = (Instant::now(), cpu());
    run(calls).await;
    Took { wall: start.elapsed().as_secs_f64(), cpu: cpu() - before }
}

/// CPU time of a process so far; NaN where the system does not tell.
fn cpu_seconds(process: u32) -> f64 {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{process}/task")) else { return f64::NAN };
    let nanoseconds = tasks.flatten().filter_map(|task| {
        let times = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        times.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e9
}

fn compare(rounds: usize, scenarios: &[Scenario]) {
    let all = [Scenario::S1, Scenario::S2, Scenario::S3, Scenario::S4a];
    let scenarios = if scenarios.is_empty() { &all[..] } else { scenarios };
    println!("calls per second, medians of {rounds} rounds; ratio to raw: median (min to max)");
    for &scenario in scenarios {
        let mut ours: [Vec<f64>; 2] = Default::default();
        let mut raw: [Vec<f64>; 2] = Default::default();
        let mut ratios: [Vec<f64>; 2] = Default::default();
        for _ in 0..rounds {
            let a = measure(System::Capnweb, scenario);
            let b = measure(System::Raw, scenario);
            for i in 0..2 {
                ours[i].push(a[i]);
                raw[i].push(b[i]);
                ratios[i].push(a[i] / b[i]);
            }
        }
        for (i, per) in ["second", "CPU second"].into_iter().enumerate() {
            let (ours, raw) = (median(&mut ours[i]), median(&mut raw[i]));
            let ratio = median(&mut ratios[i]);
            println!(
                "{scenario:?} per {per}: capnweb {ours:.0}, raw {raw:.0}, ratio {ratio:.2} ({:.2} to {:.2})",
                ratios[i][0],
                ratios[i][rounds - 1]
            );
        }
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Calls per second, and per second of CPU time.
fn measure(system: System, scenario: Scenario) -> [f64; 2] {
    struct Server(Child);
    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
    let name = |value: &dyn Fn() -> Option<clap::builder::PossibleValue>| {
        value().map(|v| v.get_name().to_owned()).unwrap_or_default()
    };
    let system = name(&|| system.to_possible_value());
    let scenario = name(&|| scenario.to_possible_value());
    let mut server =
        Server(own(&["serve", &system]).stdout(Stdio::piped()).spawn().expect("the server starts"));
    let mut line = String::new();
    let stdout = server.0.stdout.take().expect("it was piped");
    BufReader::new(stdout).read_line(&mut line).expect("the server says its port");
    let output = own(&["call", &system, &scenario, line.trim(), &server.0.id().to_string()])
        .output()
        .expect("the client starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let rates: Vec<f64> = text.split_whitespace().filter_map(|rate| rate.parse().ok()).collect();
    rates.try_into().unwrap_or_else(|_| {
        panic!("the client failed: {}", String::from_utf8_lossy(&output.stderr))
    })
}

/// This program, pinned to one core if that can be done.
fn own(arguments: &[&str]) -> Command {
    let exe = std::env::current_exe().expect("this program has a path");
    let pin = Command::new("taskset").arg("-V").stdout(Stdio::null()).status();
    let mut command = if pin.is_ok_and(|status| status.success()) {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(exe);
        command
    } else {
        Command::new(exe)
    };
    command.args(arguments);
    command
}
