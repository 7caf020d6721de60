// Built from xnb/widgets/js by build.mjs, sources a8a6102d28530ffd87f8bdf584b06435c1124e10397791f64e3640ac4a62cc56. Icons: Lucide (ISC license). Charts in call.js: uPlot (MIT license).
function c(o,t={},...e){let s=document.createElement(o);for(let[i,n]of Object.entries(t))s.setAttribute(i,n);return s.append(...e),s}function k(o,t){o.textContent!==t&&(o.textContent=t)}function m(o,t){o.hidden===t&&(o.hidden=!t)}var Lt={mute:"M",camera:"V",page:"P",screen:"S",record:"R",hangup:"H",sound:"A",snapshot:"C",tiles:"T",pip:"I",full:"F",devices:"D",stats:"G"},xs=new Map(Object.entries(Lt).map(([o,t])=>[t,o]));function Wt(o){return o.ctrlKey||o.metaKey||o.altKey||o.repeat?null:xs.get(o.key.toUpperCase())??null}function Gt(o,t,e){return e===0?null:o==="ArrowRight"?(t+1)%e:o==="ArrowLeft"?(t-1+e)%e:o==="Home"?0:o==="End"?e-1:null}var Kt=new Set(["Enter"," ","ArrowLeft","ArrowRight","ArrowUp","ArrowDown","Home","End"]);var Yt=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-bell-off"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M10.268 21a2 2 0 0 0 3.464 0" />
  <path d="M17 17H4a1 1 0 0 1-.74-1.673C4.59 13.956 6 12.499 6 8a6 6 0 0 1 .258-1.742" />
  <path d="m2 2 20 20" />
  <path d="M8.668 3.01A6 6 0 0 1 18 8c0 2.687.77 4.653 1.707 6.05" />
</svg>
`;var $t=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-bell"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M10.268 21a2 2 0 0 0 3.464 0" />
  <path d="M3.262 15.326A1 1 0 0 0 4 17h16a1 1 0 0 0 .74-1.673C19.41 13.956 18 12.499 18 8A6 6 0 0 0 6 8c0 4.499-1.411 5.956-2.738 7.326" />
</svg>
`;var qt=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-camera"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M14.5 4h-5L7 7H4a2 2 0 0 0-2 2v9a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2V9a2 2 0 0 0-2-2h-3l-2.5-3z" />
  <circle cx="12" cy="13" r="3" />
</svg>
`;var Xt=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-chart-line"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M3 3v16a2 2 0 0 0 2 2h16" />
  <path d="m19 9-5 5-4-4-3 3" />
</svg>
`;var Jt=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-check"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M20 6 9 17l-5-5" />
</svg>
`;var Zt=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-chevron-up"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="m18 15-6-6-6 6" />
</svg>
`;var Qt=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-circle"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <circle cx="12" cy="12" r="10" />
</svg>
`;var te=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-columns-2"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <rect width="18" height="18" x="3" y="3" rx="2" />
  <path d="M12 3v18" />
</svg>
`;var ee=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-file-audio"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M17.5 22h.5a2 2 0 0 0 2-2V7l-5-5H6a2 2 0 0 0-2 2v3" />
  <path d="M14 2v4a2 2 0 0 0 2 2h4" />
  <path d="M2 19a2 2 0 1 1 4 0v1a2 2 0 1 1-4 0v-4a6 6 0 0 1 12 0v4a2 2 0 1 1-4 0v-1a2 2 0 1 1 4 0" />
</svg>
`;var se=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-file-video"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M15 2H6a2 2 0 0 0-2 2v16a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2V7Z" />
  <path d="M14 2v4a2 2 0 0 0 2 2h4" />
  <path d="m10 11 5 3-5 3v-6Z" />
</svg>
`;var ie=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-headset"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M3 11h3a2 2 0 0 1 2 2v3a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-5Zm0 0a9 9 0 1 1 18 0m0 0v5a2 2 0 0 1-2 2h-1a2 2 0 0 1-2-2v-3a2 2 0 0 1 2-2h3Z" />
  <path d="M21 16v2a4 4 0 0 1-4 4h-5" />
</svg>
`;var ne=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-maximize"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M8 3H5a2 2 0 0 0-2 2v3" />
  <path d="M21 8V5a2 2 0 0 0-2-2h-3" />
  <path d="M3 16v3a2 2 0 0 0 2 2h3" />
  <path d="M16 21h3a2 2 0 0 0 2-2v-3" />
</svg>
`;var oe=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-mic-off"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <line x1="2" x2="22" y1="2" y2="22" />
  <path d="M18.89 13.23A7.12 7.12 0 0 0 19 12v-2" />
  <path d="M5 10v2a7 7 0 0 0 12 5" />
  <path d="M15 9.34V5a3 3 0 0 0-5.68-1.33" />
  <path d="M9 9v3a3 3 0 0 0 5.12 2.12" />
  <line x1="12" x2="12" y1="19" y2="22" />
</svg>
`;var re=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-mic"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M12 2a3 3 0 0 0-3 3v7a3 3 0 0 0 6 0V5a3 3 0 0 0-3-3Z" />
  <path d="M19 10v2a7 7 0 0 1-14 0v-2" />
  <line x1="12" x2="12" y1="19" y2="22" />
</svg>
`;var ae=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-minimize"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M8 3v3a2 2 0 0 1-2 2H3" />
  <path d="M21 8h-3a2 2 0 0 1-2-2V3" />
  <path d="M3 16h3a2 2 0 0 1 2 2v3" />
  <path d="M16 21v-3a2 2 0 0 1 2-2h3" />
</svg>
`;var he=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-phone"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M22 16.92v3a2 2 0 0 1-2.18 2 19.79 19.79 0 0 1-8.63-3.07 19.5 19.5 0 0 1-6-6 19.79 19.79 0 0 1-3.07-8.67A2 2 0 0 1 4.11 2h3a2 2 0 0 1 2 1.72 12.84 12.84 0 0 0 .7 2.81 2 2 0 0 1-.45 2.11L8.09 9.91a16 16 0 0 0 6 6l1.27-1.27a2 2 0 0 1 2.11-.45 12.84 12.84 0 0 0 2.81.7A2 2 0 0 1 22 16.92z" />
</svg>
`;var ce=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-picture-in-picture-2"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M21 9V6a2 2 0 0 0-2-2H4a2 2 0 0 0-2 2v10c0 1.1.9 2 2 2h4" />
  <rect width="10" height="7" x="12" y="13" rx="2" />
</svg>
`;var le=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-play"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <polygon points="6 3 20 12 6 21 6 3" />
</svg>
`;var de=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-screen-share-off"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M13 3H4a2 2 0 0 0-2 2v10a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2v-3" />
  <path d="M8 21h8" />
  <path d="M12 17v4" />
  <path d="m22 3-5 5" />
  <path d="m17 3 5 5" />
</svg>
`;var ue=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-screen-share"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M13 3H4a2 2 0 0 0-2 2v10a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2v-3" />
  <path d="M8 21h8" />
  <path d="M12 17v4" />
  <path d="m17 8 5-5" />
  <path d="M17 3h5v5" />
</svg>
`;var pe=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-square"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <rect width="18" height="18" x="3" y="3" rx="2" />
</svg>
`;var fe=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-triangle-alert"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="m21.73 18-8-14a2 2 0 0 0-3.48 0l-8 14A2 2 0 0 0 4 21h16a2 2 0 0 0 1.73-3" />
  <path d="M12 9v4" />
  <path d="M12 17h.01" />
</svg>
`;var me=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-video-off"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M10.66 6H14a2 2 0 0 1 2 2v2.5l5.248-3.062A.5.5 0 0 1 22 7.87v8.196" />
  <path d="M16 16a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2h2" />
  <path d="m2 2 20 20" />
</svg>
`;var ge=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-video"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="m16 13 5.223 3.482a.5.5 0 0 0 .777-.416V7.87a.5.5 0 0 0-.752-.432L16 10.5" />
  <rect x="2" y="6" width="14" height="12" rx="2" />
</svg>
`;var we=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-volume-2"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M11 4.702a.705.705 0 0 0-1.203-.498L6.413 7.587A1.4 1.4 0 0 1 5.416 8H3a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2.416a1.4 1.4 0 0 1 .997.413l3.383 3.384A.705.705 0 0 0 11 19.298z" />
  <path d="M16 9a5 5 0 0 1 0 6" />
  <path d="M19.364 18.364a9 9 0 0 0 0-12.728" />
</svg>
`;var ve=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-volume-x"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M11 4.702a.705.705 0 0 0-1.203-.498L6.413 7.587A1.4 1.4 0 0 1 5.416 8H3a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2.416a1.4 1.4 0 0 1 .997.413l3.383 3.384A.705.705 0 0 0 11 19.298z" />
  <line x1="22" x2="16" y1="9" y2="15" />
  <line x1="16" x2="22" y1="9" y2="15" />
</svg>
`;var ye=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-webcam"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <circle cx="12" cy="10" r="8" />
  <circle cx="12" cy="10" r="3" />
  <path d="M7 22h10" />
  <path d="M12 22v-4" />
</svg>
`;var ke=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-x"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M18 6 6 18" />
  <path d="m6 6 12 12" />
</svg>
`;var Js={alert:fe,bell:$t,bellOff:Yt,camera:qt,chart:Xt,check:Jt,chevronUp:Zt,circle:Qt,columns:te,fileAudio:ee,fileVideo:se,headset:ie,maximize:ne,mic:re,micOff:oe,minimize:ae,phone:he,pip:ce,play:le,screenShare:ue,screenShareOff:de,square:pe,video:ge,videoOff:me,volume:we,volumeOff:ve,webcam:ye,x:ke};function v(o){return It(Js[o],o)}function It(o,t){let e=document.createElement("template");e.innerHTML=o.slice(o.indexOf("<svg"));let s=e.content.firstElementChild;return s.setAttribute("class",`xnb-icon xnb-icon-${t}`),s.setAttribute("aria-hidden","true"),s.setAttribute("focusable","false"),s}var b={call:"Call",callWith:"Call with {}",duration:"Duration",isMuted:"{} is muted",pictureFrom:"Picture from {}",yourPicture:"Your picture",you:"You",yourCameraOff:"Your camera is off",rec:"REC {}",failed:"failed",ended:"ended",gone:"not live",clickForSound:"Click for sound",asking:"Asking this browser for your devices …",reconnecting:"Connection lost, trying again …",silentPython:"Python has not answered for a while.",kernelBusy:'Kernel busy, media paused: a cell is running. With xnb.call(…, loop="thread") calls go on meanwhile.',theirLevel:"Level of the sound from {}",yourLevel:"Level of your sound",controls:"Call controls",viewControls:"View"},x={nobody:"…",steps:"Steps so far",recordings:"Recordings",play:"Play",playFile:"Play {}",player:"Player of the recording",waiting:"Waiting for the first picture",cameraOff:"{}’s camera is off",audioCall:"Audio call",noPath:"The call goes on, but not on this page",failed:"The call failed",hangingUp:"Hanging up",durationWith:"{} with {}",callWith:"Call with {}",noKernel:"No kernel is behind this card. Run the cell to call."},g={mute:"Mute microphone",camera:"Turn camera off",pageOn:"Use this page’s {}",pageOff:"Stop using this page’s {}",cameraAndMicrophone:"camera and microphone",microphone:"microphone",devices:"Choose camera and microphone",deviceSound:"Choose microphone",screenOn:"Share your screen",screenOff:"Stop sharing your screen",record:"Record",hangup:"Hang up",cancel:"Cancel the call",sound:"Turn sound off",volume:"Volume",snapshot:"Save a snapshot",tiles:"Both pictures side by side",pip:"Picture in picture",full:"Full screen",stats:"Charts of the connection",withKey:"{} ({})"},T={menu:"Devices of this page",cameras:"Camera",microphones:"Microphone",camera:"Camera {}",microphone:"Microphone {}",noCamera:"No camera",noMicrophone:"No microphone",none:"This browser shows neither camera nor microphone."},_={title:"The last two minutes",bitrate:"Bitrate, kbps",received:"{} in",sent:"{} out",fps:"Pictures a second",rtt:"Round trip, ms",loss:"Loss, %",now:"{}: now {}",unknown:"–",ago:"{} s",sending:"sending {}",shown:"shown by {}",shownWhy:"shown by {}: {}",webrtc:"WebRTC",comm:"the notebook’s connection",jpeg:"single pictures"},N={noPip:"This browser did not open the small window.",noFull:"This browser did not give the full screen."};var y={noWebRtc:"This browser has no WebRTC.",noOffer:"This browser could not offer to receive the call.",badAnswer:"The kernel's answer could not be used.",noAnswer:"The kernel did not answer this page.",noPath:"WebRTC found no path from the kernel to this page.",noPathBefore:"WebRTC found no path from the kernel to this page a short while ago.",died:"The WebRTC path stopped carrying anything.",insecure:"This page is neither https nor localhost, so the browser offers no decoder (WebCodecs).",noWebCodecs:"This browser has no WebCodecs.",noCodec:"This browser cannot decode {}.",noVideoDecoding:"This browser could not decode {}.",noSoundDecoding:"This browser could not decode the sound.",forced:'Asked for with transport="{}".'},be={NotAllowedError:["This browser does not let the page use your {}.","Allow it in the address bar, then click again."],NotFoundError:["This computer has no {}.","Connect one, then click again."],NotReadableError:["Your {} could not be started.","Close other programs that use it, then click again."],OverconstrainedError:["The {} that was chosen is not connected any more.","Choose another one."]},xe={NotAllowedError:["No screen was shared: it was not allowed, or not chosen.","Share again and choose a screen, window or tab."],InvalidStateError:["Browsers share a screen only right after a click.","Click the button that shares the screen in the call's card."],NotSupportedError:["This browser cannot share a screen.","Use a browser on a desktop computer."],NotReadableError:["The screen could not be captured.","Allow the browser to record the screen in the system's settings."]},L={notSecure:{cause:"Browsers give cameras and microphones only to pages from https or localhost.",remedy:"Open JupyterLab at localhost, through an SSH tunnel if need be, or with https."},noStream:{cause:"The ipywebrtc widget gave no picture and no sound.",remedy:"Show it in a cell of its own first, and see whether it plays there."},lost:{cause:"The {} was disconnected, or its permission taken back.",remedy:"Connect it, or choose another one."},unknown:{cause:"Your {} could not be used ({}).",remedy:"Reload the page, then click again."},unknownError:"unknown error"};var u={callWith:"Group call with {}",alone:"Group call",status:"{}, {} people",people:"People",you:"You",nobody:"Nobody else is here yet",isHost:"{} is the host",youHost:"You are the host",isMuted:"{} is muted",youMuted:"You are muted",youSilenced:"The host has muted you",talks:"{}, talking",pictureOf:"Picture of {}",cameraOff:"Camera off",waiting:"Waiting for the picture",soundOnly:"Sound only for now",noPath:"Neither seen nor heard on this page. {}",nothingYet:"Sends nothing yet",ownLost:"This page's own camera and microphone cannot be used now. {}",more:"{}: volume, figures and more",pin:"Pin",unpin:"Unpin",pinOne:"Pin {}",unpinOne:"Unpin {}",full:"Full screen",leaveFull:"Leave full screen",fullOne:"{} on the full screen",volume:"Volume of {}",soundOff:"Turn off the sound of {}",silence:"Mute for everybody",unsilence:"Let everybody hear them again",remove:"Remove from the call",removeSure:"Click again to remove {}",figures:"Connection of {}",noFigures:"Reading …",others:"+{}",othersText:"{} more, whom you hear: show all in one size",invite:"Invite",inviteWhom:"Handles, with spaces between",joinWith:"Those you invited can also join with",copy:"Copy",copied:"Copied",copyLine:"Copy this line"};function f(o,...t){let e=0;return o.replace(/\{\}/g,()=>String(t[e++]??""))}function E(o,t,e,s,i){let n=c("button",{class:`xnb-button xnb-${o} ${t}`.trim(),type:"button","data-action":o,"aria-keyshortcuts":Lt[o]},v(s));return i&&n.append(v(i)),Pt(n,e),n}function Pt(o,t){let e=o.getAttribute("aria-keyshortcuts"),s=e?f(g.withKey,t,e):t;o.title!==s&&(o.title=s,o.setAttribute("aria-label",t))}function Se(o){let t=c("strong",{class:"xnb-title"}),e=c("span",{class:"xnb-status",role:"status","aria-live":"polite"}),s=c("span",{class:"xnb-flag",role:"img"},v("micOff")),i=c("span",{class:"xnb-rec-badge"}),n=c("time",{class:"xnb-time",title:b.duration});o.set("tiles",E("tiles","xnb-quiet",g.tiles,"columns")),o.set("pip",E("pip","xnb-quiet",g.pip,"pip")),o.set("full",E("full","xnb-quiet",g.full,"maximize","minimize"));let r=c("div",{class:"xnb-view",role:"group","aria-label":b.viewControls});for(let h of["tiles","pip","full"])r.append(o.get(h));return{head:c("header",{class:"xnb-head"},c("span",{class:"xnb-dot","aria-hidden":"true"}),t,e,s,c("span",{class:"xnb-gap"}),i,n,r),title:t,status:e,theirMic:s,rec:i,time:n,view:r}}function Me(o){o.set("mute",E("mute","",g.mute,"mic","micOff")),o.set("camera",E("camera","",g.camera,"video","videoOff")),o.set("page",E("page","",g.pageOn,"webcam","headset")),o.set("devices",E("devices","xnb-caret",g.devices,"chevronUp")),o.set("screen",E("screen","",g.screenOn,"screenShare","screenShareOff")),o.set("record",E("record","",g.record,"circle","square")),o.set("hangup",E("hangup","",g.hangup,"phone"));let t=c("div",{class:"xnb-main"});for(let[a,h]of o)["tiles","pip","full"].includes(a)||t.append(h);let e=E("sound","xnb-quiet",g.sound,"volume","volumeOff"),s=E("snapshot","xnb-quiet",g.snapshot,"camera");o.set("sound",e),o.set("snapshot",s);let i=c("input",{class:"xnb-volume",type:"range",min:"0",max:"1",step:"0.05",value:"1","aria-label":g.volume,title:g.volume}),n=c("span",{class:"xnb-side xnb-out"},e,i),r=c("div",{class:"xnb-bar",role:"toolbar","aria-label":b.controls},n,t,c("span",{class:"xnb-side xnb-more"},s));for(let a of r.querySelectorAll("button, input"))a.setAttribute("tabindex","-1");return{bar:r,out:n,volume:i}}var Zs=new Set(["tiles","pip","full"]),Ee="button, input",Y=class{constructor(t,e,s){this.session=t,this.ui=e,this.view=s;for(let[i,n]of e.buttons)i==="devices"||i==="stats"||n.addEventListener("click",()=>this.#t(i));e.volume.addEventListener("input",()=>t.setSound({volume:Number(e.volume.value),off:!1})),e.root.addEventListener("keydown",i=>this.#s(i))}#t(t){t==="sound"?this.session.setSound({off:!this.session.sound.off}):Zs.has(t)?this.view.toggle(t):this.session.command(t)}#s(t){let e=t.target;if(this.ui.player.contains(e))return;let s=[...this.ui.bar.querySelectorAll(Ee)].filter(a=>a.offsetParent&&!a.hasAttribute("disabled")),i=s.indexOf(e),n=e===this.ui.volume,r=i>=0?Gt(t.key,i,s.length):null;if(r!==null&&!(n&&t.key!=="Home"&&t.key!=="End"))this.#e(s[r]),t.preventDefault();else{let a=Wt(t);if(a){let h=this.ui.buttons.get(a);h&&!h.disabled&&h.offsetParent&&h.click(),t.preventDefault()}else if(!(e!==this.ui.root&&Kt.has(t.key)))return}t.stopPropagation()}#e(t){for(let e of this.ui.bar.querySelectorAll(Ee))e.setAttribute("tabindex","-1");t.setAttribute("tabindex","0"),t.focus()}update(t){let{session:e,ui:s}=this,i=t==="ended"||t==="failed"||t==="gone";m(s.bar,!i),m(s.view,!i),s.sound&&m(s.sound,!i&&t!=="steps"),s.out.classList.toggle("xnb-away",t==="steps");let n=!!e.value("has_video"),{capture:r,connected:a,reached:h}=e,l=r.active||r.asking;this.#i("mute",{pressed:e.value("muted"),enabled:a}),this.#i("camera",{pressed:!e.value("camera_on"),enabled:a,shown:n}),this.#i("page",{pressed:l,enabled:h||l}),this.#i("devices",{enabled:h}),this.#i("screen",{pressed:r.what.screen,enabled:h,shown:n&&Qs()}),this.#i("record",{pressed:e.value("recording"),enabled:a}),this.#i("sound",{pressed:e.sound.off}),this.#i("snapshot",{enabled:a&&(t==="video"||t==="grid"),shown:n});let{offers:d}=this.view;this.#i("tiles",{pressed:this.view.tiles,shown:d.tiles&&n&&a}),this.#i("pip",{pressed:this.view.pip,shown:d.pip&&t==="video"}),this.#i("full",{pressed:this.view.full,shown:d.full&&a}),this.#i("stats",{shown:a}),this.#n(n,l),Number(s.volume.value)!==e.sound.volume&&(s.volume.value=String(e.sound.volume)),s.bar.querySelectorAll('[tabindex="0"]:not([disabled])').length===0&&s.buttons.get(a?"mute":"hangup")?.setAttribute("tabindex","0")}#i(t,{pressed:e,enabled:s=!0,shown:i=!0}){let n=this.ui.buttons.get(t);n&&(e!==void 0&&n.setAttribute("aria-pressed",String(!!e)),n.disabled=!s,m(n,i))}#n(t,e){let{buttons:s}=this.ui,i=t?g.cameraAndMicrophone:g.microphone,n=(r,a)=>Pt(s.get(r),a);n("page",f(e?g.pageOff:g.pageOn,i)),n("devices",t?g.devices:g.deviceSound),n("screen",this.session.capture.what.screen?g.screenOff:g.screenOn),n("hangup",this.session.connected?g.hangup:g.cancel)}};function Qs(){return!window.isSecureContext||typeof navigator.mediaDevices?.getDisplayMedia=="function"}function Rt(o,t,e,s){let i=o.some(({id:r})=>r!==""&&r===t);return[...o.map(({id:r,label:a},h)=>({name:a||f(e,h+1),id:r,isChosen:t!==null&&(i?r===t:h===0)})),{name:s,id:null,isChosen:t===null}]}function ti(o,t,e){let s=(o.left+o.right)/2-t.width/2,i=Math.max(8,Math.min(s,e.width-t.width-8)),n=o.top-t.height-8,r=Math.min(o.bottom+8,e.height-t.height-8);return{left:i,top:n>=8?n:Math.max(8,r)}}function I(o,t,e){t.setAttribute("popover","auto"),o.popoverTargetElement=t,o.setAttribute("aria-expanded","false");let s=()=>{if(!t.isConnected){i(!1);return}let n=o.getBoundingClientRect(),r={width:document.documentElement.clientWidth,height:window.innerHeight},{left:a,top:h}=ti(n,{width:t.offsetWidth,height:t.offsetHeight},r);t.style.left=`${a}px`,t.style.top=`${h}px`},i=n=>{let r=n?window.addEventListener:window.removeEventListener;r("scroll",s,{capture:!0}),r("resize",s)};return t.addEventListener("toggle",n=>{let r=n.newState==="open";o.setAttribute("aria-expanded",String(r)),e(r),i(r),r&&s()}),s}var j=L.notSecure,ei=L.noStream;function Ae(o){let{cause:t,remedy:e}=L.lost;return{cause:f(t,o),remedy:e}}function Ce(o,t){if(t==="widget")return ei;let e=o instanceof Error||o instanceof DOMException?o.name:"",s=(t==="screen"?xe:be)[e];if(s)return{cause:f(s[0],t),remedy:s[1]};let{cause:i,remedy:n}=L.unknown;return{cause:f(i,t,e||L.unknownError),remedy:n}}var $=class{constructor(t,e,s){this.session=t,this.box=s,this.isOpen=!1,this.menu=c("div",{role:"menu","aria-label":T.menu}),this.words=c("p",{class:"xnb-small"}),s.append(this.menu,this.words),e.setAttribute("aria-haspopup","menu"),this.place=I(e,s,i=>{this.isOpen=i,i?this.#t(!0):s.contains(document.activeElement)&&e.focus()}),s.addEventListener("keydown",i=>this.#i(i))}update(){this.isOpen&&this.#t(!1)}async#t(t){let{capture:e}=this.session,{cameras:s,microphones:i}=await e.devices();if(!this.isOpen)return;let n=!!this.session.value("has_video"),{what:r}=e,a=this.#e.indexOf(document.activeElement),h=[];if(n&&s.length>0){let d=Rt(s,r.camera,T.camera,T.noCamera);h.push(this.#s(T.cameras,d,p=>e.switchTo({cameraId:p})))}if(i.length>0){let d=Rt(i,r.microphone,T.microphone,T.noMicrophone);h.push(this.#s(T.microphones,d,p=>e.switchTo({microphoneId:p})))}this.menu.replaceChildren(...h),this.menu.hidden=h.length===0;let l=window.isSecureContext?T.none:`${j.cause} ${j.remedy}`;this.words.textContent=h.length===0?l:"",this.words.hidden=h.length>0,this.place(),t?(this.#e.find(d=>d.ariaChecked==="true")??this.#e[0])?.focus():a>=0&&this.#e[Math.min(a,this.#e.length-1)]?.focus()}#s(t,e,s){let i=c("p",{class:"xnb-menu-head","aria-hidden":"true"},t),n=e.map(r=>{let a=c("button",{class:"xnb-item",type:"button",role:"menuitemradio",tabindex:"-1","aria-checked":String(r.isChosen)},v("check"),c("span",{},r.name));return a.addEventListener("click",()=>{this.session.wake(),s(r.id)}),a});return c("div",{role:"group","aria-label":t},i,...n)}get#e(){return[...this.menu.querySelectorAll("button")]}#i(t){t.stopPropagation();let e=this.#e,s=e.indexOf(t.target),i=e.length-1,n={ArrowDown:s<i?s+1:0,ArrowUp:s>0?s-1:i,Home:0,End:i}[t.key];if(n===void 0){t.key==="Tab"&&this.box.hidePopover();return}e[n]?.focus(),t.preventDefault()}};function Te({alive:o,state:t,hasVideo:e,cameraOff:s,frames:i,legState:n,failed:r}){return r?"failed":t==="ended"?"ended":o?t!=="connected"&&t!=="reconnecting"?"steps":n==="lost"?"no-path":e?s?"camera-off":i>0?"video":"wait":"audio":"gone"}function Bt(o){let t=Math.max(0,Math.floor(o)),e=n=>String(n).padStart(2,"0"),s=Math.floor(t/60)%60,i=Math.floor(t/3600);return`${i?`${i}:`:""}${e(s)}:${e(t%60)}`}function Oe(o){let t=/[\p{L}\p{N}]/u.exec(o);return t?t[0].toUpperCase():"?"}function _e(o){let t=7;for(let e of o)t=(t*31+(e.codePointAt(0)??0))%3600;return t%360}function Le(o){let t=o/1e3;return t<10?`${t.toFixed(1)} s`:`${Math.round(t)} s`}var Pe=["title","stages","failure","ended","recorded","saving"];function A(o){let t=c("div",{class:"xnb-ring"}),e=c("div",{class:"xnb-avatar","aria-hidden":"true"},t);return e.append(c("span",{},Oe(o))),e.style.setProperty("--xnb-hue",String(_e(o))),e}function q(o,t=""){let e=[c("p",{class:"xnb-words"},o)];return t&&e.push(c("p",{class:"xnb-small"},t)),e}function si(o){let t=c("ol",{class:"xnb-steps","aria-label":x.steps});return o.slice(-6).forEach(e=>{let s=c("span",{class:"xnb-mark"});e.done?s.append(v("check")):s.append(c("span",{class:"xnb-spinner"}));let i=c("span",{class:"xnb-at"},e.done?Le(e.at_ms):"");t.append(c("li",{"data-done":String(e.done)},s,c("span",{},e.text),i))}),t}function Ie(o){let t=o.value("recorded")??[],e=String(o.value("saving")??""),s=e?[c("p",{class:"xnb-small",role:"status"},e)]:[];if(!t.length)return s;let i=c("ul",{class:"xnb-files","aria-label":x.recordings});return t.forEach((n,r)=>{let a=/\.(wav|ogg|opus|mp3|m4a)$/i.test(n)?"fileAudio":"fileVideo",h=c("li",{},v(a),c("span",{},n));if(o.alive){let l=c("button",{class:"xnb-play",type:"button","aria-label":f(x.playFile,n)},v("play"),x.play);l.addEventListener("click",()=>o.play(r)),h.append(l)}i.append(h)}),[i,...s]}function Re(o,t){let e=String(t.value("title")||x.nobody);switch(o){case"steps":return[A(e),si(t.value("stages")??[])];case"wait":return[A(e),...q(x.waiting)];case"camera-off":return[A(e),...q(f(x.cameraOff,e))];case"audio":return[A(e),...q(e,x.audioCall)];case"no-path":return[A(e),...q(x.noPath,t.leg.why)];case"failed":{let s=t.value("failure")??{};return[c("div",{class:"xnb-badge xnb-bad","aria-hidden":"true"},v("alert")),c("div",{class:"xnb-text"},c("p",{class:"xnb-words"},s.title??x.failed),c("p",{},s.cause??""),c("p",{class:"xnb-remedy"},s.remedy??""),...Ie(t))]}case"ended":{let s=t.value("ended")??{},i=s.reason_text??x.hangingUp,n=s.duration_s>0?f(x.durationWith,s.duration,e):"";return[A(e),c("div",{class:"xnb-text"},c("p",{class:"xnb-words"},i),c("p",{class:"xnb-small"},n),...Ie(t))]}case"gone":return[A(e),c("div",{class:"xnb-text"},c("p",{class:"xnb-words"},f(x.callWith,e)),c("p",{class:"xnb-small"},x.noKernel))];default:return[]}}var X=class{constructor(t,e){this.model=t,this.box=e,this.shown="",this.view=null}async show(t){if(t===this.shown||(this.shown=t,this.view?.remove(),this.view=null,this.box.replaceChildren(),m(this.box,t!==""),!t))return;let e=this.model.widget_manager,s=await e.create_view(await e.get_model(t.replace("IPY_MODEL_","")));if(this.shown!==t){s.remove();return}this.view=s,this.box.replaceChildren(s.el)}};var ii={webrtc:_.webrtc,comm:_.comm,jpeg:_.jpeg};function Be({codec:o,size:t,fps:e,bitrate:s,rtt:i,loss:n,path:r,sending:a,shownBy:h,why:l}){let d=ii[h??""]??"",p=l?f(_.shownWhy,d,l):f(_.shown,d);return[[o,t,e].filter(Boolean).join(" "),s,i,n,r,d?p:"",a?f(_.sending,a):""].filter(S=>S!==void 0&&S!=="").map(String)}var ni=["codec","fps","bitrate","rtt","loss","path","sending"];function De(o,t,e,s=[]){let i={};for(let l of ni)i[l]=String(o.value(l)??"");let{path:n,why:r}=o.leg,a=[...s,...Be({...i,size:o.value("size")||e,shownBy:n,why:r})],h=a.join(`
`);t.dataset.drawn!==h&&(t.dataset.drawn=h,t.replaceChildren(...a.map(l=>c("span",{},l))))}var J=class{constructor(t,e){this.session=t,this.ui=e,this.recordSince=void 0}tick(){let{session:t,ui:e}=this,i=t.value("state")==="ended"?Number(t.value("ended")?.duration_s??0):t.duration;k(e.time,t.connected||i>0?Bt(i):"");let n=t.connected&&!!t.value("recording");m(e.rec,n),n?k(e.rec,f(b.rec,Bt(this.#t()))):this.recordSince=void 0}#t(){let t=Number(this.session.model.get("record_elapsed"))||0,e=performance.now()/1e3;return this.recordSince??=e-(this.session.model.get("recording")?t:0),e-this.recordSince}};var Z=class{constructor(t,e,s){this.root=t,this.video=e,this.hooks=s,this.tiles=!1,this.changed=()=>s.changed();for(let i of["enterpictureinpicture","leavepictureinpicture"])e?.addEventListener(i,this.changed);document.addEventListener("fullscreenchange",this.changed)}get offers(){return{tiles:this.video!==null,pip:this.video!==null&&document.pictureInPictureEnabled===!0,full:document.fullscreenEnabled===!0}}get pip(){return this.video!==null&&document.pictureInPictureElement===this.video}get full(){return document.fullscreenElement===this.root}async toggle(t){try{t==="tiles"?this.tiles=!this.tiles:t==="full"?await(this.full?document.exitFullscreen():this.root.requestFullscreen()):this.pip?await document.exitPictureInPicture():await this.video?.requestPictureInPicture()}catch{this.hooks.trouble(t==="full"?N.noFull:N.noPip)}this.hooks.changed()}leave(){this.pip&&document.exitPictureInPicture().catch(()=>{}),this.full&&document.exitFullscreen().catch(()=>{})}close(){this.leave(),document.removeEventListener("fullscreenchange",this.changed)}};var oi={failed:b.failed,ended:b.ended,gone:b.gone};function Ne(o,t){return oi[t]??String(o.value("state_text"))}function je(o,t){let{refusal:e,asking:s}=o.capture,i=o.value("state");return i==="ended"?"":i==="reconnecting"?b.reconnecting:o.busy?o.value("own_thread")?b.silentPython:b.kernelBusy:e?`${e.cause} ${e.remedy}`:s?b.asking:performance.now()<t.until?t.text:String(o.value("notice")||o.value("saving")||"")}var Q=1.3333333333333333,ri=1.5,F=4,ai=480,Fe={narrow:60,wide:84};function He(o){return Math.round(Math.min(600,Math.max(420,.63*o)))}function Ue(o,t,e){let s={columns:1,rows:Math.max(1,o),width:0,height:0},i=-1;for(let n=Math.max(1,o);n>=1;n--){let r=Math.max(1,Math.ceil(o/n));if(n>1&&Math.ceil(o/(n-1))===r)continue;let a=Math.floor((t-F*(n-1))/n),h=Math.floor((e-F*(r-1))/r),l=Math.max(1,Math.min(h,Math.round(a/Q))),d=Math.min(a,l*Q);if(d>i+.5){i=d;let p=Math.min(a,Math.round(l*ri));s={columns:n,rows:r,width:Math.max(1,p),height:l}}}return s}function Ve(o,t,e){let s=t<ai?Fe.narrow:Fe.wide,i={width:Math.round(s*Q),height:s},n=Math.max(1,Math.floor((t+F)/(i.width+F))),r=o>0?e-s-F:e;return{width:t,height:Math.max(1,Math.min(r,Math.round(t/Q))),small:i,fit:n}}var ze=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-copy"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <rect width="14" height="14" x="8" y="8" rx="2" ry="2" />
  <path d="M4 16c-1.1 0-2-.9-2-2V4c0-1.1.9-2 2-2h10c1.1 0 2 .9 2 2" />
</svg>
`;var We=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-crown"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M11.562 3.266a.5.5 0 0 1 .876 0L15.39 8.87a1 1 0 0 0 1.516.294L21.183 5.5a.5.5 0 0 1 .798.519l-2.834 10.246a1 1 0 0 1-.956.734H5.81a1 1 0 0 1-.957-.734L2.02 6.02a.5.5 0 0 1 .798-.519l4.276 3.664a1 1 0 0 0 1.516-.294z" />
  <path d="M5 21h14" />
</svg>
`;var Ge=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-ellipsis-vertical"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <circle cx="12" cy="12" r="1" />
  <circle cx="12" cy="5" r="1" />
  <circle cx="12" cy="19" r="1" />
</svg>
`;var Ke=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-pin"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M12 17v5" />
  <path d="M9 10.76a2 2 0 0 1-1.11 1.79l-1.78.9A2 2 0 0 0 5 15.24V16a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1v-.76a2 2 0 0 0-1.11-1.79l-1.78-.9A2 2 0 0 1 15 10.76V7a1 1 0 0 1 1-1 2 2 0 0 0 0-4H8a2 2 0 0 0 0 4 1 1 0 0 1 1 1z" />
</svg>
`;var Ye=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-pin-off"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M12 17v5" />
  <path d="M15 9.34V7a1 1 0 0 1 1-1 2 2 0 0 0 0-4H7.89" />
  <path d="m2 2 20 20" />
  <path d="M9 9v1.76a2 2 0 0 1-1.11 1.79l-1.78.9A2 2 0 0 0 5 15.24V16a1 1 0 0 0 1 1h11" />
</svg>
`;var $e=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-user-minus"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2" />
  <circle cx="9" cy="7" r="4" />
  <line x1="22" x2="16" y1="11" y2="11" />
</svg>
`;var qe=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-user-plus"
  xmlns="http://www.w3.org/2000/svg"
  width="24"
  height="24"
  viewBox="0 0 24 24"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
>
  <path d="M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2" />
  <circle cx="9" cy="7" r="4" />
  <line x1="19" x2="19" y1="8" y2="14" />
  <line x1="22" x2="16" y1="11" y2="11" />
</svg>
`;var mi={copy:ze,crown:We,invite:qe,more:Ge,pin:Ke,pinOff:Ye,remove:$e};function M(o){return It(mi[o],o)}function Xe(o,t){return o?`xnb.join("${o}"${t?", video=True":""})`:""}function Je(o){let t=o.split(/[\s,;]+/).map(e=>e.replace(/^@+/,""));return[...new Set(t.filter(e=>e!==""))]}var gi=6e4,tt=class{constructor(){this.text="",this.at=-1/0}send(t,e){Object.assign(this,{text:t,at:e})}refused(t){let e=t-this.at<gi?this.text:"";return this.text="",e}};var wi=2e3,et=class{constructor(t,e,s){this.session=t,this.box=s,this.input=c("input",{class:"xnb-invite-names",type:"text",autocomplete:"off",autocapitalize:"none",spellcheck:"false",maxlength:"600"});let i=c("label",{},c("span",{},u.inviteWhom),this.input),n=c("button",{class:"xnb-invite-send",type:"submit"},u.invite),r=c("form",{class:"xnb-invite-form"},i,n);this.sent=new tt,this.line=c("code"),this.copy=c("button",{class:"xnb-tile-button",type:"button","aria-label":u.copyLine,title:u.copyLine},M("copy")),this.said=c("span",{class:"xnb-small",role:"status"}),this.join=c("div",{class:"xnb-join"},c("p",{class:"xnb-small"},u.joinWith),c("div",{class:"xnb-join-row"},this.line,this.copy,this.said)),s.setAttribute("role","group"),s.setAttribute("aria-label",u.invite),s.append(r,this.join),s.addEventListener("keydown",a=>a.stopPropagation()),r.addEventListener("submit",a=>{a.preventDefault(),this.#t()}),this.copy.addEventListener("click",()=>this.#s()),this.place=I(e,s,a=>{a&&(this.session.askId(),this.update(),this.input.focus())})}#t(){let t=Je(this.input.value);t.length!==0&&(this.session.invite(t),this.sent.send(this.input.value,performance.now()),this.input.value="",this.box.hidePopover())}refused(){let t=this.sent.refused(performance.now());t&&!this.input.value.trim()&&(this.input.value=t)}async#s(){try{await navigator.clipboard.writeText(this.line.textContent??""),k(this.said,u.copied),setTimeout(()=>k(this.said,""),wi)}catch{getSelection()?.selectAllChildren(this.line)}}update(){let{id:t}=this.session;k(this.line,Xe(t,!!this.session.value("has_video"))),m(this.join,t!=="")}};function Ze(){let o=new Map,t=Se(o);for(let K of["tiles","pip"])o.get(K)?.remove(),o.delete(K);let e=c("button",{class:"xnb-invite-button",type:"button"},M("invite"),c("span",{},u.invite));t.view.before(e);let s=c("div",{class:"xnb-tiles",role:"group","aria-label":u.people}),i=c("button",{class:"xnb-tile xnb-others",type:"button"},c("span")),n=c("p",{class:"xnb-alone"},u.nobody);i.hidden=n.hidden=!0;let r=c("div",{class:"xnb-panel"}),a=c("button",{class:"xnb-unblock",type:"button"},v("volume"),b.clickForSound),h=c("p",{class:"xnb-note",role:"status","aria-live":"polite"}),l=c("div",{class:"xnb-stage xnb-group-stage"},s,r,n,a,h),d=Me(o),p=c("div",{class:"xnb-figures"}),w=c("footer",{class:"xnb-foot"},p),S=c("div",{class:"xnb-player-slot",role:"group","aria-label":x.player});S.hidden=!0;let C=c("div",{class:"xnb-pop xnb-menu"}),D=c("div",{class:"xnb-pop xnb-invite-box"});return{root:c("section",{class:"xnb-card xnb-group",role:"group",tabindex:"0"},t.head,l,d.bar,w,S,C,D),buttons:o,stage:l,tiles:s,others:i,alone:n,panel:r,unblock:a,note:h,foot:w,figures:p,player:S,menu:C,invite:D,inviteButton:e,...t,...d}}function Qe(o){return o.connected&&o.leg.state==="lost"?f(u.ownLost,o.leg.why).trim():""}var st=class{constructor(t,e,s){this.session=t,this.mirror=e,this.canvas=s}captured(){let{mirror:t}=this,{capture:e}=this.session,s=e.track("video")?e.stream:null,{screen:i,widget:n}=e.what;t.classList.toggle("xnb-as-is",i||n),t.srcObject!==s&&(t.srcObject=s),s&&t.play().catch(()=>{})}drawn(){let{picture:t}=this.session.thumbnail;if(!t)return!1;let{canvas:e}=this;return(e.width!==t.width||e.height!==t.height)&&(e.width=t.width,e.height=t.height),e.getContext("2d")?.drawImage(t,0,0),e.hidden}update(){let{session:t}=this,e=t.connected&&!!t.value("camera_on"),s=!!t.capture.track("video"),i=e&&!s&&t.thumbnail.picture!==null;return m(this.mirror,e&&s),m(this.canvas,i),e&&s||i}};var ts=4e3,it=class{constructor(t,e,s){this.session=t,this.tile=e,this.isOpen=!1,this.sureUntil=0,this.box=c("div",{class:"xnb-pop xnb-menu xnb-tile-menu",role:"group"}),this.head=c("p",{class:"xnb-menu-head"}),this.off=c("button",{class:"xnb-tile-button",type:"button"},v("volume"),v("volumeOff")),this.volume=c("input",{class:"xnb-slider",type:"range",min:"0",max:"1",step:"0.05"}),this.pin=this.#t(M("pin")),this.full=this.#t(v("maximize")),this.silence=this.#t(v("micOff")),this.remove=this.#t(M("remove")),this.figures=c("ul",{class:"xnb-person-figures"}),this.box.append(this.head,c("div",{class:"xnb-person-sound"},this.off,this.volume),this.pin.button,this.full.button,this.silence.button,this.remove.button,this.figures),this.#s(),this.place=I(s,this.box,i=>{this.isOpen=i,this.sureUntil=0,(i||t.figures.key===e.key)&&t.watch(i?e.key:""),i?this.update():this.box.contains(document.activeElement)&&s.focus()})}#t(t){let e=c("span");return{button:c("button",{class:"xnb-item",type:"button"},t,e),text:e}}#s(){let{session:t,tile:e}=this,{key:s}=e;this.box.addEventListener("keydown",i=>i.stopPropagation()),this.volume.addEventListener("input",()=>{t.wake(),t.setVolume(s,{volume:Number(this.volume.value),off:!1})}),this.off.addEventListener("click",()=>t.setVolume(s,{off:!t.volumeOf(s).off})),this.pin.button.addEventListener("click",()=>e.card.pin(s)),this.full.button.addEventListener("click",()=>e.toggleFull()),this.silence.button.addEventListener("click",()=>t.host("silence",s,!t.person(s)?.silenced)),this.remove.button.addEventListener("click",()=>this.#e())}#e(){if(performance.now()<this.sureUntil){this.session.host("remove",this.tile.key),this.box.hidePopover();return}this.sureUntil=performance.now()+ts,setTimeout(()=>this.update(),ts+50),this.update()}update(){if(!this.isOpen)return;let{session:t,tile:e}=this,s=t.person(e.key);if(!s){this.box.hidePopover();return}let{name:i}=s,{volume:n,off:r}=t.volumeOf(e.key);this.box.setAttribute("aria-label",i),k(this.head,i),this.off.setAttribute("aria-pressed",String(r)),this.off.setAttribute("aria-label",f(u.soundOff,i)),this.off.title=f(u.soundOff,i),this.volume.setAttribute("aria-label",f(u.volume,i)),this.volume.title=f(u.volume,i),Number(this.volume.value)!==n&&(this.volume.value=String(n)),k(this.pin.text,e.card.pinned===e.key?u.unpin:u.pin),k(this.full.text,e.isFull?u.leaveFull:u.full),m(this.full.button,document.fullscreenEnabled===!0);let a=!!t.value("is_host");m(this.silence.button,a),m(this.remove.button,a),this.silence.button.disabled=s.muted&&!s.silenced,k(this.silence.text,s.silenced?u.unsilence:u.silence);let h=performance.now()<this.sureUntil;k(this.remove.text,h?f(u.removeSure,i):u.remove),this.#i(i),this.place()}#i(t){let{key:e,figures:s}=this.session.figures,i=e===this.tile.key&&s.length>0?s:[u.noFigures],n=i.join(`
`);this.figures.dataset.drawn!==n&&(this.figures.dataset.drawn=n,this.figures.setAttribute("aria-label",f(u.figures,t)),this.figures.replaceChildren(...i.map(r=>c("li",{},r))))}close(){this.isOpen&&this.box.hidePopover()}};function Dt(o,...t){return c("button",{class:`xnb-tile-button xnb-tile-${o}`,type:"button",tabindex:"-1"},...t)}function H(o,t){o.title!==t&&(o.title=t,o.setAttribute("aria-label",t))}var nt=class{constructor(t,e){this.card=t,this.key=e.key,this.hasPicture=!1,this.place="",this.drawnName=e.name,this.video=c("video",{class:"xnb-tile-video",playsinline:"",autoplay:""}),this.video.muted=!0,this.words=c("p",{class:"xnb-small"}),this.face=c("div",{class:"xnb-face"},A(e.name),this.words),this.name=c("span",{class:"xnb-tile-name"}),this.crown=c("span",{class:"xnb-mark-host",role:"img"},M("crown")),this.mic=c("span",{class:"xnb-mark-muted",role:"img"},v("micOff")),this.pinButton=Dt("pin",M("pin"),M("pinOff")),this.fullButton=Dt("full",v("maximize"),v("minimize")),this.moreButton=Dt("more",M("more")),this.moreButton.tabIndex=0;let s=c("div",{class:"xnb-tile-bar"},this.pinButton,this.fullButton,this.moreButton),i=c("div",{class:"xnb-tile-foot"},this.crown,this.name,this.mic);this.menu=new it(t.session,this,this.moreButton),this.root=c("div",{class:"xnb-tile",role:"group","data-key":e.key},this.video,this.face,i,s,this.menu.box),this.pinButton.addEventListener("click",()=>t.pin(this.key)),this.fullButton.addEventListener("click",()=>this.toggleFull()),this.root.addEventListener("dblclick",n=>{(n.target===this.video||this.face.contains(n.target))&&t.pin(this.key)}),this.video.requestVideoFrameCallback?.(()=>this.#t()),this.streamChanged()}get isFull(){return document.fullscreenElement===this.root}async toggleFull(){try{await(this.isFull?document.exitFullscreen():this.root.requestFullscreen())}catch{this.card.trouble(N.noFull)}}#t(){this.hasPicture=!0,this.card.update()}streamChanged(){let t=this.card.session.ladders.get(this.key)?.stream??null,e=!t||t.getTracks().length===0;e&&this.video.srcObject?(this.video.srcObject=null,this.hasPicture=!1,this.video.requestVideoFrameCallback?.(()=>this.#t())):!e&&this.video.srcObject!==t&&(this.video.srcObject=t),this.video.srcObject&&this.play()}async play(){let{session:t}=this.card;this.#s();try{await this.video.play()}catch(e){if(!(e instanceof DOMException)||e.name!=="NotAllowedError"||this.video.muted)return;t.sound.blocked=!0,t.update(),this.video.play().catch(()=>{})}}#s(){let{session:t}=this.card,{volume:e,off:s}=t.volumeOf(this.key),i=t.speaker===this.card&&!t.sound.blocked;this.video.muted=!i||t.sound.off||s,this.video.volume=t.sound.volume*e}update(t,e){let{session:s}=this.card,{dataset:i}=this.root,{name:n}=t,r=s.ladders.get(this.key)?.state??"idle",a=t.camera&&t.pictures&&this.hasPicture&&r!=="lost";i.talking=String(t.talking),i.speaker=String(e),i.picture=String(a),i.muted=String(t.muted),this.root.setAttribute("aria-label",t.talking?f(u.talks,n):n),this.video.setAttribute("aria-label",f(u.pictureOf,n)),k(this.name,n),this.drawnName!==n&&(this.drawnName=n,this.face.firstElementChild?.replaceWith(A(n))),H(this.crown,f(u.isHost,n)),H(this.mic,f(u.isMuted,n)),m(this.crown,t.host),m(this.mic,t.muted),m(this.face,!a),k(this.words,this.#e(t,r)),this.face.title!==this.words.textContent&&(this.face.title=this.words.textContent??"");let h=this.card.pinned===this.key;this.pinButton.setAttribute("aria-pressed",String(h)),H(this.pinButton,f(h?u.unpinOne:u.pinOne,n)),this.fullButton.setAttribute("aria-pressed",String(this.isFull)),H(this.fullButton,this.isFull?u.leaveFull:f(u.fullOne,n)),m(this.fullButton,document.fullscreenEnabled===!0),H(this.moreButton,f(u.more,n)),this.#s(),this.menu.update()}#e(t,e){let s=this.card.session.ladders.get(this.key)?.why??"";return e==="lost"?f(u.noPath,s).trim():e==="waiting"?u.nothingYet:this.card.session.value("has_video")?t.camera?t.pictures?u.waiting:u.soundOnly:u.cameraOff:""}put(t){let e=JSON.stringify(t);e!==this.place&&(this.place=e,t?Nt(this.root,t):this.#i(()=>this.menu.close()),m(this.root,t!==null))}#i(t){let e=this.root.contains(document.activeElement);t(),e&&this.card.ui.root.focus({preventScroll:!0})}get height(){let t=document.fullscreenElement;return this.root.hidden||t&&t!==this.root&&!t.contains(this.root)?0:Math.round(this.root.clientHeight*(window.devicePixelRatio||1))}close(){this.isFull&&document.exitFullscreen().catch(()=>{}),this.video.srcObject=null,this.#i(()=>{this.menu.close(),this.root.remove()})}};function Nt(o,{width:t,height:e}){o.style.width=`${t}px`,o.style.height=`${e}px`,o.dataset.size=e<110?"small":e<200?"middle":"large"}var ot=class{constructor(t){this.peaks=new Float32Array(t),this.next=0}push(t){this.peaks[this.next]=Math.min(1,Math.max(0,t)),this.next=(this.next+1)%this.peaks.length}at(t){return this.peaks[(this.next+t)%this.peaks.length]}get latest(){return this.at(this.peaks.length-1)}};function es(o){let t=0;for(let e=0;e<o.length;e++){let s=Math.abs(o[e]);s>t&&(t=s)}return t}function ss(o){if(o<=0)return 0;let t=20*Math.log10(o);return Math.min(1,Math.max(0,1-t/-60))}var vi=.45,yi=500,rt=class{constructor(t){this.session=t,this.loudAt=-1/0,this.place="";let e=c("video",{class:"xnb-tile-video xnb-tile-mirror",playsinline:"",autoplay:"","aria-label":b.yourPicture});e.muted=!0;let s=c("canvas",{class:"xnb-tile-video xnb-tile-self",role:"img","aria-label":b.yourPicture,width:"4",height:"3"});this.picture=new st(t,e,s),this.words=c("p",{class:"xnb-small"},b.yourCameraOff),this.face=c("div",{class:"xnb-face"},A(u.you),this.words),this.crown=is("host",u.youHost,M("crown")),this.mic=is("muted",u.youMuted,v("micOff")),this.root=c("div",{class:"xnb-tile xnb-own-tile",role:"group","aria-label":u.you},e,s,this.face,c("div",{class:"xnb-tile-foot"},this.crown,c("span",{class:"xnb-tile-name"},u.you),this.mic))}update(){let{session:t}=this,e=!!t.value("muted_by_host"),s=!!t.value("muted")||e,i=this.picture.update();m(this.face,!i),m(this.words,!!t.value("has_video")&&!t.value("camera_on")),m(this.crown,!!t.value("is_host")),m(this.mic,s),this.mic.title=e?u.youSilenced:u.youMuted,this.mic.setAttribute("aria-label",this.mic.title),this.root.dataset.picture=String(i),this.root.dataset.muted=String(s)}drawSound(){let t=performance.now();ss(this.session.ownLevel)>vi&&(this.loudAt=t),this.#t(t-this.loudAt<yi)}stopSound(){this.loudAt=-1/0,this.#t(!1)}#t(t){let e=String(t);this.root.dataset.talking!==e&&(this.root.dataset.talking=e)}put(t){let e=JSON.stringify(t);e!==this.place&&(this.place=e,Nt(this.root,t))}};function is(o,t,e){return c("span",{class:`xnb-mark-${o}`,role:"img","aria-label":t,title:t},e)}function ki(o,t,e){let s=new Map(o.map((d,p)=>[d,p])),i=d=>s.get(d)??-1,n=e===void 0||!s.has(e),r=t.indexOf(e),a=t.filter((d,p)=>n||d===e||i(d)<i(e)==p<r),h=[];for(let d of a){let p=[];for(let w of h)i(w.at(-1))<i(d)&&w.length>p.length&&(p=w);h.push([...p,d])}let l=[];for(let d of h)d.length>l.length&&(l=d);return new Set(l)}function ns(o,t){let e=[...o.children];if(t.every((h,l)=>h===e[l]))return;let{fullscreenElement:s,activeElement:i}=document,n=t.find(h=>s&&h.contains(s))??t.find(h=>h.contains(i)),r=ki(e,t,n),a=null;for(let h of[...t].reverse())r.has(h)||o.insertBefore(h,a),a=h}var bi=6e3,xi=15e3,at=class{constructor(t,e){this.session=t,this.inView=!1,this.pinned="",this.drawnPanel="",this.troubled={text:"",until:0},this.drawnLost="",this.tiles=new Map,this.charts=null;let s=this.ui=Ze();this.view=new Z(s.root,null,{changed:()=>this.update(),trouble:n=>this.trouble(n)}),this.own=new rt(t),s.tiles.append(s.others,this.own.root),this.times=new J(t,s),this.player=new X(t.model,s.player),this.controls=new Y(t,s,this.view);let i=s.buttons.get("devices");this.devices=new $(t,i,s.menu),this.invite=new et(t,s.inviteButton,s.invite),e.classList.add("xnb"),e.append(s.root),s.unblock.addEventListener("click",()=>t.wake()),s.others.addEventListener("click",()=>this.#t()),this.resized=new ResizeObserver(()=>this.#r()),this.resized.observe(s.stage),this.observer=new IntersectionObserver(n=>{this.inView=n[n.length-1].isIntersecting,this.inView||this.own.stopSound(),t.seen(),t.sized()}),this.observer.observe(s.root),t.add(this),this.selfChanged()}trouble(t){this.troubled={text:t,until:performance.now()+bi},this.update()}pin(t){this.pinned=this.pinned===t?"":t,this.update()}#t(){let t=[...this.tiles.values()].filter(({root:i})=>i.hidden);this.pinned="",this.update();let e=t.map(({key:i})=>i),s=this.session.order.keys.find(i=>e.includes(i));(this.tiles.get(s??"")?.moreButton??this.ui.root).focus()}heightOf(t){return this.tiles.get(t)?.height??0}personChanged(t){this.tiles.get(t)?.streamChanged()}figuresChanged(){for(let t of this.tiles.values())t.menu.update()}selfChanged(){this.own.picture.captured(),this.devices.update(),this.update()}drawThumbnail(){this.own.picture.drawn()&&this.update()}drawSound(){this.own.drawSound()}play(){for(let t of this.tiles.values())t.play()}streamChanged(){}update(){let{session:t,ui:e}=this,s=String(t.value("state")),i=Te({alive:t.alive,state:s,frames:0,hasVideo:!1,cameraOff:!1,legState:"",failed:Object.keys(t.value("failure")??{}).length>0}),n=i==="audio"?"grid":i,r=["failed","ended","gone"].includes(n),{dataset:a}=e.root;a.state=s,a.mode=n,a.transport=t.leg.path||"none",a.video=String(!!t.value("has_video")),a.recording=String(!!t.value("recording")),this.#e(n),this.#i(n),this.#n(n),this.controls.update(n),this.own.update(),this.#s(),m(e.foot,t.connected&&t.alive),r&&this.view.leave(),this.player.show(r?String(t.model.get("player")??""):""),this.tick()}#s(){let{session:t,ui:e}=this,s=Qe(t);s&&s!==this.drawnLost&&(this.troubled={text:s,until:performance.now()+xi}),this.drawnLost=s,De(t,e.figures,"",s?[s]:[])}#e(t){let{session:e,ui:s}=this,i=String(e.value("title")||u.alone),n=Ne(e,t),r=e.people.length+1;k(s.title,i),k(s.status,t==="grid"&&r>1?f(u.status,n,r):n),s.root.setAttribute("aria-label",f(u.callWith,i)),m(s.theirMic,!1);let a=!!e.value("is_host")&&t==="grid";m(s.inviteButton,a),a?this.invite.update():s.invite.matches(":popover-open")&&s.invite.hidePopover()}#i(t){let{session:e,ui:s}=this,i=Pe.map(r=>e.value(r)),n=JSON.stringify([t,e.leg.why,e.alive,i]);n!==this.drawnPanel&&(this.drawnPanel=n,s.panel.replaceChildren(...Re(t,e))),m(s.panel,t!=="grid"),m(s.tiles,t==="grid"),m(s.unblock,e.sound.blocked&&e.connected)}#n(t){let{session:e,ui:s,tiles:i}=this,n=t==="grid"?e.people:[],r=new Set(n.map(({key:h})=>h));for(let[h,l]of i)r.has(h)||(l.close(),i.delete(h));r.has(this.pinned)||(this.pinned="");let{speaker:a}=e.order;for(let h of n){let l=i.get(h.key);l||(l=new nt(this,h),i.set(h.key,l),this.own.root.before(l.root)),l.update(h,h.key===a)}m(s.alone,t==="grid"&&n.length===0),this.#r()}#r(){let{session:t,ui:e,tiles:s}=this,i=e.tiles.clientWidth;if(i===0){t.sized();return}let n=this.view.full?e.stage.clientHeight:He(i),r=s.has(this.pinned);e.root.dataset.layout=r?"pinned":"grid",r?this.#a(i,n):this.#o(i,n),t.sized()}#o(t,e){let{session:s,ui:i,tiles:n}=this,r=Si(Ue(n.size+1,t,e)),a=s.order.places(n.size);for(let h of a)n.get(h)?.put(r);this.own.put(r),m(i.others,!1),this.#h(a)}#a(t,e){let{session:s,ui:i,tiles:n}=this,r=n.size-1,{small:a,fit:h,...l}=Ve(r+1,t,e),d=r<=h-1?r:Math.max(0,h-2),p=s.order.places(d,this.pinned);if(n.get(this.pinned)?.put(l),p.forEach((S,C)=>n.get(S)?.put(C<d?a:null)),this.own.put(a),m(i.others,r>d),this.#h([this.pinned,...p]),r<=d)return;let w=f(u.othersText,r-d);i.others.setAttribute("aria-label",w),i.others.title=w,i.others.style.cssText=`width: ${a.width}px; height: ${a.height}px`,k(i.others.firstElementChild,f(u.others,r-d))}#h(t){let{ui:e,own:s,tiles:i}=this,n=t.flatMap(r=>i.get(r)?.root??[]);ns(e.tiles,[...n,e.others,s.root])}tick(){this.times.tick();let t=je(this.session,this.troubled);k(this.ui.note,t),m(this.ui.note,t!=="")}keepPicture(t){let{left:e,top:s,width:i,height:n}=this.ui.tiles.getBoundingClientRect(),r=[...this.tiles.values()].filter(({root:a})=>a.dataset.picture==="true"&&!a.hidden).map(({root:a,video:h})=>{let l=a.getBoundingClientRect();return{video:h,left:l.left-e,top:l.top-s,width:l.width,height:l.height}});r.length>0&&t.keepAll(r,{width:i,height:n})}close(){this.observer.disconnect(),this.resized.disconnect(),this.inView=!1;for(let t of this.tiles.values())t.close();this.tiles.clear(),this.player.show(""),this.view.close(),this.session.remove(this),this.ui.root.remove()}};function Si({width:o,height:t}){return{width:o,height:t}}var ht=class{constructor(t){this.session=t,this.announced=null}tell(t){let{capture:e,leg:s}=this.session;if(!e.asking)if(e.active){if(s.state!=="connected"||!t&&this.announced===s.link)return;this.announced=s.link,this.#t()}else this.announced&&(this.announced=null,this.#t())}#t(){let{capture:t,page:e,kernel:s,media:i}=this.session,{screen:n,widget:r}=t.what,[a,h]=[t.track("video"),t.track("audio")];s.tell(i,{type:"captured",page:e,screen:n,widget:r,camera:a!==null,microphone:h!==null})}async heard({page:t,type:e,request:s,wish:i,kinds:n}){let{capture:r,kernel:a,media:h}=this.session;t===this.session.page&&(e==="release"?(this.announced=null,r.drop(n??["audio","video"])):await r.start(i??{})||a.tell(h,{type:"captured",page:t,request:s,refused:r.refusal}))}};function os(o){let t=o.canvas;if(!t)return o;let e=document.createElement("canvas"),s=e.getContext("2d"),[i]=e.captureStream(15).getVideoTracks(),n=setInterval(()=>{i.readyState==="ended"?(clearInterval(n),o.stop()):t.width>0&&t.height>0&&(e.width!==t.width&&(e.width=t.width),e.height!==t.height&&(e.height=t.height),s?.drawImage(t,0,0))},1e3/15);return i}var Mi=480,Ei=30,Ai=15,Ci=1e4,O=class extends Error{constructor(t,e){super(t),this.what=t,this.cause=e}};function rs({camera:o,microphone:t}){return o&&t?"camera or microphone":o?"camera":"microphone"}function Ti(o){return(o instanceof Error||o instanceof DOMException)&&o.name==="NotFoundError"}async function jt(o,t,e){let s=Math.min(Mi,e.height),i=Math.min(Ei,e.fps),{cameraId:n,microphoneId:r}=t,a=t.camera&&{height:{ideal:s},width:{ideal:Math.round(s*4/3)},frameRate:{ideal:i,max:i},...n&&{deviceId:{exact:n}}},h=t.microphone&&(r?{deviceId:{exact:r}}:!0),l=async d=>(await o.getUserMedia(d)).getTracks();try{return await l({audio:h||!1,video:a||!1})}catch(d){if(!Ti(d)||!a||!h)throw new O(rs(t),d)}try{return await l({audio:h,video:!1})}catch{return l({audio:!1,video:a}).catch(d=>{throw new O(rs(t),d)})}}async function as(o,t){try{if(!o.getDisplayMedia)throw new DOMException("","NotSupportedError");let s=(await o.getDisplayMedia({audio:!1,video:{height:{max:t.height},frameRate:{ideal:Math.min(Ai,t.fps),max:t.fps}}})).getTracks();for(let i of s)i.contentHint="detail";return s}catch(e){throw new O("screen",e)}}async function hs(o,t,e=Ci){let s,i=new Promise((r,a)=>{s=setTimeout(()=>a(new DOMException("","TimeoutError")),e)}),n=async()=>(await t(o.replace("IPY_MODEL_",""))).stream;try{let a=(await Promise.race([n(),i])).getTracks().map(h=>{let l=os(h);return l===h?h.clone():l});if(a.length===0)throw new DOMException("","NotFoundError");return a}catch(r){throw new O("widget",r)}finally{clearTimeout(s)}}var cs=1080,Ft=30,ct=class{constructor(t){this.hooks=t,this.stream=null,this.refusal=null,this.limits={height:cs,fps:Ft},this.on={audio:!0,video:!0},this.pieces=new Map,this.turn={audio:0,video:0},this.asked=new Set,this.chosen={cameraId:"",microphoneId:""},this.cameraBefore=!1,this.onDevices=()=>this.hooks.changed(),this.#t?.addEventListener?.("devicechange",this.onDevices)}get#t(){return this.hooks.devices?this.hooks.devices():globalThis.navigator?.mediaDevices}get active(){return this.stream!==null}get asking(){return this.asked.size>0}get what(){let[t,e]=[this.pieces.get("video"),this.pieces.get("audio")],s=i=>i.track.getSettings?.().deviceId??"";return{camera:t?.origin==="camera"?s(t):null,microphone:e?.origin==="microphone"?s(e):null,screen:t?.origin==="screen",widget:t?.origin==="widget"||e?.origin==="widget"}}async devices(){let t=this.#t,e=t?await t.enumerateDevices().catch(()=>[]):[],s=i=>e.filter(n=>n.kind===i).map(({deviceId:n,label:r})=>({id:n,label:r}));return{cameras:s("videoinput"),microphones:s("audioinput"),screen:typeof t?.getDisplayMedia=="function"}}limit(t,e){this.limits={height:t||cs,fps:Math.min(Ft,e||Ft)}}track(t){return this.pieces.get(t)?.track??null}async start(t){let{camera:e,microphone:s,screen:i,model:n}=t;if(this.refusal=null,n){let d=this.hooks.findModel??(()=>Promise.reject(new Error("no widgets here")));return this.#i(["audio","video"],"widget",()=>hs(n,d))}let r={cameraId:t.cameraId||this.chosen.cameraId,microphoneId:t.microphoneId||this.chosen.microphoneId},a=!0;i&&(a=await this.#i(["video"],"screen",d=>as(d,this.limits)));let h={camera:!!(e&&!i&&!this.#e("camera",t.cameraId)),microphone:!!(s&&!this.#e("microphone",t.microphoneId))};if(!a||!h.camera&&!h.microphone)return a;let l=[];return h.microphone&&l.push("audio"),h.camera&&l.push("video"),this.#i(l,"camera",async d=>{let p={...h,...r};try{return await jt(d,p,this.limits)}catch(w){if(t.cameraId||t.microphoneId||!(r.cameraId||r.microphoneId))throw w;return jt(d,h,this.limits)}})}async switchTo({cameraId:t,microphoneId:e,screen:s}){if(s===!0)return this.start({screen:s});if(s===!1)return this.#s();t===null&&this.drop(["video"]),e===null&&this.drop(["audio"]);let i={camera:typeof t=="string",microphone:typeof e=="string",cameraId:t,microphoneId:e};if(!i.camera&&!i.microphone)return!0;let n=await this.start(i);return n&&typeof t=="string"&&(this.chosen.cameraId=t),n&&typeof e=="string"&&(this.chosen.microphoneId=e),n}async#s(){return!this.what.screen||this.cameraBefore&&await this.start({camera:!0})||this.drop(["video"]),!0}#e(t,e){let s=this.pieces.get(t==="camera"?"video":"audio");return s?.origin!==t?!1:!e||s.track.getSettings?.().deviceId===e}async#i(t,e,s){let i=this.#t,n=(this.hooks.isSecure??(()=>window.isSecureContext))();if(e!=="widget"&&(!n||!i))return this.refusal=j,this.hooks.changed(),!1;let r=t.map(p=>++this.turn[p]);for(let p of t)this.asked.add(p);this.hooks.changed();let a=[],h=null;try{a=await s(i)}catch(p){let w=p instanceof O?p.cause:p;h=Ce(w,p instanceof O?p.what:"camera")}let l=t.filter((p,w)=>this.turn[p]===r[w]);for(let p of l)this.asked.delete(p);l.length>0&&h&&(this.refusal=h);let d=!1;for(let p of a){let w=p.kind;l.includes(w)?(this.#n(w,p,w==="audio"&&e==="camera"?"microphone":e),d=!0):p.stop()}return this.#o(),d}#n(t,e,s){let i=this.pieces.get(t);s==="screen"?this.cameraBefore||=i?.origin==="camera":t==="video"&&(this.cameraBefore=!1),i&&ls(i.track),this.pieces.set(t,{track:e,origin:s}),e.enabled=this.on[t],e.onended=()=>this.#r(t,e)}#r(t,e){let s=this.pieces.get(t);if(s?.track===e){if(s.origin==="screen"){this.#s();return}this.refusal=Ae(s.origin),this.drop([t])}}drop(t){for(let e of t){this.turn[e]+=1,this.asked.delete(e);let s=this.pieces.get(e);s&&ls(s.track),this.pieces.delete(e),e==="video"&&(this.cameraBefore=!1)}this.#o()}#o(){let t=this.hooks.makeStream??(s=>new MediaStream(s)),e=[...this.pieces.values()].map(s=>s.track);this.stream=e.length>0?t(e):null,this.hooks.changed()}setOn(t){this.on=t;for(let[e,{track:s}]of this.pieces)s.enabled=t[e]}stop(){(this.active||this.asking)&&this.drop(["audio","video"])}close(){this.stop(),this.#t?.removeEventListener?.("devicechange",this.onDevices)}};function ls(o){o.onended=null,o.stop()}var Oi=["restarting","autorestarting","terminating","dead"],lt=class{constructor(t,e=()=>performance.now()){this.model=t,this.now=e,this.heardAt=e()}hear(){this.heardAt=this.now()}get isSilent(){return this.now()-this.heardAt>3e3}get isEnding(){return Oi.includes(this.model.widget_manager?.kernel?.status??"")}tell(t,e,s){try{t?.send(e,void 0,s)}catch{}}};var P=class{constructor(){this.offset=null,this.seen=0,this.latest=-1/0}time(t,e){let s=e-t;return this.offset===null||Math.abs(s-this.offset)>250?this.offset=s:this.offset=Math.min(s,this.offset+1e-4*Math.max(0,e-this.seen)),this.seen=e,this.latest=Math.max(t+this.offset,this.latest+.1),this.latest}};var _i=3,Li={vp8:"vp8",h264:"avc1.42e01f"};function Ii(o,t){let e=globalThis.MediaStreamTrackProcessor,s=!0;if(e){let r=new e({track:o,maxBufferSize:2}).readable.getReader();return(async()=>{for(;s;){let{done:h,value:l}=await r.read();if(h)return;s?t(l):l.close()}})().catch(()=>{}),()=>{s=!1,r.cancel().catch(()=>{})}}let i=document.createElement("video");i.muted=!0,i.srcObject=new MediaStream([o]);let n=()=>i.requestVideoFrameCallback((r,{mediaTime:a})=>{s&&(t(new VideoFrame(i,{timestamp:Math.round(1e6*a)})),n())});return n(),i.play().catch(()=>{}),()=>{s=!1,i.srcObject=null}}var dt=class{constructor(t,e,s){this.track=t,this.limits={...e},this.hooks=s,this.line=new P,this.encoder=null,this.codec="",this.size="",this.key=!0,this.last=-1/0,this.errors=0,this.figures={seen:0,held:0,slow:0,encoded:0},this.stop=Ii(t,i=>{try{this.#t(i)}finally{i.close()}})}limit(t){let e=t.codec!==this.limits.codec||t.bitrate!==this.limits.bitrate;this.limits={...t},e&&(this.size="")}needKey(){this.key=!0}#t(t){let e=performance.now();if(this.figures.seen+=1,e-this.last<700/this.limits.fps)return;if(!this.hooks.hasRoom()){this.figures.held+=1;return}let s=this.#s(t);if(!s||s.encodeQueueSize>=_i){this.figures.slow+=1;return}this.last=e;let i=this.line.time(t.timestamp/1e3,e),n=new VideoFrame(t,{timestamp:Math.round(1e3*i)});try{s.encode(n,{keyFrame:this.key}),this.key=!1}finally{n.close()}}#s(t){let[e,s]=[t.displayWidth&-2,t.displayHeight&-2],i=`${e}x${s} ${this.limits.codec}`;if(this.encoder&&this.encoder.state==="configured"&&this.size===i)return this.encoder;if(this.errors>=3)return null;let{codec:n}=this.limits;this.encoder&&this.codec!==n&&this.encoder.state!=="closed"&&this.encoder.close(),(!this.encoder||this.encoder.state==="closed")&&(this.encoder=this.#e(n)),this.size=i;let r={codec:Li[n]??"vp8",width:e,height:s,bitrate:this.limits.bitrate,framerate:this.limits.fps,latencyMode:"realtime"};return n==="h264"&&(r.avc={format:"annexb"}),this.encoder.configure(r),this.encoder}#e(t){return this.key=!0,this.codec=t,new VideoEncoder({output:e=>{let s=new Uint8Array(e.byteLength);e.copyTo(s),this.errors=0,this.figures.encoded+=1,this.hooks.give({codec:t,isKey:e.type==="key",time:e.timestamp/1e3,data:s})},error:()=>{this.errors+=1,this.encoder=null}})}close(){this.stop(),this.encoder&&this.encoder.state!=="closed"&&this.encoder.close(),this.encoder=null,this.errors=3}};var U=48e3,ds=960,Pi=32e3,Ri=`registerProcessor("xnb-microphone", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Float32Array(${ds});
    this.at = 0;
    this.count = 0;
    this.open = true;
    this.port.onmessage = () => (this.open = false);
  }
  process([inputs]) {
    const samples = inputs[0];
    for (let i = 0; i < (samples?.length ?? 128); i++) {
      let value = samples ? samples[i] : 0;
      if (inputs.length > 1) value = (value + inputs[1][i]) / 2;
      this.piece[this.at++] = value;
      if (this.at === this.piece.length) {
        this.count += this.at;
        this.port.postMessage({ piece: this.piece.slice(), end: this.count });
        this.at = 0;
      }
    }
    return this.open;
  }
});`,ut=class{constructor(t,e){this.track=t,this.give=e,this.line=new P,this.open=!0,this.encoder=null,this.node=null,this.context=new AudioContext({sampleRate:U}),this.#t().catch(()=>{})}async#t(){let t=URL.createObjectURL(new Blob([Ri],{type:"text/javascript"}));try{await this.context.audioWorklet.addModule(t)}finally{URL.revokeObjectURL(t)}if(!this.open)return;this.encoder=new AudioEncoder({output:s=>{let i=new Uint8Array(s.byteLength);s.copyTo(i),this.open&&this.give({codec:"opus",isKey:!0,time:s.timestamp/1e3,data:i})},error:()=>this.encoder=null}),this.encoder.configure({codec:"opus",sampleRate:U,numberOfChannels:1,bitrate:Pi});let e=this.context.createMediaStreamSource(new MediaStream([this.track]));this.node=new AudioWorkletNode(this.context,"xnb-microphone",{numberOfOutputs:1}),this.node.port.onmessage=({data:s})=>this.#s(s.piece,s.end),e.connect(this.node).connect(this.context.destination),await this.context.resume()}#s(t,e){let s=this.line.time(1e3*e/U,performance.now())-1e3*ds/U,i=new AudioData({format:"f32",sampleRate:U,numberOfFrames:t.length,numberOfChannels:1,timestamp:Math.round(1e3*s),data:t});this.encoder?.encode(i),i.close()}close(){this.open=!1,this.node?.port.postMessage(null),this.node?.disconnect(),this.encoder&&this.encoder.state!=="closed"&&this.encoder.close(),this.encoder=null,this.context.close().catch(()=>{})}};var Bi=2,Di=10,Ni=40,V=class{constructor(t){this.send=t,this.sent=0,this.got=0,this.pictures=[],this.pending=[],this.limits={codec:"vp8",bitrate:15e5,fps:30},this.camera=null,this.microphone=null}static get isPossible(){return typeof VideoEncoder<"u"&&typeof AudioEncoder<"u"}get hasRoom(){return this.pictures.length<Di}carry(t){let e=n=>t.find(r=>r.kind===n)??null,[s,i]=[e("video"),e("audio")];(this.camera?.track??null)!==s&&(this.camera?.close(),this.camera=null,s&&(this.camera=new dt(s,this.limits,{hasRoom:()=>this.hasRoom,give:n=>this.#t(n)}))),(this.microphone?.track??null)!==i&&(this.microphone?.close(),this.microphone=i&&new ut(i,n=>this.#s(n)))}limit(t){Object.assign(this.limits,t),this.camera?.limit(this.limits)}needKey(){this.camera?.needKey()}acknowledged(t){t<=this.got||t>this.sent||(this.got=t,this.pictures=this.pictures.filter(e=>e>t))}#t(t){this.pending.push(t),this.pictures.push(this.sent+1),this.#e()}#s(t){this.pending.push(t),this.pending.length>=Bi&&this.#e()}#e(){let t=this.pending;this.pending=[],!(!(this.pictures.at(-1)===this.sent+1)&&this.sent-this.got>=Ni)&&(this.sent+=1,this.send(t,this.sent))}close(){this.carry([]),this.pending=[]}};var pt=class{constructor(t){this.hooks=t,this.open=!0,this.working=0,this.decoded=0}get isBusy(){return this.working>=2}async take({time:t,data:e}){this.working+=1;try{let s=new Blob([e],{type:"image/jpeg"}),i=await createImageBitmap(s);if(this.open){this.decoded+=1;let{width:n,height:r}=i;this.hooks.show({width:n,height:r,source:i,time:t,close:()=>i.close()})}else i.close()}catch{}finally{this.working-=1,this.open&&this.hooks.ready()}}close(){this.open=!1}};var ft=class{constructor(t){this.heard=t,this.canvas=document.createElement("canvas"),this.context=this.canvas.getContext("2d",{alpha:!1,desynchronized:!0}),this.track=null,this.waiting=[],this.drawn=0,this.late=0,this.early=0,this.timer=void 0}show(t){this.waiting.push(t),this.waiting.length>16&&(this.early+=1,this.#s(this.waiting.shift())),this.#t()}#t(){clearTimeout(this.timer);let t=this.heard(),e=null;for(;this.waiting.length>0;){let s=t===null?0:this.waiting[0].time-t;if(s>8&&s<700){this.timer=setTimeout(()=>this.#t(),Math.min(100,s-8/2));break}e&&(this.late+=1,e.close()),e=this.waiting.shift()}e&&this.#s(e)}#s(t){let{canvas:e}=this;(e.width!==t.width||e.height!==t.height)&&(e.width=t.width,e.height=t.height),this.context.drawImage(t.source,0,0,e.width,e.height),this.drawn+=1,t.close()}begin(){return this.track??=this.canvas.captureStream().getVideoTracks()[0],this.track}close(){clearTimeout(this.timer);for(let t of this.waiting)t.close();this.waiting=[],this.track?.stop(),this.track=null}};var mt=class{constructor(t,e,{start:s=80,least:i=50,most:n=400}={}){this.sourceHz=t,this.ratio=t/e,this.perMs=t/1e3,this.target=s*this.perMs,this.least=i*this.perMs,this.most=n*this.perMs,this.surplus=250*this.perMs,this.pieces=[],this.current=null,this.level=0,this.position=0,this.playing=!1,this.underruns=0,this.skips=0,this.filled=0,this.dry=!1,this.end=null,this.low=1/0,this.lowest=1/0,this.sinceLooked=0,this.sinceLearned=0,this.last=[0,0],this.isJoint=!0,this.step=[0,0]}get waiting(){return this.level-this.position}get time(){let t=this.pieces[0];return this.playing&&t?t.time+this.position/this.perMs:null}get speed(){let t=(this.waiting-this.target)/this.target;return Math.abs(t)<.4?1:1+.005*Math.max(-1,Math.min(1,t))}add(t,e){let s=t[0]?.length??0;if(s===0)return;let i=this.end===null?0:e-this.end;this.dry?(this.dry=!1,i<60&&(this.underruns+=1,this.target=Math.min(this.most,this.target+20*this.perMs))):i>5&&i<120&&this.#t(Math.round(i*this.perMs)),this.pieces.push({channels:t,time:e,isJoint:i>5}),this.level+=s,this.end=e+s/this.perMs,this.waiting>(this.playing?this.target:this.most)+this.surplus&&(this.playing&&(this.skips+=1),this.isJoint=!0,this.#s(Math.round(this.waiting-this.target)))}#t(t){let e=this.pieces[this.pieces.length-1];if(!e||this.end===null)return;this.filled+=1;let s=e.channels.map(i=>{let n=new Float32Array(t);for(let r=0;r<t;r++)n[r]=(i[i.length-1-r]??0)*(1-r/t);return n});this.pieces.push({channels:s,time:this.end,isJoint:!1}),this.level+=t}#s(t){for(this.position+=t;this.pieces.length>0&&this.position>=this.pieces[0].channels[0].length;){let{length:e}=this.pieces[0].channels[0];this.position-=e,this.level-=e,this.pieces.shift()}this.pieces.length===0&&(this.position=0,this.level=0)}read(t){let{length:e}=t[0];if(!this.playing){if(this.waiting<this.target){this.#i(t,0);return}this.playing=!0,this.low=this.lowest=1/0,this.sinceLooked=this.sinceLearned=0}let s=this.ratio*this.speed,i=s===1&&Number.isInteger(this.position);for(let n=0;n<e;n++){this.pieces.length>0&&this.position>=this.pieces[0].channels[0].length&&this.#s(0);let r=this.pieces[0];if(!r){this.dry=!0,this.playing=!1,this.#i(t,n);return}r!==this.current&&(this.current=r,this.isJoint||=r.isJoint);for(let a=0;a<t.length;a++){let h=Math.min(a,r.channels.length-1),l=i?r.channels[h][this.position]:this.#e(h);this.step[a]=this.isJoint?this.last[a]-l:this.step[a]*.98,t[a][n]=this.last[a]=l+this.step[a]}this.isJoint=!1,this.position+=s}this.#s(0),this.#n(e)}#e(t){let e=this.pieces[0].channels[t],s=this.pieces[1]?.channels,i=s?.[Math.min(t,s.length-1)],n=Math.floor(this.position),r=this.position-n,a=C=>C<e.length?e[Math.max(0,C)]:i?.[C-e.length]??e[e.length-1],[h,l,d,p]=[a(n-1),a(n),a(n+1),a(n+2)],[w,S]=[2*h-5*l+4*d-p,3*(l-d)+p-h];return l+.5*r*(d-h+r*(w+r*S))}#i(t,e){t.forEach((s,i)=>{for(let n=e;n<s.length;n++)this.last[i]*=.97,s[n]=Math.abs(this.last[i])<1e-4?0:this.last[i]}),this.isJoint=!0}#n(t){if(this.low=Math.min(this.low,this.waiting),this.sinceLooked+=t*this.ratio,this.sinceLooked<this.sourceHz)return;this.lowest=Math.min(this.lowest,this.low),this.sinceLearned+=this.sinceLooked;let e=this.low-this.target;this.low=1/0,this.sinceLooked=0,e>60*this.perMs&&(this.skips+=1,this.isJoint=!0,this.#s(Math.round(e))),!(this.sinceLearned<10*this.sourceHz)&&(this.lowest>30*this.perMs&&(this.target=Math.max(this.least,this.target-10*this.perMs)),this.sinceLearned=0,this.lowest=1/0)}};var Ht=48e3,ji=50,Fi=400,Hi=25,Ui=.12,Vi=.6;function zi(){return`const Buffer = ${mt.toString()};
registerProcessor("xnb-player", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.buffer = new Buffer(${Ht}, sampleRate);
    this.blocks = 0;
    this.peak = 0;
    this.open = true;
    this.port.onmessage = ({ data }) => {
      if (data) this.buffer.add(data.channels, data.time);
      else this.open = false;
    };
  }
  process(_inputs, [outputs]) {
    const { buffer } = this;
    buffer.read(outputs);
    for (const value of outputs[0]) this.peak = Math.max(this.peak, Math.abs(value));
    if (++this.blocks * 128 >= sampleRate * ${ji/1e3}) {
      const { time, underruns, skips, filled } = buffer;
      const wait = buffer.waiting / buffer.perMs;
      const at = currentTime + 128 / sampleRate;
      this.port.postMessage({ time, at, underruns, skips, filled, wait, level: this.peak });
      this.blocks = this.peak = 0;
    }
    return this.open;
  }
});`}var R=class o{static async make(t,e){let s=URL.createObjectURL(new Blob([zi()],{type:"text/javascript"}));try{await t.audioWorklet.addModule(s)}finally{URL.revokeObjectURL(s)}return new o(t,e)}constructor(t,e){this.context=t,this.node=new AudioWorkletNode(t,"xnb-player",{numberOfInputs:0,outputChannelCount:[2]}),this.report={time:null,at:0,wait:0},this.level=0,this.underruns=0,this.skips=0,this.filled=0,this.node.port.onmessage=({data:s})=>{this.report=s,{level:this.level,underruns:this.underruns}=s,{skips:this.skips,filled:this.filled}=s},this.node.connect(e)}add(t,e){this.node.port.postMessage({channels:t,time:e},t.map(s=>s.buffer))}heard(){let{time:t,at:e}=this.report,s=1e3*(this.context.currentTime-e);return t===null||s>Fi?null:t+s}close(){this.node.port.onmessage=null,this.node.port.postMessage(null),this.node.disconnect()}},gt=class{constructor(t,e){this.context=t,this.analyser=new AnalyserNode(t,{fftSize:1024}),this.analyser.connect(e),this.samples=new Float32Array(1024),this.next=0,this.end=null,this.underruns=0,this.skips=0,this.planned=[]}add(t,e){let s=this.context.currentTime;if(this.context.state!=="running")return;let i=t[0].length/Ht;if(this.next<s)this.end!==null&&e-this.end<60&&(this.underruns+=1),this.next=s+Ui;else if(this.next>s+Vi){this.skips+=1;return}let n=this.context.createBuffer(t.length,t[0].length,Ht);t.forEach((a,h)=>n.copyToChannel(a,h));let r=new AudioBufferSourceNode(this.context,{buffer:n});for(r.connect(this.analyser),r.start(this.next),this.planned.push({time:e,at:this.next,until:this.next+i});this.planned.length>Hi;)this.planned.shift();this.next+=i,this.end=e+1e3*i}heard(){let t=this.context.currentTime,e=this.planned.find(({at:s,until:i})=>s<=t&&t<i);return e?e.time+1e3*(t-e.at):null}get level(){return this.analyser.getFloatTimeDomainData(this.samples),this.samples.reduce((t,e)=>Math.max(t,Math.abs(e)),0)}close(){this.analyser.disconnect()}};var Wi=10,wt=class{constructor(t){this.broken=t,this.context=new AudioContext({latencyHint:"interactive"}),this.target=this.context.createMediaStreamDestination(),this.track=this.target.stream.getAudioTracks()[0],this.player=null,this.held=[],this.decoder=null,this.errors=0,this.open=!0,this.wake=()=>{this.context.state==="suspended"&&this.context.resume().catch(()=>{})};for(let e of["pointerdown","keydown"])document.addEventListener(e,this.wake,{capture:!0,passive:!0});this.#t()}async#t(){let t;try{t=await R.make(this.context,this.target)}catch{t=new gt(this.context,this.target)}if(!this.open){t.close();return}this.player=t;for(let[e,s]of this.held.splice(0))t.add(e,s)}take({codec:t,time:e,data:s}){if(t==="pcm"){let i=new DataView(s.buffer,s.byteOffset,s.byteLength),n=new Float32Array(s.byteLength>>1);for(let r=0;r<n.length;r++)n[r]=i.getInt16(2*r,!0)/32768;this.#i([n],e);return}this.decoder??=this.#s();try{this.decoder?.decode(new EncodedAudioChunk({type:"key",timestamp:Math.round(1e3*e),data:s}))}catch{this.#e()}}#s(){let t=new AudioDecoder({output:e=>{let s=[];for(let n=0;n<Math.min(2,e.numberOfChannels);n++){let r=new Float32Array(e.numberOfFrames);e.copyTo(r,{planeIndex:n,format:"f32-planar"}),s.push(r)}let i=e.timestamp/1e3;e.close(),this.open&&this.#i(s,i)},error:()=>this.#e()});return t.configure({codec:"opus",sampleRate:48e3,numberOfChannels:2}),t}#e(){this.decoder=null,this.errors+=1,this.open&&this.errors===3&&this.broken(y.noSoundDecoding)}#i(t,e){this.player?this.player.add(t,e):(this.held.push([t,e]),this.held.length>Wi&&this.held.shift())}heard(){return this.context.state==="running"?this.player?.heard()??null:null}get level(){return this.player?.level??0}get figures(){let{player:t}=this;return{player:t instanceof R?"worklet":t?"nodes":"",underruns:t?.underruns??0,skips:t?.skips??0,wait:t instanceof R?t.report.wait:null}}close(){this.open=!1;for(let t of["pointerdown","keydown"])document.removeEventListener(t,this.wake,{capture:!0});this.player?.close(),this.decoder&&this.decoder.state!=="closed"&&this.decoder.close(),this.decoder=null,this.track.stop(),this.context.close().catch(()=>{})}};var us={vp8:"vp8",h264:"avc1.42e01f"},Gi=6,Ki={primaries:"smpte170m",transfer:"smpte170m",matrix:"smpte170m",fullRange:!1};async function ps(o){let t=us[o];if(typeof VideoDecoder>"u"||t===void 0)return!1;try{return(await VideoDecoder.isConfigSupported({codec:t})).supported===!0}catch{return!1}}var vt=class{constructor(t){this.hooks=t,this.decoder=null,this.codec="",this.needsKey=!0,this.errors=0,this.decoded=0}get isBusy(){return(this.decoder?.decodeQueueSize??0)>=Gi}take({codec:t,isKey:e,time:s,data:i}){if((!this.decoder||this.codec!==t)&&this.#t(t),this.needsKey&&!e){this.hooks.needKey();return}this.needsKey=!1;try{this.decoder?.decode(new EncodedVideoChunk({type:e?"key":"delta",timestamp:Math.round(1e3*s),data:i}))}catch{this.#s()}}#t(t){this.#e(),this.codec=t,this.needsKey=!0;let e=new VideoDecoder({output:s=>{if(e!==this.decoder){s.close();return}this.decoded+=1,this.errors=0,this.hooks.show({width:s.displayWidth,height:s.displayHeight,source:s,time:s.timestamp/1e3,close:()=>s.close()}),this.hooks.ready()},error:()=>{e===this.decoder&&this.#s()}});this.decoder=e;try{e.configure({codec:us[t],optimizeForLatency:!0,colorSpace:Ki})}catch{this.#s()}}#s(){this.#e(),this.errors+=1,this.needsKey=!0,this.errors>=3?this.hooks.broken(y.noVideoDecoding.replace("{}",this.codec.toUpperCase())):this.hooks.needKey()}#e(){let t=this.decoder;this.decoder=null,t&&t.state!=="closed"&&t.close()}close(){this.#e()}};var fs=["opus","vp8","h264","jpeg","pcm"];function ms(o){let t=o instanceof ArrayBuffer?new Uint8Array(o):new Uint8Array(o.buffer,o.byteOffset,o.byteLength),e=new DataView(t.buffer,t.byteOffset,t.byteLength),s=[],i=0;for(;i+16<=t.length;){let n=fs[e.getUint8(i)],r=(e.getUint8(i+1)&1)===1,a=e.getUint32(i+4,!0),h=e.getFloat64(i+8,!0);if(i+=16,n===void 0||i+a>t.length)break;s.push({codec:n,isKey:r,time:h,data:t.subarray(i,i+a)}),i+=a}return s}function gs(o){let t=o.reduce((n,r)=>n+16+r.data.length,0),e=new Uint8Array(t),s=new DataView(e.buffer),i=0;for(let{codec:n,isKey:r,time:a,data:h}of o){let l=fs.indexOf(n);if(l<0)throw new Error(`no codec ${n} here`);s.setUint8(i,l),s.setUint8(i+1,r?1:0),s.setUint32(i+4,h.length,!0),s.setFloat64(i+8,a,!0),e.set(h,i+16),i+=16+h.length}return e.buffer}var Yi=12e3,$i=4,qi=100,Xi=300,Ut=15e5,z=class o{constructor(t,e,s){this.page=t,this.path=e,this.hooks=s,this.state="idle",this.why="",this.again=!1,this.final=!1,this.stream=new MediaStream,this.pc=null,this.hasVideo=!1,this.ceiling=Ut,this.screen=null,this.sound=null,this.pictures=null,this.capture=null,this.carried=[],this.heard=0,this.told=0,this.received=0,this.askedKey=-1/0,this.timer=void 0,this.ackTimer=void 0}static obstacle(t){return t==="jpeg"||typeof VideoDecoder<"u"?"":window.isSecureContext?y.noWebCodecs:y.insecure}open(t){if(this.state!=="idle")return;this.hasVideo=t;let e=o.obstacle(this.path);if(e){this.#o(e);return}this.#h("connecting"),this.timer=setTimeout(()=>this.#o(y.noAnswer,!0),Yi),this.hooks.send({type:"open",page:this.page,path:this.path})}receive(t,e){this.state!=="connecting"&&this.state!=="connected"||(t.type==="opened"&&t.path===this.path?this.#t(t):t.type==="frames"?this.#s(t,e?.[0]):t.type==="got"?this.capture?.acknowledged(t.n):t.type==="encode"?this.#r(t):t.type==="lost"&&this.#o(t.why,t.again,t.final))}async#t({codec:t,max_fps:e,max_bitrate_bps:s}){if(clearTimeout(this.timer),this.path==="comm"&&this.hasVideo&&t&&!await ps(t)){this.#o(y.noCodec.replace("{}",t.toUpperCase()));return}if(this.state!=="connecting")return;let i=n=>this.#o(n);if(this.sound=new wt(i),this.stream.addTrack(this.sound.track),this.hasVideo){let n=this.screen=new ft(()=>this.sound?.heard()??null),r=h=>n.show(h),a=()=>this.#e();this.pictures=this.path==="jpeg"?new pt({show:r,ready:a}):new vt({show:r,ready:a,broken:i,needKey:()=>this.#n()}),this.stream.addTrack(n.begin())}V.isPossible&&(this.capture=new V((n,r)=>{this.hooks.send({type:"frames",page:this.page,n:r},[gs(n)])}),this.ceiling=Math.min(s,Ut),this.capture.limit({codec:t||"vp8",fps:e,bitrate:this.ceiling}),this.capture.carry(this.carried)),this.#h("connected")}#s({n:t,got:e},s){if(e!==void 0&&this.capture?.acknowledged(e),this.heard=t,s){this.received+=1;for(let i of ms(s))i.codec==="opus"||i.codec==="pcm"?this.sound?.take(i):this.pictures?.take(i)}this.#e()}#e(){this.pictures?.isBusy||this.heard===this.told||(this.path==="jpeg"||this.heard-this.told>=$i?this.#i():this.ackTimer??=setTimeout(()=>{this.ackTimer=void 0,this.pictures?.isBusy||this.#i()},qi))}#i(){clearTimeout(this.ackTimer),this.ackTimer=void 0,this.heard!==this.told&&(this.told=this.heard,this.hooks.send({type:"ack",page:this.page,ack:this.told}))}#n(){let t=performance.now();t-this.askedKey<Xi||(this.askedKey=t,this.hooks.send({type:"keyframe",page:this.page}))}#r({keyframe:t,bitrate_bps:e}){t&&this.capture?.needKey(),this.capture?.limit({bitrate:Math.min(e??Ut,this.ceiling)})}carry(t){this.carried=t,this.capture?.carry(t)}get figures(){return{...this.sound?.figures,messages:this.received,drawn:this.screen?.drawn??0,late:this.screen?.late??0,early:this.screen?.early??0,decoded:this.pictures?.decoded??0,camera:this.capture?.camera?.figures}}async level(){return this.sound?.level??null}#o(t,e=!1,s=!1){this.state==="lost"||this.state==="idle"&&this.sound||(this.#a(),Object.assign(this,{why:t??"",again:e,final:s}),this.#h("lost"))}#a(){clearTimeout(this.timer),clearTimeout(this.ackTimer),this.capture?.close(),this.pictures?.close(),this.screen?.close(),this.sound?.close(),this.capture=this.pictures=this.screen=this.sound=null;for(let t of this.stream.getTracks())this.stream.removeTrack(t)}#h(t){this.state=t,this.hooks.changed()}close(){this.state="idle",this.#a()}};function ws(o){return o.split(/\r?\n/).filter(t=>!/^a=candidate:.* \S+\.local /i.test(t)).join(`\r
`)}var W=class{constructor(){this.sent=0,this.received=-1,this.at=-1/0,this.silent=0}beat(t,e,s){if(s-this.at<250)return!1;let i=t-this.sent;return e!==this.received?this.silent=0:i>=5&&(this.silent+=1),this.sent=t,this.received=e,this.at=s,this.silent>=3}};var Ji=12e3,Zi=4e3,Qi=1500,tn=250,yt=class{constructor(t,e){this.page=t,this.path="webrtc",this.hooks=e,this.state="idle",this.why="",this.again=!1,this.final=!1,this.stream=(e.makeStream??(()=>new MediaStream))(),this.pc=null,this.senders=new Map,this.carried=[],this.watches={down:new W,up:new W},this.timer=void 0}async open(t){if(this.state!=="idle")return;this.#n("connecting");let e=this.hooks.makePeer??(()=>new RTCPeerConnection({iceServers:[]})),s;try{s=this.pc=e()}catch{this.#e(y.noWebRtc);return}s.ontrack=n=>{this.stream.addTrack(n.track),this.hooks.changed()},s.onconnectionstatechange=()=>this.#t(s);for(let n of t?["audio","video"]:["audio"])this.senders.set(n,s.addTransceiver(n,{direction:"sendrecv"}).sender);this.carry(this.carried),this.#s(Ji,y.noAnswer,!0);try{await s.setLocalDescription(await s.createOffer())}catch{s===this.pc&&this.#e(y.noOffer)}if(s!==this.pc)return;let i=ws(s.localDescription?.sdp??"");this.hooks.send({type:"offer",page:this.page,sdp:i})}async receive(t,e){let{pc:s}=this;if(s){if(t.type==="answer"){this.state==="connecting"&&this.#s(Zi,y.noPath);try{await s.setRemoteDescription({type:"answer",sdp:t.sdp??""})}catch{s===this.pc&&this.#e(y.badAnswer)}}else if(t.type==="lost")this.#e(t.why??"",t.again,t.final);else if(t.type==="sent"&&this.state==="connected"){let{sent:i,received:n}=await this.#r();if(s!==this.pc)return;let r=performance.now(),a=this.watches.down.beat(t.packets??0,n,r),h=this.watches.up.beat(i,t.received??0,r);(a||h)&&this.#e(y.died)}}}carry(t){this.carried=t;for(let[e,s]of this.senders){let i=t.find(n=>n.kind===e)??null;s.track!==i&&s.replaceTrack(i).catch(()=>{})}}#t(t){t===this.pc&&(t.connectionState==="connected"?(clearTimeout(this.timer),this.#n("connected")):t.connectionState==="failed"||t.connectionState==="closed"?this.#e(this.state==="connected"?y.died:y.noPath):t.connectionState==="disconnected"&&this.#s(Qi,y.died))}#s(t,e,s){clearTimeout(this.timer);let i=!1,n=()=>{this.hooks.busy?.()?(i=!0,this.timer=setTimeout(n,tn)):i?this.#s(t,e,s):this.#e(e,s)};this.timer=setTimeout(n,t)}#e(t,e=!1,s=!1){this.#i(),Object.assign(this,{why:t,again:e,final:s}),this.#n("lost")}#i(){clearTimeout(this.timer);let t=this.pc;this.pc=null,this.senders.clear(),t&&(t.ontrack=t.onconnectionstatechange=null,t.close());for(let e of this.stream.getTracks())this.stream.removeTrack(e)}#n(t){this.state=t,this.hooks.changed()}close(){this.state="idle",this.#i()}async#r(){let[t,e]=[0,0];for(let s of(await this.pc?.getStats())?.values()??[])s.type==="inbound-rtp"?e+=s.packetsReceived??0:s.type==="outbound-rtp"&&(t+=s.packetsSent??0);return{sent:t,received:e}}get figures(){return{}}async level(){let t=this.pc?.getReceivers().find(e=>e.track.kind==="audio");if(!t)return null;for(let e of(await t.getStats()).values())if(e.type==="inbound-rtp"&&typeof e.audioLevel=="number")return e.audioLevel;return null}};var Vt=[500,1500,4e3,8e3],vs=250,ys=2500,en=6e3,sn=10*6e4,zt="xnb-no-webrtc",ks=["webrtc","comm","jpeg"],kt=class{constructor(t,e){this.page=t,this.hooks=e,this.state="idle",this.force="auto",this.why="",this.rung=null,this.empty=(e.makeStream??(()=>new MediaStream))(),this.carried=[],this.hasVideo=!1,this.failures=0,this.final=!1,this.waits=0,this.heardAt=1/0,this.stalledAt=-1/0,this.wasConnected=!1,this.timer=void 0}get path(){return this.state==="connected"?this.rung?.path:""}get stream(){return this.rung?.stream??this.empty}get pc(){return this.rung?.pc??null}get link(){return this.state==="connected"?this.rung:null}get figures(){return{path:this.path,...this.rung?.figures}}open(t){this.state==="idle"&&(this.hasVideo=t,this.failures=0,this.waits=0,this.final=!1,this.why="",this.force!=="auto"?(this.why=y.forced.replace("{}",this.force),this.#e(this.force)):this.#f()?(this.why=y.noPathBefore,this.#e(this.#t("webrtc"))):this.#e("webrtc"))}#t(t){let e=this.hooks.obstacle??(s=>s==="webrtc"?"":z.obstacle(s));for(let s of ks.slice(ks.indexOf(t)+1)){let i=e(s);if(!i)return s;this.#s(i)}return null}#s(t){t&&!this.why.includes(t)&&(this.why=`${this.why} ${t}`.trim())}#e(t){if(clearTimeout(this.timer),this.#l(),t===null){this.#c("lost");return}let e=this.hooks.makeRung??this.#i,s=this.rung=e.call(this,t,{...this.hooks,changed:()=>this.#n(s),busy:()=>this.#o});this.state="opening",this.heardAt=1/0,this.wasConnected=!1,s.carry(this.carried),s.open(this.hasVideo)}#i(t,e){return t==="webrtc"?new yt(this.page,e):new z(this.page,t,e)}#n(t){t===this.rung&&(t.state==="lost"?this.#r(t):t.state==="connected"?(this.failures=0,this.waits=0,this.wasConnected=!0,t.path==="webrtc"&&this.#g(),this.#c("connected")):this.#c("opening"))}#r(t){let e=t.path;if(t.final){this.why=t.why,this.final=!0,this.#l(),this.#c("lost");return}let s=this.#o||this.#d()-this.stalledAt<en;if(this.force==="auto"&&!t.again&&!s){this.#s(t.why),e==="webrtc"&&!this.wasConnected&&this.#m();let n=this.#t(e);if(n){this.#e(n);return}}let i=s?vs:Vt[this.failures++];if(i===void 0){this.why.includes(t.why)||(this.why=t.why),this.#l(),this.#c("lost");return}this.#a(e,i),this.#c("opening")}get#o(){return!!this.hooks.busy?.()||this.#d()-this.heardAt>ys}#a(t,e){clearTimeout(this.timer),this.timer=setTimeout(()=>{this.hooks.busy?.()?this.#a(t,vs):this.#e(t)},e)}#h(t){this.#l(),this.#a(t,Vt[Math.min(this.waits,Vt.length-1)]),this.waits+=1,this.#c("waiting")}#u(){(this.state==="waiting"||this.state==="lost"&&!this.final)&&(clearTimeout(this.timer),this.state="idle",this.open(this.hasVideo))}#l(){let t=this.rung;this.rung=null,t?.close()}receive(t,e){let{rung:s}=this;if(t?.type==="ready"&&this.#u(),t?.page!==this.page||!s)return;let i=this.#d();i-this.heardAt>ys&&(this.stalledAt=i),s.path==="webrtc"&&this.state==="connected"&&(this.heardAt=i);let n=!t.path||t.path===s.path;if(t.type==="wait"){n&&this.state==="opening"&&this.#h(s.path);return}t.type==="lost"&&!n||s.receive(t,e)}carry(t){this.carried=t,this.rung?.carry(t)}async level(){return await this.rung?.level()??null}#c(t){this.state=t,this.hooks.changed()}close(){this.state!=="idle"&&(clearTimeout(this.timer),this.#l(),this.hooks.send({type:"bye",page:this.page}),this.#c("idle"))}get#p(){return this.hooks.memory??window.sessionStorage}#d(){return(this.hooks.now??Date.now)()}#f(){try{let t=Number(this.#p.getItem(zt)??NaN);return this.#d()-t<sn}catch{return!1}}#m(){try{this.#p.setItem(zt,String(this.#d()))}catch{}}#g(){try{this.#p.removeItem(zt)}catch{}}};var nn=[.8,.6,.4,.2],bt=class{constructor(){this.canvas=null}keep(t){if(!t||t.readyState<HTMLMediaElement.HAVE_CURRENT_DATA)return;let{videoWidth:e,videoHeight:s}=t;if(!e||!s)return;let i=Math.min(1,320/e),n=new OffscreenCanvas(Math.round(e*i),Math.round(s*i));n.getContext("2d")?.drawImage(t,0,0,n.width,n.height),this.canvas=n}keepAll(t,e){let s=Math.min(1,320/e.width),i=a=>Math.max(1,Math.round(a*s)),n=new OffscreenCanvas(i(e.width),i(e.height)),r=n.getContext("2d");if(r){r.fillStyle="#222",r.fillRect(0,0,n.width,n.height);for(let{video:a,left:h,top:l,width:d,height:p}of t){let{videoWidth:w,videoHeight:S}=a;if(!w||!S)continue;let C=Math.min(d/w,p/S),[D,_t]=[w*C,S*C],[K,bs]=[h+(d-D)/2,l+(p-_t)/2];r.drawImage(a,K*s,bs*s,D*s,_t*s)}this.canvas=n}}async jpeg(){let{canvas:t}=this;if(!t)return null;for(let e of nn){let s=await t.convertToBlob({type:"image/jpeg",quality:e});if(s.size<=6e4)return{width:t.width,height:t.height,data:await s.arrayBuffer()}}return null}};var on=480,rn=100,B=class{constructor(t){this.fallback=t,this.wave=new ot(on),this.context=null,this.analyser=null,this.source=null,this.track=null,this.samples=new Float32Array(2048),this.level=0,this.asked=0}listen(t){let e=t.getAudioTracks()[0]??null;e!==this.track&&(this.source?.disconnect(),this.source=null,this.track=e,e&&(this.context??=new AudioContext,this.analyser??=new AnalyserNode(this.context,{fftSize:2048}),this.source=this.context.createMediaStreamSource(new MediaStream([e])),this.source.connect(this.analyser)))}wake(){this.context?.state==="suspended"&&this.context.resume().catch(()=>{})}sample(){this.track&&this.analyser&&this.context?.state==="running"?(this.analyser.getFloatTimeDomainData(this.samples),this.level=es(this.samples)):this.track?this.#t():this.level=0,this.wave.push(this.level)}#t(){let t=performance.now();t-this.asked<rn||(this.asked=t,this.fallback().then(e=>this.level=e??0,()=>this.level=0))}close(){this.source?.disconnect(),this.source=this.track=null,this.context?.close().catch(()=>{}),this.context=this.analyser=null}};var xt=class{constructor(t=()=>performance.now()){this.entries=new Map,this.now=t}set(t,e){this.entries.set(t,{value:e,until:this.now()+6e4})}drop(t){this.entries.delete(t)}get(t,e){let s=this.entries.get(t);return s?s.value===e||this.now()>s.until?(this.entries.delete(t),e):s.value:e}};var an=600,St=class{constructor(){this.told=0,this.toldAt=-1/0,this.meter=new B(async()=>null)}tell(t){this.told=Math.min(1,Math.max(0,Number(t)||0)),this.toldAt=performance.now()}listen(t){t?.getAudioTracks().length?this.meter.listen(t):this.meter.track&&this.meter.close()}sample(t){return t?0:this.meter.track?(this.meter.wake(),this.meter.sample(),this.meter.level):performance.now()-this.toldAt<an?this.told:0}close(){this.meter.close()}};var Mt=class{constructor(){this.kept=[]}add(t,e){for(this.kept.push({at:t,reading:e});this.kept.length>0&&this.kept[0].at<t-120;)this.kept.shift()}get latest(){return this.kept[this.kept.length-1]?.reading??{}}columns(t,e=1){let s=[],i=t.map(()=>[]),n=this.kept[this.kept.length-1]?.at??0,r=-1/0;for(let{at:a,reading:h}of this.kept){if(s.length>0&&a-r>3.5){s.push((r+a)/2-n);for(let l of i)l.push(null)}r=a,s.push(a-n),t.forEach((l,d)=>{let p=h[l];i[d].push(typeof p=="number"?p*e:null)})}return[s,...i]}};var Et=class{constructor(){this.picture=null,this.at=0}async take(t){let e=new Blob([t],{type:"image/jpeg"}),s=await createImageBitmap(e);this.close(),this.picture=s,this.at=performance.now()}expire(){return!this.picture||performance.now()-this.at<=1e4?!1:(this.close(),!0)}close(){this.picture?.close(),this.picture=null}};var hn=1e3/30,cn=4e3,ln=2e4,At=class{constructor(t){this.model=t,this.page=crypto.getRandomValues(new Uint32Array(3)).join("-"),this.cards=new Set,this.media=null,this.kernel=new lt(t),this.wasAlive=!1,this.toldViewAt=0,this.guess=new xt,this.leg=this.makeLadder("",()=>this.legChanged()),this.capture=new ct({changed:()=>this.#o(),findModel:e=>this.model.widget_manager.get_model(e)}),this.announcer=new ht(this),this.meter=new B(()=>this.leg.level()),this.ownSound=new St,this.ownLevel=0,this.history=new Mt,this.lastPicture=new bt,this.sound={off:!1,volume:1,blocked:!1},this.thumbnail=new Et,this.visible=!1,this.durationAt=performance.now(),this.lastDrawn=0,this.frameRequest=0,this.parting=void 0,this.ticker=setInterval(()=>this.#u(),500),this.onHide=()=>this.#c(),this.onVisibility=()=>this.seen(),this.onChange=()=>this.changed(),this.onDuration=()=>this.durationAt=performance.now(),this.onMessage=e=>this.message(e),this.onMedia=(e,s)=>this.mediaMessage(e,s),window.addEventListener("pagehide",this.onHide),document.addEventListener("visibilitychange",this.onVisibility),t.on("change",this.onChange),t.on("change:duration_s",this.onDuration),t.on("msg:custom",this.onMessage),this.#t()}makeLadder(t,e){return new kt(this.page,{send:(s,i)=>this.kernel.tell(this.media,t?{...s,feed:t}:s,i),changed:e,busy:()=>this.busy})}async#t(){let t=String(this.model.get("leg")??"").replace("IPY_MODEL_","");if(t){try{this.media=await this.model.widget_manager.get_model(t)}catch{this.media=null}this.media?.on("msg:custom",this.onMedia),this.media?.on("comm_live_update",this.onChange),this.changed()}}value(t){return this.guess.get(t,this.model.get(t))}get alive(){return this.media!==null&&this.media.comm_live!==!1&&!this.kernel.isEnding}get connected(){let t=this.value("state");return t==="connected"||t==="reconnecting"}get duration(){let t=Number(this.model.get("duration_s"))||0;return this.connected?t+(performance.now()-this.durationAt)/1e3:t}get busy(){return this.alive&&this.connected&&this.visible&&this.kernel.isSilent}add(t){clearTimeout(this.parting),this.cards.add(t),this.seen(),this.changed()}remove(t){this.cards.delete(t),this.seen();for(let e of this.cards)e.update();this.cards.size===0&&(this.parting=setTimeout(()=>this.closeLeg(),cn))}get speaker(){return this.cards.values().next().value??null}seen(){let t=document.visibilityState==="visible"&&[...this.cards].some(e=>e.inView);t!==this.visible&&(this.visible=t,this.kernel.hear(),this.#s(),t&&this.#l())}#s(){let t=this.cards.size>0,{page:e,visible:s}=this;this.toldViewAt=performance.now(),this.kernel.tell(this.model,{type:"view",page:e,open:t,visible:s}),this.kernel.tell(this.media,{type:"visible",page:e,visible:s})}command(t){if(this.wake(),this.capture.refusal=null,t==="hangup"){if(this.value("state")==="ended")return;this.guess.set("state","ended"),this.closeLeg(),this.capture.stop(),this.#i("hangup",!0)}else t==="mute"?this.#e("muted","mute"):t==="camera"&&this.value("has_video")?this.#e("camera_on","camera"):t==="page"&&this.reached?this.capture.active||this.capture.asking?this.capture.stop():this.capture.start({camera:!!this.value("has_video"),microphone:!0}):t==="screen"&&this.reached&&this.value("has_video")?this.capture.switchTo({screen:!this.capture.what.screen}):t==="record"&&this.connected?this.#e("recording","record"):t==="snapshot"&&this.connected&&this.#i("snapshot",!0);this.#r(),this.update()}play(t){this.kernel.tell(this.model,{type:"command",name:"play",index:t})}#e(t,e){let s=!this.value(t);this.guess.set(t,s),this.#i(e,s)}#i(t,e){this.kernel.tell(this.model,{type:"command",name:t,on:e})}message(t){if(this.kernel.hear(),t?.type==="figures"&&this.#n(t),t?.type==="level"&&this.ownSound.tell(t.peak),t?.type!=="refused")return;let s={mute:"muted",camera:"camera_on",record:"recording",hangup:"state"}[t.name];s&&this.guess.drop(s),this.changed()}#n(t){this.history.add(performance.now()/1e3,t);for(let e of this.cards)e.charts?.update()}get reached(){return this.connected&&this.leg.state==="connected"}#r(){let t={audio:!this.value("muted"),video:!!this.value("camera_on")};this.capture.setOn(t)}#o(){this.leg.carry(this.capture.stream?.getTracks()??[]),this.ownSound.listen(this.capture.stream),this.announcer.tell(!0);for(let t of this.cards)t.selfChanged();this.update()}wake(){if(this.meter.wake(),this.sound.blocked){this.sound.blocked=!1;for(let t of this.cards)t.play()}}setSound(t){Object.assign(this.sound,t),this.update()}legChanged(){this.meter.listen(this.leg.stream),this.leg.state==="lost"||this.leg.state==="idle"?this.capture.stop():this.capture.active&&this.announcer.tell(!1);for(let t of this.cards)t.streamChanged();this.update()}mediaMessage(t,e){this.kernel.hear(),t?.type==="preview"?this.#a(t,e):t?.type==="snapshot"?this.#h(t.id):t?.type==="capture"||t?.type==="release"?this.announcer.heard(t):(t?.page===this.page&&["answer","opened"].includes(t.type)&&this.capture.limit(t.max_height_px,t.max_fps),this.leg.receive(t,e))}async#a(t,e){if(!(!this.visible||!e?.[0]))try{await this.thumbnail.take(e[0]);for(let s of this.cards)s.drawThumbnail()}finally{this.kernel.tell(this.media,{type:"shown",page:this.page,n:t.n})}}async#h(t){this.keepPicture();let e=await this.lastPicture.jpeg();if(!e)return;let{width:s,height:i,data:n}=e;this.kernel.tell(this.media,{type:"snapshot",page:this.page,id:t,width:s,height:i},[n])}keepPicture(){if(!this.value("remote_camera_off"))for(let t of this.cards)t.keepPicture(this.lastPicture)}closeLeg(){this.leg.state==="connected"&&this.keepPicture(),this.leg.close()}changed(){this.wasAlive=this.alive,this.kernel.hear(),this.#r(),this.connected&&this.cards.size>0&&this.alive?this.leg.state==="idle"&&(this.#s(),this.leg.force=this.value("transport")||"auto",this.leg.open(!!this.value("has_video"))):(!this.connected||!this.alive)&&this.closeLeg(),this.update()}update(){for(let t of this.cards)t.update()}#u(){this.alive!==this.wasAlive&&this.changed(),this.cards.size>0&&this.connected&&this.alive&&performance.now()-this.toldViewAt>ln&&this.#s(),this.thumbnail.expire()&&this.update();for(let e of this.cards)e.tick()}sample(){this.meter.sample(),this.ownLevel=this.ownSound.sample(!!this.value("muted"))}#l(){cancelAnimationFrame(this.frameRequest),this.visible&&(this.frameRequest=requestAnimationFrame(t=>{if(t-this.lastDrawn>=hn-2&&(this.lastDrawn=t,this.connected)){this.sample();for(let e of this.cards)e.inView&&e.drawSound()}this.#l()}))}#c(){this.closeLeg(),this.capture.stop();let t={type:"view",page:this.page,open:!1,visible:!1};this.kernel.tell(this.model,t)}close(){clearInterval(this.ticker),clearTimeout(this.parting),cancelAnimationFrame(this.frameRequest),window.removeEventListener("pagehide",this.onHide),document.removeEventListener("visibilitychange",this.onVisibility),this.media?.off("msg:custom",this.onMedia),this.media?.off("comm_live_update",this.onChange),this.closeLeg(),this.capture.close(),this.meter.close(),this.ownSound.close(),this.thumbnail.close()}};var Ct=class{constructor(t){this.most=t,this.inside=new Set,this.waiting=new Map}enter(t,e){this.inside.has(t)||(this.waiting.set(t,e),this.#t())}leave(t){this.waiting.delete(t),this.inside.delete(t)&&this.#t()}#t(){for(let[t,e]of this.waiting){if(this.inside.size>=this.most)return;this.waiting.delete(t),this.inside.add(t),e()}}};var Tt=class{constructor(){this.keys=[],this.talkedAt=new Map}follow(t,e){let s=new Set(t.map(({key:i})=>i));this.keys=this.keys.filter(i=>s.has(i));for(let{key:i,talking:n}of t)this.keys.includes(i)||this.keys.push(i),n&&this.talkedAt.set(i,e);for(let i of this.talkedAt.keys())s.has(i)||this.talkedAt.delete(i)}get speaker(){let[t,e]=[-1/0,""];for(let[s,i]of this.talkedAt)i>t&&([t,e]=[i,s]);return e}places(t,e=""){let s=this.keys.indexOf(e),i=this.keys.filter(r=>r!==e),n=r=>this.talkedAt.get(r)??-1/0;if(i.length>t&&t>0){let r=i.slice(t).sort((a,h)=>n(h)-n(a));for(let a of r){let h=0;for(let d=1;d<t;d++)n(i[d])<=n(i[h])&&(h=d);if(n(a)<=n(i[h]))break;let l=i.indexOf(a);[i[l],i[h]]=[i[h],i[l]]}}return this.keys=[...i],s>=0&&this.keys.splice(s,0,e),i}};function dn(o,t){return o===void 0?t>0?"shown":"shrunk":o===t?"same":o===0?"shown":t===0?"hidden":Math.abs(t-o)<=.15*Math.max(o,t)?"same":t>o?"grown":"shrunk"}var Ot=class{constructor(t,e,s=()=>performance.now()){this.read=t,this.tell=e,this.clock=s,this.told={},this.toldAt=-1/0,this.changes=new Map,this.dueAt=1/0,this.timer=void 0}look(){let t=this.read();if(!t){this.#i();return}this.#t(t);let e=Math.min(...[...this.changes.keys()].map(s=>this.#s(s)));e===1/0?this.#i():e<this.dueAt&&this.#e(e)}forget(t){delete this.told[t],this.changes.delete(t)}clear(){this.#i(),this.told={},this.changes.clear()}#t(t){let e=this.clock();for(let s of this.changes.keys())s in t||this.changes.delete(s);for(let[s,i]of Object.entries(t)){let n=dn(this.told[s],i);n==="same"?this.changes.delete(s):this.changes.get(s)?.change!==n&&this.changes.set(s,{change:n,at:e})}}#s(t){let{change:e,at:s}=this.changes.get(t)??{change:"same",at:1/0};return e==="shown"?s:e==="grown"?Math.max(s,this.toldAt+250):s+(e==="hidden"?2e3:250)}#e(t){clearTimeout(this.timer),this.dueAt=t,this.timer=setTimeout(()=>this.#n(),Math.max(0,t-this.clock()))}#i(){clearTimeout(this.timer),this.dueAt=1/0}#n(){this.dueAt=1/0;let t=this.read();if(!t)return;this.#t(t);let e=this.clock()+1,s=i=>this.#s(i)<=e;if([...this.changes.keys()].some(s)){let i=this.told;this.told={};for(let[n,r]of Object.entries(t)){let a=this.changes.get(n)?.change==="hidden"&&!s(n);this.told[n]=a?i[n]:r}this.toldAt=e,this.tell({...this.told},i)}this.look()}};var un=3,G=class extends At{constructor(t){super(t),this.ladders=new Map,this.gate=new Ct(un),this.order=new Tt,this.begun=new Map,this.volumes=new Map,this.figures={key:"",figures:[]},this.id="",this.reports=new Ot(()=>this.#o(),(e,s)=>this.#n(e,s))}get people(){return this.value("people")??[]}person(t){return this.people.find(e=>e.key===t)}volumeOf(t){return this.volumes.get(t)??{volume:1,off:!1}}setVolume(t,e){this.volumes.set(t,{...this.volumeOf(t),...e}),this.update()}invite(t){this.kernel.tell(this.model,{type:"command",name:"invite",people:t})}host(t,e,s=!0){this.kernel.tell(this.model,{type:"command",name:t,key:e,on:s})}askId(){this.kernel.tell(this.model,{type:"id",page:this.page})}watch(t){this.figures={key:t,figures:[]},this.kernel.tell(this.model,{type:"stats",page:this.page,key:t})}message(t){if(super.message(t),t?.type==="refused"&&t.name==="invite")for(let e of this.groupCards)e.invite.refused();if(t?.page===this.page&&(t.type==="id"&&(this.id=t.id,this.update()),!(t.type!=="person"||t.key!==this.figures.key))){this.figures={key:t.key,figures:t.figures};for(let e of this.groupCards)e.figuresChanged()}}get groupCards(){return this.cards}mediaMessage(t,e){if(!t?.feed){super.mediaMessage(t,e);return}this.kernel.hear(),this.ladders.get(t.feed)?.receive(t,e)}changed(){this.ladders&&(this.order.follow(this.people,performance.now()),super.changed(),this.connected&&this.cards.size>0&&this.alive&&this.#t())}#t(){let{people:t}=this,e=new Set(t.map(({key:s})=>s));for(let s of this.ladders.keys())e.has(s)||this.#i(s);for(let{key:s}of t){if(this.ladders.has(s))continue;let i=this.makeLadder(s,()=>this.#s(s));this.ladders.set(s,i),i.force=this.value("transport")||"auto",this.gate.enter(s,()=>i.open(!!this.value("has_video")))}}#s(t){let e=this.ladders.get(t);if(e){e.state!=="opening"&&this.gate.leave(t),this.#e(t,e);for(let s of this.groupCards)s.personChanged(t);this.update()}}#e(t,{rung:e}){!e||this.begun.get(t)===e||(this.begun.set(t,e),this.reports.forget(t),this.sized())}#i(t){let e=this.ladders.get(t);this.ladders.delete(t),this.begun.delete(t),this.reports.forget(t),this.gate.leave(t),e?.close();for(let s of this.groupCards)s.personChanged(t)}legChanged(){this.leg.state==="lost"||this.leg.state==="idle"?this.capture.stop():this.capture.active&&this.announcer.tell(!1),this.update()}sample(){this.ownLevel=this.ownSound.sample(!!this.value("muted"))}closeLeg(){if(this.ladders){super.closeLeg();for(let t of[...this.ladders.keys()])this.#i(t);this.reports.clear()}}sized(){this.reports.look()}remove(t){if(super.remove(t),this.cards.size>0){this.sized();return}this.#r(this.reports.told,{}),this.reports.clear(),this.kernel.tell(this.model,{type:"tiles",page:this.page,heights:{}})}#n(t,e){this.#r(e,t),this.kernel.tell(this.model,{type:"tiles",page:this.page,heights:t})}#r(t,e){let{page:s}=this;for(let i of Object.keys({...t,...e})){let n=i in t?t[i]>0:void 0,r=e[i]>0;n!==r&&this.kernel.tell(this.media,{type:"visible",page:s,feed:i,visible:r})}}#o(){if(!this.connected||!this.alive||this.cards.size===0)return null;let t={};for(let{key:e}of this.people)if(t[e]=0,!!this.visible)for(let s of this.groupCards)s.inView&&(t[e]=Math.max(t[e],s.heightOf(e)));return t}seen(){super.seen(),this.ladders&&this.sized()}};var ec=()=>{let o;return{initialize({model:t}){return o=new G(t),()=>o?.close()},render({model:t,el:e}){o??=new G(t);let s=new at(o,e);return()=>s.close()}}};export{ec as default};
