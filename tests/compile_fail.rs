//! What must not compile, each for its own reason; see `tests/compile_fail/README.md`.

#[test]
fn proof_cannot_be_forged_copied_or_used_twice() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
