//! `tegata`: the binary. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    tegata::cli::run(std::env::args_os())
}
