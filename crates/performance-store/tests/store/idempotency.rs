//! Keys of requests: taken once, known for a day.

use jiff::{SignedDuration, Timestamp};
use performance_store::{Claim, KEY_LIFETIME, KeptAnswer, KeyedRequest};
use tenancy::{Principal, Role};

use crate::test_store::TestStore;

fn request(test: &TestStore, user: &str, key: &str, fingerprint: u8) -> KeyedRequest {
    KeyedRequest {
        caller: Principal {
            tenant: test.tenant.clone(),
            user: user.into(),
            role: Role::Engineer,
        },
        key: key.to_owned(),
        fingerprint: [fingerprint; 32],
    }
}

fn answer() -> KeptAnswer {
    KeptAnswer {
        status: 201,
        location: Some("/x".to_owned()),
        content_type: None,
        body: b"{}".to_vec(),
    }
}

#[tokio::test]
async fn a_key_is_taken_once_and_forgotten_after_a_day() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let now = Timestamp::UNIX_EPOCH;
    let first = request(&test, "ana", "k", 1);
    let claim = async |test: &TestStore, request: &KeyedRequest, now| {
        test.store.claim_key(request.clone(), now).await
    };
    assert_eq!(claim(&test, &first, now).await?, Claim::New);
    assert_eq!(claim(&test, &first, now).await?, Claim::InFlight);
    let other = request(&test, "ana", "k", 2);
    assert_eq!(claim(&test, &other, now).await?, Claim::OtherRequest);
    let bob = request(&test, "bob", "k", 2);
    assert_eq!(claim(&test, &bob, now).await?, Claim::New);
    test.store.keep_answer(first.clone(), answer()).await?;
    // The service ends while bob's request is carried out.
    let test = test.reopen().await?;
    assert_eq!(test.store.abandon_keys().await?, 1);
    assert_eq!(claim(&test, &first, now).await?, Claim::Answered(answer()));
    assert_eq!(claim(&test, &bob, now).await?, Claim::Unknown);
    test.store.release_key(bob.clone()).await?;
    assert_eq!(claim(&test, &bob, now).await?, Claim::New);
    let almost = now + KEY_LIFETIME - SignedDuration::from_secs(1);
    assert_eq!(claim(&test, &other, almost).await?, Claim::OtherRequest);
    assert_eq!(claim(&test, &other, now + KEY_LIFETIME).await?, Claim::New);
    Ok(())
}
