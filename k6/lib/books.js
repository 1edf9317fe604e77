/** Made-up books and authors. The same generator state gives the same book. */
import { pick } from './random.js';

const FIRST_WORDS = ['Silent', 'Northern', 'Paper', 'Hollow', 'Bright', 'Second', 'Salt', 'Winter', 'Glass', 'Distant'];
const LAST_WORDS = ['Harbour', 'Letters', 'Orchard', 'Machine', 'River', 'Archive', 'Garden', 'Signal', 'Bridge', 'Hours'];
const GENRES = ['Fiction', 'Mystery', 'Science Fiction', 'Fantasy', 'Romance', 'Biography', 'History', 'Science'];
const DESCRIPTIONS = [
  'A family returns to the coast and finds that the town has kept a secret for them.',
  'An engineer inherits an observatory whose clock runs a few seconds ahead.',
  'Two translators argue over one sentence until it changes both their lives.',
  'The history of a road, told by the people who were paid to repair it.',
];

/** Words that are in some of the titles or descriptions: a search for them finds books. */
export const SEARCH_WORDS = ['harbour', 'winter', 'signal', 'observatory', 'great', 'road'];

/**
 * An ISBN-13 with its check digit, of prefix 979: the seed data has 978.
 * @param {() => number} random
 * @returns {string} 13 digits
 */
export function isbn13(random) {
  const digits = [9, 7, 9];
  while (digits.length < 12) digits.push(Math.floor(random() * 10));
  const sum = digits.reduce((total, digit, index) => total + digit * (index % 2 === 0 ? 1 : 3), 0);
  digits.push((10 - (sum % 10)) % 10);
  return digits.join('');
}

/**
 * A body for POST and PUT.
 * @param {() => number} random
 * @param {string} author marks whose book it is, see dataset.js
 * @returns {{title: string, author: string, isbn: string, price: number, publishedDate: string, genre: string, description: string, stockQuantity: number}}
 */
export function newBook(random, author) {
  const isbn = isbn13(random);
  return {
    title: `${pick(random, FIRST_WORDS)} ${pick(random, LAST_WORDS)} ${isbn.slice(4, 9)}`,
    author,
    isbn,
    price: Math.round(1000 + random() * 4000) / 100,
    publishedDate: `${1950 + Math.floor(random() * 70)}-0${1 + Math.floor(random() * 9)}-15T00:00:00Z`,
    genre: pick(random, GENRES),
    description: pick(random, DESCRIPTIONS),
    stockQuantity: Math.floor(random() * 200),
  };
}

/**
 * A body for POST and PUT.
 * @param {() => number} random
 * @param {string} name marks whose author it is, see dataset.js
 * @returns {{name: string, bio: string, nationality: string, website: string}}
 */
export function newAuthor(random, name) {
  return { name, bio: pick(random, DESCRIPTIONS), nationality: 'Irish', website: 'https://author.example' };
}
