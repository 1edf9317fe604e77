
/** A valid ISBN-13 of prefix 979 that no seed data has. */
function isbn13() {
  const digits = [9, 7, 9];
  while (digits.length < 12) digits.push(Math.floor(Math.random() * 10));
  const sum = digits.reduce((total, digit, index) => total + digit * (index % 2 === 0 ? 1 : 3), 0);
  return digits.concat((10 - (sum % 10)) % 10).join('');
}
