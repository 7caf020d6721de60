// Built from xnb/widgets/js by build.mjs, sources 33cda5b99bf69c4470ff9521de53eac6458e5555235b152d5059ecba63d0acfa. Icons: Lucide (ISC license).
function o(s,t={},...e){let i=document.createElement(s);for(let[n,a]of Object.entries(t))i.setAttribute(n,a);return i.append(...e),i}function g(s,t){s.textContent!==t&&(s.textContent=t)}function d(s,t){s.hidden===t&&(s.hidden=!t)}function H(s){let t=Math.max(0,Math.floor(s)),e=a=>String(a).padStart(2,"0"),i=Math.floor(t/60)%60,n=Math.floor(t/3600);return`${n?`${n}:`:""}${e(i)}:${e(t%60)}`}function P(s){let t=/[\p{L}\p{N}]/u.exec(s);return t?t[0].toUpperCase():"?"}function j(s){let t=7;for(let e of s)t=(t*31+(e.codePointAt(0)??0))%3600;return t%360}function $(s){let t=s/1e3;return t<10?`${t.toFixed(1)} s`:`${Math.round(t)} s`}var vt={m:"mute",v:"camera",p:"page",r:"record",h:"hangup"};function F(s){return s.ctrlKey||s.metaKey||s.altKey||s.repeat?null:vt[s.key.toLowerCase()]??null}function V(s,t,e){return e===0?null:s==="ArrowRight"?(t+1)%e:s==="ArrowLeft"?(t-1+e)%e:s==="Home"?0:s==="End"?e-1:null}var N=new Set(["Enter"," ","ArrowLeft","ArrowRight","ArrowUp","ArrowDown","Home","End"]);var D=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var q=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var U=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var z=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var Y=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var K=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var W=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var G=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var X=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var Z=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var J=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var Q=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var tt=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var et=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var it=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var st=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var nt={alert:Z,check:D,circle:q,fileAudio:U,fileVideo:z,headset:Y,mic:W,micOff:K,phone:G,square:X,video:Q,videoOff:J,volume:tt,volumeOff:et,webcam:it,x:st};function u(s){let t=document.createElement("template");t.innerHTML=nt[s].slice(nt[s].indexOf("<svg"));let e=t.content.firstElementChild;return e.setAttribute("class",`xnb-icon xnb-icon-${s}`),e.setAttribute("aria-hidden","true"),e.setAttribute("focusable","false"),e}var Rt=[{action:"mute",label:"Mute microphone",key:"M",on:"micOff",off:"mic"},{action:"camera",label:"Turn camera off",key:"V",on:"videoOff",off:"video"},{action:"page",label:"Use this page’s camera and microphone",key:"P",on:"headset",off:"webcam"},{action:"record",label:"Record",key:"R",on:"square",off:"circle"},{action:"hangup",label:"Hang up",key:"H",on:"phone",off:"phone"}];function ot(){let s=It(),t=Pt(),e=jt(),i=$t(),n=o("footer",{class:"xnb-foot"});return{root:o("section",{class:"xnb-card",role:"group",tabindex:"0"},s.head,t.stage,e.sound,i.bar,n),foot:n,...s,...t,...e,...i}}function It(){let s=o("strong",{class:"xnb-title"}),t=o("span",{class:"xnb-status",role:"status","aria-live":"polite"}),e=o("span",{class:"xnb-flag",role:"img"},u("micOff")),i=o("span",{class:"xnb-rec-badge"}),n=o("time",{class:"xnb-time",title:"Duration"});return{head:o("header",{class:"xnb-head"},o("span",{class:"xnb-dot","aria-hidden":"true"}),s,t,e,o("span",{class:"xnb-gap"}),i,n),title:s,status:t,theirMic:e,rec:i,time:n}}function Pt(){let s=o("video",{class:"xnb-video",playsinline:"",autoplay:""});s.muted=!0;let t=o("div",{class:"xnb-panel"}),e=o("canvas",{class:"xnb-self",role:"img","aria-label":"Your picture"}),i=o("video",{class:"xnb-self xnb-mirror",playsinline:"",autoplay:"","aria-label":"Your picture"});i.muted=!0;let n=o("button",{class:"xnb-unblock",type:"button"},u("volume"),"Click for sound"),a=o("p",{class:"xnb-note",role:"status","aria-live":"polite"});return{stage:o("div",{class:"xnb-stage"},s,t,e,i,n,a),video:s,panel:t,self:e,mirror:i,unblock:n,note:a}}function jt(){let s=o("canvas",{class:"xnb-wave-canvas","aria-hidden":"true"}),t=o("span",{class:"xnb-level",role:"meter","aria-label":"Sound level","aria-valuemin":"0","aria-valuemax":"100","aria-valuenow":"0"});return{sound:o("div",{class:"xnb-wave"},s,t),wave:s,level:t}}function $t(){let s=new Map;for(let{action:n,label:a,key:r,on:l,off:c}of Rt){let h=o("button",{class:`xnb-button xnb-${n}`,type:"button",title:`${a} (${r})`,"aria-label":a,"aria-keyshortcuts":r,"data-action":n,tabindex:"-1"},u(c));l!==c&&h.append(u(l)),s.set(n,h)}let t=o("button",{class:"xnb-button xnb-quiet",type:"button","aria-label":"Turn sound off",title:"Turn sound off","aria-pressed":"false","data-action":"sound",tabindex:"-1"},u("volume"),u("volumeOff")),e=o("input",{class:"xnb-volume",type:"range",min:"0",max:"1",step:"0.05",value:"1","aria-label":"Volume",tabindex:"-1"});return{bar:o("div",{class:"xnb-bar",role:"toolbar","aria-label":"Call controls"},o("span",{class:"xnb-side"}),o("div",{class:"xnb-main"},...s.values()),o("span",{class:"xnb-side xnb-out"},t,e)),buttons:s,speaker:t,volume:e}}function at({alive:s,state:t,hasVideo:e,cameraOff:i,frames:n,legState:a,failed:r}){return r?"failed":t==="ended"?"ended":s?t!=="connected"&&t!=="reconnecting"?"steps":a==="lost"?"no-path":e?i?"camera-off":n>0?"video":"wait":"audio":"gone"}function p(s){let t=o("div",{class:"xnb-ring"}),e=o("div",{class:"xnb-avatar","aria-hidden":"true"},t);return e.append(o("span",{},P(s))),e.style.setProperty("--xnb-hue",String(j(s))),e}function x(s,t=""){let e=[o("p",{class:"xnb-words"},s)];return t&&e.push(o("p",{class:"xnb-small"},t)),e}function Ft(s){let t=o("ol",{class:"xnb-steps","aria-label":"Steps so far"});return s.slice(-6).forEach(e=>{let i=o("span",{class:"xnb-mark"});e.done?i.append(u("check")):i.append(o("span",{class:"xnb-spinner"}));let n=o("span",{class:"xnb-at"},e.done?$(e.at_ms):"");t.append(o("li",{"data-done":String(e.done)},i,o("span",{},e.text),n))}),t}function rt(s){if(!s.length)return[];let t=o("ul",{class:"xnb-files","aria-label":"Recordings"});for(let e of s){let i=/\.(wav|ogg|opus|mp3|m4a)$/i.test(e)?"fileAudio":"fileVideo";t.append(o("li",{},u(i),o("span",{},e)))}return[t]}function lt(s,t){let e=String(t.value("title")||"…");switch(s){case"steps":return[p(e),Ft(t.value("stages")??[])];case"wait":return[p(e),...x("Waiting for the first picture")];case"camera-off":return[p(e),...x(`${e}’s camera is off`)];case"audio":return[p(e),...x(e,"Audio call")];case"no-path":return[p(e),...x("The call goes on, but not on this page",t.leg.why)];case"failed":{let i=t.value("failure")??{};return[o("div",{class:"xnb-badge xnb-bad","aria-hidden":"true"},u("alert")),o("div",{class:"xnb-text"},o("p",{class:"xnb-words"},i.title??"The call failed"),o("p",{},i.cause??""),o("p",{class:"xnb-remedy"},i.remedy??""),...rt(t.value("recorded")??[]))]}case"ended":{let i=t.value("ended")??{},n=i.reason_text??"Hanging up",a=i.duration_s>0?`${i.duration} with ${e}`:"";return[p(e),o("div",{class:"xnb-text"},o("p",{class:"xnb-words"},n),o("p",{class:"xnb-small"},a),...rt(t.value("recorded")??[]))]}case"gone":return[p(e),o("div",{class:"xnb-text"},o("p",{class:"xnb-words"},`Call with ${e}`),o("p",{class:"xnb-small"},"No kernel is behind this card. Run the cell to call."))];default:return[]}}var y=class{constructor(t){this.peaks=new Float32Array(t),this.next=0}push(t){this.peaks[this.next]=Math.min(1,Math.max(0,t)),this.next=(this.next+1)%this.peaks.length}at(t){return this.peaks[(this.next+t)%this.peaks.length]}get latest(){return this.at(this.peaks.length-1)}};function ct(s){let t=0;for(let e=0;e<s.length;e++){let i=Math.abs(s[e]);i>t&&(t=i)}return t}function w(s){if(s<=0)return 0;let t=20*Math.log10(s);return Math.min(1,Math.max(0,1-t/-60))}function ht(s,t){return Math.max(t,s-.04)}function dt(s,t,e,i){let n=Math.min(2,window.devicePixelRatio||1),a=Math.round(s.clientWidth*n),r=Math.round(s.clientHeight*n);if(!a||!r)return;(s.width!==a||s.height!==r)&&(s.width=a,s.height=r);let l=s.getContext("2d");if(!l)return;l.clearRect(0,0,a,r);let c=6*n,h=12*n,f=h,m=a-h-c-10*n,v=4*n,_=2*n,E=Math.min(t.peaks.length,Math.floor((m-f)/v)),ft=r/2,pt=r/2-5*n;l.fillStyle=i.wave;for(let k=0;k<E;k++){let mt=t.at(t.peaks.length-E+k),I=Math.max(_/2,Math.sqrt(mt)*pt),gt=m-(E-k)*v;l.beginPath(),l.roundRect(gt,ft-I,_,2*I,_/2),l.fill()}let O=6*n,L=r-2*O,R=a-h-c;l.fillStyle=i.soft,l.beginPath(),l.roundRect(R,O,c,L,c/2),l.fill();let B=L*w(e);B>1&&(l.fillStyle=e>.9?i.hot:i.wave,l.beginPath(),l.roundRect(R,O+L-B,c,B,c/2),l.fill())}var S=class{constructor(t,e){this.session=t,this.inView=!1,this.frames=0,this.shownLevel=0,this.drawnPanel="",this.themeAt=0,this.colours={wave:"#1976d2",soft:"#ddd",hot:"#d32f2f"},this.recordSince=void 0,this.ui=ot(),e.classList.add("xnb"),e.append(this.ui.root),this.#e(),this.observer=new IntersectionObserver(i=>{this.inView=i[i.length-1].isIntersecting,t.seen()}),this.observer.observe(this.ui.root),this.#s(),t.add(this),this.streamChanged(),this.selfChanged()}#e(){let{root:t,video:e,stage:i,unblock:n,speaker:a,volume:r,buttons:l}=this.ui;t.addEventListener("keydown",c=>this.#i(c)),t.addEventListener("pointerdown",()=>this.session.meter.wake()),n.addEventListener("click",()=>this.session.wake());for(let[c,h]of l)h.addEventListener("click",()=>this.session.command(c));a.addEventListener("click",()=>this.session.setSound({off:!this.session.sound.off})),r.addEventListener("input",()=>this.session.setSound({volume:Number(r.value),off:!1})),e.addEventListener("resize",()=>{let{videoWidth:c,videoHeight:h}=e;c&&h&&i.style.setProperty("--xnb-ratio",`${c} / ${h}`)})}#i(t){let e=t.target,i=[...this.ui.bar.querySelectorAll("button, input")].filter(l=>l.offsetParent&&!l.hasAttribute("disabled")),n=i.indexOf(e),a=e===this.ui.volume,r=n>=0?V(t.key,n,i.length):null;if(r!==null&&!(a&&t.key!=="Home"&&t.key!=="End"))this.#t(i[r]),t.preventDefault();else{let l=F(t);if(l){let c=this.ui.buttons.get(l);c&&!c.disabled&&c.offsetParent&&c.click(),t.preventDefault()}else if(!(e!==this.ui.root&&N.has(t.key)))return}t.stopPropagation()}#t(t){for(let e of this.ui.bar.querySelectorAll("button, input"))e.setAttribute("tabindex","-1");t.setAttribute("tabindex","0"),t.focus()}#s(){this.ui.video.requestVideoFrameCallback&&(this.frameCallback=this.ui.video.requestVideoFrameCallback(()=>{this.frames+=1,this.frames===1&&this.update(),this.ui.root.dataset.frames=String(this.frames),this.#s()}))}streamChanged(){let{stream:t}=this.session.leg;t.getTracks().length===0?(this.ui.video.srcObject=null,this.frames=0,this.ui.root.dataset.frames="0"):this.ui.video.srcObject!==t&&(this.ui.video.srcObject=t),this.ui.video.srcObject&&this.play()}selfChanged(){let{capture:t}=this.session,e=t.track("video")?t.stream:null;this.ui.mirror.srcObject!==e&&(this.ui.mirror.srcObject=e),e&&this.ui.mirror.play().catch(()=>{})}async play(){let{session:t}=this,e=t.speaker===this&&!t.sound.blocked;this.ui.video.muted=!e||t.sound.off,this.ui.video.volume=t.sound.volume;try{await this.ui.video.play()}catch(i){if(!(i instanceof DOMException)||i.name!=="NotAllowedError"||this.ui.video.muted)return;t.sound.blocked=!0,t.update(),this.ui.video.play().catch(()=>{})}}update(){let{session:t}=this,e=Object.keys(t.value("failure")??{}).length>0,i=String(t.value("state")),n=at({alive:t.alive,state:i,failed:e,frames:this.frames,hasVideo:!!t.value("has_video"),cameraOff:!!t.value("remote_camera_off"),legState:t.leg.state}),{dataset:a}=this.ui.root;a.state=i,a.mode=n,a.transport=t.leg.state==="connected"?"webrtc":"none",a.video=String(!!t.value("has_video")),a.recording=String(!!t.value("recording")),this.#n(n),this.#o(n),this.#r(n),this.#l(),this.tick()}#n(t){let{session:e}=this,i=String(e.value("title")||"Call"),a={failed:"failed",ended:"ended",gone:"not live"}[t]??e.value("state_text");g(this.ui.title,i),g(this.ui.status,String(a)),this.ui.root.setAttribute("aria-label",`Call with ${i}`),this.ui.theirMic.setAttribute("aria-label",`${i} is muted`),this.ui.theirMic.title=`${i} is muted`,d(this.ui.theirMic,e.connected&&!!e.value("remote_muted"))}#o(t){let{session:e}=this,i=["title","stages","failure","ended","recorded"].map(l=>e.value(l)),n=JSON.stringify([t,e.leg.why,i]);n!==this.drawnPanel&&(this.drawnPanel=n,this.ui.panel.replaceChildren(...lt(t,e))),this.ui.video.setAttribute("aria-label",`Picture from ${e.value("title")}`),d(this.ui.panel,t!=="video");let a=e.connected&&!!e.value("camera_on"),r=!!e.capture.track("video");d(this.ui.mirror,a&&r),d(this.ui.self,a&&!r&&e.thumbnail!==null),d(this.ui.unblock,e.sound.blocked&&e.connected),this.#a()}#a(){let{session:t}=this,{refusal:e,asking:i}=t.capture,n=String(t.value("notice")??"");e?n=`${e.cause} ${e.remedy}`:i&&(n="Asking this browser for your devices …"),t.value("state")==="ended"?n="":t.value("state")==="reconnecting"?n="Connection lost, trying again …":t.busy&&(n=t.value("own_thread")?"Python has not answered for a while.":'A cell is running, so the call stands still until it is done. Client(loop="thread") keeps calls going meanwhile.'),g(this.ui.note,n),d(this.ui.note,n!=="")}#r(t){let{session:e}=this,i=t==="ended"||t==="failed"||t==="gone";d(this.ui.bar,!i),d(this.ui.sound,!i&&t!=="steps");let n={mute:e.value("muted"),camera:!e.value("camera_on"),page:e.capture.active||e.capture.asking,record:e.value("recording")},a=e.value("has_video")?"camera and microphone":"microphone",r=e.connected?"Hang up":"Cancel the call";for(let[h,f]of this.ui.buttons){if(h==="hangup"){f.title=`${r} (H)`,f.setAttribute("aria-label",r);continue}let m=!!n[h];if(f.setAttribute("aria-pressed",String(m)),f.disabled=h==="page"?!e.reached&&!m:!e.connected,h==="page"){let v=`${m?"Stop using":"Use"} this page’s ${a}`;f.title=`${v} (P)`,f.setAttribute("aria-label",v)}}let l=this.ui.buttons.get("camera");l&&d(l,!!e.value("has_video")),this.ui.speaker.setAttribute("aria-pressed",String(e.sound.off)),this.ui.video.muted=e.sound.off||e.sound.blocked||e.speaker!==this,this.ui.video.volume=e.sound.volume,this.ui.bar.querySelector(".xnb-out").classList.toggle("xnb-away",t==="steps"),this.ui.bar.querySelectorAll('[tabindex="0"]:not([disabled])').length===0&&this.ui.buttons.get(e.connected?"mute":"hangup")?.setAttribute("tabindex","0")}#l(){let{session:t}=this,{videoWidth:e,videoHeight:i}=this.ui.video,n=t.value("size")||(e&&i?`${e}×${i}`:""),r=[[t.value("codec"),n,t.value("fps")].filter(Boolean).join(" "),t.value("rtt"),t.value("loss"),t.value("path"),t.value("sending")?`sending ${t.value("sending")}`:""].filter(Boolean),l=r.join(`
`);this.ui.foot.dataset.drawn!==l&&(this.ui.foot.dataset.drawn=l,this.ui.foot.replaceChildren(...r.map(c=>o("span",{},c)))),d(this.ui.foot,t.connected&&t.alive&&r.length>0)}tick(){let{session:t}=this,i=t.value("state")==="ended"?Number(t.value("ended")?.duration_s??0):t.duration;g(this.ui.time,t.connected||i>0?H(i):"");let n=t.connected&&!!t.value("recording");d(this.ui.rec,n),n?g(this.ui.rec,`REC ${H(this.#h())}`):this.recordSince=void 0,this.ui.level.setAttribute("aria-valuenow",String(Math.round(100*w(this.shownLevel)))),this.#a()}#h(){let t=Number(this.session.model.get("record_elapsed"))||0,e=performance.now()/1e3;return this.recordSince??=e-(this.session.model.get("recording")?t:0),e-this.recordSince}drawThumbnail(){let t=this.session.thumbnail;t&&((this.ui.self.width!==t.width||this.ui.self.height!==t.height)&&(this.ui.self.width=t.width,this.ui.self.height=t.height),this.ui.self.getContext("2d")?.drawImage(t,0,0),this.ui.self.hidden&&this.update())}drawSound(){let{meter:t}=this.session;this.shownLevel=ht(this.shownLevel,t.level),this.ui.panel.style.setProperty("--xnb-level",w(this.shownLevel).toFixed(3)),this.#d(),dt(this.ui.wave,t.wave,this.shownLevel,this.colours)}#d(){let t=performance.now();if(t-this.themeAt<1e3)return;this.themeAt=t;let e=getComputedStyle(this.ui.root),i=n=>e.getPropertyValue(n).trim();this.colours={wave:i("--xnb-accent"),soft:i("--xnb-track"),hot:i("--xnb-bad")}}close(){this.observer.disconnect(),this.frameCallback!==void 0&&this.ui.video.cancelVideoFrameCallback(this.frameCallback),this.inView=!1,this.ui.video.srcObject=null,this.session.remove(this),this.ui.root.remove()}};var Vt={NotAllowedError:["This browser does not let the page use your {}.","Allow it in the address bar, then click again."],NotFoundError:["This computer has no {}.","Connect one, then click again."],NotReadableError:["Your {} could not be started.","Close other programs that use it, then click again."]};function Nt({camera:s,microphone:t}){return s&&t?"camera or microphone":s?"camera":"microphone"}function Dt(s,t){let e=s instanceof Error||s instanceof DOMException?s.name:"",[i,n]=Vt[e]??[`Your {} could not be used (${e||"unknown error"}).`,"Reload the page, then click again."];return{cause:i.replace("{}",Nt(t)),remedy:n}}var M=class{constructor(t){this.hooks=t,this.stream=null,this.asking=!1,this.refusal=null,this.maxHeight=480,this.maxFps=30,this.attempt=0,this.on={audio:!0,video:!0}}limit(t,e){this.maxHeight=Math.min(480,t||480),this.maxFps=Math.min(30,e||30)}get active(){return this.stream!==null}track(t){return this.stream?.getTracks().find(e=>e.kind===t)??null}async start(t){if(this.active||this.asking)return this.active;let e=++this.attempt;if(this.refusal=null,!(this.hooks.isSecure??(()=>window.isSecureContext))())return this.#t({cause:"Browsers give cameras and microphones only to pages from https or localhost.",remedy:"Open JupyterLab at localhost, through an SSH tunnel if need be, or with https."});this.asking=!0,this.hooks.changed();try{let i=await this.#e(t);if(e!==this.attempt){for(let n of i.getTracks())n.stop();return!1}this.#i(i)}catch(i){return e!==this.attempt?!1:this.#t(Dt(i,t))}return!0}async#e(t){let e=this.hooks.getMedia??(r=>navigator.mediaDevices.getUserMedia(r)),i=this.maxHeight,n=t.camera&&{height:{ideal:i},width:{ideal:Math.round(i*4/3)},frameRate:{ideal:this.maxFps,max:this.maxFps}},a=t.microphone;try{return await e({audio:a,video:n})}catch(r){if(!(r instanceof Error||r instanceof DOMException?r.name==="NotFoundError":!1)||!n||!a)throw r;try{return await e({audio:a,video:!1})}catch{return e({audio:!1,video:n})}}}#i(t){this.asking=!1,this.stream=t;for(let e of t.getTracks())e.onended=()=>this.stop();this.setOn(this.on),this.hooks.changed()}#t(t){return this.asking=!1,this.refusal=t,this.hooks.changed(),!1}setOn(t){this.on=t;for(let e of this.stream?.getTracks()??[])e.enabled=e.kind==="audio"?t.audio:t.video}stop(){this.attempt+=1;let t=this.active||this.asking;for(let e of this.stream?.getTracks()??[])e.onended=null,e.stop();this.stream=null,this.asking=!1,t&&this.hooks.changed()}};function ut(s){return s.split(/\r?\n/).filter(t=>!/^a=candidate:.* \S+\.local /i.test(t)).join(`\r
`)}var qt=12e3,Ut=6e3,zt=[500,1500,4e3,8e3],C=class{constructor(t,e){this.page=t,this.hooks=e,this.state="idle",this.why="",this.stream=(e.makeStream??(()=>new MediaStream))(),this.pc=null,this.senders=new Map,this.carried=[],this.failures=0,this.video=!1,this.timer=void 0}async open(t){if(this.state!=="idle"&&this.state!=="waiting")return;this.video=t,this.#s(),this.#n("connecting");let e=this.hooks.makePeer??(()=>new RTCPeerConnection({iceServers:[]})),i;try{i=this.pc=e()}catch{this.#t("This browser has no WebRTC.",!0);return}i.ontrack=a=>{this.stream.addTrack(a.track),this.hooks.changed()},i.onconnectionstatechange=()=>this.#e(i);for(let a of t?["audio","video"]:["audio"])this.senders.set(a,i.addTransceiver(a,{direction:"sendrecv"}).sender);this.carry(this.carried),this.#i(qt,"The kernel did not answer this page.");try{await i.setLocalDescription()}catch{i===this.pc&&this.#t("This browser could not offer to receive the call.")}if(i!==this.pc)return;let n=ut(i.localDescription?.sdp??"");this.hooks.send({type:"offer",page:this.page,sdp:n})}async receive(t){if(!(t.page!==this.page||!this.pc))if(t.type==="answer")try{await this.pc.setRemoteDescription({type:"answer",sdp:t.sdp??""})}catch{this.#t("The kernel's answer could not be used.")}else t.type==="lost"&&this.#t(t.why??"",t.final)}carry(t){this.carried=t;for(let[e,i]of this.senders){let n=t.find(a=>a.kind===e)??null;i.track!==n&&i.replaceTrack(n).catch(()=>{})}}#e(t){t===this.pc&&(t.connectionState==="connected"?(clearTimeout(this.timer),this.failures=0,this.#n("connected")):t.connectionState==="failed"||t.connectionState==="closed"?this.#t("Sound and picture find no path from the kernel to this page."):t.connectionState==="disconnected"&&this.#i(Ut,"The kernel's media stopped."))}#i(t,e){clearTimeout(this.timer),this.timer=setTimeout(()=>this.#t(e),t)}#t(t,e=!1){this.#s(),this.why=t;let i=zt[this.failures++];if(e||i===void 0){this.#n("lost");return}this.#n("waiting"),this.timer=setTimeout(()=>this.open(this.video),i)}#s(){clearTimeout(this.timer);let t=this.pc;this.pc=null,this.senders.clear(),t&&(t.ontrack=t.onconnectionstatechange=null,t.close());for(let e of this.stream.getTracks())this.stream.removeTrack(e)}#n(t){this.state=t,this.hooks.changed()}close(){this.state!=="idle"&&(this.#s(),this.failures=0,this.hooks.send({type:"bye",page:this.page}),this.#n("idle"))}async level(){let t=this.pc?.getReceivers().find(e=>e.track.kind==="audio");if(!t)return null;for(let e of(await t.getStats()).values())if(e.type==="inbound-rtp"&&typeof e.audioLevel=="number")return e.audioLevel;return null}};var Yt=180,Kt=100,A=class{constructor(t){this.fallback=t,this.wave=new y(Yt),this.context=null,this.analyser=null,this.source=null,this.track=null,this.samples=new Float32Array(2048),this.level=0,this.asked=0}listen(t){let e=t.getAudioTracks()[0]??null;e!==this.track&&(this.source?.disconnect(),this.source=null,this.track=e,e&&(this.context??=new AudioContext,this.analyser??=new AnalyserNode(this.context,{fftSize:2048}),this.source=this.context.createMediaStreamSource(new MediaStream([e])),this.source.connect(this.analyser)))}wake(){this.context?.state==="suspended"&&this.context.resume().catch(()=>{})}sample(){this.track&&this.analyser&&this.context?.state==="running"?(this.analyser.getFloatTimeDomainData(this.samples),this.level=ct(this.samples)):this.track?this.#e():this.level=0,this.wave.push(this.level)}#e(){let t=performance.now();t-this.asked<Kt||(this.asked=t,this.fallback().then(e=>this.level=e??0,()=>this.level=0))}close(){this.source?.disconnect(),this.source=this.track=null,this.context?.close().catch(()=>{}),this.context=this.analyser=null}};var T=class{constructor(t=()=>performance.now()){this.entries=new Map,this.now=t}set(t,e){this.entries.set(t,{value:e,until:this.now()+6e4})}drop(t){this.entries.delete(t)}get(t,e){let i=this.entries.get(t);return i?i.value===e||this.now()>i.until?(this.entries.delete(t),e):i.value:e}};var Wt=1e3/30,Gt=4e3,Xt=5e3,Zt=1e4,b=class{constructor(t){this.model=t,this.page=crypto.getRandomValues(new Uint32Array(3)).join("-"),this.cards=new Set,this.media=null,this.guess=new T,this.leg=new C(this.page,{send:e=>this.media?.send(e),changed:()=>this.#d()}),this.capture=new M({changed:()=>this.#a()}),this.announced=null,this.meter=new A(()=>this.leg.level()),this.sound={off:!1,volume:1,blocked:!1},this.thumbnail=null,this.thumbnailAt=0,this.visible=!1,this.heard=performance.now(),this.durationAt=performance.now(),this.lastDrawn=0,this.frameRequest=0,this.parting=void 0,this.ticker=setInterval(()=>this.#m(),500),this.onHide=()=>this.#g(),this.onVisibility=()=>this.seen(),this.onChange=()=>this.#c(),this.onDuration=()=>this.durationAt=performance.now(),this.onMessage=e=>this.#n(e),this.onMedia=(e,i)=>this.#f(e,i),window.addEventListener("pagehide",this.onHide),document.addEventListener("visibilitychange",this.onVisibility),t.on("change",this.onChange),t.on("change:duration_s",this.onDuration),t.on("msg:custom",this.onMessage),this.#e()}async#e(){let t=String(this.model.get("leg")??"").replace("IPY_MODEL_","");if(t){try{this.media=await this.model.widget_manager.get_model(t)}catch{this.media=null}this.media?.on("msg:custom",this.onMedia),this.media?.on("comm_live_update",this.onChange),this.#c()}}value(t){return this.guess.get(t,this.model.get(t))}get alive(){return this.media!==null&&this.media.comm_live!==!1}get connected(){let t=this.value("state");return t==="connected"||t==="reconnecting"}get duration(){let t=Number(this.model.get("duration_s"))||0;return this.connected?t+(performance.now()-this.durationAt)/1e3:t}get busy(){return this.connected&&this.visible&&performance.now()-this.heard>Xt}add(t){clearTimeout(this.parting),this.cards.add(t),this.seen(),this.#c()}remove(t){this.cards.delete(t),this.seen();for(let e of this.cards)e.update();this.cards.size===0&&(this.parting=setTimeout(()=>this.leg.close(),Gt))}get speaker(){return this.cards.values().next().value??null}seen(){let t=document.visibilityState==="visible"&&[...this.cards].some(e=>e.inView);t!==this.visible&&(this.visible=t,this.heard=performance.now(),this.#i(),t&&this.#u())}#i(){let t=this.cards.size>0;this.model.send({type:"view",page:this.page,open:t,visible:this.visible}),this.media?.send({type:"visible",page:this.page,visible:this.visible})}command(t){if(this.wake(),this.capture.refusal=null,t==="hangup"){if(this.value("state")==="ended")return;this.guess.set("state","ended"),this.leg.close(),this.capture.stop(),this.#s("hangup",!0)}else t==="mute"?this.#t("muted","mute"):t==="camera"&&this.value("has_video")?this.#t("camera_on","camera"):t==="page"&&this.reached?this.capture.active||this.capture.asking?this.capture.stop():this.capture.start({camera:!!this.value("has_video"),microphone:!0}):t==="record"&&this.connected&&this.#t("recording","record");this.#o(),this.update()}#t(t,e){let i=!this.value(t);this.guess.set(t,i),this.#s(e,i)}#s(t,e){this.model.send({type:"command",name:t,on:e})}#n(t){if(this.heard=performance.now(),t?.type!=="refused")return;let i={mute:"muted",camera:"camera_on",record:"recording",hangup:"state"}[t.name];i&&this.guess.drop(i),this.#c()}get reached(){return this.connected&&this.leg.state==="connected"}#o(){let t={audio:!this.value("muted"),video:!!this.value("camera_on")};this.capture.setOn(t)}#a(){this.leg.carry(this.capture.stream?.getTracks()??[]),this.#r(!0);for(let t of this.cards)t.selfChanged();this.update()}#r(t){let{capture:e,leg:i}=this;if(!e.asking)if(e.refusal)this.media?.send({type:"captured",page:this.page,refused:e.refusal});else if(e.active){if(i.state!=="connected"||!t&&this.announced===i.pc)return;this.announced=i.pc,this.#l()}else this.announced&&(this.announced=null,this.#l())}#l(){let[t,e]=[this.capture.track("video"),this.capture.track("audio")];this.media?.send({type:"captured",page:this.page,camera:t!==null,microphone:e!==null})}#h({page:t,type:e,camera:i,microphone:n}){t===this.page&&(e==="capture"?this.capture.start({camera:!!i,microphone:!!n}):(this.announced=null,this.capture.stop()))}wake(){if(this.meter.wake(),this.sound.blocked){this.sound.blocked=!1;for(let t of this.cards)t.play()}}setSound(t){Object.assign(this.sound,t),this.update()}#d(){this.meter.listen(this.leg.stream),this.leg.state==="lost"||this.leg.state==="idle"?this.capture.stop():this.capture.active&&this.#r(!1);for(let t of this.cards)t.streamChanged();this.update()}#f(t,e){this.heard=performance.now(),t?.type==="preview"?this.#p(t,e):t?.type==="capture"||t?.type==="release"?this.#h(t):(t?.page===this.page&&t.type==="answer"&&this.capture.limit(t.max_height_px,t.max_fps),this.leg.receive(t))}async#p(t,e){if(!(!this.visible||!e?.[0]))try{let i=await createImageBitmap(new Blob([e[0]],{type:"image/jpeg"}));this.thumbnail?.close(),this.thumbnail=i,this.thumbnailAt=performance.now();for(let n of this.cards)n.drawThumbnail()}finally{this.media?.send({type:"shown",page:this.page,n:t.n})}}#c(){this.heard=performance.now(),this.#o(),this.connected&&this.cards.size>0&&this.alive?this.leg.state==="idle"&&(this.#i(),this.leg.open(!!this.value("has_video"))):(!this.connected||!this.alive)&&this.leg.close(),this.update()}update(){for(let t of this.cards)t.update()}#m(){this.thumbnail&&performance.now()-this.thumbnailAt>Zt&&(this.thumbnail.close(),this.thumbnail=null,this.update());for(let t of this.cards)t.tick()}#u(){cancelAnimationFrame(this.frameRequest),this.visible&&(this.frameRequest=requestAnimationFrame(t=>{if(t-this.lastDrawn>=Wt-2&&(this.lastDrawn=t,this.connected)){this.meter.sample();for(let e of this.cards)e.inView&&e.drawSound()}this.#u()}))}#g(){this.leg.close(),this.capture.stop(),this.model.send({type:"view",page:this.page,open:!1,visible:!1})}close(){clearInterval(this.ticker),clearTimeout(this.parting),cancelAnimationFrame(this.frameRequest),window.removeEventListener("pagehide",this.onHide),document.removeEventListener("visibilitychange",this.onVisibility),this.media?.off("msg:custom",this.onMedia),this.media?.off("comm_live_update",this.onChange),this.leg.close(),this.capture.stop(),this.meter.close(),this.thumbnail?.close(),this.thumbnail=null}};var pi=()=>{let s;return{initialize({model:t}){return s=new b(t),()=>s?.close()},render({model:t,el:e}){s??=new b(t);let i=new S(s,e);return()=>i.close()}}};export{pi as default};
