// @ts-check

const FPS = 15;

/**
 * What a canvas shows, at a steady rate. A canvas' own stream has a picture only when something
 * is drawn, and whoever begins to look, or lost a picture, would wait for the next one for ever.
 *
 * @param {MediaStreamTrack} track
 * @returns {MediaStreamTrack} it, or one in its place; stopping that one stops both
 */
export function repeated(track) {
  const drawn = /** @type {{canvas?: HTMLCanvasElement}} */ (/** @type {unknown} */ (track)).canvas;
  if (!drawn) return track;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const [steady] = canvas.captureStream(FPS).getVideoTracks();
  const timer = setInterval(() => {
    if (steady.readyState === "ended") {
      clearInterval(timer);
      track.stop();
    } else if (drawn.width > 0 && drawn.height > 0) {
      if (canvas.width !== drawn.width) canvas.width = drawn.width;
      if (canvas.height !== drawn.height) canvas.height = drawn.height;
      context?.drawImage(drawn, 0, 0);
    }
  }, 1000 / FPS);
  return steady;
}
