//! `simulator SCENARIO.json|honest READY-FILE`: serves until its standard input closes; writes its base URL to READY-FILE.
#![forbid(unsafe_code)]

use std::io::Read;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(scenario), Some(ready)) = (arguments.next(), arguments.next()) else {
        return Err("usage: simulator SCENARIO.json|honest READY-FILE".into());
    };
    let scenario = match scenario.as_str() {
        "honest" => simulator::scenario::Scenario::honest(),
        path => serde_json::from_slice(&std::fs::read(path)?)?,
    };
    let simulator = simulator::start(scenario)?;
    let staging = format!("{ready}.new");
    std::fs::write(&staging, simulator.url())?;
    std::fs::rename(staging, ready)?;
    // The starter holds the other end: when it is gone, so are we.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
