//! The native contestant in Rust: `PROGRAM WORK [key=value ...]`, then a line `run OPERATIONS` for each batch.
mod keys;
mod mappings;
mod pages;
mod pair;
mod random;
mod request;
mod ring;
mod ring_memory;
mod translate;
mod unmap_all;
mod work;

use keys::Keys;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use work::{Failure, Work};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let (message, code) = match failure {
                Failure::Usage(message) => (message, 2),
                Failure::Wrong(message) => (message, 1),
            };
            eprintln!("{message}");
            ExitCode::from(code)
        }
    }
}

fn run() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, words) = arguments
        .split_first()
        .ok_or_else(|| Failure::Usage("name a work".into()))?;
    let mut keys = Keys::new(words)?;
    let show_sink = keys.choice("sink", &["no", "yes"])? == "yes";
    let mut work = set_up(name, &mut keys)?;
    keys.finish()?;
    work.check()?;
    say("ready")?;
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| Failure::Wrong(error.to_string()))?;
        let operations = line
            .strip_prefix("run ")
            .and_then(|count| count.parse::<u64>().ok())
            .filter(|count| *count > 0)
            .ok_or_else(|| Failure::Usage(format!("\"{line}\": write run OPERATIONS")))?;
        let nanoseconds = work.run(operations)?;
        say(&nanoseconds.to_string())?;
    }
    if show_sink {
        eprintln!("{}", work.sink());
    }
    Ok(())
}

fn set_up(name: &str, keys: &mut Keys) -> Result<Box<dyn Work>, Failure> {
    Ok(match name {
        "ring" => Box::new(ring::RingWork::new(keys)?),
        "translate" => Box::new(translate::TranslateWork::new(keys)?),
        "pair" => Box::new(pair::PairWork::new(keys)?),
        "request" => Box::new(request::RequestWork::new(keys)?),
        "unmap-all" => Box::new(unmap_all::UnmapAllWork::new(keys)?),
        _ => return Err(Failure::Usage(format!("unknown work \"{name}\""))),
    })
}

fn say(line: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")
        .and_then(|()| output.flush())
        .map_err(|error| Failure::Wrong(error.to_string()))
}
