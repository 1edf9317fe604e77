// What the scenario Spike runs when no script is named.
export * from './load.js';
export { default } from './load.js';
