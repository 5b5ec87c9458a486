fn forge(basis: longhorn::identity::Basis) {
    let _ = longhorn::identity::Verified::new((), basis);
}
fn main() {}
