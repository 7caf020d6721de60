// Built from xnb/widgets/js by build.mjs, sources a8a6102d28530ffd87f8bdf584b06435c1124e10397791f64e3640ac4a62cc56. Icons: Lucide (ISC license). Charts in call.js: uPlot (MIT license).
function c(i,t={},...e){let o=document.createElement(i);for(let[s,r]of Object.entries(t))o.setAttribute(s,r);return o.append(...e),o}function y(i,t){i.textContent!==t&&(i.textContent=t)}function m(i,t){i.hidden===t&&(i.hidden=!t)}var p=(i,t,e)=>Math.min(e,Math.max(t,i));function v(i){let t=Math.round(Math.max(0,i)*10),e=a=>String(a).padStart(2,"0"),o=Math.floor(t/10),s=Math.floor(o/60)%60,r=Math.floor(o/3600),n=`${e(o%60)}.${t%10}`;return r?`${r}:${e(s)}:${n}`:`${s}:${n}`}function C(i){return i<1e6?`${Math.ceil(i/1e3)} kB`:`${(i/1e6).toFixed(i<1e7?1:0)} MB`}function A(i,t,e,o=1){let s=i.shiftKey?o/10:o;switch(i.key){case"ArrowRight":case"ArrowUp":return p(t+s,0,e);case"ArrowLeft":case"ArrowDown":return p(t-s,0,e);case"PageUp":return p(t+10*o,0,e);case"PageDown":return p(t-10*o,0,e);case"Home":return 0;case"End":return e;default:return null}}var g=(i,t)=>(i-t.from)/(t.to-t.from||1),W=(i,t)=>t.from+p(i,0,1)*(t.to-t.from);function D(i,t,e,o){let s=p((i.to-i.from)*t,Math.min(1,o),o),r=p(e-g(e,i)*s,0,o-s);return{from:r,to:r+s}}function j(i,t,e){if(t>=i.from&&t<=i.to)return i;let o=i.to-i.from,s=p(t-o/10,0,e-o);return{from:s,to:s+o}}function U(i,t,e,o){let s=Math.min(.1,o);return t==="from"?{from:p(e,0,i.to-s),to:i.to}:{from:i.from,to:p(e,i.from+s,o)}}function F(i,t){let e=(i.to-i.from)/2;return{from:Math.max(0,i.from-e),to:Math.min(t,i.to+e)}}function H(i,t){return i.from<=t.from+1e-6&&i.to>=t.to-1e-6&&i.to-i.from<=2.01*(t.to-t.from)}function $(i){let t=Math.min(2,window.devicePixelRatio||1),e=Math.round(i.clientWidth*t),o=Math.round(i.clientHeight*t);return!e||!o?null:((i.width!==e||i.height!==o)&&(i.width=e,i.height=o),i.getContext("2d"))}function G(i,t,e,o,s,r){let n=$(i);if(!n)return;let{width:a,height:h}=i;n.clearRect(0,0,a,h);let d=h/2;if(n.fillStyle=r.rest,n.fillRect(0,d-.5,a,1),!t)return;let f=g(e.from,o)*a,x=(e.to-e.from)/(o.to-o.from)*a/t.low.length,T=g(s,o)*a;for(let[P,w,k]of[[r.played,0,Math.min(T,a)],[r.rest,Math.max(0,T),a]]){if(k<=w)continue;n.save(),n.beginPath(),n.rect(w,0,k-w,h),n.clip(),n.fillStyle=P;let O=Math.max(0,Math.floor(-f/x)),_=Math.min(t.low.length,Math.ceil((a-f)/x));for(let E=O;E<_;E++){let B=d-t.high[E]/127*(d-2),lt=d-t.low[E]/127*(d-2);n.fillRect(f+E*x,B,Math.max(1,x),Math.max(1,lt-B))}n.restore()}}function V({rows:i,columns:t,levels:e,colours:o}){let s=document.createElement("canvas");s.width=t,s.height=i;let r=s.getContext("2d"),n=new ImageData(t,i);for(let a=0;a<e.length;a++){let h=3*e[a];n.data[4*a]=o[h],n.data[4*a+1]=o[h+1],n.data[4*a+2]=o[h+2],n.data[4*a+3]=255}return r?.putImageData(n,0,0),s}function Y(i,t,e,o){let s=$(i);if(!s)return;let r=e.from/o*t.width,n=Math.max(1,(e.to-e.from)/o*t.width);s.imageSmoothingEnabled=!0,s.drawImage(t,r,0,n,t.height,0,0,i.width,i.height)}var K=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-audio-lines"
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
  <path d="M2 10v3" />
  <path d="M6 6v11" />
  <path d="M10 3v18" />
  <path d="M14 8v7" />
  <path d="M18 5v13" />
  <path d="M22 10v3" />
</svg>
`;var Z=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-download"
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
  <path d="M21 15v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4" />
  <polyline points="7 10 12 15 17 10" />
  <line x1="12" x2="12" y1="15" y2="3" />
</svg>
`;var q=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-pause"
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
  <rect x="14" y="4" width="4" height="16" rx="1" />
  <rect x="6" y="4" width="4" height="16" rx="1" />
</svg>
`;var J=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var X=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-scissors"
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
  <circle cx="6" cy="6" r="3" />
  <path d="M8.12 8.12 12 12" />
  <path d="M20 4 8.12 15.88" />
  <circle cx="6" cy="18" r="3" />
  <path d="M14.8 14.8 20 20" />
</svg>
`;var Q=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var tt=`<!-- @license lucide-static v0.500.0 - ISC -->
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
`;var et=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-zoom-in"
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
  <circle cx="11" cy="11" r="8" />
  <line x1="21" x2="16.65" y1="21" y2="16.65" />
  <line x1="11" x2="11" y1="8" y2="14" />
  <line x1="8" x2="14" y1="11" y2="11" />
</svg>
`;var ot=`<!-- @license lucide-static v0.500.0 - ISC -->
<svg
  class="lucide lucide-zoom-out"
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
  <circle cx="11" cy="11" r="8" />
  <line x1="21" x2="16.65" y1="21" y2="16.65" />
  <line x1="8" x2="14" y1="11" y2="11" />
</svg>
`;function it(i,t){let e=document.createElement("template");e.innerHTML=i.slice(i.indexOf("<svg"));let o=e.content.firstElementChild;return o.setAttribute("class",`xnb-icon xnb-icon-${t}`),o.setAttribute("aria-hidden","true"),o.setAttribute("focusable","false"),o}var yt={download:Z,pause:q,play:J,spectrogram:K,trim:X,volume:Q,volumeOff:tt,zoomIn:et,zoomOut:ot};function N(i){return it(yt[i],i)}var l={recording:"Recording {}",picture:"Picture of {}",play:"Play",pause:"Pause",position:"Position",positionText:"{} of {}",soundOff:"Turn sound off",volume:"Volume",spectrogram:"Spectrogram",spectrogramText:"Up to {} kHz, spaced as the ear hears",zoomIn:"Zoom in",zoomOut:"Zoom out",trim:"Cut out a part",trimRow:"The part to save",trimStart:"Beginning of the part",trimEnd:"End of the part",trimSpan:"From {} to {}: {} s",save:"Save trimmed",cancel:"Cancel",saving:"Saving the part: {} %",saved:"Saved {} ({}).",canceled:"Canceled; nothing was saved.",download:"Download {}",controls:"Player controls",markers:"What happened in the call",marker:"{}: {}",loading:"Loading: {} of {}",loadHint:"Playing loads {} from the kernel.",reading:"Reading the sound: {} %",preparing:"Making a copy that this browser plays …",preparingShare:"Making a copy that this browser plays: {} %",unplayable:"This browser cannot play it. Download it and open it with another program.",noSound:"It has no sound.",silent:"The kernel has not answered yet. It may be running a cell; if it is gone, run this cell again.",lost:"The kernel did not answer. Run the cell again, then play."};function u(i,...t){let e=0;return i.replace(/\{\}/g,()=>String(t[e++]??""))}function rt(){let i=c("strong",{class:"xnb-player-title"}),t=c("span",{class:"xnb-player-words"}),e=c("header",{class:"xnb-player-head"},i,t),o=vt(),s=bt(),r=xt(),n=kt(),a=c("p",{class:"xnb-player-note",role:"status","aria-live":"polite"});return{root:c("section",{class:"xnb-player",role:"group",tabindex:"0"},e,o.stage,s.line,n.bar,r.row,a),title:i,words:t,note:a,...o,...s,...n,...r}}function vt(){let i=c("video",{class:"xnb-player-video",playsinline:"",preload:"auto"}),t=c("img",{class:"xnb-player-poster",alt:""}),e=c("button",{class:"xnb-player-begin",type:"button","aria-label":l.play,title:l.play},N("play"));return{stage:c("div",{class:"xnb-player-stage"},i,t,e),video:i,poster:t,begin:e}}function bt(){let i=c("canvas",{class:"xnb-player-canvas","aria-hidden":"true"}),t=c("div",{class:"xnb-player-playhead","aria-hidden":"true"}),e=c("span",{class:"xnb-player-scale"}),o=c("div",{class:"xnb-player-slider",role:"slider",tabindex:"0","aria-label":l.position,"aria-valuemin":"0"},i,t),s=c("div",{class:"xnb-player-ticks",role:"group","aria-label":l.markers}),r=c("div",{class:"xnb-player-shade","aria-hidden":"true"}),n=c("div",{class:"xnb-player-shade","aria-hidden":"true"}),a=st(l.trimStart,"from"),h=st(l.trimEnd,"to"),d=c("div",{class:"xnb-player-wave"},o,e,r,n,a,h);return{line:c("div",{class:"xnb-player-line"},s,d),ticks:s,wave:d,slider:o,canvas:i,playhead:t,scale:e,before:r,after:n,from:a,to:h}}function st(i,t){return c("div",{class:`xnb-player-handle xnb-player-${t}`,role:"slider",tabindex:"0","aria-label":i,"aria-valuemin":"0",title:i})}function xt(){let i=c("span",{class:"xnb-player-span"}),t=c("button",{class:"xnb-player-save",type:"button"},l.save),e=c("button",{class:"xnb-player-plain",type:"button"},l.cancel);return{row:c("div",{class:"xnb-player-trim",role:"group","aria-label":l.trimRow},i,t,e),span:i,save:t,cancel:e}}function S(i,t,...e){return c("button",{class:`xnb-player-button xnb-player-do-${i}`,type:"button","aria-label":t,title:t},...e.map(o=>N(o)))}function kt(){let i=S("play",l.play,"play","pause"),t=c("span",{class:"xnb-player-time"}),e=S("mute",l.soundOff,"volume","volumeOff"),o=c("input",{class:"xnb-player-volume",type:"range",min:"0",max:"1",step:"0.05",value:"1","aria-label":l.volume}),s=S("zoomin",l.zoomIn,"zoomIn"),r=S("zoomout",l.zoomOut,"zoomOut"),n=S("spectrogram",l.spectrogram,"spectrogram"),a=S("trim",l.trim,"trim"),h=S("download",l.download,"download");for(let f of[e,n,a])f.setAttribute("aria-pressed","false");return{bar:c("div",{class:"xnb-player-bar",role:"group","aria-label":l.controls},i,t,c("span",{class:"xnb-player-gap"}),e,o,r,s,n,a,h),play:i,time:t,mute:e,volume:o,zoomIn:s,zoomOut:r,spectrogram:n,trim:a,download:h}}var St=.1,L=class{constructor(t){this.player=t,this.open=!1,this.part={from:0,to:t.duration};let{ui:e}=t;e.trim.addEventListener("click",()=>this.#t(!this.open)),e.cancel.addEventListener("click",()=>this.#e()),e.save.addEventListener("click",()=>t.store.save({...this.part}));for(let o of["from","to"])e[o].addEventListener("pointerdown",s=>{s.button===0&&(s.stopPropagation(),e[o].focus({preventScroll:!0}),t.track(s,e[o],r=>this.#o(o,r)))}),e[o].setAttribute("aria-valuemax",t.duration.toFixed(1));this.place()}#t(t){let{ui:e,view:o,position:s}=this.player;this.open=t,e.trim.setAttribute("aria-pressed",String(t)),t&&this.part.to>o.to&&(this.part={from:o.from,to:o.to}),t&&s>this.part.from&&s<this.part.to-1&&(this.part={...this.part,from:s}),this.player.store.say(""),this.place(),t&&e.from.focus({preventScroll:!0})}#e(){let{saving:t}=this.player.store;t?t.stop.abort():(this.#t(!1),this.player.ui.trim.focus())}#o(t,e){this.part=U(this.part,t,e,this.player.duration),this.player.seek(this.part[t]),this.place()}key(t,e){let o=e===this.player.ui.from?"from":"to",s=A(t,this.part[o],this.player.duration,St);return s===null?!1:(this.#o(o,s),!0)}startFrom(t){return this.open?t>=this.part.from-.001&&t<this.part.to-.05?t:this.part.from:t}isOver(t){return this.open&&t>=this.part.to}place(){let{ui:t,view:e}=this.player,{from:o,to:s}=this.part;t.root.dataset.trim=String(this.open);for(let[a,h]of[["from",t.from],["to",t.to]]){let d=g(this.part[a],e);h.style.left=`${(100*d).toFixed(3)}%`,m(h,this.open&&d>-1e-6&&d<1+1e-6),h.setAttribute("aria-valuenow",this.part[a].toFixed(1)),h.setAttribute("aria-valuetext",v(this.part[a]))}let r=p(g(o,e),0,1),n=p(g(s,e),0,1);t.before.style.cssText=`left: 0; width: ${100*r}%`,t.after.style.cssText=`left: ${100*n}%; width: ${100*(1-n)}%`;for(let a of[t.before,t.after,t.row])m(a,this.open);y(t.span,u(l.trimSpan,v(o),v(s),(s-o).toFixed(1)))}changed(){this.player.ui.save.disabled=this.player.store.saving!==null}};var nt=16e6,R=2,Tt=5,I=class{constructor(t,e){this.store=t,this.duration=t.duration||.001,this.view={from:0,to:this.duration},this.position=0,this.wanted=0,this.playing=!1,this.seen=!1,this.spectral=!1,this.wave=null,this.drawn=this.view,this.waveAsked=0,this.image=null,this.ui=rt(),this.trim=new L(this),e.classList.add("xnb"),e.append(this.ui.root),this.#t(),this.#e(),t.watchers.add(this),this.watching=new IntersectionObserver(o=>{o[o.length-1].isIntersecting&&this.#h()}),this.watching.observe(this.ui.root),this.resizing=new ResizeObserver(()=>this.#d()),this.resizing.observe(this.ui.slider),this.theming=new MutationObserver(()=>requestAnimationFrame(()=>this.draw())),this.theming.observe(document.body,{attributes:!0}),this.contrast=matchMedia("(forced-colors: active)"),this.onContrast=()=>this.draw(),this.contrast.addEventListener("change",this.onContrast),this.changed(),this.moved()}#t(){let{ui:t,store:e}=this,o=String(e.value("title"));y(t.title,o),y(t.words,o===e.value("name")?String(e.value("words")):`${e.value("name")}: ${e.value("words")}`),t.root.setAttribute("aria-label",u(l.recording,o)),t.video.setAttribute("aria-label",u(l.picture,o));let s=u(l.download,String(e.value("name")));t.download.setAttribute("aria-label",s),t.download.title=s;let r=!!e.value("has_video"),n=!!e.value("has_audio");t.root.dataset.video=String(r),t.root.dataset.audio=String(n),r&&t.stage.style.setProperty("--xnb-ratio",`${e.value("width")} / ${e.value("height")}`);for(let h of[t.mute,t.volume,t.spectrogram])m(h,n);for(let h of[t.zoomIn,t.zoomOut])m(h,this.duration>Tt);m(t.poster,!1),m(t.scale,!1),t.slider.setAttribute("aria-valuemax",this.duration.toFixed(1)),Number(e.value("size_bytes"))>nt&&!e.address&&!e.note&&(e.note=u(l.loadHint,C(Number(e.value("size_bytes"))))),this.#p()}#e(){let{ui:t,store:e}=this;t.root.addEventListener("keydown",s=>this.#o(s));for(let s of[t.play,t.begin])s.addEventListener("click",()=>this.toggle());t.video.addEventListener("click",()=>this.toggle()),t.mute.addEventListener("click",()=>{t.video.muted=!t.video.muted,t.mute.setAttribute("aria-pressed",String(t.video.muted))}),t.volume.addEventListener("input",()=>t.video.volume=Number(t.volume.value)),t.zoomIn.addEventListener("click",()=>this.zoom(1/R)),t.zoomOut.addEventListener("click",()=>this.zoom(R)),t.spectrogram.addEventListener("click",()=>this.#u()),t.download.addEventListener("click",()=>e.download()),t.slider.addEventListener("pointerdown",s=>this.#m(s));let o=()=>this.#n();for(let s of["play","pause","ended","seeked","timeupdate"])t.video.addEventListener(s,o);t.video.addEventListener("loadedmetadata",()=>{this.wanted&&(t.video.currentTime=this.wanted)}),t.video.addEventListener("loadeddata",()=>this.changed()),t.video.addEventListener("error",()=>{e.address&&t.video.src===e.address&&e.refused()})}#o(t){let e=t.target;if(t.ctrlKey||t.metaKey||t.altKey)return;let o=e===this.ui.from||e===this.ui.to,s=e instanceof HTMLButtonElement;if(e instanceof HTMLInputElement||s&&(t.key===" "||t.key==="Enter")){t.stopPropagation();return}let r=o?null:A(t,this.position,this.duration);if(o&&this.trim.key(t,e))t.preventDefault();else if(r!==null)this.seek(r),t.preventDefault();else if(t.key===" ")this.toggle(),t.preventDefault();else if(t.key==="+"||t.key==="-")this.zoom(t.key==="+"?1/R:R);else return;t.stopPropagation()}async toggle(){let{ui:t}=this;if(this.playing){this.playing=!1,t.video.pause(),this.changed();return}this.playing=!0,this.changed(),await this.store.load(),this.playing&&(this.#r(),this.store.address?await this.#s():this.playing=!1,this.changed())}async#s(){let t=this.trim.startFrom(this.position);t!==this.position?this.seek(t):this.position>=this.duration-.05&&this.seek(0);try{await this.ui.video.play(),this.#i()}catch(e){(!(e instanceof DOMException)||e.name!=="AbortError")&&(this.playing=!1)}}seek(t){this.wanted=p(t,0,this.duration),this.position=this.wanted;let{video:e}=this.ui;e.readyState>0?e.currentTime=Math.min(this.wanted,e.duration||this.wanted):this.store.load(),this.moved()}#r(){let{video:t}=this.ui,{address:e}=this.store;!e||t.src===e||(this.wanted=this.position,t.src=e,this.playing&&t.play().catch(()=>{}))}#n(){let{video:t}=this.ui;if(t.seeking||t.readyState===0)return;this.position=t.currentTime;let e=!t.paused&&!t.ended;e!==this.playing&&(this.playing=e,this.changed()),e&&this.#i(),this.moved()}#i(){this.frame||(this.frame=requestAnimationFrame(()=>{this.frame=0;let{video:t}=this.ui;t.paused||(t.seeking||(this.position=t.currentTime),this.trim.isOver(this.position)&&t.pause(),this.view=j(this.view,this.position,this.duration),this.moved(),this.#i())}))}#h(){if(this.seen)return;this.seen=!0;let{store:t,ui:e}=this;t.value("has_audio")?this.#l():this.draw(),Number(t.value("size_bytes"))<=nt&&t.load(),t.value("has_video")&&!t.address&&t.readPoster().then(o=>{e.poster.src=o,this.changed()},()=>{})}#d(){clearTimeout(this.resizeTimer),this.draw(),this.resizeTimer=setTimeout(()=>this.#a(),200)}#a(){this.waveTimer||!this.seen||!this.store.value("has_audio")||(this.waveTimer=setTimeout(()=>{this.waveTimer=0,this.#l()},100))}async#l(){let{view:t}=this,e=F(t,this.duration),o=(e.to-e.from)/(t.to-t.from),s=Math.min(2,devicePixelRatio||1),r=Math.round(this.ui.canvas.clientWidth*s*o);if(!r)return;let n=++this.waveAsked;try{let a=await this.store.wave(e.from,e.to,r);if(n!==this.waveAsked)return;this.wave=a,this.drawn=e,this.ui.root.dataset.wave="ready",this.draw()}catch{}}async#u(){if(this.spectral=!this.spectral,this.ui.spectrogram.setAttribute("aria-pressed",String(this.spectral)),this.spectral&&!this.image)try{let t=await this.store.readSpectrum();this.image=V(t),y(this.ui.scale,u(l.spectrogramText,Math.round(t.highest_hz/1e3)))}catch(t){this.spectral=!1,this.ui.spectrogram.setAttribute("aria-pressed","false"),t instanceof Error&&t.message&&this.store.say(t.message)}this.ui.root.dataset.spectrogram=String(this.spectral&&this.image!==null),m(this.ui.scale,this.spectral&&this.image!==null),this.draw()}zoom(t){let e=p(this.position,this.view.from,this.view.to);this.view=D(this.view,t,e,this.duration),this.moved()}#p(){let t=this.store.value("markers")??[];this.ticks=t.map(([e,o])=>{let s=u(l.marker,v(e),o),r=c("button",{class:"xnb-player-tick",type:"button","aria-label":s,"data-text":s});return r.addEventListener("click",()=>this.seek(e)),{tick:r,seconds:e}}),this.ui.ticks.replaceChildren(...this.ticks.map(({tick:e})=>e)),m(this.ui.ticks,t.length>0)}moved(){let{ui:t,view:e}=this,o=v(this.position),s=v(this.duration);y(t.time,`${o} / ${s}`),t.slider.setAttribute("aria-valuenow",this.position.toFixed(1)),t.slider.setAttribute("aria-valuetext",u(l.positionText,o,s)),at(t.playhead,g(this.position,e));for(let{tick:r,seconds:n}of this.ticks??[]){let a=g(n,e);at(r,a),r.classList.toggle("xnb-player-late",a>.5)}this.#c(),this.trim.place(),t.zoomOut.disabled=e.to-e.from>=this.duration-1e-6,this.wave&&!H(this.drawn,e)&&this.#a(),this.draw()}draw(){let{ui:t}=this;if(this.spectral&&this.image){Y(t.canvas,this.image,this.view,this.duration);return}let e={played:getComputedStyle(t.playhead).backgroundColor,rest:getComputedStyle(t.canvas).color};G(t.canvas,this.wave,this.drawn,this.view,this.position,e)}changed(){let{ui:t,store:e}=this;this.#r(),y(t.note,e.words),m(t.note,e.words!=="");let o=this.playing?l.pause:l.play;t.play.setAttribute("aria-label",o),t.play.title=o,t.root.dataset.playing=String(this.playing),t.root.dataset.ready=String(t.video.readyState>=2);let s=!!e.value("has_video");m(t.poster,s&&t.video.readyState<2&&!!t.poster.src),this.#c(),this.trim.changed()}#c(){m(this.ui.begin,!!this.store.value("has_video")&&!this.playing&&!this.position)}#m(t){t.button===0&&(this.ui.slider.focus({preventScroll:!0}),this.track(t,this.ui.slider,e=>this.seek(e)))}track(t,e,o){let s=this.ui.wave.getBoundingClientRect(),r=a=>o(W((a.clientX-s.left)/s.width,this.view)),n=()=>{e.removeEventListener("pointermove",r),e.removeEventListener("pointerup",n),e.removeEventListener("pointercancel",n)};e.setPointerCapture(t.pointerId),e.addEventListener("pointermove",r),e.addEventListener("pointerup",n),e.addEventListener("pointercancel",n),r(t),t.preventDefault()}close(){this.watching.disconnect(),this.resizing.disconnect(),this.theming.disconnect(),this.contrast.removeEventListener("change",this.onContrast),clearTimeout(this.resizeTimer),clearTimeout(this.waveTimer),this.frame&&cancelAnimationFrame(this.frame),this.store.watchers.delete(this),this.ui.video.removeAttribute("src"),this.ui.video.load(),this.ui.root.remove()}};function at(i,t){i.style.left=`${(100*t).toFixed(3)}%`,m(i,t>=-1e-6&&t<=1+1e-6)}var b=class extends Error{},z=class{constructor(t,e,{page:o,now:s=()=>performance.now()}={}){this.model=t,this.hooks=e,this.page=o??crypto.getRandomValues(new Uint32Array(3)).join("-"),this.now=s,this.waiting=new Map,this.next=1,this.heard=s(),this.silent=!1}ask(t,e={},{progress:o,signal:s}={}){let r=this.next++;return this.waiting.size===0&&(this.heard=this.now()),new Promise((n,a)=>{this.waiting.set(r,{resolve:n,reject:a,progress:o}),s?.addEventListener("abort",()=>{this.model.send({type:"cancel",page:this.page,id:r})}),this.model.send({type:t,page:this.page,id:r,...e})})}receive(t,e){if(t?.page!==this.page)return;let o=this.waiting.get(t.id);if(o){if(this.heard=this.now(),this.#t(!1),t.type==="progress"){o.progress?.(t.share);return}this.waiting.delete(t.id),t.type==="failed"?o.reject(new Error(t.text)):t.type==="canceled"?o.reject(new b):o.resolve({content:t,buffers:e})}}tick(){this.#t(this.waiting.size>0&&this.now()-this.heard>4e3)}#t(t){t!==this.silent&&(this.silent=t,this.hooks.silent(t))}close(){for(let{reject:t}of this.waiting.values())t(new b);this.waiting.clear()}async read({form:t,size_bytes:e,piece_bytes:o},s,r=Et){let n=new Array(Math.ceil(e/o)),a=[],h=0,d=0,f=0,x=0,T=w=>{let k=(d-f)*o>=16777216;!w&&!k||(a.push(new Blob(n.slice(f,d))),n.fill(void 0,f,d),f=d)},P=async()=>{for(;h<n.length;){let w=h++,k=w*o,O=Math.min(o,e-k),_=await this.#e({form:t,offset:k,length:O},r);for(n[w]=_,x+=O;d<n.length&&n[d]!==void 0;)d+=1;T(!1),s(x)}};return await Promise.all(Array.from({length:Math.min(6,n.length)},P)),T(!0),a}async#e(t,e){for(let o=0;o<4;o++){let s=this.next,r=e(15e3).then(()=>null),n=await Promise.race([this.ask("read",t),r]);if(this.waiting.delete(s),!n)continue;let a=n.buffers[0];if(a?.byteLength!==t.length)throw new Error("The file changed while it was read.");return new Uint8Array(a.buffer,a.byteOffset,a.byteLength).slice()}throw new Error("lost")}};function Et(i){return new Promise(t=>setTimeout(t,i))}var Ct=1e3,M=class{constructor(t){this.model=t,this.wire=new z(t,{silent:()=>this.#t()}),this.watchers=new Set,this.files=new Map,this.address="",this.form=this.#e(),this.loading=null,this.note="",this.looking="",this.saving=null,this.poster=null,this.spectrum=null,this.onMessage=(e,o)=>this.wire.receive(e,o),t.on("msg:custom",this.onMessage),this.ticker=setInterval(()=>this.wire.tick(),Ct)}value(t){return this.model.get(t)}get duration(){return Number(this.model.get("duration_s"))||0}get words(){return this.wire.silent?l.silent:this.note||this.looking}#t(){for(let t of this.watchers)t.changed()}say(t){t!==this.note&&(this.note=t,this.#t())}#e(){let t=this.model.get("mimes")??[],e=document.createElement("video"),o=t.findIndex(s=>e.canPlayType(s)!=="");return o<0?Math.max(0,t.length-1):o}load(){return this.loading??=this.#o().catch(t=>{this.loading=null,t instanceof b||this.say(t.message==="lost"?l.lost:t.message)}),this.loading}async#o(){let t=await this.#s(this.form);this.address=URL.createObjectURL(t),this.say(""),this.#t()}refused(){if(this.form+1>=(this.model.get("mimes")??[]).length){this.say(l.unplayable);return}this.form+=1,URL.revokeObjectURL(this.address),this.address="",this.loading=null,this.load()}#s(t){let e=this.files.get(t);if(e)return e;let o=this.#r(t);return this.files.set(t,o),o.catch(()=>this.files.delete(t)),o}async#r(t){t>0&&this.say(l.preparing);let{content:e}=await this.wire.ask("form",{form:t},{progress:r=>this.say(u(l.preparingShare,Math.round(100*r)))}),o=await this.wire.read({...e,form:t},r=>this.say(u(l.loading,C(r),C(e.size_bytes)))),s=String(this.model.get("mimes")[t]??"").split(";")[0];return new Blob(o,{type:s})}async download(){try{let t=URL.createObjectURL(await this.#s(0));this.say("");let e=document.createElement("a");e.href=t,e.download=this.model.get("name"),e.click(),setTimeout(()=>URL.revokeObjectURL(t),6e4)}catch(t){this.#n(t)}}#n(t){if(t instanceof b)return;let e=t instanceof Error?t.message:String(t);this.say(e==="lost"?l.lost:e)}async#i(t,e){try{return await this.wire.ask(t,e,{progress:o=>{this.looking=u(l.reading,Math.round(100*o)),this.#t()}})}finally{this.looking="",this.#t()}}async wave(t,e,o){let{buffers:s}=await this.#i("wave",{from_s:t,to_s:e,columns:o}),[r,n]=s.map(a=>new Int8Array(a.buffer,a.byteOffset,a.byteLength).slice());return{low:r,high:n}}readSpectrum(){return this.spectrum??=this.#i("spectrum",{}).then(({content:t,buffers:e})=>{let[o,s]=e.map(r=>new Uint8Array(r.buffer,r.byteOffset,r.byteLength).slice());return{...t,levels:o,colours:s}}),this.spectrum}readPoster(){return this.poster??=this.wire.ask("poster").then(({buffers:t})=>URL.createObjectURL(new Blob([t[0]],{type:"image/jpeg"}))),this.poster}async save(t){if(this.saving)return;let e=new AbortController;this.saving={share:0,stop:e},this.say(u(l.saving,0));try{let{content:o}=await this.wire.ask("trim",{start_s:t.from,end_s:t.to},{signal:e.signal,progress:s=>this.say(u(l.saving,Math.round(100*s)))});this.say(u(l.saved,o.path,o.words))}catch(o){o instanceof b?this.say(l.canceled):this.#n(o)}finally{this.saving=null,this.#t()}}close(){clearInterval(this.ticker),this.model.off("msg:custom",this.onMessage),this.wire.close(),this.address&&URL.revokeObjectURL(this.address),this.poster?.then(t=>URL.revokeObjectURL(t),()=>{})}};var xe=()=>{let i;return{initialize({model:t}){return i=new M(t),()=>i?.close()},render({model:t,el:e}){i??=new M(t);let o=new I(i,e);return()=>o.close()}}};export{xe as default};
