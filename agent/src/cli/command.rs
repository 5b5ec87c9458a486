//! From the command line to how the process ends. The only file of this room that names the way itself.

use std::ffi::OsString;
use std::sync::Arc;

use clap::Parser;

use super::args::{Arguments, Command, LabelsCommand, ModelCommand, PolicyCommand};
use super::terminal::Terminal;
use crate::exit::Exit;
use crate::host::clock::SystemClock;
use crate::host::random::SystemRandomness;
use crate::run;

/// Parses and runs; returns the exit code, which `try --observe` has from its command.
pub fn run(arguments: Vec<OsString>, terminal: &mut Terminal<'_>) -> u8 {
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version are answers, not errors.
            let asked = !error.use_stderr();
            let text = error.render().to_string();
            let written = if asked { terminal.out.write_all(text.as_bytes()) } else { terminal.err.write_all(text.as_bytes()) };
            return if asked && written.is_ok() { Exit::Ok } else { Exit::Usage }.code();
        }
    };
    let (clock, random) = (SystemClock, SystemRandomness);
    let exit = match parsed.command {
        Command::Init(args) => match run::init::run(&args, &clock, terminal.err) {
            Ok(summary) => match writeln!(terminal.out, "{}", summary.line) {
                // The node is locked whether or not anybody reads it.
                Ok(()) | Err(_) => Exit::Ok,
            },
            Err(screen) => terminal.show(&screen),
        },
        Command::Uninstall => match run::init::uninstall(&clock) {
            Ok(lines) => {
                for line in lines {
                    // It is done whether or not anybody reads it.
                    let _ = writeln!(terminal.out, "{line}");
                }
                Exit::Ok
            }
            Err(screen) => terminal.show(&screen),
        },
        Command::Status(args) => super::status::run(&args, &clock, terminal),
        Command::Context(args) => super::context::run(&args, &clock, terminal),
        Command::Policy(args) => match &args.command {
            PolicyCommand::Check(check) if check.against_uc => run::grants::run(check, &clock, &random, terminal),
            _ => super::policy::run(&args, &clock, terminal),
        },
        Command::Model(args) => match args.command {
            ModelCommand::Facts(args) => run::facts::run(&args, &clock, &random, terminal),
            ModelCommand::Explain(args) => super::model::explain(&args, &clock, terminal),
            ModelCommand::Provenance(args) => super::model::provenance(&args, &clock, terminal),
            ModelCommand::Approve(args) => super::approve::run(&args, &clock, terminal),
            ModelCommand::Sign(args) => super::model::sign(&args, &clock, terminal),
        },
        Command::Labels(args) => match args.command {
            LabelsCommand::Check(args) => run::labels::check(&args, &clock, &random, terminal),
            LabelsCommand::Apply(args) => run::labels::apply(&args, &clock, &random, terminal),
        },
        Command::Log(args) => super::log::run(&args, terminal),
        Command::Doctor(args) => super::doctor::run(&args, &clock, terminal),
        Command::Authority(args) => super::authority::run(&args, &clock, &random, terminal),
        Command::Issue(args) => run::issue::run(&args, Arc::new(clock), Arc::new(random), terminal),
        Command::Try(args) => return super::try_command::run(&args, std::env::vars_os().collect(), terminal),
        Command::Keeper(args) => run::keeper::run(&args, &clock, &random),
        Command::Sample(args) => run::sample::run(&args),
        Command::Reach => run::reach::run(terminal),
        Command::Serve(args) => run::serve::run(&args, Arc::new(clock), Arc::new(random)),
    };
    exit.code()
}
