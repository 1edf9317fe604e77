/**
 * Tries until it works, or the time is over; then the last reason is told.
 * @template T
 * @param {string} what is waited for
 * @param {number} milliseconds at most
 * @param {() => Promise<T>} attempt throws while it does not work; an error with `final` ends the wait
 * @returns {Promise<T>}
 */
export async function until(what, milliseconds, attempt) {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (error.final || Date.now() > deadline) throw new Error(`${what}: ${error.message}`, { cause: error });
    }
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}
