// The programs of data/, as they are called.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = (name) => fileURLToPath(new URL(`../data/${name}`, import.meta.url));

function inFolder(run) {
  const folder = mkdtempSync(join(tmpdir(), 'bookstore-data-'));
  try {
    run(folder, (name) => readFileSync(join(folder, name), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function generate(variant, folder, env = {}) {
  execFileSync(process.execPath, [program('generate.mjs'), variant, folder], { env: { ...process.env, ...env }, stdio: 'pipe' });
}

test('a variant has its books and authors, the same ones for a seed', () => {
  inFolder((folder, read) => {
    generate('stress', folder);
    const books = JSON.parse(read('books.json'));
    assert.deepEqual([books.length, JSON.parse(read('authors.json')).length], [150, 75]);
    assert.deepEqual(read('books.ndjson').trim().split('\n').map((line) => JSON.parse(line)), books);
    generate('stress', folder, { SEED: '2' });
    assert.notDeepEqual(JSON.parse(read('books.json')), books);
    generate('stress', folder, { SEED: '1', COMPACT: '1' });
    assert.equal(read('books.json'), `${JSON.stringify(books)}\n`);
  });
});

test('books are unique, valid, in several languages, and read by Zipf', () => {
  inFolder((folder, read) => {
    generate('load', folder, { COUNT: '300' });
    const books = JSON.parse(read('books.json'));
    assert.equal(new Set(books.map(({ isbn }) => isbn)).size, 300);
    for (const { isbn } of books) {
      const sum = [...isbn].reduce((total, digit, index) => total + Number(digit) * (index % 2 ? 3 : 1), 0);
      assert.equal(sum % 10, 0, isbn);
    }
    assert.ok(books.some(({ title }) => /[぀-ヿ一-鿿]/.test(title)) && books.some(({ title }) => /[؀-ۿ]/.test(title)));
    const lengths = books.map(({ description }) => description.length);
    assert.ok(Math.max(...lengths) > 2000 && Math.min(...lengths) < 100, `${Math.min(...lengths)} ${Math.max(...lengths)}`);
    assert.ok(Math.abs(books[0].popularity / books[1].popularity - 2) < 0.001);
    assert.ok(Math.abs(books.reduce((sum, { popularity }) => sum + popularity, 0) - 1) < 0.001);
  });
});

test('each variant has its size, and a wrong one or a wrong count is refused', () => {
  inFolder((folder, read) => {
    for (const [variant, books, authors] of [['smoke', 50, 25], ['load', 100, 50], ['stress', 150, 75], ['chaos', 100, 50], ['errors', 50, 25]]) {
      generate(String(variant), folder);
      assert.deepEqual(['books', 'authors'].map((name) => JSON.parse(read(`${name}.json`)).length), [books, authors], String(variant));
    }
    assert.throws(() => generate('huge', folder), /huge is no variant/);
    assert.throws(() => generate('load', folder, { COUNT: '-1' }), /COUNT=-1 is not valid/);
  });
});

test('the server gets hashes, the callers get tokens, and only their owner reads them', () => {
  inFolder((folder, read) => {
    const [server, callers] = ['server.toml', 'callers.json'].map((name) => join(folder, name));
    execFileSync(process.execPath, [program('tokens.mjs'), server, callers]);
    const { tenants, revoked } = JSON.parse(read('callers.json'));
    const token = tenants.globex.engineer;
    assert.ok(read('server.toml').includes(createHash('sha256').update(token).digest('hex')));
    assert.ok(!read('server.toml').includes(token));
    assert.ok(!read('server.toml').includes(createHash('sha256').update(revoked).digest('hex')));
    assert.equal(read('server.toml.before').replace(read('server.toml'), '').match(/sha256 = "(.*)"/)[1], createHash('sha256').update(revoked).digest('hex'));
    for (const file of [server, `${server}.before`, callers]) assert.equal(statSync(file).mode & 0o777, 0o600);
  });
});
