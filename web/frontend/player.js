// A recording to listen to: waveform to click on, keys to seek with, either side alone, faster or slower.
import { duration } from "./format.js";
import { say } from "./words.js";

const STEP = 5; // seconds an arrow key goes
const LEAP = 30;
let context = null; // one for the page, made at the first click: browsers want a gesture for it
let playing = null;
let rate = 1; // the last one chosen holds for the next recording too

class CallPlayer extends HTMLElement {
  connectedCallback() {
    if (this.button) return;
    this.button = this.querySelector(".play");
    this.wave = this.querySelector(".wave");
    this.rest = this.querySelector(".rest");
    this.time = this.querySelector(".time");
    this.tools = this.querySelector(".tools");
    this.speed = this.querySelector("select");
    this.seconds = Number(this.dataset.seconds);
    this.quiet = (this.dataset.quiet ?? "").split(" ").filter(Boolean).map((each) => each.split("-").map(Number));
    this.button.addEventListener("click", () => this.toggle());
    this.wave.addEventListener("pointerdown", (event) => this.drag(event));
    this.wave.addEventListener("keydown", (event) => this.key(event));
    this.tools.addEventListener("change", (event) => this.change(event.target));
  }

  disconnectedCallback() {
    this.audio?.pause();
  }

  /** The audio element and its two volume knobs, made when they are first needed. */
  ready() {
    if (this.audio) return this.audio;
    this.audio = new Audio();
    this.audio.preload = "auto";
    this.audio.src = this.dataset.src;
    this.audio.playbackRate = rate;
    this.speed.value = String(rate);
    for (const name of ["play", "pause", "ended", "seeked", "loadedmetadata"]) {
      this.audio.addEventListener(name, () => this.show());
    }
    this.audio.addEventListener("error", () => this.fail());
    context ??= new AudioContext();
    const splitter = context.createChannelSplitter(2);
    context.createMediaElementSource(this.audio).connect(splitter);
    this.sides = [0, 1].map((channel) => {
      const gain = context.createGain();
      splitter.connect(gain, channel);
      gain.connect(context.destination); // one channel in, so both ears hear it
      return gain;
    });
    this.listen();
    this.tools.hidden = false;
    return this.audio;
  }

  async toggle() {
    const audio = this.ready();
    if (!audio.paused) return audio.pause();
    if (playing !== this) playing?.audio.pause();
    playing = this;
    await context.resume();
    try {
      await audio.play();
    } catch (problem) {
      if (problem.name !== "AbortError") this.fail();
    }
  }

  fail() {
    this.classList.add("failed");
    this.time.textContent = say("unplayable");
    this.removeAttribute("data-playing");
  }

  /** Which side is heard: both, the caller (left) or the company (right). */
  listen() {
    const side = this.querySelector(".sides input:checked")?.value ?? "both";
    this.dataset.side = side;
    this.sides[0].gain.value = side === "right" ? 0 : 1;
    this.sides[1].gain.value = side === "left" ? 0 : 1;
  }

  change(field) {
    this.ready();
    if (field === this.speed) this.audio.playbackRate = rate = Number(field.value);
    else if (field.name) this.listen();
  }

  seek(seconds) {
    const audio = this.ready();
    audio.currentTime = Math.min(Math.max(seconds, 0), this.length());
    this.show();
  }

  length() {
    const known = this.audio?.duration;
    return Number.isFinite(known) ? known : this.seconds;
  }

  /** Over a silence, if that is wanted; its first and last moment are heard, so that nobody loses the thread. */
  skip(at) {
    if (!this.querySelector(".pauses input")?.checked) return;
    const silence = this.quiet.find(([begun, ended]) => begun + 0.4 <= at && at < ended - 0.6);
    if (silence) this.audio.currentTime = silence[1] - 0.3;
  }

  drag(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.wave.focus();
    this.wave.setPointerCapture(event.pointerId);
    const box = this.wave.getBoundingClientRect();
    const go = (moved) => this.seek(((moved.clientX - box.left) / box.width) * this.length());
    go(event);
    this.wave.addEventListener("pointermove", go);
    const stop = () => this.wave.removeEventListener("pointermove", go);
    this.wave.addEventListener("lostpointercapture", stop, { once: true });
    if (this.audio.paused && !this.started) this.toggle();
    this.started = true;
  }

  key(event) {
    const at = this.audio?.currentTime ?? 0;
    const goal = {
      ArrowLeft: at - STEP, ArrowDown: at - STEP, ArrowRight: at + STEP, ArrowUp: at + STEP,
      PageDown: at - LEAP, PageUp: at + LEAP, Home: 0, End: this.length(),
    }[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === " " || event.key === "Enter") this.toggle();
    else if (goal === undefined) return;
    else this.seek(goal);
    event.preventDefault();
  }

  /** Draws where the recording is; goes on by itself while it plays. */
  show() {
    const audio = this.audio;
    const going = !audio.paused && !audio.ended;
    this.toggleAttribute("data-playing", going);
    this.toggleAttribute("data-touched", true);
    this.button.setAttribute("aria-label", say(going ? "pause" : "play"));
    const at = audio.currentTime;
    const length = this.length();
    this.rest.style.left = `${length ? Math.min(100, (at / length) * 100) : 0}%`;
    // A row says beside it how long the call was; the call's page has room for both.
    this.time.textContent = "open" in this.dataset ? `${duration(at)} / ${duration(length + 0.5)}` : duration(at);
    this.dispatchEvent(new CustomEvent("moved", { detail: at }));
    this.wave.setAttribute("aria-valuenow", String(Math.round(at)));
    this.wave.setAttribute("aria-valuetext", say("position", { at: duration(at), length: duration(length + 0.5) }));
    if (going) {
      this.skip(at);
      cancelAnimationFrame(this.frame);
      this.frame = requestAnimationFrame(() => this.show());
    }
  }
}

customElements.define("call-player", CallPlayer);
