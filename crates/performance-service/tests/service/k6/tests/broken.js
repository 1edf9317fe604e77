// Throws before any load.
throw new Error('this script is broken');
