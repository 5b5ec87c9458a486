//! Promises that are scripts: one test for each, named after what it promises, on a machine where nodes can be made.

macro_rules! promises {
    ($hold:path; $($name:ident: $script:literal;)*) => {
        $(#[test]
        fn $name() {
            if crate::support::root_or_skip(stringify!($name)) {
                $hold(stringify!($name), $script);
            }
        })*
    };
}
