// @ts-check
import check from "lucide-static/icons/check.svg";
import circle from "lucide-static/icons/circle.svg";
import fileAudio from "lucide-static/icons/file-audio.svg";
import fileVideo from "lucide-static/icons/file-video.svg";
import headset from "lucide-static/icons/headset.svg";
import micOff from "lucide-static/icons/mic-off.svg";
import mic from "lucide-static/icons/mic.svg";
import phone from "lucide-static/icons/phone.svg";
import square from "lucide-static/icons/square.svg";
import alert from "lucide-static/icons/triangle-alert.svg";
import videoOff from "lucide-static/icons/video-off.svg";
import video from "lucide-static/icons/video.svg";
import volume from "lucide-static/icons/volume-2.svg";
import volumeOff from "lucide-static/icons/volume-x.svg";
import webcam from "lucide-static/icons/webcam.svg";
import x from "lucide-static/icons/x.svg";

const TEXTS = {
  alert, check, circle, fileAudio, fileVideo, headset, mic, micOff, phone, square, video, videoOff,
  volume, volumeOff, webcam, x,
};

/** @typedef {keyof typeof TEXTS} IconName */

/**
 * @param {IconName} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const holder = document.createElement("template");
  holder.innerHTML = TEXTS[name].slice(TEXTS[name].indexOf("<svg"));
  const svg = /** @type {SVGElement} */ (holder.content.firstElementChild);
  svg.setAttribute("class", `xnb-icon xnb-icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  return svg;
}
