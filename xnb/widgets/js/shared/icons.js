// @ts-check
import bellOff from "lucide-static/icons/bell-off.svg";
import bell from "lucide-static/icons/bell.svg";
import camera from "lucide-static/icons/camera.svg";
import chart from "lucide-static/icons/chart-line.svg";
import check from "lucide-static/icons/check.svg";
import chevronUp from "lucide-static/icons/chevron-up.svg";
import circle from "lucide-static/icons/circle.svg";
import columns from "lucide-static/icons/columns-2.svg";
import fileAudio from "lucide-static/icons/file-audio.svg";
import fileVideo from "lucide-static/icons/file-video.svg";
import headset from "lucide-static/icons/headset.svg";
import maximize from "lucide-static/icons/maximize.svg";
import micOff from "lucide-static/icons/mic-off.svg";
import mic from "lucide-static/icons/mic.svg";
import minimize from "lucide-static/icons/minimize.svg";
import phone from "lucide-static/icons/phone.svg";
import pip from "lucide-static/icons/picture-in-picture-2.svg";
import play from "lucide-static/icons/play.svg";
import screenShareOff from "lucide-static/icons/screen-share-off.svg";
import screenShare from "lucide-static/icons/screen-share.svg";
import square from "lucide-static/icons/square.svg";
import alert from "lucide-static/icons/triangle-alert.svg";
import videoOff from "lucide-static/icons/video-off.svg";
import video from "lucide-static/icons/video.svg";
import volume from "lucide-static/icons/volume-2.svg";
import volumeOff from "lucide-static/icons/volume-x.svg";
import webcam from "lucide-static/icons/webcam.svg";
import x from "lucide-static/icons/x.svg";

const TEXTS = {
  alert, bell, bellOff, camera, chart, check, chevronUp, circle, columns, fileAudio, fileVideo,
  headset, maximize, mic, micOff, minimize, phone, pip, play, screenShare, screenShareOff, square,
  video, videoOff, volume, volumeOff, webcam, x,
};

/** @typedef {keyof typeof TEXTS} IconName */

/**
 * @param {IconName} name
 * @returns {SVGElement}
 */
export function icon(name) {
  return drawn(TEXTS[name], name);
}

/**
 * @param {string} text of an SVG file
 * @param {string} name
 * @returns {SVGElement}
 */
export function drawn(text, name) {
  const holder = document.createElement("template");
  holder.innerHTML = text.slice(text.indexOf("<svg"));
  const svg = /** @type {SVGElement} */ (holder.content.firstElementChild);
  svg.setAttribute("class", `xnb-icon xnb-icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  return svg;
}
