// @ts-check

/**
 * The names in what somebody typed: with spaces, commas or semicolons between, with `@` or without.
 *
 * @param {string} text
 * @returns {string[]} each once
 */
export function namesIn(text) {
  const names = text.split(/[\s,;]+/).map((name) => name.replace(/^@+/, ""));
  return [...new Set(names.filter((name) => name !== ""))];
}
