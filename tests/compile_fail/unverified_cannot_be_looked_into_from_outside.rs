fn main() {
    let said = longhorn::unverified::Unverified::new(7);
    let _ = said.examine();
    let _: &i32 = &said;
}
