//! Searching, the same for every store.

use domain::{Book, Description, Name, SearchTerm};
use storage::Storage;

use crate::fixtures::{Place, book, next, tenant};

pub(crate) async fn text_is_never_a_pattern(place: Place) -> anyhow::Result<()> {
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let titles = [
        "100% wool",
        "snake_case",
        "a.b*c",
        "(a+)+$",
        "[brackets]",
        "back\\slash",
        "it's",
        "say \"hi\"",
        "$gt and {x}",
        "C++ | C#",
        "-minus NEAR(x) AND",
        "semi;colon --",
        "plain abc",
    ];
    for title in titles {
        storage.books.insert(&tenant, &book(title)?).await?;
    }
    for (term, expected) in [
        ("%", &["100% wool"][..]),
        ("0%", &["100% wool"]),
        ("00% w", &["100% wool"]),
        ("_", &["snake_case"]),
        ("e_c", &["snake_case"]),
        (".b*", &["a.b*c"]),
        ("a.b*c", &["a.b*c"]),
        ("abc", &["plain abc"]),
        ("(a+)+$", &["(a+)+$"]),
        ("[brackets]", &["[brackets]"]),
        ("[b", &["[brackets]"]),
        ("\\", &["back\\slash"]),
        ("k\\sl", &["back\\slash"]),
        ("t's", &["it's"]),
        ("'", &["it's"]),
        ("\"", &["say \"hi\""]),
        ("say \"hi", &["say \"hi\""]),
        ("$gt", &["$gt and {x}"]),
        ("{x}", &["$gt and {x}"]),
        ("c++ |", &["C++ | C#"]),
        ("-minus near(x) and", &["-minus NEAR(x) AND"]),
        ("; drop", &[]),
        ("colon --", &["semi;colon --"]),
        ("title:", &[]),
        (".*", &[]),
        (" ) OR (", &[]),
    ] {
        assert_eq!(
            titles_of(&storage, &tenant, term).await?,
            expected,
            "{term}"
        );
    }
    Ok(())
}

pub(crate) async fn case_and_part_of_a_word_do_not_matter(place: Place) -> anyhow::Result<()> {
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    storage
        .books
        .insert(&tenant, &book("The Great Gatsby")?)
        .await?;
    storage
        .books
        .insert(&tenant, &book("Ärger im ÖLHAFEN")?)
        .await?;
    storage.books.insert(&tenant, &book("Война и мир")?).await?;
    for (term, expected) in [
        ("gats", "The Great Gatsby"),
        ("GREAT GATSBY", "The Great Gatsby"),
        ("g", "The Great Gatsby"),
        ("tS", "The Great Gatsby"),
        ("ärg", "Ärger im ÖLHAFEN"),
        ("ölha", "Ärger im ÖLHAFEN"),
        ("ö", "Ärger im ÖLHAFEN"),
        ("ВОЙНА", "Война и мир"),
        ("МИ", "Война и мир"),
    ] {
        let found = titles_of(&storage, &tenant, term).await?;
        assert!(found.contains(&expected.to_owned()), "{term}: {found:?}");
    }
    assert!(titles_of(&storage, &tenant, "gatsbyx").await?.is_empty());
    Ok(())
}

pub(crate) async fn better_matches_come_first(place: Place) -> anyhow::Result<()> {
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let by = |title, author, description| {
        anyhow::Ok(Book {
            author: Name::parse(author)?,
            description: Description::parse(description)?,
            ..book(title)?
        })
    };
    // Oldest first, so that age alone would give the reverse.
    storage.books.insert(&tenant, &by("Dune", "x", "")?).await?;
    storage
        .books
        .insert(&tenant, &by("Dunes of old", "x", "")?)
        .await?;
    storage
        .books
        .insert(&tenant, &by("Children of Dune", "x", "")?)
        .await?;
    storage
        .books
        .insert(&tenant, &by("by the author", "Jane Dune", "dune")?)
        .await?;
    storage
        .books
        .insert(&tenant, &by("about it", "x", "sand DUNE sand")?)
        .await?;
    storage
        .books
        .insert(&tenant, &by("unrelated", "x", "y")?)
        .await?;
    assert_eq!(
        titles_of(&storage, &tenant, "dune").await?,
        [
            "Dune",
            "Children of Dune",
            "Dunes of old",
            "by the author",
            "about it"
        ]
    );
    Ok(())
}

pub(crate) async fn the_newest_come_first_among_many(place: Place) -> anyhow::Result<()> {
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let described = Description::parse("all about needles")?;
    let mut books = vec![book("needle")?, book("old needlework")?];
    for number in 0..70 {
        let title = if number % 2 == 0 {
            format!("needle {number}")
        } else {
            format!("x {number}")
        };
        books.push(Book {
            description: described.clone(),
            ..book(&title)?
        });
    }
    storage.books.insert_many(&tenant, &books).await?;
    let mut expected = vec!["needle".to_owned()];
    expected.extend(
        (0..70)
            .rev()
            .step_by(2)
            .map(|number| format!("needle {}", number - 1)),
    );
    expected.push("old needlework".into());
    expected.extend((0..70).rev().step_by(2).map(|number| format!("x {number}")));
    expected.truncate(50);
    assert_eq!(titles_of(&storage, &tenant, "needle").await?, expected);
    Ok(())
}

pub(crate) async fn changes_are_found_at_once(place: Place) -> anyhow::Result<()> {
    let (storage, acme) = (place.open().await?, tenant("acme")?);
    let first = book("before")?;
    storage.books.insert(&acme, &first).await?;
    assert_eq!(titles_of(&storage, &acme, "before").await?, ["before"]);
    assert!(
        titles_of(&storage, &tenant("other")?, "before")
            .await?
            .is_empty()
    );
    storage
        .books
        .replace(&acme, &next(&first, "after")?, first.version)
        .await?;
    assert!(titles_of(&storage, &acme, "before").await?.is_empty());
    assert_eq!(titles_of(&storage, &acme, "after").await?, ["after"]);
    storage.books.delete(&acme, &first.id, None).await?;
    assert!(titles_of(&storage, &acme, "after").await?.is_empty());
    Ok(())
}

async fn titles_of(
    storage: &Storage,
    tenant: &tenancy::TenantId,
    term: &str,
) -> anyhow::Result<Vec<String>> {
    let found = storage
        .books
        .search(tenant, &SearchTerm::parse(term)?)
        .await?;
    Ok(found
        .iter()
        .map(|book| book.title.as_str().to_owned())
        .collect())
}
