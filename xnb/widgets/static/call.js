// Built from xnb/widgets/js by build.mjs, sources d27e245b44b388d37e28ae5f7df94e16cc35957acf6eb4f150c8f150f9b5f165. Icons: Lucide (ISC license).
function o(s,e={},...t){let i=document.createElement(s);for(let[n,r]of Object.entries(e))i.setAttribute(n,r);return i.append(...t),i}function p(s,e){s.textContent!==e&&(s.textContent=e)}function d(s,e){s.hidden===e&&(s.hidden=!e)}function E(s){let e=Math.max(0,Math.floor(s)),t=r=>String(r).padStart(2,"0"),i=Math.floor(e/60)%60,n=Math.floor(e/3600);return`${n?`${n}:`:""}${t(i)}:${t(e%60)}`}function I(s){let e=/[\p{L}\p{N}]/u.exec(s);return e?e[0].toUpperCase():"?"}function V(s){let e=7;for(let t of s)e=(e*31+(t.codePointAt(0)??0))%3600;return e%360}function $(s){let e=s/1e3;return e<10?`${e.toFixed(1)} s`:`${Math.round(e)} s`}var pe={m:"mute",v:"camera",r:"record",h:"hangup"};function H(s){return s.ctrlKey||s.metaKey||s.altKey||s.repeat?null:pe[s.key.toLowerCase()]??null}function P(s,e,t){return t===0?null:s==="ArrowRight"?(e+1)%t:s==="ArrowLeft"?(e-1+t)%t:s==="Home"?0:s==="End"?t-1:null}var D=new Set(["Enter"," ","ArrowLeft","ArrowRight","ArrowUp","ArrowDown","Home","End"]);var N=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var F=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var q=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var U=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var Y=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var K=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var W=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var G=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var J=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var X=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var Q=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var ee=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var te={alert:Z,check:N,circle:F,fileAudio:q,fileVideo:z,mic:Y,micOff:U,phone:K,square:W,video:J,videoOff:G,volume:X,volumeOff:Q,x:ee};function u(s){let e=document.createElement("template");e.innerHTML=te[s].slice(te[s].indexOf("<svg"));let t=e.content.firstElementChild;return t.setAttribute("class",`xnb-icon xnb-icon-${s}`),t.setAttribute("aria-hidden","true"),t.setAttribute("focusable","false"),t}var Oe=[{action:"mute",label:"Mute microphone",key:"M",on:"micOff",off:"mic"},{action:"camera",label:"Turn camera off",key:"V",on:"videoOff",off:"video"},{action:"record",label:"Record",key:"R",on:"square",off:"circle"},{action:"hangup",label:"Hang up",key:"H",on:"phone",off:"phone"}];function ie(){let s=Ee(),e=Le(),t=Be(),i=Re(),n=o("footer",{class:"xnb-foot"});return{root:o("section",{class:"xnb-card",role:"group",tabindex:"0"},s.head,e.stage,t.sound,i.bar,n),foot:n,...s,...e,...t,...i}}function Ee(){let s=o("strong",{class:"xnb-title"}),e=o("span",{class:"xnb-status",role:"status","aria-live":"polite"}),t=o("span",{class:"xnb-flag",role:"img"},u("micOff")),i=o("span",{class:"xnb-rec-badge"}),n=o("time",{class:"xnb-time",title:"Duration"});return{head:o("header",{class:"xnb-head"},o("span",{class:"xnb-dot","aria-hidden":"true"}),s,e,t,o("span",{class:"xnb-gap"}),i,n),title:s,status:e,theirMic:t,rec:i,time:n}}function Le(){let s=o("video",{class:"xnb-video",playsinline:"",autoplay:""});s.muted=!0;let e=o("div",{class:"xnb-panel"}),t=o("canvas",{class:"xnb-self",role:"img","aria-label":"Your picture"}),i=o("button",{class:"xnb-unblock",type:"button"},u("volume"),"Click for sound"),n=o("p",{class:"xnb-note",role:"status","aria-live":"polite"});return{stage:o("div",{class:"xnb-stage"},s,e,t,i,n),video:s,panel:e,self:t,unblock:i,note:n}}function Be(){let s=o("canvas",{class:"xnb-wave-canvas","aria-hidden":"true"}),e=o("span",{class:"xnb-level",role:"meter","aria-label":"Sound level","aria-valuemin":"0","aria-valuemax":"100","aria-valuenow":"0"});return{sound:o("div",{class:"xnb-wave"},s,e),wave:s,level:e}}function Re(){let s=new Map;for(let{action:n,label:r,key:l,on:a,off:c}of Oe){let h=o("button",{class:`xnb-button xnb-${n}`,type:"button",title:`${r} (${l})`,"aria-label":r,"aria-keyshortcuts":l,"data-action":n,tabindex:"-1"},u(c));a!==c&&h.append(u(a)),s.set(n,h)}let e=o("button",{class:"xnb-button xnb-quiet",type:"button","aria-label":"Turn sound off",title:"Turn sound off","aria-pressed":"false","data-action":"sound",tabindex:"-1"},u("volume"),u("volumeOff")),t=o("input",{class:"xnb-volume",type:"range",min:"0",max:"1",step:"0.05",value:"1","aria-label":"Volume",tabindex:"-1"});return{bar:o("div",{class:"xnb-bar",role:"toolbar","aria-label":"Call controls"},o("span",{class:"xnb-side"}),o("div",{class:"xnb-main"},...s.values()),o("span",{class:"xnb-side xnb-out"},e,t)),buttons:s,speaker:e,volume:t}}function se({alive:s,state:e,hasVideo:t,cameraOff:i,frames:n,legState:r,failed:l}){return l?"failed":e==="ended"?"ended":s?e!=="connected"&&e!=="reconnecting"?"steps":r==="lost"?"no-path":t?i?"camera-off":n>0?"video":"wait":"audio":"gone"}function f(s){let e=o("div",{class:"xnb-ring"}),t=o("div",{class:"xnb-avatar","aria-hidden":"true"},e);return t.append(o("span",{},I(s))),t.style.setProperty("--xnb-hue",String(V(s))),t}function w(s,e=""){let t=[o("p",{class:"xnb-words"},s)];return e&&t.push(o("p",{class:"xnb-small"},e)),t}function je(s){let e=o("ol",{class:"xnb-steps","aria-label":"Steps so far"});return s.slice(-6).forEach(t=>{let i=o("span",{class:"xnb-mark"});t.done?i.append(u("check")):i.append(o("span",{class:"xnb-spinner"}));let n=o("span",{class:"xnb-at"},t.done?$(t.at_ms):"");e.append(o("li",{"data-done":String(t.done)},i,o("span",{},t.text),n))}),e}function ne(s){if(!s.length)return[];let e=o("ul",{class:"xnb-files","aria-label":"Recordings"});for(let t of s){let i=/\.(wav|ogg|opus|mp3|m4a)$/i.test(t)?"fileAudio":"fileVideo";e.append(o("li",{},u(i),o("span",{},t)))}return[e]}function oe(s,e){let t=String(e.value("title")||"…");switch(s){case"steps":return[f(t),je(e.value("stages")??[])];case"wait":return[f(t),...w("Waiting for the first picture")];case"camera-off":return[f(t),...w(`${t}’s camera is off`)];case"audio":return[f(t),...w(t,"Audio call")];case"no-path":return[f(t),...w("The call goes on, but not on this page",e.leg.why)];case"failed":{let i=e.value("failure")??{};return[o("div",{class:"xnb-badge xnb-bad","aria-hidden":"true"},u("alert")),o("div",{class:"xnb-text"},o("p",{class:"xnb-words"},i.title??"The call failed"),o("p",{},i.cause??""),o("p",{class:"xnb-remedy"},i.remedy??""),...ne(e.value("recorded")??[]))]}case"ended":{let i=e.value("ended")??{},n=i.reason_text??"Hanging up",r=i.duration_s>0?`${i.duration} with ${t}`:"";return[f(t),o("div",{class:"xnb-text"},o("p",{class:"xnb-words"},n),o("p",{class:"xnb-small"},r),...ne(e.value("recorded")??[]))]}case"gone":return[f(t),o("div",{class:"xnb-text"},o("p",{class:"xnb-words"},`Call with ${t}`),o("p",{class:"xnb-small"},"No kernel is behind this card. Run the cell to call."))];default:return[]}}var b=class{constructor(e){this.peaks=new Float32Array(e),this.next=0}push(e){this.peaks[this.next]=Math.min(1,Math.max(0,e)),this.next=(this.next+1)%this.peaks.length}at(e){return this.peaks[(this.next+e)%this.peaks.length]}get latest(){return this.at(this.peaks.length-1)}};function re(s){let e=0;for(let t=0;t<s.length;t++){let i=Math.abs(s[t]);i>e&&(e=i)}return e}function m(s){if(s<=0)return 0;let e=20*Math.log10(s);return Math.min(1,Math.max(0,1-e/-60))}function ae(s,e){return Math.max(e,s-.04)}function le(s,e,t,i){let n=Math.min(2,window.devicePixelRatio||1),r=Math.round(s.clientWidth*n),l=Math.round(s.clientHeight*n);if(!r||!l)return;(s.width!==r||s.height!==l)&&(s.width=r,s.height=l);let a=s.getContext("2d");if(!a)return;a.clearRect(0,0,r,l);let c=6*n,h=12*n,C=h,L=r-h-c-10*n,B=4*n,M=2*n,A=Math.min(e.peaks.length,Math.floor((L-C)/B)),he=l/2,de=l/2-5*n;a.fillStyle=i.wave;for(let g=0;g<A;g++){let ue=e.at(e.peaks.length-A+g),j=Math.max(M/2,Math.sqrt(ue)*de),fe=L-(A-g)*B;a.beginPath(),a.roundRect(fe,he-j,M,2*j,M/2),a.fill()}let T=6*n,_=l-2*T,R=r-h-c;a.fillStyle=i.soft,a.beginPath(),a.roundRect(R,T,c,_,c/2),a.fill();let O=_*m(t);O>1&&(a.fillStyle=t>.9?i.hot:i.wave,a.beginPath(),a.roundRect(R,T+_-O,c,O,c/2),a.fill())}var x=class{constructor(e,t){this.session=e,this.inView=!1,this.frames=0,this.shownLevel=0,this.drawnPanel="",this.themeAt=0,this.colours={wave:"#1976d2",soft:"#ddd",hot:"#d32f2f"},this.recordSince=void 0,this.ui=ie(),t.classList.add("xnb"),t.append(this.ui.root),this.#s(),this.observer=new IntersectionObserver(i=>{this.inView=i[i.length-1].isIntersecting,e.seen()}),this.observer.observe(this.ui.root),this.#t(),e.add(this),this.streamChanged()}#s(){let{root:e,video:t,stage:i,unblock:n,speaker:r,volume:l,buttons:a}=this.ui;e.addEventListener("keydown",c=>this.#n(c)),e.addEventListener("pointerdown",()=>this.session.meter.wake()),n.addEventListener("click",()=>this.session.wake());for(let[c,h]of a)h.addEventListener("click",()=>this.session.command(c));r.addEventListener("click",()=>this.session.setSound({off:!this.session.sound.off})),l.addEventListener("input",()=>this.session.setSound({volume:Number(l.value),off:!1})),t.addEventListener("resize",()=>{let{videoWidth:c,videoHeight:h}=t;c&&h&&i.style.setProperty("--xnb-ratio",`${c} / ${h}`)})}#n(e){let t=e.target,i=[...this.ui.bar.querySelectorAll("button, input")].filter(a=>a.offsetParent&&!a.hasAttribute("disabled")),n=i.indexOf(t),r=t===this.ui.volume,l=n>=0?P(e.key,n,i.length):null;if(l!==null&&!(r&&e.key!=="Home"&&e.key!=="End"))this.#e(i[l]),e.preventDefault();else{let a=H(e);if(a){let c=this.ui.buttons.get(a);c&&!c.disabled&&c.offsetParent&&c.click(),e.preventDefault()}else if(!(t!==this.ui.root&&D.has(e.key)))return}e.stopPropagation()}#e(e){for(let t of this.ui.bar.querySelectorAll("button, input"))t.setAttribute("tabindex","-1");e.setAttribute("tabindex","0"),e.focus()}#t(){this.ui.video.requestVideoFrameCallback&&(this.frameCallback=this.ui.video.requestVideoFrameCallback(()=>{this.frames+=1,this.frames===1&&this.update(),this.ui.root.dataset.frames=String(this.frames),this.#t()}))}streamChanged(){let{stream:e}=this.session.leg;e.getTracks().length===0?(this.ui.video.srcObject=null,this.frames=0,this.ui.root.dataset.frames="0"):this.ui.video.srcObject!==e&&(this.ui.video.srcObject=e),this.ui.video.srcObject&&this.play()}async play(){let{session:e}=this,t=e.speaker===this&&!e.sound.blocked;this.ui.video.muted=!t||e.sound.off,this.ui.video.volume=e.sound.volume;try{await this.ui.video.play()}catch(i){if(!(i instanceof DOMException)||i.name!=="NotAllowedError"||this.ui.video.muted)return;e.sound.blocked=!0,e.update(),this.ui.video.play().catch(()=>{})}}update(){let{session:e}=this,t=Object.keys(e.value("failure")??{}).length>0,i=String(e.value("state")),n=se({alive:e.alive,state:i,failed:t,frames:this.frames,hasVideo:!!e.value("has_video"),cameraOff:!!e.value("remote_camera_off"),legState:e.leg.state}),{dataset:r}=this.ui.root;r.state=i,r.mode=n,r.transport=e.leg.state==="connected"?"webrtc":"none",r.recording=String(!!e.value("recording")),this.#i(n),this.#l(n),this.#c(n),this.#o(),this.tick()}#i(e){let{session:t}=this,i=String(t.value("title")||"Call"),r={failed:"failed",ended:"ended",gone:"not live"}[e]??t.value("state_text");p(this.ui.title,i),p(this.ui.status,String(r)),this.ui.root.setAttribute("aria-label",`Call with ${i}`),this.ui.theirMic.setAttribute("aria-label",`${i} is muted`),this.ui.theirMic.title=`${i} is muted`,d(this.ui.theirMic,t.connected&&!!t.value("remote_muted"))}#l(e){let{session:t}=this,i=["title","stages","failure","ended","recorded"].map(l=>t.value(l)),n=JSON.stringify([e,t.leg.why,i]);n!==this.drawnPanel&&(this.drawnPanel=n,this.ui.panel.replaceChildren(...oe(e,t))),this.ui.video.setAttribute("aria-label",`Picture from ${t.value("title")}`),d(this.ui.panel,e!=="video");let r=t.connected&&t.value("camera_on")&&t.thumbnail;d(this.ui.self,!!r),d(this.ui.unblock,t.sound.blocked&&t.connected),this.#r()}#r(){let{session:e}=this,t=String(e.value("notice")??"");e.value("state")==="ended"?t="":e.value("state")==="reconnecting"?t="Connection lost, trying again …":e.busy&&(t=e.value("own_thread")?"Python has not answered for a while.":'A cell is running, so the call stands still until it is done. Client(loop="thread") keeps calls going meanwhile.'),p(this.ui.note,t),d(this.ui.note,t!=="")}#c(e){let{session:t}=this,i=e==="ended"||e==="failed"||e==="gone";d(this.ui.bar,!i),d(this.ui.sound,!i&&e!=="steps");let n={mute:t.value("muted"),camera:!t.value("camera_on"),record:t.value("recording")},r=t.connected?"Hang up":"Cancel the call";for(let[c,h]of this.ui.buttons){if(c==="hangup"){h.title=`${r} (H)`,h.setAttribute("aria-label",r);continue}let C=!!n[c];h.setAttribute("aria-pressed",String(C)),h.disabled=!t.connected}let l=this.ui.buttons.get("camera");l&&d(l,!!t.value("has_video")),this.ui.speaker.setAttribute("aria-pressed",String(t.sound.off)),this.ui.video.muted=t.sound.off||t.sound.blocked||t.speaker!==this,this.ui.video.volume=t.sound.volume,this.ui.bar.querySelector(".xnb-out").classList.toggle("xnb-away",e==="steps"),this.ui.bar.querySelectorAll('[tabindex="0"]:not([disabled])').length===0&&this.ui.buttons.get(t.connected?"mute":"hangup")?.setAttribute("tabindex","0")}#o(){let{session:e}=this,{videoWidth:t,videoHeight:i}=this.ui.video,n=e.value("size")||(t&&i?`${t}×${i}`:""),l=[[e.value("codec"),n,e.value("fps")].filter(Boolean).join(" "),e.value("rtt"),e.value("loss"),e.value("path"),e.value("sending")?`sending ${e.value("sending")}`:""].filter(Boolean),a=l.join(`
`);this.ui.foot.dataset.drawn!==a&&(this.ui.foot.dataset.drawn=a,this.ui.foot.replaceChildren(...l.map(c=>o("span",{},c)))),d(this.ui.foot,e.connected&&e.alive&&l.length>0)}tick(){let{session:e}=this,i=e.value("state")==="ended"?Number(e.value("ended")?.duration_s??0):e.duration;p(this.ui.time,e.connected||i>0?E(i):"");let n=e.connected&&!!e.value("recording");d(this.ui.rec,n),n?p(this.ui.rec,`REC ${E(this.#h())}`):this.recordSince=void 0,this.ui.level.setAttribute("aria-valuenow",String(Math.round(100*m(this.shownLevel)))),this.#r()}#h(){let e=Number(this.session.model.get("record_elapsed"))||0,t=performance.now()/1e3;return this.recordSince??=t-(this.session.model.get("recording")?e:0),t-this.recordSince}drawThumbnail(){let e=this.session.thumbnail;e&&((this.ui.self.width!==e.width||this.ui.self.height!==e.height)&&(this.ui.self.width=e.width,this.ui.self.height=e.height),this.ui.self.getContext("2d")?.drawImage(e,0,0),this.ui.self.hidden&&this.update())}drawSound(){let{meter:e}=this.session;this.shownLevel=ae(this.shownLevel,e.level),this.ui.panel.style.setProperty("--xnb-level",m(this.shownLevel).toFixed(3)),this.#a(),le(this.ui.wave,e.wave,this.shownLevel,this.colours)}#a(){let e=performance.now();if(e-this.themeAt<1e3)return;this.themeAt=e;let t=getComputedStyle(this.ui.root),i=n=>t.getPropertyValue(n).trim();this.colours={wave:i("--xnb-accent"),soft:i("--xnb-track"),hot:i("--xnb-bad")}}close(){this.observer.disconnect(),this.frameCallback!==void 0&&this.ui.video.cancelVideoFrameCallback(this.frameCallback),this.inView=!1,this.ui.video.srcObject=null,this.session.remove(this),this.ui.root.remove()}};function ce(s){return s.split(/\r?\n/).filter(e=>!/^a=candidate:.* \S+\.local /i.test(e)).join(`\r
`)}var Ie=12e3,Ve=6e3,$e=[500,1500,4e3,8e3],k=class{constructor(e,t){this.page=e,this.hooks=t,this.state="idle",this.why="",this.stream=(t.makeStream??(()=>new MediaStream))(),this.pc=null,this.failures=0,this.video=!1,this.timer=void 0}async open(e){if(this.state!=="idle"&&this.state!=="waiting")return;this.video=e,this.#t(),this.#i("connecting");let t=this.hooks.makePeer??(()=>new RTCPeerConnection({iceServers:[]})),i;try{i=this.pc=t()}catch{this.#e("This browser has no WebRTC.",!0);return}i.ontrack=r=>{this.stream.addTrack(r.track),this.hooks.changed()},i.onconnectionstatechange=()=>this.#s(i),i.addTransceiver("audio",{direction:"recvonly"}),e&&i.addTransceiver("video",{direction:"recvonly"}),this.#n(Ie,"The kernel did not answer this page.");try{await i.setLocalDescription()}catch{i===this.pc&&this.#e("This browser could not offer to receive the call.")}if(i!==this.pc)return;let n=ce(i.localDescription?.sdp??"");this.hooks.send({type:"offer",page:this.page,sdp:n})}async receive(e){if(!(e.page!==this.page||!this.pc))if(e.type==="answer")try{await this.pc.setRemoteDescription({type:"answer",sdp:e.sdp??""})}catch{this.#e("The kernel's answer could not be used.")}else e.type==="lost"&&this.#e(e.why??"",e.final)}#s(e){e===this.pc&&(e.connectionState==="connected"?(clearTimeout(this.timer),this.failures=0,this.#i("connected")):e.connectionState==="failed"||e.connectionState==="closed"?this.#e("Sound and picture find no path from the kernel to this page."):e.connectionState==="disconnected"&&this.#n(Ve,"The kernel's media stopped."))}#n(e,t){clearTimeout(this.timer),this.timer=setTimeout(()=>this.#e(t),e)}#e(e,t=!1){this.#t(),this.why=e;let i=$e[this.failures++];if(t||i===void 0){this.#i("lost");return}this.#i("waiting"),this.timer=setTimeout(()=>this.open(this.video),i)}#t(){clearTimeout(this.timer);let e=this.pc;this.pc=null,e&&(e.ontrack=e.onconnectionstatechange=null,e.close());for(let t of this.stream.getTracks())this.stream.removeTrack(t)}#i(e){this.state=e,this.hooks.changed()}close(){this.state!=="idle"&&(this.#t(),this.failures=0,this.hooks.send({type:"bye",page:this.page}),this.#i("idle"))}async level(){let e=this.pc?.getReceivers().find(t=>t.track.kind==="audio");if(!e)return null;for(let t of(await e.getStats()).values())if(t.type==="inbound-rtp"&&typeof t.audioLevel=="number")return t.audioLevel;return null}};var He=180,Pe=100,y=class{constructor(e){this.fallback=e,this.wave=new b(He),this.context=null,this.analyser=null,this.source=null,this.track=null,this.samples=new Float32Array(2048),this.level=0,this.asked=0}listen(e){let t=e.getAudioTracks()[0]??null;t!==this.track&&(this.source?.disconnect(),this.source=null,this.track=t,t&&(this.context??=new AudioContext,this.analyser??=new AnalyserNode(this.context,{fftSize:2048}),this.source=this.context.createMediaStreamSource(new MediaStream([t])),this.source.connect(this.analyser)))}wake(){this.context?.state==="suspended"&&this.context.resume().catch(()=>{})}sample(){this.track&&this.analyser&&this.context?.state==="running"?(this.analyser.getFloatTimeDomainData(this.samples),this.level=re(this.samples)):this.track?this.#s():this.level=0,this.wave.push(this.level)}#s(){let e=performance.now();e-this.asked<Pe||(this.asked=e,this.fallback().then(t=>this.level=t??0,()=>this.level=0))}close(){this.source?.disconnect(),this.source=this.track=null,this.context?.close().catch(()=>{}),this.context=this.analyser=null}};var S=class{constructor(e=()=>performance.now()){this.entries=new Map,this.now=e}set(e,t){this.entries.set(e,{value:t,until:this.now()+6e4})}drop(e){this.entries.delete(e)}get(e,t){let i=this.entries.get(e);return i?i.value===t||this.now()>i.until?(this.entries.delete(e),t):i.value:t}};var De=1e3/30,Ne=4e3,Fe=5e3,v=class{constructor(e){this.model=e,this.page=crypto.getRandomValues(new Uint32Array(3)).join("-"),this.cards=new Set,this.media=null,this.guess=new S,this.leg=new k(this.page,{send:t=>this.media?.send(t),changed:()=>this.#l()}),this.meter=new y(()=>this.leg.level()),this.sound={off:!1,volume:1,blocked:!1},this.thumbnail=null,this.visible=!1,this.heard=performance.now(),this.durationAt=performance.now(),this.lastDrawn=0,this.frameRequest=0,this.parting=void 0,this.ticker=setInterval(()=>this.#h(),500),this.onHide=()=>this.#d(),this.onVisibility=()=>this.seen(),this.onChange=()=>this.#o(),this.onDuration=()=>this.durationAt=performance.now(),this.onMessage=t=>this.#i(t),this.onMedia=(t,i)=>this.#r(t,i),window.addEventListener("pagehide",this.onHide),document.addEventListener("visibilitychange",this.onVisibility),e.on("change",this.onChange),e.on("change:duration_s",this.onDuration),e.on("msg:custom",this.onMessage),this.#s()}async#s(){let e=String(this.model.get("leg")??"").replace("IPY_MODEL_","");if(e){try{this.media=await this.model.widget_manager.get_model(e)}catch{this.media=null}this.media?.on("msg:custom",this.onMedia),this.media?.on("comm_live_update",this.onChange),this.#o()}}value(e){return this.guess.get(e,this.model.get(e))}get alive(){return this.media!==null&&this.media.comm_live!==!1}get connected(){let e=this.value("state");return e==="connected"||e==="reconnecting"}get duration(){let e=Number(this.model.get("duration_s"))||0;return this.connected?e+(performance.now()-this.durationAt)/1e3:e}get busy(){return this.connected&&this.visible&&performance.now()-this.heard>Fe}add(e){clearTimeout(this.parting),this.cards.add(e),this.seen(),this.#o()}remove(e){this.cards.delete(e),this.seen();for(let t of this.cards)t.update();this.cards.size===0&&(this.parting=setTimeout(()=>this.leg.close(),Ne))}get speaker(){return this.cards.values().next().value??null}seen(){let e=document.visibilityState==="visible"&&[...this.cards].some(t=>t.inView);e!==this.visible&&(this.visible=e,this.heard=performance.now(),this.#n(),e&&this.#a())}#n(){let e=this.cards.size>0;this.model.send({type:"view",page:this.page,open:e,visible:this.visible}),this.media?.send({type:"visible",page:this.page,visible:this.visible})}command(e){if(this.wake(),e==="hangup"){if(this.value("state")==="ended")return;this.guess.set("state","ended"),this.leg.close(),this.#t("hangup",!0)}else e==="mute"?this.#e("muted","mute"):e==="camera"&&this.value("has_video")?this.#e("camera_on","camera"):e==="record"&&this.connected&&this.#e("recording","record");this.update()}#e(e,t){let i=!this.value(e);this.guess.set(e,i),this.#t(t,i)}#t(e,t){this.model.send({type:"command",name:e,on:t})}#i(e){if(this.heard=performance.now(),e?.type!=="refused")return;let i={mute:"muted",camera:"camera_on",record:"recording",hangup:"state"}[e.name];i&&this.guess.drop(i),this.#o()}wake(){if(this.meter.wake(),this.sound.blocked){this.sound.blocked=!1;for(let e of this.cards)e.play()}}setSound(e){Object.assign(this.sound,e),this.update()}#l(){this.meter.listen(this.leg.stream);for(let e of this.cards)e.streamChanged();this.update()}#r(e,t){this.heard=performance.now(),e?.type==="preview"?this.#c(e,t):this.leg.receive(e)}async#c(e,t){if(!(!this.visible||!t?.[0]))try{let i=await createImageBitmap(new Blob([t[0]],{type:"image/jpeg"}));this.thumbnail?.close(),this.thumbnail=i;for(let n of this.cards)n.drawThumbnail()}finally{this.media?.send({type:"shown",page:this.page,n:e.n})}}#o(){this.heard=performance.now(),this.connected&&this.cards.size>0&&this.alive?this.leg.state==="idle"&&(this.#n(),this.leg.open(!!this.value("has_video"))):(!this.connected||!this.alive)&&this.leg.close(),this.update()}update(){for(let e of this.cards)e.update()}#h(){for(let e of this.cards)e.tick()}#a(){cancelAnimationFrame(this.frameRequest),this.visible&&(this.frameRequest=requestAnimationFrame(e=>{if(e-this.lastDrawn>=De-2&&(this.lastDrawn=e,this.connected)){this.meter.sample();for(let t of this.cards)t.inView&&t.drawSound()}this.#a()}))}#d(){this.leg.close(),this.model.send({type:"view",page:this.page,open:!1,visible:!1})}close(){clearInterval(this.ticker),clearTimeout(this.parting),cancelAnimationFrame(this.frameRequest),window.removeEventListener("pagehide",this.onHide),document.removeEventListener("visibilitychange",this.onVisibility),this.media?.off("msg:custom",this.onMedia),this.media?.off("comm_live_update",this.onChange),this.leg.close(),this.meter.close(),this.thumbnail?.close(),this.thumbnail=null}};var Qt=()=>{let s;return{initialize({model:e}){return s=new v(e),()=>s?.close()},render({model:e,el:t}){s??=new v(e);let i=new x(s,t);return()=>i.close()}}};export{Qt as default};
