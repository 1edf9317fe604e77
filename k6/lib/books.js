/** Made-up books and authors. The same generator state gives the same book. */
import { LANGUAGES } from './languages.js';
import { pick, pickWeighted } from './random.js';

const GENRES = ['Fiction', 'Mystery', 'Science Fiction', 'Fantasy', 'Romance', 'Biography', 'History', 'Science'];
const NATIONALITIES = ['Irish', 'Nigerian', 'German', 'French', 'Polish', 'Greek', 'Japanese', 'Lebanese'];

/**
 * Sentences of a description: most are a line, some fill the back of a book, a few a page.
 * @type {ReadonlyArray<readonly [number, number]>}
 */
const LENGTHS = [[1, 75], [5, 20], [40, 5]];

/** Words that are in some of the titles or descriptions: a search for them finds books. */
export const SEARCH_WORDS = ['harbour', 'winter', 'signal', 'observatory', 'great', 'road', 'straßen', '手紙'];

/**
 * An ISBN-13 with its check digit, of prefix 979: the seed data has 978. 979-0 is none, but a number of
 * sheet music (ISO 10957).
 * @param {() => number} random
 * @returns {string} 13 digits
 */
export function isbn13(random) {
  const digits = [9, 7, 9, 1 + Math.floor(random() * 9)];
  while (digits.length < 12) digits.push(Math.floor(random() * 10));
  return [...digits, checkDigit(digits)].join('');
}

/**
 * The check digit of an ISBN-13 (ISO 2108).
 * @param {readonly number[]} digits the first twelve
 * @returns {number} 0 to 9
 */
export function checkDigit(digits) {
  const sum = digits.reduce((total, digit, index) => total + digit * (index % 2 === 0 ? 1 : 3), 0);
  return (10 - (sum % 10)) % 10;
}

/**
 * A body for POST and PUT.
 * @param {() => number} random
 * @param {string} [author] marks whose book it is, see dataset.js; made up without
 * @returns {{title: string, author: string, isbn: string, price: number, publishedDate: string, genre: string, description: string, stockQuantity: number}}
 */
export function newBook(random, author) {
  const isbn = isbn13(random);
  const language = pickWeighted(random, LANGUAGES);
  return {
    title: `${pick(random, language.titles)} ${isbn.slice(4, 9)}`,
    author: author || pick(random, language.names),
    isbn,
    price: Math.round(1000 + random() * 4000) / 100,
    publishedDate: day(random, 1950, 70),
    genre: pick(random, GENRES),
    description: description(random, language),
    stockQuantity: Math.floor(random() * 200),
  };
}

/**
 * A body for POST and PUT.
 * @param {() => number} random
 * @param {string} [name] marks whose author it is, see dataset.js; made up without
 * @returns {{name: string, bio: string, birthDate: string, nationality: string, website: string}}
 */
export function newAuthor(random, name) {
  const language = pickWeighted(random, LANGUAGES);
  return {
    name: name || `${pick(random, language.names)} ${Math.floor(random() * 100000)}`,
    bio: description(random, language),
    birthDate: day(random, 1900, 90),
    nationality: pick(random, NATIONALITIES),
    website: `https://author-${Math.floor(random() * 100000)}.example`,
  };
}

function description(random, { sentences }) {
  const length = pickWeighted(random, LENGTHS);
  return Array.from({ length }, () => pick(random, sentences)).join(' ');
}

function day(random, from, years) {
  return `${from + Math.floor(random() * years)}-0${1 + Math.floor(random() * 9)}-15T00:00:00Z`;
}
