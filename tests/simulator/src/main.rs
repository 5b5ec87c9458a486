//! `simulator SCENARIO.json READY-FILE`: serves until its standard input closes; writes its base URL to READY-FILE.
#![forbid(unsafe_code)]

use std::io::Read;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(scenario), Some(ready)) = (arguments.next(), arguments.next()) else {
        return Err("usage: simulator SCENARIO.json READY-FILE".into());
    };
    let scenario = serde_json::from_slice(&std::fs::read(scenario)?)?;
    let simulator = simulator::start(scenario)?;
    let staging = format!("{ready}.new");
    std::fs::write(&staging, simulator.url())?;
    std::fs::rename(staging, ready)?;
    // The starter holds the other end: when it is gone, so are we.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
