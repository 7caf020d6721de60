// Built from xnb/widgets/js by build.mjs, sources 33cda5b99bf69c4470ff9521de53eac6458e5555235b152d5059ecba63d0acfa. Icons: Lucide (ISC license).
function n(i,t={},...e){let s=document.createElement(i);for(let[o,r]of Object.entries(t))s.setAttribute(o,r);return s.append(...e),s}function d(i,t){i.textContent!==t&&(i.textContent=t)}function w(i,t){i.hidden===t&&(i.hidden=!t)}function v(i){let t=/[\p{L}\p{N}]/u.exec(i);return t?t[0].toUpperCase():"?"}function g(i){let t=7;for(let e of i)t=(t*31+(e.codePointAt(0)??0))%3600;return t%360}var m=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var f=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var x=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var k=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var C=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var b=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var S=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var M=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var y=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var A=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var I=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var E=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var j=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var B=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var L=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var O=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var T={alert:A,check:m,circle:f,fileAudio:x,fileVideo:k,headset:C,mic:S,micOff:b,phone:M,square:y,video:E,videoOff:I,volume:j,volumeOff:B,webcam:L,x:O};function V(i){let t=document.createElement("template");t.innerHTML=T[i].slice(T[i].indexOf("<svg"));let e=t.content.firstElementChild;return e.setAttribute("class",`xnb-icon xnb-icon-${i}`),e.setAttribute("aria-hidden","true"),e.setAttribute("focusable","false"),e}var $=new Set(["Enter"," ","ArrowLeft","ArrowRight","ArrowUp","ArrowDown","Home","End"]);var Q=[659.3,523.3],tt=.06,h=class{constructor(){this.context=null,this.timer=void 0}set(t){t!==(this.timer!==void 0)&&(t?(this.context??=new AudioContext,this.#t(),this.timer=setInterval(()=>this.#t(),3e3)):(clearInterval(this.timer),this.timer=void 0))}#t(){let t=this.context;if(t?.state!=="running"){t?.resume().catch(()=>{});return}Q.forEach((e,s)=>{let o=t.currentTime+s*.28,r=new OscillatorNode(t,{frequency:e,type:"sine"}),l=new GainNode(t,{gain:0});l.gain.setValueAtTime(0,o),l.gain.linearRampToValueAtTime(tt,o+.03),l.gain.exponentialRampToValueAtTime(5e-4,o+.9),r.connect(l).connect(t.destination),r.start(o),r.stop(o+1)})}close(){this.set(!1),this.context?.close().catch(()=>{}),this.context=null}};function et(i,t){let e=n("div",{class:"xnb-avatar","aria-hidden":"true"});e.append(n("div",{class:"xnb-ring"}),n("span",{},v(i.who))),e.style.setProperty("--xnb-hue",String(g(i.who)));let s=n("div",{class:"xnb-choices"}),o=(r,l,a,c)=>{let u=n("button",{class:`xnb-${r}`,type:"button","aria-label":`${a}, call from ${i.who}`},V(l),a);u.disabled=i.busy,u.addEventListener("click",()=>{for(let H of s.querySelectorAll("button"))H.disabled=!0;t({id:i.id,...c})}),s.append(u)};return i.video?(o("accept","video","Accept",{type:"accept",video:!0}),o("accept","phone","Sound only",{type:"accept",video:!1})):o("accept","phone","Accept",{type:"accept",video:!1}),o("decline","phone","Decline",{type:"decline"}),n("li",{"data-caller":i.who},e,n("div",{class:"xnb-text"},n("p",{class:"xnb-words"},i.who),n("p",{class:"xnb-small"},i.video?"Video call":"Audio call")),s)}var p=class{constructor(t,e){this.model=t,this.shown="",this.drawn="",this.view=null,this.words=n("strong",{role:"status","aria-live":"assertive"}),this.state=n("span",{class:"xnb-status"}),this.calls=n("ul",{class:"xnb-calls","aria-label":"Waiting calls"}),this.note=n("p",{class:"xnb-line",role:"status","aria-live":"polite"}),this.root=n("section",{class:"xnb-card xnb-door",role:"group","aria-label":"Incoming calls"},n("header",{class:"xnb-waiting"},n("span",{class:"xnb-dot","aria-hidden":"true"}),this.words,this.state),this.calls,this.note),this.inside=n("div",{class:"xnb-inside"}),this.root.addEventListener("keydown",s=>{$.has(s.key)&&s.stopPropagation()}),e.classList.add("xnb"),e.append(this.root,this.inside),this.update()}update(){let{model:t}=this,e=t.get("callers")??[],s=String(t.get("state"));this.root.dataset.state=e.length?"ringing":s;let o=e.map(a=>a.who).join(", "),r=s==="waiting"?`Waiting for calls as ${t.get("handle")}`:"";d(this.words,o?`${o} calling`:r||String(t.get("state_text"))),d(this.state,o&&e.length>1?`${e.length} calls`:"");let l=JSON.stringify(e);if(l!==this.drawn){this.drawn=l;let a=c=>t.send(c);this.calls.replaceChildren(...e.map(c=>et(c,a)))}w(this.calls,e.length>0),d(this.note,String(t.get("notice")??"")),w(this.note,this.note.textContent!==""),this.#t(String(t.get("active")??""))}async#t(t){if(t===this.shown||(this.shown=t,this.view?.remove(),this.view=null,this.inside.replaceChildren(),!t))return;let e=this.model.widget_manager,s=await e.get_model(t.replace("IPY_MODEL_","")),o=await e.create_view(s);if(this.shown!==t){o.remove();return}this.view=o,this.inside.replaceChildren(o.el)}close(){this.shown="",this.view?.remove(),this.root.remove(),this.inside.remove()}},Pt=()=>{let i=new h,t=new Set;return{initialize({model:e}){let s=()=>{i.set(t.size>0&&(e.get("callers")??[]).some(o=>!o.busy));for(let o of t)o.update()};return e.on("change",s),()=>i.close()},render({model:e,el:s}){let o=new p(e,s);return t.add(o),i.set((e.get("callers")??[]).length>0),()=>{t.delete(o),t.size===0&&i.set(!1),o.close()}}}};export{Pt as default};
