// @ts-check
import { loudness } from "./wave.js";

/** @typedef {import("./wave.js").Wave} Wave */

/**
 * Draws the far end's scrolling waveform, newest at the right, between the two meters: ours at
 * the left edge, the far end's at the right.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Wave} wave
 * @param {{theirs: number, yours: number}} levels 0 to 1
 * @param {{wave: string, soft: string, hot: string}} colours
 */
export function drawSound(canvas, wave, levels, colours) {
  const scale = Math.min(2, window.devicePixelRatio || 1);
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (!width || !height) return;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const paint = canvas.getContext("2d");
  if (!paint) return;
  paint.clearRect(0, 0, width, height);
  const meter = 6 * scale;
  const margin = 12 * scale;
  const left = margin + meter + 10 * scale;
  const right = width - margin - meter - 10 * scale;
  const pitch = 4 * scale;
  const bar = 2 * scale;
  const columns = Math.min(wave.peaks.length, Math.floor((right - left) / pitch));
  const middle = height / 2;
  const room = height / 2 - 5 * scale;
  paint.fillStyle = colours.wave;
  for (let i = 0; i < columns; i++) {
    const peak = wave.at(wave.peaks.length - columns + i);
    const half = Math.max(bar / 2, Math.sqrt(peak) * room);
    const x = right - (columns - i) * pitch;
    paint.beginPath();
    paint.roundRect(x, middle - half, bar, 2 * half, bar / 2);
    paint.fill();
  }
  const sides = /** @type {const} */ ([[width - margin - meter, levels.theirs], [margin, levels.yours]]);
  for (const [x, level] of sides) {
    drawLevel(paint, { x, top: 6 * scale, width: meter, height: height - 12 * scale }, level, colours);
  }
}

/**
 * @param {CanvasRenderingContext2D} paint
 * @param {{x: number, top: number, width: number, height: number}} box
 * @param {number} level 0 to 1
 * @param {{wave: string, soft: string, hot: string}} colours
 */
function drawLevel(paint, { x, top, width, height }, level, colours) {
  paint.fillStyle = colours.soft;
  paint.beginPath();
  paint.roundRect(x, top, width, height, width / 2);
  paint.fill();
  const filled = height * loudness(level);
  if (filled <= 1) return;
  paint.fillStyle = level > 0.9 ? colours.hot : colours.wave;
  paint.beginPath();
  paint.roundRect(x, top + height - filled, width, filled, width / 2);
  paint.fill();
}
