// @ts-check

/**
 * Leaves out candidates that hide behind a `.local` name (mDNS): the kernel cannot resolve them,
 * and trying costs more than a second. The page sends the first check itself.
 *
 * @param {string} sdp
 * @returns {string}
 */
export function stripHiddenCandidates(sdp) {
  return sdp
    .split(/\r?\n/)
    .filter((line) => !/^a=candidate:.* \S+\.local /i.test(line))
    .join("\r\n");
}
