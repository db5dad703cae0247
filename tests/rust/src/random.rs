//! Random numbers that a seed repeats.

/// A small generator (xorshift64*), quite good enough to choose test cases.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of this seed.
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds must not give alike sequences, and 0 would stay 0.
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            random.next();
        }
        random
    }

    /// 64 random bits.
    #[expect(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below this one, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these, if there are any.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        if among.is_empty() { None } else { among.get(self.below(among.len())) }
    }

    /// Takes one of these out, if there are any.
    pub fn take<T>(&mut self, among: &mut Vec<T>) -> Option<T> {
        if among.is_empty() { None } else { Some(among.swap_remove(self.below(among.len()))) }
    }
}

/// Runs a test with seeds 1, 2, … up to `count`; with `CAPNWEB_SEED` set, with that one only. The
/// seed of a failure is printed.
pub fn for_seeds(count: u64, test: impl Fn(&mut Random)) {
    struct Seed(u64);
    impl Drop for Seed {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("to repeat this: CAPNWEB_SEED={}", self.0);
            }
        }
    }
    let chosen = std::env::var("CAPNWEB_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seeds = chosen.map_or(1..=count, |seed| seed..=seed);
    for seed in seeds {
        let _printed = Seed(seed);
        test(&mut Random::new(seed));
    }
}

/// Whether the long version of a test is wanted (`CAPNWEB_FULL=1`).
pub fn is_full() -> bool {
    std::env::var("CAPNWEB_FULL").is_ok_and(|value| value == "1")
}
