
/** A text that no other iteration has, and that names the run. */
function unique() {
  return `${TEST_ID}-${exec.vu.idInTest}-${exec.vu.iterationInInstance}`;
}
