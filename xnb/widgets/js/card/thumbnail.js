// @ts-check

// What is sent gives no more thumbnails, such as another page's camera: the last one is no picture
// of it.
const STALE_MS = 10_000;

/** The newest small picture of what Python sends. */
export class Thumbnail {
  constructor() {
    /** @type {ImageBitmap|null} */
    this.picture = null;
    this.at = 0;
  }

  /**
   * @param {ArrayBuffer|DataView} data a JPEG
   * @returns {Promise<void>} that is done when it can be drawn
   */
  async take(data) {
    const blob = new Blob([/** @type {BlobPart} */ (data)], { type: "image/jpeg" });
    const picture = await createImageBitmap(blob);
    this.close();
    this.picture = picture;
    this.at = performance.now();
  }

  /** @returns {boolean} whether it was too old and is gone now */
  expire() {
    if (!this.picture || performance.now() - this.at <= STALE_MS) return false;
    this.close();
    return true;
  }

  close() {
    this.picture?.close();
    this.picture = null;
  }
}
