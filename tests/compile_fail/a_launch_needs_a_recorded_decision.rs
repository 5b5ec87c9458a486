fn unrecorded(locked: longhorn::lock::Locked) {
    let _ = longhorn::launch::exec(locked, std::path::Path::new("/bin/true"), vec![], vec![]);
}
fn main() {}
