// @ts-check

/**
 * @param {number} seconds
 * @returns {string} `00:42`, `12:05`, `1:02:03`
 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return `${hours ? `${hours}:` : ""}${two(minutes)}:${two(whole % 60)}`;
}

/**
 * @param {string} title
 * @returns {string} one capital letter or digit for an avatar
 */
export function initial(title) {
  const found = /[\p{L}\p{N}]/u.exec(title);
  return found ? found[0].toUpperCase() : "?";
}

/**
 * A colour for a name, always the same one.
 *
 * @param {string} title
 * @returns {number} hue in degrees
 */
export function hue(title) {
  let sum = 7;
  for (const letter of title) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 3600;
  return sum % 360;
}

/**
 * @param {number} milliseconds
 * @returns {string} `0.4 s`, `12 s`
 */
export function elapsed(milliseconds) {
  const seconds = milliseconds / 1000;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

/**
 * @param {number} bps bits a second
 * @returns {string} `64 kbps`, `1.2 Mbps`
 */
export function rate(bps) {
  return bps >= 999_500 ? `${(bps / 1e6).toFixed(1)} Mbps` : `${Math.round(bps / 1000)} kbps`;
}
