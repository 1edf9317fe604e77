// Streams of a summary: the right one, and each way to be wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvents } from '../lib/summary-events.js';

const REPLY = {
  bookId: '0123456789abcdef01234567', title: 'T', author: 'A', provider: 'claude', model: 'm', simulated: true,
  aiGeneratedSummary: 'One two', usage: { inputTokens: 3, outputTokens: 2 }, cost: { picoUsd: 5 },
};

const stream = (...events) => events.map(([name, data], index) => `id: ${index + 1}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join('');
const START = ['summary.start', { model: 'm', provider: 'claude', requestId: 'r' }];
const WHOLE = [START, ['summary.delta', { text: 'One ' }], ['summary.delta', { text: 'two' }], ['summary.usage', {}], ['summary.done', REPLY]];

test('a whole stream gives its reply', () => {
  assert.deepEqual(readEvents(stream(...WHOLE)), { reply: REPLY, fault: '' });
  assert.equal(readEvents(`:heartbeat\n\n${stream(...WHOLE)}`).fault, '');
  assert.equal(readEvents(stream(...WHOLE).replace(/\n/g, '\r\n')).fault, '');
});

test('a new start voids the pieces before it', () => {
  const again = [START, ['summary.delta', { text: 'Half a' }], ...WHOLE];
  assert.equal(readEvents(stream(...again)).fault, '');
});

/** @type {[string, string, RegExp][]} */
const BROKEN = [
  ['no end', stream(...WHOLE.slice(0, 4)), /no end/],
  ['an error at its end', stream(START, ['summary.error', { title: 'Bad gateway', detail: 'reset' }]), /Bad gateway: reset/],
  ['a piece that is missing', stream(START, WHOLE[1], WHOLE[4]), /pieces are not the summary/],
  ['a piece before the start', stream(WHOLE[1]), /before summary.start/],
  ['something after its end', stream(...WHOLE, WHOLE[1]), /1 events come after/],
  ['a gap in its ids', stream(...WHOLE).replace('id: 3', 'id: 4'), /event 3 has the id 4/],
  ['a line that is no JSON', stream(...WHOLE).replace('{"text":"One "}', '{"text'), /no JSON/],
  ['a reply without a price', stream(...WHOLE.slice(0, 4), ['summary.done', { ...REPLY, cost: {} }]), /wrong shape/],
];
for (const [what, text, fault] of BROKEN) {
  test(`a stream with ${what} is told`, () => assert.match(readEvents(text).fault, fault));
}
