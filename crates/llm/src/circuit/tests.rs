use super::*;

/// A circuit and its clock.
struct Tested {
    circuit: Circuit,
    now: Instant,
}

impl Tested {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            circuit: Circuit::new(CircuitPolicy::default(), now),
            now,
        }
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
    }

    fn state(&self) -> CircuitState {
        self.circuit.state(self.now)
    }

    /// Runs calls that must be let through.
    fn calls(&mut self, verdicts: &[Verdict]) {
        for verdict in verdicts {
            let pass = self.circuit.admit(self.now).expect("a way through");
            self.circuit.settle(pass, *verdict, self.now);
        }
    }
}

const ANSWERS: Verdict = Verdict::Answers;
const FAULT: Verdict = Verdict::Fault;
const NOTHING: Verdict = Verdict::Nothing;

#[test]
fn five_faults_in_a_row_open_it() {
    let mut tested = Tested::new();
    tested.calls(&[FAULT; 4]);
    tested.calls(&[ANSWERS]);
    tested.calls(&[FAULT; 4]);
    assert_eq!(tested.state(), CircuitState::Closed);
    tested.calls(&[NOTHING, FAULT]);
    assert_eq!(tested.state(), CircuitState::Open);
    assert_eq!(
        tested.circuit.admit(tested.now),
        Err(Duration::from_secs(1))
    );
}

#[test]
fn callers_that_leave_never_open_it() {
    let mut tested = Tested::new();
    tested.calls(&[NOTHING; 1_000]);
    assert_eq!(tested.state(), CircuitState::Closed);
}

#[test]
fn half_of_twenty_calls_open_it() {
    let mut tested = Tested::new();
    for _ in 0..9 {
        tested.calls(&[FAULT, ANSWERS]);
    }
    tested.calls(&[FAULT]);
    assert_eq!(tested.state(), CircuitState::Closed, "19 calls say nothing");
    tested.calls(&[ANSWERS]);
    assert_eq!(tested.state(), CircuitState::Open);
}

#[test]
fn faults_that_are_spread_out_do_not_open_it() {
    let mut tested = Tested::new();
    for _ in 0..100 {
        tested.calls(&[FAULT, ANSWERS]);
        tested.pass(2_000);
    }
    for _ in 0..100 {
        tested.calls(&[FAULT, ANSWERS, ANSWERS]);
    }
    assert_eq!(tested.state(), CircuitState::Closed);
}

#[test]
fn one_probe_passes_and_its_answer_closes_it() {
    let mut tested = Tested::new();
    tested.calls(&[FAULT; 5]);
    tested.pass(999);
    assert_eq!(
        tested.circuit.admit(tested.now),
        Err(Duration::from_millis(1))
    );
    tested.pass(1);
    assert_eq!(tested.state(), CircuitState::HalfOpen);
    let probe = tested.circuit.admit(tested.now).expect("the probe");
    assert_eq!(tested.circuit.admit(tested.now), Err(PROBE_RETRY));
    tested.circuit.settle(probe, ANSWERS, tested.now);
    assert_eq!(tested.state(), CircuitState::Closed);
    tested.calls(&[FAULT; 4]);
    assert_eq!(tested.state(), CircuitState::Closed, "it begins anew");
}

#[test]
fn each_failed_probe_doubles_the_time_up_to_the_longest() {
    let mut tested = Tested::new();
    tested.calls(&[FAULT; 5]);
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        let wait = tested.circuit.admit(tested.now).expect_err("open");
        assert_eq!(wait, Duration::from_secs(seconds));
        tested.pass(seconds * 1_000);
        tested.calls(&[FAULT]);
    }
    tested.pass(30_000);
    tested.calls(&[ANSWERS]);
    tested.calls(&[FAULT; 5]);
    let wait = tested.circuit.admit(tested.now).expect_err("open");
    assert_eq!(wait, Duration::from_secs(1));
}

#[test]
fn the_next_call_probes_when_the_probes_caller_left() {
    let mut tested = Tested::new();
    tested.calls(&[FAULT; 5]);
    tested.pass(1_000);
    tested.calls(&[NOTHING, NOTHING, ANSWERS]);
    assert_eq!(tested.state(), CircuitState::Closed);
}

#[test]
fn a_call_from_before_it_opened_says_nothing() {
    let mut tested = Tested::new();
    let early = tested.circuit.admit(tested.now).expect("closed");
    let late = tested.circuit.admit(tested.now).expect("closed");
    tested.calls(&[FAULT; 5]);
    tested.circuit.settle(early, ANSWERS, tested.now);
    assert_eq!(tested.state(), CircuitState::Open);
    tested.pass(1_000);
    let probe = tested.circuit.admit(tested.now).expect("the probe");
    tested.circuit.settle(late, FAULT, tested.now);
    tested.circuit.settle(probe, ANSWERS, tested.now);
    assert_eq!(tested.state(), CircuitState::Closed);
}

#[test]
fn without_a_number_of_faults_it_never_opens() {
    let mut tested = Tested::new();
    tested.circuit.policy.faults = 0;
    tested.calls(&[FAULT; 100]);
    assert_eq!(tested.state(), CircuitState::Closed);
}
