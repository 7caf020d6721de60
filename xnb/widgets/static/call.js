// Built from xnb/widgets/js by build.mjs. Icons: Lucide, ISC license.
function o(i,e={},...t){let s=document.createElement(i);for(let[n,a]of Object.entries(e))s.setAttribute(n,a);return s.append(...t),s}function p(i,e){i.textContent!==e&&(i.textContent=e)}function h(i,e){i.hidden===e&&(i.hidden=!e)}function E(i){let e=Math.max(0,Math.floor(i)),t=a=>String(a).padStart(2,"0"),s=Math.floor(e/60)%60,n=Math.floor(e/3600);return`${n?`${n}:`:""}${t(s)}:${t(e%60)}`}function I(i){let e=/[\p{L}\p{N}]/u.exec(i);return e?e[0].toUpperCase():"?"}function V(i){let e=7;for(let t of i)e=(e*31+(t.codePointAt(0)??0))%3600;return e%360}function $(i){let e=i/1e3;return e<10?`${e.toFixed(1)} s`:`${Math.round(e)} s`}var P=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var H=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var D=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var N=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var F=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var q=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var z=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var U=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var Y=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var K=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var W=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var Z=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var G=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var J=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var X={alert:Y,check:P,circle:H,fileAudio:D,fileVideo:N,mic:q,micOff:F,phone:z,square:U,video:W,videoOff:K,volume:Z,volumeOff:G,x:J};function d(i){let e=document.createElement("template");e.innerHTML=X[i].slice(X[i].indexOf("<svg"));let t=e.content.firstElementChild;return t.setAttribute("class",`xnb-icon xnb-icon-${i}`),t.setAttribute("aria-hidden","true"),t.setAttribute("focusable","false"),t}var _e={m:"mute",v:"camera",r:"record",h:"hangup"};function Q(i){return i.ctrlKey||i.metaKey||i.altKey||i.repeat?null:_e[i.key.toLowerCase()]??null}function ee(i,e,t){return t===0?null:i==="ArrowRight"?(e+1)%t:i==="ArrowLeft"?(e-1+t)%t:i==="Home"?0:i==="End"?t-1:null}var te=new Set(["Enter"," ","ArrowLeft","ArrowRight","ArrowUp","ArrowDown","Home","End"]);function ie({alive:i,state:e,hasVideo:t,cameraOff:s,frames:n,legState:a,failed:l}){return l?"failed":e==="ended"?"ended":i?e!=="connected"&&e!=="reconnecting"?"steps":a==="lost"?"no-path":t?s?"camera-off":n>0?"video":"wait":"audio":"gone"}function f(i){let e=o("div",{class:"xnb-ring"}),t=o("div",{class:"xnb-avatar","aria-hidden":"true"},e);return t.append(o("span",{},I(i))),t.style.setProperty("--xnb-hue",String(V(i))),t}function w(i,e=""){let t=[o("p",{class:"xnb-words"},i)];return e&&t.push(o("p",{class:"xnb-small"},e)),t}function Te(i){let e=o("ol",{class:"xnb-steps","aria-label":"Steps so far"});return i.slice(-6).forEach(t=>{let s=o("span",{class:"xnb-mark"});t.done?s.append(d("check")):s.append(o("span",{class:"xnb-spinner"}));let n=o("span",{class:"xnb-at"},t.done?$(t.at_ms):"");e.append(o("li",{"data-done":String(t.done)},s,o("span",{},t.text),n))}),e}function se(i){if(!i.length)return[];let e=o("ul",{class:"xnb-files","aria-label":"Recordings"});for(let t of i){let s=/\.(wav|ogg|opus|mp3|m4a)$/i.test(t)?"fileAudio":"fileVideo";e.append(o("li",{},d(s),o("span",{},t)))}return[e]}function ne(i,e){let t=String(e.value("title")||"…");switch(i){case"steps":return[f(t),Te(e.value("stages")??[])];case"wait":return[f(t),...w("Waiting for the first picture")];case"camera-off":return[f(t),...w(`${t}’s camera is off`)];case"audio":return[f(t),...w(t,"Audio call")];case"no-path":return[f(t),...w("The call goes on, but not on this page",e.leg.why)];case"failed":{let s=e.value("failure")??{};return[o("div",{class:"xnb-badge xnb-bad","aria-hidden":"true"},d("alert")),o("div",{class:"xnb-text"},o("p",{class:"xnb-words"},s.title??"The call failed"),o("p",{},s.cause??""),o("p",{class:"xnb-remedy"},s.remedy??""),...se(e.value("recorded")??[]))]}case"ended":{let s=e.value("ended")??{},n=s.reason_text??"Hanging up",a=s.duration_s>0?`${s.duration} with ${t}`:t;return[f(t),o("div",{class:"xnb-text"},o("p",{class:"xnb-words"},n),o("p",{class:"xnb-small"},a),...se(e.value("recorded")??[]))]}case"gone":return[f(t),o("div",{class:"xnb-text"},o("p",{class:"xnb-words"},`Call with ${t}`),o("p",{class:"xnb-small"},"No kernel is behind this card. Run the cell to call."))];default:return[]}}var b=class{constructor(e){this.peaks=new Float32Array(e),this.next=0}push(e){this.peaks[this.next]=Math.min(1,Math.max(0,e)),this.next=(this.next+1)%this.peaks.length}at(e){return this.peaks[(this.next+e)%this.peaks.length]}get latest(){return this.at(this.peaks.length-1)}};function oe(i){let e=0;for(let t=0;t<i.length;t++){let s=Math.abs(i[t]);s>e&&(e=s)}return e}function m(i){if(i<=0)return 0;let e=20*Math.log10(i);return Math.min(1,Math.max(0,1-e/-60))}function ae(i,e){return Math.max(e,i-.04)}function re(i,e,t,s){let n=Math.min(2,window.devicePixelRatio||1),a=Math.round(i.clientWidth*n),l=Math.round(i.clientHeight*n);if(!a||!l)return;(i.width!==a||i.height!==l)&&(i.width=a,i.height=l);let r=i.getContext("2d");if(!r)return;r.clearRect(0,0,a,l);let c=6*n,u=12*n,M=u,L=a-u-c-10*n,B=4*n,C=2*n,A=Math.min(e.peaks.length,Math.floor((L-M)/B)),ce=l/2,he=l/2-5*n;r.fillStyle=s.wave;for(let g=0;g<A;g++){let de=e.at(e.peaks.length-A+g),j=Math.max(C/2,Math.sqrt(de)*he),ue=L-(A-g)*B;r.beginPath(),r.roundRect(ue,ce-j,C,2*j,C/2),r.fill()}let _=6*n,T=l-2*_,R=a-u-c;r.fillStyle=s.soft,r.beginPath(),r.roundRect(R,_,c,T,c/2),r.fill();let O=T*m(t);O>1&&(r.fillStyle=t>.9?s.hot:s.wave,r.beginPath(),r.roundRect(R,_+T-O,c,O,c/2),r.fill())}var Oe=[{action:"mute",label:"Mute microphone",key:"M",on:"micOff",off:"mic"},{action:"camera",label:"Turn camera off",key:"V",on:"videoOff",off:"video"},{action:"record",label:"Record",key:"R",on:"square",off:"circle"},{action:"hangup",label:"Hang up",key:"H",on:"phone",off:"phone"}],x=class{constructor(e,t){this.session=e,this.inView=!1,this.frames=0,this.shownLevel=0,this.drawnPanel="",this.themeAt=0,this.colours={wave:"#1976d2",soft:"#ddd",hot:"#d32f2f"},this.#i(t),this.observer=new IntersectionObserver(s=>{this.inView=s[s.length-1].isIntersecting,e.seen()}),this.observer.observe(this.root),this.#t(),e.add(this),this.streamChanged()}#i(e){this.dot=o("span",{class:"xnb-dot","aria-hidden":"true"}),this.title=o("strong",{class:"xnb-title"}),this.status=o("span",{class:"xnb-status",role:"status","aria-live":"polite"}),this.theirMic=o("span",{class:"xnb-flag",role:"img"},d("micOff")),this.rec=o("span",{class:"xnb-rec-badge"}),this.time=o("time",{class:"xnb-time","aria-label":"Duration"});let t=o("header",{class:"xnb-head"},this.dot,this.title,this.status,this.theirMic,o("span",{class:"xnb-gap"}),this.rec,this.time);this.video=o("video",{class:"xnb-video",playsinline:"",autoplay:""}),this.video.muted=!0,this.panel=o("div",{class:"xnb-panel"}),this.self=o("canvas",{class:"xnb-self",role:"img","aria-label":"Your picture"}),this.unblock=o("button",{class:"xnb-unblock",type:"button"},d("volume"),"Click for sound"),this.unblock.addEventListener("click",()=>this.session.wake()),this.note=o("p",{class:"xnb-note",role:"status","aria-live":"polite"});let s=this.stage=o("div",{class:"xnb-stage"},this.video,this.panel,this.self,this.unblock,this.note);this.wave=o("canvas",{class:"xnb-wave-canvas","aria-hidden":"true"}),this.level=o("span",{class:"xnb-level",role:"meter","aria-label":"Sound level","aria-valuemin":"0","aria-valuemax":"100","aria-valuenow":"0"}),this.sound=o("div",{class:"xnb-wave"},this.wave,this.level),this.bar=this.#n(),this.foot=o("footer",{class:"xnb-foot"}),this.root=o("section",{class:"xnb-card",role:"group",tabindex:"0"},t,s,this.sound,this.bar,this.foot),this.root.addEventListener("keydown",n=>this.#e(n)),this.root.addEventListener("pointerdown",()=>this.session.meter.wake()),this.video.addEventListener("resize",()=>{let{videoWidth:n,videoHeight:a}=this.video;n&&a&&s.style.setProperty("--xnb-ratio",`${n} / ${a}`)}),e.classList.add("xnb"),e.append(this.root)}#n(){this.buttons=new Map;let e=o("div",{class:"xnb-main"});for(let{action:t,label:s,key:n,on:a,off:l}of Oe){let r=o("button",{class:`xnb-button xnb-${t}`,type:"button",title:`${s} (${n})`,"aria-label":s,"aria-keyshortcuts":n,"data-action":t,tabindex:"-1"}),c=[d(l)];a!==l&&c.push(d(a)),r.append(...c),r.addEventListener("click",()=>this.session.command(t)),this.buttons.set(t,r),e.append(r)}return this.speaker=o("button",{class:"xnb-button xnb-quiet",type:"button","aria-label":"Turn sound off",title:"Turn sound off","aria-pressed":"false","data-action":"sound",tabindex:"-1"},d("volume"),d("volumeOff")),this.speaker.addEventListener("click",()=>this.session.setSound({off:!this.session.sound.off})),this.volume=o("input",{class:"xnb-volume",type:"range",min:"0",max:"1",step:"0.05",value:"1","aria-label":"Volume",tabindex:"-1"}),this.volume.addEventListener("input",()=>this.session.setSound({volume:Number(this.volume.value),off:!1})),o("div",{class:"xnb-bar",role:"toolbar","aria-label":"Call controls"},o("span",{class:"xnb-side"}),e,o("span",{class:"xnb-side xnb-out"},this.speaker,this.volume))}#e(e){let t=e.target,s=[...this.bar.querySelectorAll("button, input")].filter(r=>r.offsetParent&&!r.hasAttribute("disabled")),n=s.indexOf(t),a=t===this.volume,l=n>=0?ee(e.key,n,s.length):null;if(l!==null&&!(a&&e.key!=="Home"&&e.key!=="End"))this.#s(s[l]),e.preventDefault();else{let r=Q(e);if(r){let c=this.buttons?.get(r);c&&!c.disabled&&c.offsetParent&&c.click(),e.preventDefault()}else if(!(t!==this.root&&te.has(e.key)))return}e.stopPropagation()}#s(e){for(let t of this.bar.querySelectorAll("button, input"))t.setAttribute("tabindex","-1");e.setAttribute("tabindex","0"),e.focus()}#t(){this.video.requestVideoFrameCallback&&(this.frameCallback=this.video.requestVideoFrameCallback(()=>{this.frames+=1,this.frames===1&&this.update(),this.root.dataset.frames=String(this.frames),this.#t()}))}streamChanged(){let{stream:e}=this.session.leg;e.getTracks().length===0?(this.video.srcObject=null,this.frames=0,this.root.dataset.frames="0"):this.video.srcObject!==e&&(this.video.srcObject=e),this.video.srcObject&&this.play()}async play(){let{session:e}=this,t=e.speaker===this&&!e.sound.blocked;this.video.muted=!t||e.sound.off,this.video.volume=e.sound.volume;try{await this.video.play()}catch(s){if(!(s instanceof DOMException)||s.name!=="NotAllowedError"||this.video.muted)return;e.sound.blocked=!0,e.update(),this.video.play().catch(()=>{})}}update(){let{session:e}=this,t=Object.keys(e.value("failure")??{}).length>0,s=String(e.value("state")),n=ie({alive:e.alive,state:s,failed:t,frames:this.frames,hasVideo:!!e.value("has_video"),cameraOff:!!e.value("remote_camera_off"),legState:e.leg.state}),{dataset:a}=this.root;a.state=s,a.mode=n,a.transport=e.leg.state==="connected"?"webrtc":"none",a.recording=String(!!e.value("recording")),this.#l(n),this.#c(n),this.#o(n),this.#h(),this.tick()}#l(e){let{session:t}=this,s=String(t.value("title")||"Call"),a={failed:"failed",ended:"ended",gone:"not live"}[e]??t.value("state_text");p(this.title,s),p(this.status,String(a)),this.root.setAttribute("aria-label",`Call with ${s}`),this.theirMic.setAttribute("aria-label",`${s} is muted`),this.theirMic.title=`${s} is muted`,h(this.theirMic,t.connected&&!!t.value("remote_muted"))}#c(e){let{session:t}=this,s=["title","stages","failure","ended","recorded"].map(l=>t.value(l)),n=JSON.stringify([e,t.leg.why,s]);n!==this.drawnPanel&&(this.drawnPanel=n,this.panel.replaceChildren(...ne(e,t))),this.video.setAttribute("aria-label",`Picture from ${t.value("title")}`),h(this.panel,e!=="video");let a=t.connected&&t.value("camera_on")&&t.thumbnail;h(this.self,!!a),h(this.unblock,t.sound.blocked&&t.connected),this.#a()}#a(){let{session:e}=this,t=String(e.value("notice")??"");e.value("state")==="ended"?t="":e.value("state")==="reconnecting"?t="Connection lost, trying again …":e.busy&&(t=e.value("own_thread")?"Python has not answered for a while.":'A cell is running, so the call stands still until it is done. Client(loop="thread") keeps calls going meanwhile.'),p(this.note,t),h(this.note,t!=="")}#o(e){let{session:t}=this,s=e==="ended"||e==="failed"||e==="gone";h(this.bar,!s),h(this.sound,!s&&e!=="steps");let n={mute:t.value("muted"),camera:!t.value("camera_on"),record:t.value("recording")},a=t.connected?"Hang up":"Cancel the call";for(let[c,u]of this.buttons??[]){if(c==="hangup"){u.title=`${a} (H)`,u.setAttribute("aria-label",a);continue}let M=!!n[c];u.setAttribute("aria-pressed",String(M)),u.disabled=!t.connected}let l=this.buttons?.get("camera");l&&h(l,!!t.value("has_video")),this.speaker?.setAttribute("aria-pressed",String(t.sound.off)),this.video.muted=t.sound.off||t.sound.blocked||t.speaker!==this,this.video.volume=t.sound.volume,this.bar.querySelector(".xnb-out").classList.toggle("xnb-away",e==="steps"),this.bar.querySelectorAll('[tabindex="0"]:not([disabled])').length===0&&this.buttons?.get(t.connected?"mute":"hangup")?.setAttribute("tabindex","0")}#h(){let{session:e}=this,s=[["codec","size","fps"].map(a=>e.value(a)).filter(Boolean).join(" "),e.value("rtt"),e.value("loss"),e.value("path"),e.value("sending")?`sending ${e.value("sending")}`:""].filter(Boolean),n=s.join(`
`);this.foot.dataset.drawn!==n&&(this.foot.dataset.drawn=n,this.foot.replaceChildren(...s.map(a=>o("span",{},a)))),h(this.foot,e.connected&&e.alive&&s.length>0)}tick(){let{session:e}=this,s=e.value("state")==="ended"?Number(e.value("ended")?.duration_s??0):e.duration;p(this.time,e.connected||s>0?E(s):"");let n=e.connected&&!!e.value("recording");h(this.rec,n),n?p(this.rec,`REC ${E(this.#r())}`):this.recordSince=void 0,this.level.setAttribute("aria-valuenow",String(Math.round(100*m(this.shownLevel)))),this.#a()}#r(){let e=Number(this.session.model.get("record_elapsed"))||0,t=performance.now()/1e3;return this.recordSince??=t-(this.session.model.get("recording")?e:0),t-this.recordSince}drawThumbnail(){let e=this.session.thumbnail;e&&((this.self.width!==e.width||this.self.height!==e.height)&&(this.self.width=e.width,this.self.height=e.height),this.self.getContext("2d")?.drawImage(e,0,0),this.self.hidden&&this.update())}drawSound(){let{meter:e}=this.session;this.shownLevel=ae(this.shownLevel,e.level),this.panel.style.setProperty("--xnb-level",m(this.shownLevel).toFixed(3)),this.#d(),re(this.wave,e.wave,this.shownLevel,this.colours)}#d(){let e=performance.now();if(e-this.themeAt<1e3)return;this.themeAt=e;let t=getComputedStyle(this.root),s=n=>t.getPropertyValue(n).trim();this.colours={wave:s("--xnb-accent"),soft:s("--xnb-line"),hot:s("--xnb-bad")}}close(){this.observer.disconnect(),this.frameCallback!==void 0&&this.video.cancelVideoFrameCallback(this.frameCallback),this.inView=!1,this.video.srcObject=null,this.session.remove(this),this.root.remove()}};function le(i){return i.split(/\r?\n/).filter(e=>!/^a=candidate:.* \S+\.local /i.test(e)).join(`\r
`)}var Ee=12e3,Le=6e3,Be=[500,1500,4e3,8e3],k=class{constructor(e,t){this.page=e,this.hooks=t,this.state="idle",this.why="",this.stream=(t.makeStream??(()=>new MediaStream))(),this.pc=null,this.failures=0,this.video=!1,this.timer=void 0}async open(e){if(this.state!=="idle"&&this.state!=="waiting")return;this.video=e,this.#s(),this.#t("connecting");let t=this.hooks.makePeer??(()=>new RTCPeerConnection({iceServers:[]})),s=this.pc=t();if(s.ontrack=a=>{this.stream.addTrack(a.track),this.hooks.changed()},s.onconnectionstatechange=()=>this.#i(s),s.addTransceiver("audio",{direction:"recvonly"}),e&&s.addTransceiver("video",{direction:"recvonly"}),this.#n(Ee,"The kernel did not answer this page."),await s.setLocalDescription(),s!==this.pc)return;let n=le(s.localDescription?.sdp??"");this.hooks.send({type:"offer",page:this.page,sdp:n})}async receive(e){if(!(e.page!==this.page||!this.pc))if(e.type==="answer")try{await this.pc.setRemoteDescription({type:"answer",sdp:e.sdp??""})}catch{this.#e("The kernel's answer could not be used.")}else e.type==="lost"&&this.#e(e.why??"",e.final)}#i(e){e===this.pc&&(e.connectionState==="connected"?(clearTimeout(this.timer),this.failures=0,this.#t("connected")):e.connectionState==="failed"||e.connectionState==="closed"?this.#e("Sound and picture find no path from the kernel to this page."):e.connectionState==="disconnected"&&this.#n(Le,"The kernel's media stopped."))}#n(e,t){clearTimeout(this.timer),this.timer=setTimeout(()=>this.#e(t),e)}#e(e,t=!1){this.#s(),this.why=e;let s=Be[this.failures++];if(t||s===void 0){this.#t("lost");return}this.#t("waiting"),this.timer=setTimeout(()=>this.open(this.video),s)}#s(){clearTimeout(this.timer);let e=this.pc;this.pc=null,e&&(e.ontrack=e.onconnectionstatechange=null,e.close());for(let t of this.stream.getTracks())this.stream.removeTrack(t)}#t(e){this.state=e,this.hooks.changed()}close(){this.state!=="idle"&&(this.#s(),this.failures=0,this.hooks.send({type:"bye",page:this.page}),this.#t("idle"))}async level(){let e=this.pc?.getReceivers().find(t=>t.track.kind==="audio");if(!e)return null;for(let t of(await e.getStats()).values())if(t.type==="inbound-rtp"&&typeof t.audioLevel=="number")return t.audioLevel;return null}};var Re=180,je=100,y=class{constructor(e){this.fallback=e,this.wave=new b(Re),this.context=null,this.analyser=null,this.source=null,this.track=null,this.samples=new Float32Array(2048),this.level=0,this.asked=0}listen(e){let t=e.getAudioTracks()[0]??null;t!==this.track&&(this.source?.disconnect(),this.source=null,this.track=t,t&&(this.context??=new AudioContext,this.analyser??=new AnalyserNode(this.context,{fftSize:2048}),this.source=this.context.createMediaStreamSource(new MediaStream([t])),this.source.connect(this.analyser)))}wake(){this.context?.state==="suspended"&&this.context.resume().catch(()=>{})}sample(){this.track&&this.analyser&&this.context?.state==="running"?(this.analyser.getFloatTimeDomainData(this.samples),this.level=oe(this.samples)):this.track?this.#i():this.level=0,this.wave.push(this.level)}#i(){let e=performance.now();e-this.asked<je||(this.asked=e,this.fallback().then(t=>this.level=t??0,()=>this.level=0))}close(){this.source?.disconnect(),this.source=this.track=null,this.context?.close().catch(()=>{}),this.context=this.analyser=null}};var S=class{constructor(e=()=>performance.now()){this.entries=new Map,this.now=e}set(e,t){this.entries.set(e,{value:t,until:this.now()+4e3})}drop(e){this.entries.delete(e)}get(e,t){let s=this.entries.get(e);return s?s.value===t||this.now()>s.until?(this.entries.delete(e),t):s.value:t}};var Ie=1e3/30,Ve=4e3,$e=5e3,v=class{constructor(e){this.model=e,this.page=crypto.getRandomValues(new Uint32Array(3)).join("-"),this.cards=new Set,this.media=null,this.guess=new S,this.leg=new k(this.page,{send:t=>this.media?.send(t),changed:()=>this.#l()}),this.meter=new y(()=>this.leg.level()),this.sound={off:!1,volume:1,blocked:!1},this.thumbnail=null,this.visible=!1,this.heard=performance.now(),this.durationAt=performance.now(),this.lastDrawn=0,this.frameRequest=0,this.parting=void 0,this.ticker=setInterval(()=>this.#h(),500),this.onHide=()=>this.#d(),this.onVisibility=()=>this.seen(),this.onChange=()=>this.#o(),this.onDuration=()=>this.durationAt=performance.now(),this.onMessage=t=>this.#t(t),this.onMedia=(t,s)=>this.#c(t,s),window.addEventListener("pagehide",this.onHide),document.addEventListener("visibilitychange",this.onVisibility),e.on("change",this.onChange),e.on("change:duration_s",this.onDuration),e.on("msg:custom",this.onMessage),this.#i()}async#i(){let e=String(this.model.get("leg")??"").replace("IPY_MODEL_","");if(e){try{this.media=await this.model.widget_manager.get_model(e)}catch{this.media=null}this.media?.on("msg:custom",this.onMedia),this.media?.on("comm_live_update",this.onChange),this.#o()}}value(e){return this.guess.get(e,this.model.get(e))}get alive(){return this.media!==null&&this.media.comm_live!==!1}get connected(){let e=this.value("state");return e==="connected"||e==="reconnecting"}get duration(){let e=Number(this.model.get("duration_s"))||0;return this.connected?e+(performance.now()-this.durationAt)/1e3:e}get busy(){return this.connected&&this.visible&&performance.now()-this.heard>$e}add(e){clearTimeout(this.parting),this.cards.add(e),this.seen(),this.#o()}remove(e){this.cards.delete(e),this.seen();for(let t of this.cards)t.update();this.cards.size===0&&(this.parting=setTimeout(()=>this.leg.close(),Ve))}get speaker(){return this.cards.values().next().value??null}seen(){let e=document.visibilityState==="visible"&&[...this.cards].some(t=>t.inView);e!==this.visible&&(this.visible=e,this.heard=performance.now(),this.#n(),e&&this.#r())}#n(){let e=this.cards.size>0;this.model.send({type:"view",page:this.page,open:e,visible:this.visible}),this.media?.send({type:"visible",page:this.page,visible:this.visible})}command(e){if(this.wake(),e==="hangup"){if(this.value("state")==="ended")return;this.guess.set("state","ended"),this.leg.close(),this.#s("hangup",!0)}else e==="mute"?this.#e("muted","mute"):e==="camera"&&this.value("has_video")?this.#e("camera_on","camera"):e==="record"&&this.connected&&this.#e("recording","record");this.update()}#e(e,t){let s=!this.value(e);this.guess.set(e,s),this.#s(t,s)}#s(e,t){this.model.send({type:"command",name:e,on:t})}#t(e){if(this.heard=performance.now(),e?.type!=="refused")return;let s={mute:"muted",camera:"camera_on",record:"recording",hangup:"state"}[e.name];s&&this.guess.drop(s),this.#o()}wake(){if(this.meter.wake(),this.sound.blocked){this.sound.blocked=!1;for(let e of this.cards)e.play()}}setSound(e){Object.assign(this.sound,e),this.update()}#l(){this.meter.listen(this.leg.stream);for(let e of this.cards)e.streamChanged();this.update()}#c(e,t){this.heard=performance.now(),e?.type==="preview"?this.#a(e,t):this.leg.receive(e)}async#a(e,t){if(!(!this.visible||!t?.[0]))try{let s=await createImageBitmap(new Blob([t[0]],{type:"image/jpeg"}));this.thumbnail?.close(),this.thumbnail=s;for(let n of this.cards)n.drawThumbnail()}finally{this.media?.send({type:"shown",page:this.page,n:e.n})}}#o(){this.heard=performance.now(),this.connected&&this.cards.size>0&&this.alive?this.leg.state==="idle"&&(this.#n(),this.leg.open(!!this.value("has_video"))):(!this.connected||!this.alive)&&this.leg.close(),this.update()}update(){for(let e of this.cards)e.update()}#h(){for(let e of this.cards)e.tick()}#r(){cancelAnimationFrame(this.frameRequest),this.visible&&(this.frameRequest=requestAnimationFrame(e=>{if(e-this.lastDrawn>=Ie-2&&(this.lastDrawn=e,this.connected)){this.meter.sample();for(let t of this.cards)t.inView&&t.drawSound()}this.#r()}))}#d(){this.leg.close(),this.model.send({type:"view",page:this.page,open:!1,visible:!1})}close(){clearInterval(this.ticker),clearTimeout(this.parting),cancelAnimationFrame(this.frameRequest),window.removeEventListener("pagehide",this.onHide),document.removeEventListener("visibilitychange",this.onVisibility),this.media?.off("msg:custom",this.onMedia),this.media?.off("comm_live_update",this.onChange),this.leg.close(),this.meter.close(),this.thumbnail?.close(),this.thumbnail=null}};var qt=()=>{let i;return{initialize({model:e}){return i=new v(e),()=>i?.close()},render({model:e,el:t}){i??=new v(e);let s=new x(i,t);return()=>s.close()}}};export{qt as default};
