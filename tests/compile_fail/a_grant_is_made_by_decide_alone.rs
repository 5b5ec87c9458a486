fn main() {
    let _ = longhorn::decision::Grant { enforcement: longhorn::decision::policy::Enforcement::Enforce };
}
