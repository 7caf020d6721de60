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

/** A refusal that comes later is one of another invitation. */
const REFUSED_MS = 60_000;

/** What was typed and sent, until it is clear that it was not refused. */
export class SentNames {
  constructor() {
    this.text = "";
    this.at = -Infinity;
  }

  /** @param {string} text @param {number} now in milliseconds */
  send(text, now) {
    Object.assign(this, { text, at: now });
  }

  /**
   * An invitation was refused.
   *
   * @param {number} now in milliseconds
   * @returns {string} what was sent, once; nothing when none was sent here just now
   */
  refused(now) {
    const text = now - this.at < REFUSED_MS ? this.text : "";
    this.text = "";
    return text;
  }
}
