/** Who comes, and how long they think between two requests. */
import exec from 'k6/execution';
import { logNormal, logNormalMean, pickWeighted } from './random.js';

/**
 * Seconds that a user thinks, as the original suites have them: nine of ten thoughts lie between.
 * @type {Readonly<Record<string, readonly [number, number]>>}
 */
const THINK = { heavy: [1, 3], light: [5, 15], burst: [0.5, 1], restless: [0.3, 0.65] };

/**
 * Most users are at work, some look in, some click without reading.
 * @type {ReadonlyArray<readonly [string, number]>}
 */
const TEMPERS = [['heavy', 7], ['light', 1], ['burst', 2]];

/** A book read or an update takes some milliseconds; half of a tenth of a second is generous. */
const ANSWER_SECONDS = 0.05;

/** A summary by a model takes about two seconds and is read for three to eight. */
const SUMMARY_SECONDS = 2;
const READING = Object.freeze([3, 8]);

/** Iterations of one catalogue user in a minute. */
export const CATALOGUE_PER_MINUTE = 60 / (ANSWER_SECONDS + meanThink());

/** Iterations of one reader of summaries in a minute. */
export const SUMMARIES_PER_MINUTE = 60 / (SUMMARY_SECONDS + logNormalMean(READING[0], READING[1]));

/**
 * Iterations of one user in a minute of which a share asks for summaries.
 * @param {number} share 0 to 1
 * @returns {number}
 */
export function mixedPerMinute(share) {
  return 1 / (share / SUMMARIES_PER_MINUTE + (1 - share) / CATALOGUE_PER_MINUTE);
}

/** Iterations of one impatient user in a minute. */
export const IMPATIENT_PER_MINUTE = 60 / (ANSWER_SECONDS + logNormalMean(...THINK.burst));

/** Iterations of one restless user in a minute: about two in a second. */
export const RESTLESS_PER_MINUTE = 60 / (ANSWER_SECONDS + logNormalMean(...THINK.restless));

/**
 * Time between two requests of a catalogue user. Arrivals are spaced by k6.
 * @param {() => number} random
 * @param {string} [temper] of whom; drawn without
 * @returns {number} seconds
 */
export function thinkSeconds(random, temper) {
  const [from, to] = THINK[temper || pickWeighted(random, TEMPERS)];
  return arrivals() ? 0 : logNormal(random, from, to);
}

/**
 * Time that a summary is read for.
 * @param {() => number} random
 * @returns {number} seconds
 */
export function readingSeconds(random) {
  return arrivals() ? 0 : logNormal(random, READING[0], READING[1]);
}

function arrivals() {
  return exec.scenario.executor.endsWith('arrival-rate');
}

function meanThink() {
  const weights = TEMPERS.reduce((sum, [, weight]) => sum + weight, 0);
  return TEMPERS.reduce((sum, [temper, weight]) => sum + weight * logNormalMean(...THINK[temper]), 0) / weights;
}
