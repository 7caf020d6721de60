// Built from xnb/widgets/js by build.mjs, sources a8a6102d28530ffd87f8bdf584b06435c1124e10397791f64e3640ac4a62cc56. Icons: Lucide (ISC license). Charts in call.js: uPlot (MIT license).
function r(t,e={},...i){let o=document.createElement(t);for(let[n,s]of Object.entries(e))o.setAttribute(n,s);return o.append(...i),o}function w(t,e){t.textContent!==e&&(t.textContent=e)}function p(t,e){t.hidden===e&&(t.hidden=!e)}function k(t){let e=/[\p{L}\p{N}]/u.exec(t);return e?e[0].toUpperCase():"?"}function x(t){let e=7;for(let i of t)e=(e*31+(i.codePointAt(0)??0))%3600;return e%360}var y=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var b=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var C=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var S=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var M=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var T=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var A=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var O=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var I=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var E=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var j=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var R=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var B=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var L=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var N=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var P=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var H=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var V=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var W=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var D=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var F=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var z=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var _=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var K=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var Y=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var U=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var G=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var $=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var Ie={alert:z,bell:b,bellOff:y,camera:C,chart:S,check:M,chevronUp:T,circle:A,columns:O,fileAudio:I,fileVideo:E,headset:j,maximize:R,mic:L,micOff:B,minimize:N,phone:P,pip:H,play:V,screenShare:D,screenShareOff:W,square:F,video:K,videoOff:_,volume:Y,volumeOff:U,webcam:G,x:$};function d(t){return Ee(Ie[t],t)}function Ee(t,e){let i=document.createElement("template");i.innerHTML=t.slice(t.indexOf("<svg"));let o=i.content.firstElementChild;return o.setAttribute("class",`xnb-icon xnb-icon-${e}`),o.setAttribute("aria-hidden","true"),o.setAttribute("focusable","false"),o}var je={mute:"M",camera:"V",page:"P",screen:"S",record:"R",hangup:"H",sound:"A",snapshot:"C",tiles:"T",pip:"I",full:"F",devices:"D",stats:"G"},zt=new Map(Object.entries(je).map(([t,e])=>[e,t]));var Re={a:"accept",s:"sound",d:"decline",m:"silence"};function q(t){return t.ctrlKey||t.metaKey||t.altKey||t.repeat?null:Re[t.key.toLowerCase()]??null}var Z=new Set(["Enter"," ","ArrowLeft","ArrowRight","ArrowUp","ArrowDown","Home","End"]);var a={incoming:"Incoming calls",waitingCalls:"Waiting calls",waiting:"Waiting for calls as {}",calling:"{} calling",count:"{} calls",accept:"Accept",soundOnly:"Sound only",decline:"Decline",from:"{}, call from {}",withKey:"{} ({})",video:"Video call",audio:"Audio call",silence:"Silence the ring",keys:"A accepts, S accepts with sound only, D declines, M silences the ring",blocked:"This page may not ring before you click in it.",joinGroup:"Join a group call by its id",callId:"The call's id, from its host",join:"Join",joinWith:"{}: join the group call"};function c(t,...e){let i=0;return t.replace(/\{\}/g,()=>String(e[i++]??""))}var J=100;function Be(t){let e=/["']([\w-]+)["']/.exec(t);return(e?e[1]:t.trim()).slice(0,J)}function X(t){let e=r("input",{class:"xnb-join-id",type:"text",autocomplete:"off",autocapitalize:"none",spellcheck:"false",maxlength:String(2*J),required:""}),i=(s,l,h)=>r("button",{class:"xnb-accept",type:"submit",value:s?"video":"sound","aria-label":c(a.joinWith,h)},d(l),h),o=r("form",{class:"xnb-join-form"},r("label",{},r("span",{},a.callId),e),r("div",{class:"xnb-choices"},i(!0,"video",a.join),i(!1,"phone",a.soundOnly))),n=r("details",{class:"xnb-join-fold"},r("summary",{},a.joinGroup),o);return o.addEventListener("keydown",s=>s.stopPropagation()),o.addEventListener("submit",s=>{s.preventDefault();let l=Be(e.value);if(!l)return;let h=s.submitter;t({type:"join",broadcast:l,video:h?.value!=="sound"}),e.value="",n.open=!1}),n.addEventListener("toggle",()=>{n.open&&e.focus()}),n}function Le(t,e){let i=r("div",{class:"xnb-avatar","aria-hidden":"true"});i.append(r("div",{class:"xnb-ring"}),r("span",{},k(t.who))),i.style.setProperty("--xnb-hue",String(x(t.who)));let o=r("div",{class:"xnb-choices"}),n=(s,l,h,u,v,Q)=>{let f=r("button",{class:`xnb-${s}`,type:"button","data-answer":l,"aria-keyshortcuts":v,"aria-label":c(a.from,u,t.who),title:c(a.withKey,u,v)},d(h),u);f.disabled=t.busy,f.addEventListener("click",()=>{for(let ee of o.querySelectorAll("button"))ee.disabled=!0;e({id:t.id,...Q})}),o.append(f)};return t.video?(n("accept","accept","video",a.accept,"A",{type:"accept",video:!0}),n("accept","sound","phone",a.soundOnly,"S",{type:"accept",video:!1})):n("accept","accept","phone",a.accept,"A",{type:"accept",video:!1}),n("decline","decline","phone",a.decline,"D",{type:"decline"}),r("li",{"data-caller":t.who},i,r("div",{class:"xnb-text"},r("p",{class:"xnb-words"},t.who),r("p",{class:"xnb-small"},t.video?a.video:a.audio)),o)}var g=class{constructor(e,i,o){this.model=e,this.ring=o,this.shown="",this.drawn="",this.view=null,this.words=r("strong",{role:"status","aria-live":"assertive"}),this.state=r("span",{class:"xnb-status"}),this.silence=r("button",{class:"xnb-button xnb-quiet xnb-bell-on",type:"button","aria-pressed":"false","aria-label":a.silence,title:c(a.withKey,a.silence,"M"),"aria-keyshortcuts":"M"},d("bell"),d("bellOff")),this.silence.addEventListener("click",()=>o.silence(!o.silenced)),this.calls=r("ul",{class:"xnb-calls","aria-label":a.waitingCalls}),this.note=r("p",{class:"xnb-line",role:"status","aria-live":"polite"}),this.join=X(n=>this.model.send(n)),this.root=r("section",{class:"xnb-card xnb-door",role:"group","aria-label":a.incoming,tabindex:"0"},r("header",{class:"xnb-waiting"},r("span",{class:"xnb-dot","aria-hidden":"true"}),this.words,this.state,this.silence),this.calls,this.join,this.note),this.inside=r("div",{class:"xnb-inside"}),this.root.addEventListener("pointerdown",()=>o.wake()),this.root.addEventListener("keydown",n=>this.#e(n)),i.classList.add("xnb"),i.append(this.root,this.inside),this.update()}#e(e){this.ring.wake();let i=q(e),o=i==="silence"?this.silence:this.calls.querySelector(`button[data-answer="${i}"]:not(:disabled)`);if(i&&o&&this.root.dataset.state==="ringing")o.click(),e.preventDefault();else if(!(e.target!==this.root&&Z.has(e.key)))return;e.stopPropagation()}update(){let{model:e,ring:i}=this,o=e.get("callers")??[],n=String(e.get("state"));this.root.dataset.state=o.length?"ringing":n,this.root.dataset.rings=String(i.on&&!i.silenced);let s=o.map(u=>u.who).join(", "),l=n==="waiting"?c(a.waiting,e.get("handle")):"";w(this.words,s?c(a.calling,s):l||String(e.get("state_text"))),w(this.state,s&&o.length>1?c(a.count,o.length):""),this.root.title=s?a.keys:"",p(this.silence,s!==""),p(this.join,n==="waiting"&&s===""),this.silence.setAttribute("aria-pressed",String(i.silenced)),this.#t(o);let h=String(e.get("notice")??"");w(this.note,h||(i.blocked?a.blocked:"")),p(this.note,this.note.textContent!==""),this.#o(String(e.get("active")??""))}#t(e){p(this.calls,e.length>0);let i=JSON.stringify(e);if(i===this.drawn)return;this.drawn=i;let o=this.calls.contains(document.activeElement),n=s=>this.model.send(s);this.calls.replaceChildren(...e.map(s=>Le(s,n))),o&&this.root.focus()}async#o(e){if(e===this.shown||(this.shown=e,this.view?.remove(),this.view=null,this.inside.replaceChildren(),!e))return;let i=this.model.widget_manager,o=await i.get_model(e.replace("IPY_MODEL_","")),n=await i.create_view(o);if(this.shown!==e){n.remove();return}this.view=n,this.inside.replaceChildren(n.el)}close(){this.shown="",this.view?.remove(),this.root.remove(),this.inside.remove()}};var Ne=[659.3,523.3],Pe=.06,m=class{constructor(e,i=()=>new AudioContext){this.changed=e,this.makeContext=i,this.context=null,this.timer=void 0,this.silenced=!1,this.struck=0}get on(){return this.timer!==void 0}get blocked(){return this.on&&!this.silenced&&this.context?.state==="suspended"}set(e){e!==this.on&&(e?(this.silenced=!1,this.context||(this.context=this.makeContext(),this.context.onstatechange=()=>{this.on&&this.struck===0&&this.#e(),this.changed()}),this.struck=0,this.timer=setInterval(()=>this.#e(),3e3),this.#e()):(clearInterval(this.timer),this.timer=void 0))}silence(e){this.silenced=e,this.changed()}wake(){this.context?.state==="suspended"&&this.context.resume().catch(()=>{})}#e(){let{context:e}=this;if(!(this.silenced||!e)){if(e.state!=="running"){this.wake();return}this.struck+=1,Ne.forEach((i,o)=>{let n=e.currentTime+o*.28,s=e.createOscillator(),l=e.createGain();s.frequency.value=i,l.gain.setValueAtTime(0,n),l.gain.linearRampToValueAtTime(Pe,n+.03),l.gain.exponentialRampToValueAtTime(5e-4,n+.9),s.connect(l).connect(e.destination),s.start(n),s.stop(n+1)})}}close(){this.set(!1),this.context?.close().catch(()=>{}),this.context=null}};var so=()=>{let t=new Set,e=new m(()=>{for(let o of t)o.update()}),i=o=>{let n=o.get("callers")??[];e.set(t.size>0&&n.some(s=>!s.busy));for(let s of t)s.update()};return{initialize({model:o}){let n=()=>i(o);return o.on("change",n),()=>e.close()},render({model:o,el:n}){let s=new g(o,n,e);return t.add(s),i(o),()=>{t.delete(s),t.size===0&&e.set(!1),s.close()}}}};export{so as default};
