//! Series of runs with known properties.

/// Log-normal figures around a centre with a coefficient of variation; each run keeps a share of
/// its predecessor's deviation (an autoregressive process of the first order), since neighbours
/// in time share a machine's mood.
pub(crate) struct MadeRuns {
    random: fastrand::Rng,
    sigma: f64,
    keeps: f64,
    deviation: f64,
}

impl MadeRuns {
    pub(crate) fn new(seed: u64, variation: f64, keeps: f64) -> Self {
        let variance: f64 = (variation * variation).ln_1p();
        let mut made = Self {
            random: fastrand::Rng::with_seed(seed),
            sigma: variance.sqrt(),
            keeps,
            deviation: 0.0,
        };
        // From the first run on as spread as all others.
        made.deviation = made.sigma * made.normal();
        made
    }

    pub(crate) fn take(&mut self, runs: usize, centre: f64) -> Vec<f64> {
        (0..runs).map(|_| self.next(centre)).collect()
    }

    fn next(&mut self, centre: f64) -> f64 {
        let new = self.sigma * (1.0 - self.keeps * self.keeps).sqrt() * self.normal();
        self.deviation = self.keeps * self.deviation + new;
        centre * self.deviation.exp()
    }

    /// Box & Muller, Ann. Math. Statist. 29 (1958) 610.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.random.f64()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.random.f64()).cos()
    }
}
