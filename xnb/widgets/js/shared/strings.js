// @ts-check
/** Every word that the widgets show or say, in one place. `{}` is filled in by `filled`. */

/** The card of a call. */
export const CARD = {
  call: "Call",
  callWith: "Call with {}",
  duration: "Duration",
  isMuted: "{} is muted",
  pictureFrom: "Picture from {}",
  yourPicture: "Your picture",
  you: "You",
  yourCameraOff: "Your camera is off",
  rec: "REC {}",
  failed: "failed",
  ended: "ended",
  gone: "not live",
  clickForSound: "Click for sound",
  asking: "Asking this browser for your devices …",
  reconnecting: "Connection lost, trying again …",
  silentPython: "Python has not answered for a while.",
  kernelBusy:
    "Kernel busy, media paused: a cell is running. " +
    'With xnb.call(…, loop="thread") calls go on meanwhile.',
  theirLevel: "Level of the sound from {}",
  yourLevel: "Level of your sound",
  controls: "Call controls",
  viewControls: "View",
};

/** What fills the card's stage when it is no picture. */
export const PANEL = {
  nobody: "…",
  steps: "Steps so far",
  recordings: "Recordings",
  play: "Play",
  playFile: "Play {}",
  player: "Player of the recording",
  waiting: "Waiting for the first picture",
  cameraOff: "{}’s camera is off",
  audioCall: "Audio call",
  noPath: "The call goes on, but not on this page",
  failed: "The call failed",
  hangingUp: "Hanging up",
  durationWith: "{} with {}",
  callWith: "Call with {}",
  noKernel: "No kernel is behind this card. Run the cell to call.",
};

/** The card's buttons. Those that depend on the state come as pairs. */
export const BUTTONS = {
  mute: "Mute microphone",
  camera: "Turn camera off",
  pageOn: "Use this page’s {}",
  pageOff: "Stop using this page’s {}",
  cameraAndMicrophone: "camera and microphone",
  microphone: "microphone",
  devices: "Choose camera and microphone",
  deviceSound: "Choose microphone",
  screenOn: "Share your screen",
  screenOff: "Stop sharing your screen",
  record: "Record",
  hangup: "Hang up",
  cancel: "Cancel the call",
  sound: "Turn sound off",
  volume: "Volume",
  snapshot: "Save a snapshot",
  tiles: "Both pictures side by side",
  pip: "Picture in picture",
  full: "Full screen",
  stats: "Charts of the connection",
  withKey: "{} ({})",
};

/** The menu of devices. */
export const DEVICES = {
  menu: "Devices of this page",
  cameras: "Camera",
  microphones: "Microphone",
  camera: "Camera {}",
  microphone: "Microphone {}",
  noCamera: "No camera",
  noMicrophone: "No microphone",
  none: "This browser shows neither camera nor microphone.",
};

/** The strip of figures below the picture, and its charts. */
export const STATS = {
  title: "The last two minutes",
  bitrate: "Bitrate, kbps",
  received: "{} in",
  sent: "{} out",
  fps: "Pictures a second",
  rtt: "Round trip, ms",
  loss: "Loss, %",
  now: "{}: now {}",
  unknown: "–",
  ago: "{} s",
  sending: "sending {}",
  shown: "shown by {}",
  shownWhy: "shown by {}: {}",
  webrtc: "WebRTC",
  comm: "the notebook’s connection",
  jpeg: "single pictures",
};

/** What this page could not do. */
export const PAGE = {
  noPip: "This browser did not open the small window.",
  noFull: "This browser did not give the full screen.",
};

/** The card that waits for calls. */
export const INCOMING = {
  incoming: "Incoming calls",
  waitingCalls: "Waiting calls",
  waiting: "Waiting for calls as {}",
  calling: "{} calling",
  count: "{} calls",
  accept: "Accept",
  soundOnly: "Sound only",
  decline: "Decline",
  from: "{}, call from {}",
  withKey: "{} ({})",
  video: "Video call",
  audio: "Audio call",
  silence: "Silence the ring",
  keys: "A accepts, S accepts with sound only, D declines, M silences the ring",
  blocked: "This page may not ring before you click in it.",
  joinGroup: "Join a group call by its id",
  callId: "The call's id, from its host",
  join: "Join",
  joinWith: "{}: join the group call",
};

/** The ways between kernel and page. */
export const LADDER = {
  noWebRtc: "This browser has no WebRTC.",
  noOffer: "This browser could not offer to receive the call.",
  badAnswer: "The kernel's answer could not be used.",
  noAnswer: "The kernel did not answer this page.",
  noPath: "WebRTC found no path from the kernel to this page.",
  noPathBefore: "WebRTC found no path from the kernel to this page a short while ago.",
  died: "The WebRTC path stopped carrying anything.",
  insecure: "This page is neither https nor localhost, so the browser offers no decoder (WebCodecs).",
  noWebCodecs: "This browser has no WebCodecs.",
  noCodec: "This browser cannot decode {}.",
  noVideoDecoding: "This browser could not decode {}.",
  noSoundDecoding: "This browser could not decode the sound.",
  forced: 'Asked for with transport="{}".',
};

/**
 * Why a camera or a microphone is not captured: cause and remedy by the error's name.
 *
 * @type {Record<string, [string, string]>}
 */
export const NO_DEVICE = {
  NotAllowedError: [
    "This browser does not let the page use your {}.",
    "Allow it in the address bar, then click again.",
  ],
  NotFoundError: ["This computer has no {}.", "Connect one, then click again."],
  NotReadableError: [
    "Your {} could not be started.",
    "Close other programs that use it, then click again.",
  ],
  OverconstrainedError: [
    "The {} that was chosen is not connected any more.",
    "Choose another one.",
  ],
};

/** @type {Record<string, [string, string]>} why a screen is not captured */
export const NO_SCREEN = {
  NotAllowedError: [
    "No screen was shared: it was not allowed, or not chosen.",
    "Share again and choose a screen, window or tab.",
  ],
  InvalidStateError: [
    "Browsers share a screen only right after a click.",
    "Click the button that shares the screen in the call's card.",
  ],
  NotSupportedError: [
    "This browser cannot share a screen.",
    "Use a browser on a desktop computer.",
  ],
  NotReadableError: [
    "The screen could not be captured.",
    "Allow the browser to record the screen in the system's settings.",
  ],
};

/** Why nothing at all is captured. */
export const NO_CAPTURE = {
  notSecure: {
    cause: "Browsers give cameras and microphones only to pages from https or localhost.",
    remedy: "Open JupyterLab at localhost, through an SSH tunnel if need be, or with https.",
  },
  noStream: {
    cause: "The ipywebrtc widget gave no picture and no sound.",
    remedy: "Show it in a cell of its own first, and see whether it plays there.",
  },
  lost: {
    cause: "The {} was disconnected, or its permission taken back.",
    remedy: "Connect it, or choose another one.",
  },
  unknown: {
    cause: "Your {} could not be used ({}).",
    remedy: "Reload the page, then click again.",
  },
  unknownError: "unknown error",
};

/** The player of a recording. */
export const RECORDING = {
  recording: "Recording {}",
  picture: "Picture of {}",
  play: "Play",
  pause: "Pause",
  position: "Position",
  positionText: "{} of {}",
  soundOff: "Turn sound off",
  volume: "Volume",
  spectrogram: "Spectrogram",
  spectrogramText: "Up to {} kHz, spaced as the ear hears",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  trim: "Cut out a part",
  trimRow: "The part to save",
  trimStart: "Beginning of the part",
  trimEnd: "End of the part",
  trimSpan: "From {} to {}: {} s",
  save: "Save trimmed",
  cancel: "Cancel",
  saving: "Saving the part: {} %",
  saved: "Saved {} ({}).",
  canceled: "Canceled; nothing was saved.",
  download: "Download {}",
  controls: "Player controls",
  markers: "What happened in the call",
  marker: "{}: {}",
  loading: "Loading: {} of {}",
  loadHint: "Playing loads {} from the kernel.",
  reading: "Reading the sound: {} %",
  preparing: "Making a copy that this browser plays …",
  preparingShare: "Making a copy that this browser plays: {} %",
  unplayable: "This browser cannot play it. Download it and open it with another program.",
  noSound: "It has no sound.",
  silent:
    "The kernel has not answered yet. It may be running a cell; if it is gone, run this cell again.",
  lost: "The kernel did not answer. Run the cell again, then play.",
};

/** The card of a group call. */
export const GROUP = {
  callWith: "Group call with {}",
  alone: "Group call",
  status: "{}, {} people",
  people: "People",
  you: "You",
  nobody: "Nobody else is here yet",
  isHost: "{} is the host",
  youHost: "You are the host",
  isMuted: "{} is muted",
  youMuted: "You are muted",
  youSilenced: "The host has muted you",
  talks: "{}, talking",
  pictureOf: "Picture of {}",
  cameraOff: "Camera off",
  waiting: "Waiting for the picture",
  soundOnly: "Sound only for now",
  noPath: "Neither seen nor heard on this page. {}",
  nothingYet: "Sends nothing yet",
  ownLost: "This page's own camera and microphone cannot be used now. {}",
  more: "{}: volume, figures and more",
  pin: "Pin",
  unpin: "Unpin",
  pinOne: "Pin {}",
  unpinOne: "Unpin {}",
  full: "Full screen",
  leaveFull: "Leave full screen",
  fullOne: "{} on the full screen",
  volume: "Volume of {}",
  soundOff: "Turn off the sound of {}",
  silence: "Mute for everybody",
  unsilence: "Let everybody hear them again",
  remove: "Remove from the call",
  removeSure: "Click again to remove {}",
  figures: "Connection of {}",
  noFigures: "Reading …",
  others: "+{}",
  othersText: "{} more, whom you hear: show all in one size",
  invite: "Invite",
  inviteWhom: "Handles, with spaces between",
  joinWith: "Those you invited can also join with",
  copy: "Copy",
  copied: "Copied",
  copyLine: "Copy this line",
};

/**
 * @param {string} text with `{}` for each value
 * @param {...(string|number)} values
 * @returns {string}
 */
export function filled(text, ...values) {
  let next = 0;
  return text.replace(/\{\}/g, () => String(values[next++] ?? ""));
}
