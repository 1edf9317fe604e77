use super::*;

fn fault() -> LlmError {
    LlmError::Timeout(Stage::FirstByte)
}

#[tokio::test(start_paused = true)]
async fn models_have_circuits_of_their_own_and_the_worst_is_shown() {
    let circuits = Circuits::new(ProviderName::Claude, CircuitPolicy::default());
    let circuits = Arc::new(circuits);
    for _ in 0..5 {
        let permit = circuits.admit("bad", None).expect("closed");
        permit.settle(Some(&fault()));
    }
    assert!(circuits.admit("bad", None).is_err());
    assert!(circuits.admit("good", None).is_ok());
    assert_eq!(circuits.state(), CircuitState::Open);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(circuits.state(), CircuitState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn a_failing_model_that_nobody_asks_for_is_forgotten() {
    let circuits = Circuits::new(ProviderName::Claude, CircuitPolicy::default());
    let circuits = Arc::new(circuits);
    for _ in 0..5 {
        let permit = circuits.admit("gone", None).expect("closed");
        permit.settle(Some(&fault()));
    }
    let wait = async |time| {
        let nothing = tokio::time::timeout(time, std::future::pending::<()>()).await;
        assert!(nothing.is_err());
    };
    wait(FORGOTTEN_AFTER).await;
    assert_eq!(circuits.state(), CircuitState::HalfOpen);
    wait(Duration::from_secs(2)).await;
    assert_eq!(circuits.state(), CircuitState::Closed);
    assert!(circuits.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn models_beyond_the_bound_share_a_circuit_until_others_are_idle() {
    let circuits = Circuits::new(ProviderName::Claude, CircuitPolicy::default());
    let circuits = Arc::new(circuits);
    let answer = |model: &str| circuits.admit(model, None).expect("closed").settle(None);
    for number in 0..3 * MAX_MODELS {
        answer(&number.to_string());
    }
    assert_eq!(circuits.lock().len(), MAX_MODELS + 1);
    assert!(circuits.lock().contains_key(OTHERS));
    tokio::time::advance(Duration::from_secs(11)).await;
    answer("new");
    assert_eq!(circuits.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_had_no_time_is_no_fault_of_the_provider() {
    let circuits = Circuits::new(ProviderName::Claude, CircuitPolicy::default());
    let circuits = Arc::new(circuits);
    let run = |time| {
        for _ in 0..5 {
            let deadline = Some(Instant::now() + Duration::from_secs(time));
            let permit = circuits.admit("model", deadline).expect("closed");
            permit.settle(Some(&LlmError::Timeout(Stage::Total)));
        }
        circuits.state()
    };
    assert_eq!(run(9), CircuitState::Closed);
    assert_eq!(run(10), CircuitState::Open);
}
