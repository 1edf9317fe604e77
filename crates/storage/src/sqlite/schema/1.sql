-- Instants are milliseconds since 1970, prices units of 1/10,000, ids twelve bytes.
CREATE TABLE books (
    row_id          INTEGER PRIMARY KEY,
    tenant          TEXT    NOT NULL,
    id              BLOB    NOT NULL,
    isbn_key        TEXT    NOT NULL,
    title           TEXT    NOT NULL,
    author          TEXT    NOT NULL,
    isbn            TEXT    NOT NULL,
    price           INTEGER NOT NULL,
    published_date  INTEGER,
    genre           TEXT    NOT NULL,
    description     TEXT    NOT NULL,
    stock_quantity  INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    summary_text    TEXT,
    summary_provider TEXT,
    summary_model   TEXT,
    summary_prompt_version TEXT,
    summary_generated_at INTEGER
) STRICT;
CREATE UNIQUE INDEX books_by_id ON books (tenant, id);
-- The key of a book without a valid ISBN is its id, so only valid ones can collide.
CREATE UNIQUE INDEX books_by_isbn ON books (tenant, isbn_key);
CREATE INDEX books_by_age ON books (tenant, created_at, id);
CREATE INDEX books_by_genre ON books (tenant, genre, created_at, id);
CREATE INDEX books_by_author ON books (tenant, author, created_at, id);
CREATE INDEX books_by_title ON books (tenant, title, created_at, id);
CREATE INDEX books_by_price ON books (tenant, price, created_at, id);

CREATE TABLE authors (
    row_id          INTEGER PRIMARY KEY,
    tenant          TEXT    NOT NULL,
    id              BLOB    NOT NULL,
    name            TEXT    NOT NULL,
    bio             TEXT    NOT NULL,
    birth_date      INTEGER,
    nationality     TEXT    NOT NULL,
    website         TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    version         INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX authors_by_id ON authors (tenant, id);
CREATE INDEX authors_by_age ON authors (tenant, created_at, id);

-- How many rows each tenant has: counting them anew for every list would read the whole index.
CREATE TABLE totals (
    tenant          TEXT    NOT NULL,
    collection      TEXT    NOT NULL,
    total           INTEGER NOT NULL,
    PRIMARY KEY (tenant, collection)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER books_counted AFTER INSERT ON books BEGIN
    INSERT INTO totals VALUES (new.tenant, 'books', 1)
    ON CONFLICT DO UPDATE SET total = total + 1;
END;
CREATE TRIGGER books_uncounted AFTER DELETE ON books BEGIN
    UPDATE totals SET total = total - 1 WHERE tenant = old.tenant AND collection = 'books';
END;
CREATE TRIGGER authors_counted AFTER INSERT ON authors BEGIN
    INSERT INTO totals VALUES (new.tenant, 'authors', 1)
    ON CONFLICT DO UPDATE SET total = total + 1;
END;
CREATE TRIGGER authors_uncounted AFTER DELETE ON authors BEGIN
    UPDATE totals SET total = total - 1 WHERE tenant = old.tenant AND collection = 'authors';
END;

-- Trigrams find any part of a word; the index keeps no copy of the texts.
CREATE VIRTUAL TABLE books_text USING fts5 (
    title, author, description,
    content = 'books', content_rowid = 'row_id', tokenize = 'trigram'
);
CREATE TRIGGER books_text_insert AFTER INSERT ON books BEGIN
    INSERT INTO books_text (rowid, title, author, description)
    VALUES (new.row_id, new.title, new.author, new.description);
END;
CREATE TRIGGER books_text_delete AFTER DELETE ON books BEGIN
    INSERT INTO books_text (books_text, rowid, title, author, description)
    VALUES ('delete', old.row_id, old.title, old.author, old.description);
END;
CREATE TRIGGER books_text_update AFTER UPDATE ON books
WHEN old.title <> new.title OR old.author <> new.author OR old.description <> new.description
BEGIN
    INSERT INTO books_text (books_text, rowid, title, author, description)
    VALUES ('delete', old.row_id, old.title, old.author, old.description);
    INSERT INTO books_text (rowid, title, author, description)
    VALUES (new.row_id, new.title, new.author, new.description);
END;
