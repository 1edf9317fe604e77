//! Random calls of two tenants, compared with two maps.

use std::collections::BTreeMap;

use domain::{Book, BookId, BookQuery, Isbn, Price, SearchTerm, Version};
use storage::{Storage, StorageError};
use tenancy::TenantId;

use crate::{
    fixtures::{Place, book, next, tenant},
    lists::all,
};

const STEPS: u32 = 150;

/// Few, so that they collide: two spellings of one number, another number, and none.
const NUMBERS: [&str; 5] = [
    "0743273567",
    "978-0-7432-7356-5",
    "9780306406157",
    "no-number",
    "",
];

struct Tenant {
    id: TenantId,
    books: BTreeMap<BookId, Book>,
}

pub(crate) async fn two_tenants_behave_like_two_maps(place: Place) -> anyhow::Result<()> {
    let storage = place.open().await?;
    let mut tenants = [
        Tenant {
            id: tenant("a")?,
            books: BTreeMap::new(),
        },
        Tenant {
            id: tenant("a.b")?,
            books: BTreeMap::new(),
        },
    ];
    let seed = fastrand::u64(..);
    show(seed);
    let mut random = fastrand::Rng::with_seed(seed);
    // Ids of both, so that each also asks for what belongs to the other.
    let mut ids = vec![book("never stored")?.id];
    for step in 0..STEPS {
        let tenant = &mut tenants[random.usize(0..2)];
        let id = ids[random.usize(0..ids.len())];
        match random.u32(0..10) {
            0..4 => ids.push(insert(&storage, tenant, &mut random).await?),
            4..7 => replace(&storage, tenant, id, &mut random).await?,
            7 => delete(&storage, tenant, id, &mut random).await?,
            _ => read(&storage, tenant, id).await?,
        }
        if step % 50 == 49 {
            for tenant in &tenants {
                compare(&storage, tenant).await?;
            }
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a failure is repeated with this seed")]
fn show(seed: u64) {
    println!("seed {seed}");
}

async fn insert(
    storage: &Storage,
    tenant: &mut Tenant,
    random: &mut fastrand::Rng,
) -> anyhow::Result<BookId> {
    let isbn = Isbn::parse(NUMBERS[random.usize(0..NUMBERS.len())])?;
    let given = Book {
        isbn,
        ..book("modelled")?
    };
    let expected = if tenant.has_number(&given) {
        Err(StorageError::Duplicate { index: 0 })
    } else {
        tenant.books.insert(given.id, given.clone());
        Ok(())
    };
    assert_eq!(storage.books.insert(&tenant.id, &given).await, expected);
    Ok(given.id)
}

async fn replace(
    storage: &Storage,
    tenant: &mut Tenant,
    id: BookId,
    random: &mut fastrand::Rng,
) -> anyhow::Result<()> {
    let there = tenant.books.get(&id).cloned();
    let read = there.clone().map_or_else(|| book("absent"), Ok)?;
    let isbn = Isbn::parse(NUMBERS[random.usize(0..NUMBERS.len())])?;
    let price = Price::from_ten_thousandths(random.i64(0..1_000_000))?;
    let changed = Book {
        id,
        isbn,
        price,
        ..next(&read, "modelled again")?
    };
    let expected = if random.u32(0..4) == 0 {
        read.version.next()
    } else {
        read.version
    };
    let outcome = match there {
        None => Err(StorageError::NotFound),
        Some(there) if there.version != expected => Err(StorageError::VersionConflict),
        Some(_) if tenant.has_number(&changed) => Err(StorageError::Duplicate { index: 0 }),
        Some(_) => {
            tenant.books.insert(id, changed.clone());
            Ok(())
        }
    };
    assert_eq!(
        storage.books.replace(&tenant.id, &changed, expected).await,
        outcome
    );
    Ok(())
}

async fn delete(
    storage: &Storage,
    tenant: &mut Tenant,
    id: BookId,
    random: &mut fastrand::Rng,
) -> anyhow::Result<()> {
    let expected = [None, Some(Version::FIRST)][random.usize(0..2)];
    let outcome = match tenant.books.get(&id).map(|book| book.version) {
        None => Err(StorageError::NotFound),
        Some(version) if expected.is_some_and(|expected| expected != version) => {
            Err(StorageError::VersionConflict)
        }
        Some(_) => {
            tenant.books.remove(&id);
            Ok(())
        }
    };
    assert_eq!(
        storage.books.delete(&tenant.id, &id, expected).await,
        outcome
    );
    Ok(())
}

async fn read(storage: &Storage, tenant: &Tenant, id: BookId) -> anyhow::Result<()> {
    let expected = tenant.books.get(&id);
    assert_eq!(
        storage.books.read(&tenant.id, &id).await?.as_ref(),
        expected
    );
    let cached = storage.books.get(&tenant.id, &id).await?;
    let body = expected.map(|book| format!("{} {}", book.title.as_str(), book.version.get()));
    assert_eq!(
        cached.map(|cached| cached.body.to_vec()),
        body.map(String::into_bytes)
    );
    Ok(())
}

async fn compare(storage: &Storage, tenant: &Tenant) -> anyhow::Result<()> {
    let mut expected: Vec<&Book> = tenant.books.values().collect();
    expected.sort_by_key(|book| (book.created_at, book.id));
    let listed = all(storage, &tenant.id, &BookQuery::default()).await?;
    assert_eq!(listed.iter().collect::<Vec<_>>(), expected);
    let found = storage
        .books
        .search(&tenant.id, &SearchTerm::parse("modelled")?)
        .await?;
    assert_eq!(found.len(), expected.len().min(50));
    Ok(())
}

impl Tenant {
    fn has_number(&self, given: &Book) -> bool {
        let key = given.isbn_key();
        self.books
            .values()
            .any(|book| book.id != given.id && book.isbn_key() == key)
    }
}
