// @ts-check

const WIDTH_PX = 320;
const MAX_BYTES = 60_000;
const QUALITIES = [0.8, 0.6, 0.4, 0.2];

/** What the far end showed last, small, so that it can still be asked for when all is over. */
export class LastPicture {
  constructor() {
    /** @type {OffscreenCanvas|null} */
    this.canvas = null;
  }

  /**
   * Keeps what `video` shows now; what was kept stays when it shows nothing.
   *
   * @param {HTMLVideoElement|undefined} video
   */
  keep(video) {
    if (!video || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    const { videoWidth: width, videoHeight: height } = video;
    if (!width || !height) return;
    const scale = Math.min(1, WIDTH_PX / width);
    const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
    canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
    this.canvas = canvas;
  }

  /**
   * Keeps what several show now, each in its place.
   *
   * @param {{video: HTMLVideoElement, left: number, top: number, width: number,
   *   height: number}[]} parts
   * @param {{width: number, height: number}} whole
   */
  keepAll(parts, whole) {
    const scale = Math.min(1, WIDTH_PX / whole.width);
    const size = (/** @type {number} */ px) => Math.max(1, Math.round(px * scale));
    const canvas = new OffscreenCanvas(size(whole.width), size(whole.height));
    const paint = canvas.getContext("2d");
    if (!paint) return;
    paint.fillStyle = "#222";
    paint.fillRect(0, 0, canvas.width, canvas.height);
    for (const { video, left, top, width, height } of parts) {
      const { videoWidth, videoHeight } = video;
      if (!videoWidth || !videoHeight) continue;
      const fit = Math.min(width / videoWidth, height / videoHeight);
      const [wide, tall] = [videoWidth * fit, videoHeight * fit];
      const [x, y] = [left + (width - wide) / 2, top + (height - tall) / 2];
      paint.drawImage(video, x * scale, y * scale, wide * scale, tall * scale);
    }
    this.canvas = canvas;
  }

  /** @returns {Promise<{width: number, height: number, data: ArrayBuffer}|null>} a JPEG, at most 60 kB */
  async jpeg() {
    const { canvas } = this;
    if (!canvas) return null;
    for (const quality of QUALITIES) {
      const blob = await canvas.convertToBlob({ type: "image/jpeg", quality });
      if (blob.size <= MAX_BYTES) {
        return { width: canvas.width, height: canvas.height, data: await blob.arrayBuffer() };
      }
    }
    return null;
  }
}
