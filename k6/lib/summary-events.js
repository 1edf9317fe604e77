/** Reads a summary that came as server-sent events. */
import { isSummary } from './shapes.js';

/**
 * @typedef {object} Told
 * @property {any} reply the reply in the last event, null when there is none
 * @property {string} fault what is wrong with the stream; empty when nothing is
 * @property {any} [problem] the problem document that it ends with
 */

/**
 * Holds a whole stream against what was promised: numbered from 1, begun, its pieces together the
 * summary, ended by its reply and nothing after it.
 * @param {string} text
 * @returns {Told}
 */
export function readEvents(text) {
  const events = parse(text);
  let pieces = '';
  let started = false;
  for (const [index, { id, name, data }] of events.entries()) {
    if (id !== String(index + 1)) return broken(`event ${index + 1} has the id ${id}`);
    if (data === undefined) return broken(`event ${id} is no JSON`);
    if (name === 'summary.start') [started, pieces] = [true, ''];
    else if (!started) return broken(`${name} comes before summary.start`);
    else if (name === 'summary.delta') pieces += data.text;
    else if (name === 'summary.error') return { ...broken(`it ends with ${data.title}: ${data.detail}`), problem: data };
    else if (name === 'summary.done') return ended(data, pieces, events.length - index - 1);
  }
  return broken('it has no end');
}

function ended(reply, pieces, after) {
  if (after > 0) return broken(`${after} events come after its end`);
  if (!isSummary(reply)) return broken('the reply has the wrong shape');
  if (reply.aiGeneratedSummary !== pieces.trim()) return broken('its pieces are not the summary');
  return { reply, fault: '' };
}

function broken(fault) {
  return { reply: null, fault };
}

/** Blocks between empty lines; lines that begin with a colon fill silence. */
function parse(text) {
  const blocks = text.replace(/\r\n?/g, '\n').split('\n\n');
  return blocks.map(fieldsOf).filter((fields) => fields.event !== undefined).map(({ id, event, data }) => ({
    id,
    name: event,
    data: json(data),
  }));
}

function fieldsOf(block) {
  /** @type {Record<string, string>} */
  const fields = {};
  for (const line of block.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).replace(/^ /, '');
  }
  return fields;
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
