//! What a PySpark job costs with Longhorn: CPU time of every process of a cluster's nodes while the job runs, against the same
//! job on a cluster without, in interleaved pairs. Needs root.
#![expect(clippy::print_stdout, reason = "figures are printed")]

#[path = "../tests/support/bed.rs"]
mod bed;
mod budget;
#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;

use bed::Bed;
use support::{long, root_or_skip, text, tree};

fn main() {
    budget::of_the_binary_that_ships();
    if !root_or_skip("the cost of a Spark job") {
        return;
    }
    let open = cluster("bench-open", false);
    let locked = cluster("bench-locked", true);
    // The first run of each fills caches and starts what stays.
    let _ = (seconds(&open), seconds(&locked));
    let pairs = if long() { 30 } else { 10 };
    let mut ratios: Vec<f64> = (0..pairs)
        .map(|pair| {
            // Whoever is first is the other one each time.
            let (with, without) = if pair % 2 == 0 {
                let without = seconds(&open);
                (seconds(&locked), without)
            } else {
                let with = seconds(&locked);
                (with, seconds(&open))
            };
            println!("pair {pair:2}: {with:6.2} s with, {without:6.2} s without, {:.3}", with / without);
            with / without
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!("median {:.3}, upper 90 % bound {:.3}", ratios[ratios.len() / 2], ratios[bound(ratios.len())]);
    budget::compare([("spark-job-cpu", ratios[bound(ratios.len())])].into_iter());
}

fn cluster(name: &str, locked: bool) -> Bed {
    let mut bed = Bed::new(name, 1);
    if locked {
        // The default of policies.
        bed.with_longhorn_and_lease(bed::preset(), "600s");
    }
    bed.with_spark();
    fs::copy(tree().join("benches/spark.py"), bed.share.join("code/spark.py")).expect("it can be copied");
    bed.up(0..=1);
    bed
}

/// CPU time of the cluster's nodes while it runs the job, in seconds.
fn seconds(bed: &Bed) -> f64 {
    let before = bed.cpu();
    let output = bed.submit(&[], &[], "spark.py");
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("sum "), "{}", text(&output));
    (bed.cpu() - before).as_secs_f64()
}

/// The order statistic of `n` that is above the median with at least 90 % probability, whatever the distribution: each
/// value is below it with one half.
fn bound(n: usize) -> usize {
    let mut below = 0.5f64.powi(i32::try_from(n).expect("a few"));
    let mut term = below;
    for at in 0..n {
        if below >= 0.9 {
            return at;
        }
        term *= (n - at) as f64 / (at + 1) as f64;
        below += term;
    }
    n - 1
}
