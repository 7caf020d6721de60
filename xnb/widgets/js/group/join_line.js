// @ts-check

/**
 * What those who were invited type to join.
 *
 * @param {string} id of the call; none while it is not known
 * @param {boolean} hasVideo whether the call has video; who joins has none unless asking for it
 * @returns {string}
 */
export function joinLine(id, hasVideo) {
  return id ? `xnb.join("${id}"${hasVideo ? ", video=True" : ""})` : "";
}
