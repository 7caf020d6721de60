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
