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
    assert!(matches!(claim(&test, &first, now).await?, Claim::New(_)));
    assert_eq!(claim(&test, &first, now).await?, Claim::InFlight);
    let other = request(&test, "ana", "k", 2);
    assert_eq!(claim(&test, &other, now).await?, Claim::OtherRequest);
    let bob = request(&test, "bob", "k", 2);
    let Claim::New(made) = claim(&test, &bob, now).await? else {
        panic!("another user's key is another one");
    };
    test.store.keep_answer(first.clone(), answer()).await?;
    // The service ends while bob's request is carried out.
    let test = test.reopen().await?;
    assert_eq!(test.store.abandon_keys().await?, 1);
    assert_eq!(claim(&test, &first, now).await?, Claim::Answered(answer()));
    // Under the same id, by one of those who ask for it again.
    assert_eq!(claim(&test, &bob, now).await?, Claim::Again(made));
    assert_eq!(claim(&test, &bob, now).await?, Claim::InFlight);
    test.store.abandon_key(bob.clone()).await?;
    assert_eq!(claim(&test, &bob, now).await?, Claim::Again(made));
    test.store.release_key(bob.clone()).await?;
    assert!(matches!(claim(&test, &bob, now).await?, Claim::New(id) if id != made));
    let almost = now + KEY_LIFETIME - SignedDuration::from_secs(1);
    assert_eq!(claim(&test, &other, almost).await?, Claim::OtherRequest);
    let later = claim(&test, &other, now + KEY_LIFETIME).await?;
    assert!(matches!(later, Claim::New(_)), "{later:?}");
    Ok(())
}
