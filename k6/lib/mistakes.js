/** What is known to be wrong. */

/** The statuses of the error lab. */
export const LAB_STATUSES = Object.freeze([400, 401, 403, 404, 405, 409, 410, 415, 422, 429, 500, 502, 503, 504]);

/** A well-formed id that nobody has: ids begin with the time of their making. */
export const NOBODY = '000000000000000000000000';
