// @ts-check
import { placeOf } from "./math.js";

/** @typedef {import("./store.js").Wave} Wave */
/** @typedef {import("./store.js").Spectrum} Spectrum */
/** @typedef {import("./math.js").Span} Span */

/**
 * Makes a canvas as large as it is shown.
 *
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D|null} `null` while it is not shown
 */
export function sized(canvas) {
  const scale = Math.min(2, window.devicePixelRatio || 1);
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (!width || !height) return null;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return canvas.getContext("2d");
}

/**
 * Draws the waveform of a view: what was played in one colour, the rest in another.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Wave|null} wave that spans `drawn`
 * @param {Span} drawn
 * @param {Span} view
 * @param {number} position seconds
 * @param {{played: string, rest: string}} colours
 */
export function drawWave(canvas, wave, drawn, view, position, colours) {
  const paint = sized(canvas);
  if (!paint) return;
  const { width, height } = canvas;
  paint.clearRect(0, 0, width, height);
  const middle = height / 2;
  paint.fillStyle = colours.rest;
  paint.fillRect(0, middle - 0.5, width, 1);
  if (!wave) return;
  const left = placeOf(drawn.from, view) * width;
  const column = ((drawn.to - drawn.from) / (view.to - view.from)) * width / wave.low.length;
  const played = placeOf(position, view) * width;
  for (const [colour, begin, end] of /** @type {[string, number, number][]} */ ([
    [colours.played, 0, Math.min(played, width)],
    [colours.rest, Math.max(0, played), width],
  ])) {
    if (end <= begin) continue;
    paint.save();
    paint.beginPath();
    paint.rect(begin, 0, end - begin, height);
    paint.clip();
    paint.fillStyle = colour;
    const first = Math.max(0, Math.floor(-left / column));
    const last = Math.min(wave.low.length, Math.ceil((width - left) / column));
    for (let i = first; i < last; i++) {
      const top = middle - (wave.high[i] / 127) * (middle - 2);
      const bottom = middle - (wave.low[i] / 127) * (middle - 2);
      paint.fillRect(left + i * column, top, Math.max(1, column), Math.max(1, bottom - top));
    }
    paint.restore();
  }
}

/**
 * @param {Spectrum} spectrum
 * @returns {HTMLCanvasElement} one pixel for each value
 */
export function spectrumImage({ rows, columns, levels, colours }) {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  const paint = canvas.getContext("2d");
  const image = new ImageData(columns, rows);
  for (let i = 0; i < levels.length; i++) {
    const from = 3 * levels[i];
    image.data[4 * i] = colours[from];
    image.data[4 * i + 1] = colours[from + 1];
    image.data[4 * i + 2] = colours[from + 2];
    image.data[4 * i + 3] = 255;
  }
  paint?.putImageData(image, 0, 0);
  return canvas;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} image of the whole recording
 * @param {Span} view
 * @param {number} duration
 */
export function drawSpectrum(canvas, image, view, duration) {
  const paint = sized(canvas);
  if (!paint) return;
  const from = (view.from / duration) * image.width;
  const width = Math.max(1, ((view.to - view.from) / duration) * image.width);
  paint.imageSmoothingEnabled = true;
  paint.drawImage(image, from, 0, width, image.height, 0, 0, canvas.width, canvas.height);
}
